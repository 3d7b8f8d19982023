"""Who holds a certificate, as strangers see and search it: both names, a company's VÖEN, never that of a person."""

import json
from base64 import urlsafe_b64decode

import pytest

from tests.api.test_more_marks import honey_of
from tests.factories import ok

pytestmark = pytest.mark.pg_sampled


@pytest.fixture(scope="module")
def company(shared_app):
    """Registered without the legal form in its Azerbaijani name."""
    company = shared_app.set_up_company(legal_name_az="“Qarabağ İşığı”", legal_name_en="Karabakh Light (fictional)")
    company.number = shared_app.certify(company)
    return company


@pytest.fixture(scope="module")
def person(shared_app):
    person = shared_app.household()
    person.number = shared_app.certify(person, honey_of(person), scheme="URVA")
    return person


def payload(app, number):
    part = app.token(number).split(".")[1]
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_both_names_the_number_and_the_country_are_shown(shared_app, company):
    shown = shared_app.verify(company.number)["certificate"]
    holder = {"name": "Karabakh Light (fictional)", "name_az": "“Qarabağ İşığı” MMC", "voen": company.voen}
    assert (shown["holder"], shown["country"], shown["site"]["district"]) == (holder, "AZ", "Ağdam")
    signed = payload(shared_app, company.number)["credentialSubject"]
    assert signed["countryOfOrigin"] == "AZ"
    assert signed["issuedToParty"]["names"] == {"az": holder["name_az"], "en": holder["name"]}
    assert signed["issuedToParty"]["voen"] == company.voen


@pytest.mark.parametrize("asked", ["{}", " {} ", "VÖEN {}", "voen: {}", "{spaced}", "{persian}", "{} işığı"])
@pytest.mark.parametrize("box", ["q", "holder"])
def test_a_company_is_found_by_its_number(shared_app, company, asked, box):
    persian = company.voen.translate({ord(str(digit)): chr(0x6F0 + digit) for digit in range(10)})
    spaced = f"{company.voen[:3]} {company.voen[3:6]} {company.voen[6:]}"
    query = {box: asked.format(company.voen, spaced=spaced, persian=persian)}
    found = ok(shared_app.anonymous.get("/v1/certificates", params=query))["items"]
    assert [each["number"] for each in found] == [company.number]


@pytest.mark.parametrize("part", [slice(None, 9), slice(1, None), slice(None, 5)])
def test_a_part_of_a_number_finds_nothing(shared_app, company, part):
    assert ok(shared_app.anonymous.get("/v1/certificates", params={"q": company.voen[part]}))["items"] == []


@pytest.mark.parametrize("name", ["qarabag isigi", "Işığı MMC", "Karabakh Light", "MMC “Qarabağ"])
def test_a_company_is_found_by_either_name(shared_app, company, name):
    found = ok(shared_app.anonymous.get("/v1/certificates", params={"holder": name}))["items"]
    assert [each["number"] for each in found] == [company.number]


@pytest.mark.parametrize(
    ("said", "compared"),
    [
        ("Qarabağ İşığı MMC", "match"),
        ("«QARABAG ISIGI»", "match"),
        ("karabakh light (fictional) LLC", "match"),
        ("Karabakh Light", "differs"),
        ("Qarabağ", "differs"),
    ],
)
def test_what_is_expected_is_compared_with_both(shared_app, company, said, compared):
    answer = ok(shared_app.anonymous.post("/v1/verify", json={"number": company.number, "expect": {"holder": said}}))
    assert answer["expect"] == {"holder": compared}


def test_the_number_of_a_person_is_nowhere(shared_app, person):
    """Not in an answer, a file, a page or what was signed; and whoever knows it learns nothing by it."""
    assert person.voen.endswith("2")
    shown = shared_app.verify(person.number)["certificate"]
    assert (shown["scheme"]["code"], shown["holder"]["voen"]) == ("URVA", None)
    assert "voen" not in payload(shared_app, person.number)["credentialSubject"]["issuedToParty"]
    organisation = person.organisation_id
    for path in (
        *("/v1/certificates", "/v1/certificates.csv", "/v1/certificates.jsonl", "/register"),
        *(f"/v1/verify/{person.number}", f"/v1/certificates/{person.number}", f"/v/{person.number}"),
        *(f"/register/holders/{organisation}", "/log/tile/entries/000.p/1"),
    ):
        assert person.voen not in shared_app.anonymous.get(path).text, path
    for box in ("q", "holder"):
        for said in (person.voen, f"VÖEN {person.voen}"):
            assert ok(shared_app.anonymous.get("/v1/certificates", params={box: said}))["items"] == []
    answer = ok(
        shared_app.anonymous.post("/v1/verify", json={"number": person.number, "expect": {"holder": person.voen}})
    )
    assert answer["expect"] == {"holder": "differs"}


def test_a_person_under_a_company_s_number_is_one(shared_app):
    """Whoever typed 1 for 2 as the last digit says by the legal form what he is."""
    person = shared_app.set_up_company(legal_form="fərdi sahibkar", legal_name_az="Aysel Nümunə")
    number = shared_app.certify(person)
    assert shared_app.verify(number)["certificate"]["holder"]["voen"] is None
    assert ok(shared_app.anonymous.get("/v1/certificates", params={"q": person.voen}))["items"] == []
