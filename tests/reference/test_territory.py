import pycountry
import pytest

from app.core.text.normalize import fold_alphanumeric
from app.reference.territory import ParkKind, load_territory

pytestmark = pytest.mark.pure

PLACES = load_territory()


def test_fourteen_regions_cover_every_unit_of_the_standard_once():
    assert len(PLACES.regions) == 14
    codes = [district.iso for region in PLACES.regions.values() for district in region.districts if district.iso]
    assert len(codes) == len(set(codes))
    units = {unit.code for unit in pycountry.subdivisions.get(country_code="AZ")}
    assert set(codes) == units - {"AZ-NX"}  # the autonomous republic itself is no district


def test_names_are_those_of_the_standard():
    for region in PLACES.regions.values():
        for district in region.districts:
            if district.iso:
                bare = district.name.removesuffix(" şəhəri")
                assert fold_alphanumeric(pycountry.subdivisions.get(code=district.iso).name) == fold_alphanumeric(bare)


@pytest.mark.parametrize(
    ("region", "units"),
    [
        ("QARABAG", {"XA", "AGC", "AGM", "BAR", "FUZ", "XCI", "XVD", "SUS", "TAR", None}),
        ("SERQI-ZENGEZUR", {"CAB", "KAL", "LAC", "QBI", "ZAN"}),
    ],
)
def test_the_regions_of_the_marks(region, units):
    assert {d.iso and d.iso.removeprefix("AZ-") for d in PLACES.regions[region].districts} == units


@pytest.mark.parametrize(
    "spelt",
    [
        "Ağdam", "AĞDAM", "Agdam", "Aghdam", "Aqdam", "Агдам", "г. Агдам", "Aghdam district", "Ağdam r-nu", "Ağ-dam",
        "Ağdam rayonu", "района Агдам",
    ],
)  # fmt: skip
def test_what_is_entered_is_found_in_every_spelling(spelt):
    assert PLACES.find_district(spelt) == PLACES.district_by_name("Ağdam")


@pytest.mark.parametrize("spelt", ["Agdan", "Atlantis", "", "rayonu", None, "Ağdam, Şuşa", "Ленкоран (шəhəri)"])
def test_what_is_none_or_more_than_one_is_not_guessed(spelt):
    assert PLACES.find_district(spelt) is None


def test_every_name_of_a_district_is_found_as_it_is():
    for name, district in PLACES._names:
        assert PLACES.find_district(name) == PLACES.find_district(name.upper()) == district


def test_the_nearest_names():
    assert PLACES.nearest_districts("Agdan") == ("Ağdaş", "Ağdam", "Ağdərə")
    assert PLACES.nearest_districts("Физул") == ("Füzuli",)
    assert PLACES.nearest_districts("Xyz district") == ()


def test_a_district_without_an_iso_code_has_our_own():
    district = PLACES.district_by_name("Ağdərə")
    assert (district.iso, district.code, district.region) == (None, "AZL-AGD", "QARABAG")


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("Ağdam", "QARABAG"),
        ("AĞDAM", "QARABAG"),
        ("  ağdam rayonu", "QARABAG"),
        ("Ağdaş", "MERKEZI-ARAN"),
        ("CƏBRAYIL", "SERQI-ZENGEZUR"),
        ("cəbrayil", "SERQI-ZENGEZUR"),
        ("Cəbrayıl", "SERQI-ZENGEZUR"),
        ("IMISLI", "MIL-MUGAN"),
        ("İMİŞLİ", "MIL-MUGAN"),
        ("imişlı", "MIL-MUGAN"),
        ("Kǝngǝrli", "NAXCIVAN"),
        ("Lənkəran şəhəri", "LENKERAN-ASTARA"),
        ("Bakı şəhəri", "BAKI"),
        ("S\u0327us\u0327a", "QARABAG"),
        ("Agdam", "QARABAG"),
        ("AGHDAM", "QARABAG"),
        ("Агдам", "QARABAG"),
        ("Aghdam district", "QARABAG"),
        ("Агдам район", "QARABAG"),
        ("город Баку", "BAKI"),
        ("Zangelan", "SERQI-ZENGEZUR"),
        ("Agdamm", None),
        ("rayonu", None),
        ("Atlantis", None),
        ("", None),
        (None, None),
    ],
)
def test_a_district_is_found_however_it_is_written(name, region):
    assert PLACES.region_of(name) == region


def test_every_name_finds_one_district_only():
    assert PLACES.district_names.keys() <= {district.name for district in PLACES.districts}
    found = {}
    for district in PLACES.districts:
        for name in (district.name, *PLACES.district_names.get(district.name, ())):
            assert found.setdefault(fold_alphanumeric(name), district) is district, name
            assert PLACES.district_by_name(name) is district
        if not district.name.endswith("şəhəri"):
            assert PLACES.district_by_name(f"  {district.name.upper()} rayonu") is district


def test_parks_lie_in_the_region_of_their_district():
    aghdam, araz = PLACES.parks["AGDAM-SP"], PLACES.parks["ARAZ-VADISI"]
    assert (aghdam.kind, aghdam.economic_region, aghdam.area_ha) == (ParkKind.INDUSTRIAL_PARK, "QARABAG", 190)
    assert aghdam.names == {"az": "Ağdam Sənaye Parkı", "en": "Aghdam Industrial Park"}
    assert aghdam.legal_basis == "Decree No. 1347 of 28 May 2021"
    assert araz.economic_region == "SERQI-ZENGEZUR"
    assert PLACES.parks["SUMQAYIT-KSP"].area_ha is None
    assert all(park.economic_region in PLACES.regions for park in PLACES.parks.values())


def test_territory_sets_name_known_regions():
    assert PLACES.sets == {
        "MIK_CORE": {"QARABAG"},
        "MIK_EXT": {"SERQI-ZENGEZUR"},
        "URVA_AREA": {"QUBA-XACMAZ"},
    }
