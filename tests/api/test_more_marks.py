"""Further marks are data: a local brand of households, and a fourth mark published from one file and no code."""

import pytest

from app.certificates import certificate_repository
from app.documents.document_data import load_document_data
from app.schemes import emblems, publishing
from app.schemes.emblems import read_emblem, read_emblem_content
from app.schemes.scheme_loader import load_schemes
from tests.factories import ok, product
from tests.helpers import refused
from tests.pages.browsing import HTML

pytestmark = [pytest.mark.pg_sampled, pytest.mark.no_coverage]
FOURTH = """
code = "BAKU"
kind = "local_brand"
owner = "A municipality"
term_months = 12
legal_notes = []
names = { az = "Bakıda istehsal", en = "Made in Baku", ru = "Сделано в Баку" }

[ruleset]
version = "2027.1"
in_force_from = 2026-11-22
status = "in_force"
confirmed = false
territory_sets = { CAPITAL = ["BAKI"] }

[[ruleset.rules]]
like = "C-03"

[[ruleset.rules]]
like = "C-06"
rvc_at_least = 25

[[ruleset.rules]]
like = "C-11"

[[ruleset.rules]]
id = "B-01"
kind = "territory"
clause = { en = "by-law 1", az = "1-ci bənd" }
title = { en = "Site in the capital", az = "Paytaxtda yer" }
accepted = ["CAPITAL"]
[ruleset.rules.reasons]
pass = { en = "In the capital.", az = "Paytaxtdadır." }
fail = { en = "{district} is not in the capital.", az = "{district} paytaxtda deyil." }
incomplete = { en = "Where?", az = "Harada?" }
not_assessed = { en = "-", az = "–" }
"""
HONEY = {
    "names": {"az": "Dağ balı", "en": "Mountain honey"},
    "hs6": "040900",
    "unit": "kg",
    "brand": "Nümunələr",
    "flags": ["food"],
    "ex_works": "28",
    "steps": [
        {"name": "Beekeeping", "operation": "beekeeping", "country": "AZ", "district": "Qusar", "is_essential": True}
    ],
    "costs": [{"kind": "labour", "place": "AZ_OTHER", "amount": "18"}],
}
COMB = {"name": "Honey", "hs4": "0409", "origin_country": "AZ", "originating": True, "value": "9", "weight_kg": "1"}
LETTER = {
    "issued_on": "2026-10-01",
    "headings": ["0409"],
    "district": "Qusar",
    "season_from": "2026-04-01",
    "season_until": "2026-09-30",
    "quantity": "1 200 kg",
    "ground": "hives",
}


def honey_of(household, **changed):
    """Id of honey of the family's own bees, with all that staff know of it and a letter of the municipality."""
    letter = household.upload("grower-letter", **LETTER)
    if letter["confirmed_at"] is None:
        household.app.confirm_evidence(letter)
    materials = [COMB | {"basis": "own", "proofs": [letter["id"]]}]
    body = HONEY | {"site_id": household.site_id, "materials": materials} | changed
    made = ok(household.post("/v1/products", json=body))["id"]
    household.app.document_products(household, household.draft(made, scheme="URVA"))
    return made


def judged(company, product_id, scheme):
    answer = company.post(f"/v1/schemes/{scheme}/assessments", json={"product_ids": [product_id]})
    return {rule["rule"]: rule["outcome"] for rule in ok(answer)["items"][0]["rules"]}


@pytest.fixture
def with_fourth(app, tmp_path):
    """The service after somebody put one more file among the marks."""
    (tmp_path / "marks").mkdir()
    (tmp_path / "marks" / "BAKU.toml").write_text(FOURTH, "utf-8")
    with app.database.session() as session:
        publishing.publish_rulesets(session, load_schemes(tmp_path / "marks").values(), app.clock())
        session.commit()
    return app


def test_a_fourth_mark_is_one_file_from_its_publication_to_its_certificate(with_fourth):
    app = with_fourth
    assert [each["code"] for each in ok(app.anonymous.get("/v1/schemes"))["items"]] == ["BAKU", "MIA", "MIK", "URVA"]
    company = app.set_up_company(resident=False)
    outside = company.add_product()
    company.add_site(district="Bakı", park_code=None)
    steel = company.add_product()
    app.document_products(company, company.draft(outside, scheme="BAKU"))
    assert judged(company, outside, "BAKU") == {"C-03": "pass", "C-06": "pass", "C-11": "pass", "B-01": "fail"}
    number = app.certify(company, steel, scheme="BAKU")
    assert number.startswith("BAKU-2026-000001-")
    verdict = app.verify(number)
    assert verdict["verdict"] == "valid"
    assert verdict["certificate"]["scheme"] == {"code": "BAKU", "name": "Made in Baku"}
    assert (verdict["certificate"]["valid_from"], verdict["certificate"]["valid_until"]) == ("2026-11-22", "2027-11-21")
    # Page, badge and paper carry what its file says: a name and an owner, and no emblem of another mark.
    page = app.anonymous.get(f"/v/{number}", headers=HTML).text
    badge = app.anonymous.get(f"/v1/certificates/{number}/badge.svg").text
    assert read_emblem_content(None) in page and "A municipality" in page and "Made in Baku" in page
    others = emblems.list_emblem_names() - {emblems.NEUTRAL_EMBLEM}
    assert read_emblem_content(None) in badge and not any(read_emblem_content(name) in page + badge for name in others)
    facts = facts_of(app, number)
    assert (facts.emblem, facts.mark_name, facts.issuer_name) == (read_emblem(None), "Made in Baku", "A municipality")
    assert (facts.authority_names, facts.contact) == ({}, ())
    refused_case = company.apply(outside, scheme="BAKU")
    app.reviewer.act(f"/v1/applications/{refused_case}/claim")
    body = {"products": [{"product_id": outside, "outcome": "approve"}]}
    answer = app.reviewer.post(f"/v1/applications/{refused_case}/recommend", json=body, version="now")
    assert refused(answer, 409, "not-eligible")["findings"][0]["reason"] == "Ağdam is not in the capital. (by-law 1)"


def facts_of(app, number):
    """What the paper of a certificate says."""
    with app.database.read_session() as session:
        row = certificate_repository.by_number(session, number)
        record = app.container.verification.read_many(session, [number], app.clock())[number].record
        return load_document_data(session, row, record, app.container.keys.keyring(), app.settings.base_url).facts


def test_each_mark_has_its_own_emblem_and_owner_on_page_and_paper(app):
    company = app.set_up_company()
    full = company.add_product(national_code="7306300000", gtin="9520000000011", brand="Nümunə", ex_works="1450.50")
    household = app.household()
    numbers = {
        "MIK": app.certify(company),
        "MIA": app.certify(company, full, scheme="MIA"),
        "URVA": app.certify(household, honey_of(household), scheme="URVA"),
    }
    published = {each["code"]: each for each in ok(app.anonymous.get("/v1/schemes"))["items"]}
    drawings = {code: read_emblem_content(published[code]["emblem"]) for code in numbers}
    assert len(set(drawings.values())) == 3 and read_emblem_content(None) not in drawings.values()
    for code, number in numbers.items():
        page = app.anonymous.get(f"/v/{number}", headers=HTML).text
        badge = app.anonymous.get(f"/v1/certificates/{number}/badge.svg").text
        owner = published[code]["authority"]
        for picture in (page, badge):
            assert [each for each, drawn in drawings.items() if drawn in picture] == [code]
        assert owner["email"] in page and owner["names"]["en"] in page
        facts = facts_of(app, number)
        assert drawings[code] in facts.emblem
        assert (facts.authority_names, facts.contact[0]) == (owner["names"], owner["email"])


def test_a_household_of_urva_carries_the_local_brand(app):
    household = app.household()
    honey = honey_of(household)
    found = judged(household, honey, "URVA")
    assert found.pop("C-16") == "not_assessed"  # there is nothing to declare before there is an application
    assert set(found.values()) == {"pass"}
    number = app.certify(household, honey, scheme="URVA")
    verdict = app.verify(number)
    assert verdict["verdict"] == "valid"
    assert verdict["certificate"]["holder"]["voen"] is None  # a person's number is not shown
    assert verdict["certificate"]["site"] == {"park": None, "district": "Qusar"}


def test_another_familys_brand_and_a_city_product_are_for_a_person(app):
    first, second = app.household(), app.household()
    honey = [honey_of(each, brand=brand) for each, brand in ((first, "Nümunələr"), (second, "NÜMUNƏLƏR"))]
    assert judged(second, honey[1], "URVA")["U-06"] == "pass"  # nobody holds the mark with that name yet
    app.certify(first, honey[0], scheme="URVA")
    assert judged(second, honey[1], "URVA")["U-06"] == "manual"
    tube = ok(second.post("/v1/products", json=product(second.site_id)))["id"]
    found = judged(second, tube, "URVA")
    assert (found["U-02"], found["U-05"], found["U-07"]) == ("manual", "manual", "not_applicable")
    assert found["C-08"] == "fail"  # nothing of it is done there


def test_a_company_from_elsewhere_lacks_the_letter_of_the_municipality(app):
    company = app.set_up_company()
    case_id = company.prepare(company.draft(scheme="URVA"))
    answer = company.post(f"/v1/applications/{case_id}/submit", version="now")
    missing = {finding["rule"] for finding in refused(answer, 409, "incomplete")["findings"]}
    assert missing == {"U-01", "U-04"}
