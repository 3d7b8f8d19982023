"""The public register answers whatever way a name is written, counts what it would show, and turns its pages."""

from datetime import date

import pytest

from app.certificates.read_model import search_repository
from app.certificates.read_model.search import EffectiveStatus, Facet, FacetCounts, RegisterSearch, effective_status
from app.core.dates import baku_day
from tests.factories import ok, product

pytestmark = pytest.mark.pg_sampled
DAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("status", "valid_until", "standing"),
    [
        ("active", DAY, "active"),
        ("active", date(2026, 11, 21), "expired"),
        ("suspended", DAY, "suspended"),
        ("suspended", date(2026, 11, 21), "expired"),
        ("revoked", date(2026, 11, 21), "revoked"),
        ("surrendered", date(2026, 11, 21), "surrendered"),
        ("superseded", DAY, "superseded"),
    ],
)
def test_standing(status, valid_until, standing):
    assert effective_status(status, valid_until, DAY) == standing


def test_counts_of_a_filter_leave_the_other_filters_as_they_are():
    counts = FacetCounts(
        {
            Facet("MIK", "A", EffectiveStatus.ACTIVE): 5,
            Facet("MIK", None, EffectiveStatus.REVOKED): 2,
            Facet("MIA", "A", EffectiveStatus.ACTIVE): 1,
        }
    )
    assert counts.total(RegisterSearch()) == 8
    wanted = RegisterSearch(scheme="MIK", status=EffectiveStatus.ACTIVE)
    assert counts.total(wanted) == 5
    assert counts.by_scheme(wanted) == {"MIK": 5, "MIA": 1}
    assert counts.by_status(wanted) == {"active": 5, "revoked": 2}
    assert counts.by_park(RegisterSearch()) == {"A": 6, None: 2}
    assert counts.total(RegisterSearch(park="B")) == 0


@pytest.fixture(scope="module")
def numbers(shared_app):
    """Two companies: tubes of Aghdam, some of them no longer good, and glass of another maker in Jabrayil."""
    app = shared_app
    tubes = app.set_up_company(legal_name_en="Aghdam Pipe", legal_name_az="“Ağdam Boru” MMC")
    made = {name: app.certify(tubes) for name in ("tube", "suspended", "revoked")}
    app.owner.act(f"/v1/certificates/{made['suspended']}/suspend", {"cause": "hearing"})
    app.revoke(made["revoked"], "bankruptcy")
    glass = app.set_up_company(legal_name_en="Çıraq Glass", legal_name_az="“Çıraq Şüşə” MMC")
    names = {"az": "Şüşə qab", "en": "Glass jar", "ru": "Стеклянная банка"}
    sand = {"name": "Quartz sand", "hs4": "2505", "origin_country": "TR", "value": "830", "basis": "cif"}
    here = {"country": "AZ", "district": "Ağdam", "is_essential": True}
    melted = {"materials": [sand], "steps": [{"name": "Melting", "operation": "glass_melting"} | here]}
    asked = product(glass.site_id, names=names, hs6="701090", gtin="9520000000011", **melted)
    return made | {"glass": app.certify(glass, glass.add_product(**asked))}


def found(app, numbers, **query):
    shown = [each["number"] for each in ok(app.http.get("/v1/certificates", params=query))["items"]]
    return {name for name, number in numbers.items() if number in shown}


TUBES = {"tube", "suspended", "revoked"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        *(({"holder": text}, TUBES) for text in ("Ağdam", "AGDAM", "aghdam pipe", "Агдам", "boru ağdam", "agd")),
        *(
            ({"q": text}, {"glass"})
            for text in ("çıraq", "CIRAQ", "Chiraq", "шюша qab", "стекл банка", "701090", "7010")
        ),
        *(({"q": text}, {"glass"}) for text in ("HS 7010.90", "9520000000011")),
        ({"product": "şüşə"}, {"glass"}),
        ({"product": "pipe"}, set()),
        ({"q": "pipe tube"}, TUBES),
        ({"q": "pipe jar"}, set()),
        ({"hs6": "73", "status": "active"}, {"tube"}),
        ({"hs6": "70109"}, {"glass"}),
        ({"q": "ipe"}, set()),
        ({"park": "AGDAM-SP"}, TUBES | {"glass"}),
        ({"park": "ARAZ-VADISI"}, set()),
        ({"park": "\x00"}, set()),
        ({"q": "%"}, set()),
        ({"status": "suspended"}, {"suspended"}),
        ({"status": "revoked", "scheme": "MIK", "q": "aghdam"}, {"revoked"}),
        ({"status": "superseded"}, set()),
    ],
)
def test_found(shared_app, numbers, query, names):
    assert found(shared_app, numbers, **query) == names


def test_found_by_its_number_however_typed(shared_app, numbers):
    number = numbers["tube"]
    for typed in (number, number.lower(), number.replace("-", " "), f" {number.replace('-', '–')} "):
        assert found(shared_app, numbers, q=typed) == {"tube"}
    assert found(shared_app, numbers, q=number[:8]) == numbers.keys()


def test_what_is_counted_is_what_is_found(shared_app, numbers):
    today = baku_day(shared_app.clock())
    cases = [
        RegisterSearch(),
        RegisterSearch(q="agdam"),
        RegisterSearch(holder="Aghdam Pipe"),
        RegisterSearch(hs6="7010"),
        RegisterSearch(q="-"),
    ]
    cases += [RegisterSearch(status=standing) for standing in EffectiveStatus]
    with shared_app.database.read_session() as session:
        for wanted in cases:
            rows = search_repository.search_certificates(session, wanted, today, limit=100)
            assert search_repository.count_facets(session, wanted, today).total(wanted) == len(rows), wanted


def test_pages_turn_both_ways(shared_app, numbers):
    today = baku_day(shared_app.clock())
    with shared_app.database.read_session() as session:
        everything = [
            row.id for row in search_repository.search_certificates(session, RegisterSearch(), today, limit=100)
        ]
        older = search_repository.search_certificates(session, RegisterSearch(), today, before=everything[1], limit=2)
        assert [row.id for row in older] == everything[2:4]
        newer = search_repository.search_certificates(session, RegisterSearch(), today, after=everything[3], limit=2)
        assert [row.id for row in newer] == everything[1:3]
        assert "token" not in older[0].__dict__  # long, and not shown: it is not read
