"""Parks from the reference data, and the sites that companies name."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.actor import Role
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, SecondFactorRequired, StaleVersion
from app.organisations import sites
from app.reference import parks
from app.reference.model import Park
from tests.organisations.factories import NOW, TODAY, VOENS, member, register, staff


@pytest.fixture
def actor(session):
    parks.seed_parks(session)
    return member(register(session)[1])


def site(session, actor, **changed):
    fields = {
        "name": "Pipe mill",
        "country": "AZ",
        "district": "Ağdam",
        "park_code": "AGDAM-SP",
        "production_started_on": None,
        "now": NOW,
    }
    return sites.create_site(session, actor, **(fields | changed))


def test_seeding_twice_changes_nothing_and_puts_right_what_differs(session):
    session.add(Park(code="OWN-SP", kind="other", names={"en": "Only a register knows it"}))
    first = parks.seed_parks(session)
    session.commit()
    assert first == len(parks.list_parks(session)) - 1 > 1
    assert parks.seed_parks(session) == 0
    park = parks.get_park(session, "AGDAM-SP")
    assert (park.district, park.economic_region, park.area_ha) == ("Ağdam", "QARABAG", 190)
    park.district = "Ağdaş"
    session.flush()
    assert parks.seed_parks(session) == 1
    assert park.district == "Ağdam"
    assert parks.get_park(session, "OWN-SP").kind == "other"
    with pytest.raises(NotFound):
        parks.get_park(session, "NOWHERE")


def test_the_region_follows_from_the_district(session, actor):
    row = site(session, actor, district="AĞDAM rayonu")
    session.commit()
    assert (row.district, row.economic_region, row.source, row.register_key) == ("Ağdam", "QARABAG", "applicant", None)


def test_a_place_abroad_has_no_region_and_no_list_of_districts(session, actor):
    for district in ("Ağdam", "Gaziantep"):
        row = site(session, actor, country="TR", district=district, park_code=None)
        assert (row.district, row.economic_region) == (district, None)


@pytest.mark.parametrize("typed", ["Agdam", "AGHDAM", "Агдам", "Ağdam rayonu"])
def test_a_district_is_found_in_three_languages(session, actor, typed):
    row = site(session, actor, district=typed)
    assert (row.district, row.economic_region) == ("Ağdam", "QARABAG")


def test_an_unknown_district_is_refused_with_the_list(session, actor):
    with pytest.raises(Invalid) as refusal:
        site(session, actor, district="Agdan", park_code=None)
    [error] = refusal.value.data["errors"]
    assert error["pointer"] == "/district"
    assert error["detail"].startswith(
        "This is no district of Azerbaijan. Do you mean Ağdaş, Ağdam, Ağdərə? Write one of: Bakı, "
    )
    assert "Ağdam," in error["detail"]
    assert len(error["detail"]) < 1_000


@pytest.mark.parametrize(
    ("changed", "pointers"),
    [
        ({"park_code": "ARAZ-VADISI"}, ["/park_code"]),
        ({"park_code": "NOWHERE"}, ["/park_code"]),
        ({"park_code": "\0"}, ["/park_code"]),
        ({"country": "TR"}, ["/park_code"]),
        ({"country": "az"}, ["/country", "/park_code"]),
        ({"name": "", "district": "\u202eAğdam"}, ["/name", "/district"]),
        ({"district": "Agdan", "park_code": None}, ["/district"]),
        ({"production_started_on": TODAY + timedelta(days=1)}, ["/production_started_on"]),
    ],
)
def test_places_that_cannot_be(session, actor, changed, pointers):
    with pytest.raises(Invalid) as refusal:
        site(session, actor, **changed)
    assert [e["pointer"] for e in refusal.value.data["errors"]] == pointers


def test_name_and_start_change(session, actor):
    row = site(session, actor)
    change = {"site_id": row.id, "name": "Hall 2", "production_started_on": TODAY, "now": NOW}
    sites.update_site(session, actor, version=1, **change)
    session.commit()
    assert (row.name, row.production_started_on, row.version) == ("Hall 2", TODAY, 2)
    with pytest.raises(StaleVersion):
        sites.update_site(session, actor, version=1, **change)
    with pytest.raises(Invalid):
        sites.update_site(session, actor, version=2, **(change | {"production_started_on": TODAY + timedelta(1)}))
    stranger = member(register(session, VOENS[1])[1])
    with pytest.raises(NotFound):
        sites.update_site(session, stranger, version=2, **change)
    with pytest.raises(Forbidden):
        sites.update_site(session, staff(session, Role.REVIEWER, "reviewer"), version=2, **change)


def test_the_district_is_corrected(session, actor):
    """As of a site from before districts were looked up: no rule finds it."""
    row = site(session, actor, park_code=None)
    row.district, row.economic_region = "Agdan", None
    change = {"site_id": row.id, "name": "Hall 2", "production_started_on": TODAY, "now": NOW}
    sites.update_site(session, actor, version=1, **change)  # what is not named stays as it is
    assert (row.district, row.economic_region) == ("Agdan", None)
    with pytest.raises(Invalid) as refusal:
        sites.update_site(session, actor, version=2, district="Agdann", **change)
    assert [each["pointer"] for each in refusal.value.data["errors"]] == ["/district"]
    sites.update_site(session, actor, version=2, district="АГДАМ", **change)
    assert (row.district, row.economic_region) == ("Ağdam", "QARABAG")
    row.park_code = "AGDAM-SP"
    with pytest.raises(Invalid) as refusal:
        sites.update_site(session, actor, version=3, district="Şuşa", **change)
    assert [each["pointer"] for each in refusal.value.data["errors"]] == ["/district"]
    abroad = site(session, actor, country="TR", district="Iğdır", park_code=None)
    sites.update_site(session, actor, version=1, district=" Kars", **(change | {"site_id": abroad.id}))
    assert (abroad.district, abroad.economic_region) == ("Kars", None)


def test_what_the_register_says_of_a_site_is_corrected_by_the_registrar(session, actor):
    row = site(session, actor, park_code=None)
    row.source, row.register_key, row.district, row.economic_region = "register", "", "Agdan", None
    change = {"site_id": row.id, "name": "Hall 2", "production_started_on": TODAY, "district": "Aghdam", "now": NOW}
    with pytest.raises(Conflict) as refusal:
        sites.update_site(session, actor, version=1, **change)
    assert refusal.value.refusal_code == "register-says"
    with pytest.raises(SecondFactorRequired):
        sites.update_site(session, replace(staff(session), second_factor_at=None), version=1, **change)
    sites.update_site(session, staff(session), version=1, **change)
    assert (row.district, row.economic_region) == ("Ağdam", "QARABAG")


def test_companies_see_their_own_sites(session, actor):
    mine = [site(session, actor, name=f"Hall {n}") for n in range(3)]
    stranger = member(register(session, VOENS[1])[1])
    other = site(session, stranger)
    registrar = staff(session)
    assert sites.list_sites(session, actor, organisation_id=actor.organisation_id, limit=2) == mine[:2]
    assert sites.list_sites(session, actor, organisation_id=actor.organisation_id, after=mine[1].id) == mine[2:]
    assert sites.list_sites(session, registrar) == [*mine, other]
    assert sites.get_site(session, registrar, other.id) is other
    assert sites.get_site(session, stranger, other.id) is other
    with pytest.raises(NotFound):
        sites.get_site(session, actor, other.id)
    with pytest.raises(NotFound):
        sites.list_sites(session, actor, organisation_id=stranger.organisation_id)
    with pytest.raises(Forbidden):
        sites.list_sites(session, actor)
    with pytest.raises(Forbidden):
        site(session, registrar)
