"""Request errors: all faults in one answer, in the language asked for, in our words."""

import re

import pytest
from starlette.testclient import TestClient

from app.web.problems.problem_details import problem
from tests.factories import PDF, ok, product
from tests.helpers import refused

pytestmark = pytest.mark.pg_sampled
FOREIGN = re.compile(
    r"Input should|Field required|Extra inputs|validation error|pydantic|NoneType|<class|Enum|regex|str\b"
)


@pytest.fixture(scope="module")
def company(shared_app):
    return shared_app.set_up_company()


def told(document):
    return {(each["pointer"], each["code"]) for each in document["errors"]}


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        (None, "en", "Not found"),
        ("az", "az", "Tapılmadı"),
        ("ru-RU, ru;q=0.9, en;q=0.8", "ru", "Не найдено"),
        ("en;q=0.2, az;q=0.7", "az", "Tapılmadı"),
        ("fa, ru;q=0.1", "ru", "Не найдено"),
        ("de, *;q=0.5", "en", "Not found"),
        ("az;q=0", "en", "Not found"),
        ("\xff;q=x, ,,", "en", "Not found"),
    ],
)
def test_the_language_asked_for(shared_app, accepted, language, title):
    headers = {} if accepted is None else {"Accept-Language": accepted.encode("latin-1")}
    for path in ("/v1/nothing", "/v1/certificates/MIK-2026-999999-X"):
        answer = shared_app.http.get(path, headers=headers)
        document = refused(answer, 404, "not-found")
        assert (answer.headers["Content-Language"], document["title"]) == (language, title)
        assert "Accept-Language" in answer.headers["Vary"]


def test_refusals_before_the_routes_speak_it_too(shared_app):
    answer = shared_app.http.post("/v1/verify", json={"number": 1}, headers={"Accept-Language": "az"})
    document = refused(answer, 422)
    assert document["errors"][0]["detail"] == "“number” mətn olmalıdır."
    other = TestClient(problem(406, "not-acceptable", "No.", headers={"Vary": "Accept"})).get("/")
    assert other.headers["Vary"] == "Accept, Accept-Language"


def test_faults_of_shape_and_of_content_come_together(company):
    body = product(company.site_id) | {
        "hs6": "999999",
        "unit": "barrels",
        "ex_works": True,
        "colour": "grey",
        "gtin": "9520000000012",
        "materials": [{"name": "", "hs4": "0000"}, {"value": "12.1234567", "hs4": "7208", "name": "Coil"}, 5],
        "flags": ["assembly_only", "assembly_only"],
    }
    del body["names"]["az"]
    document = refused(company.post("/v1/products", json=body), 422, "invalid")
    without_lines = {
        ("/hs6", "unknown-hs-code"), ("/unit", "unknown-unit"), ("/ex_works", "not-a-number"),
        ("/colour", "unknown-member"), ("/gtin", "wrong-check-digit"), ("/flags/1", "duplicate"),
        ("/names/az", "required"), ("/materials/0/name", "empty"), ("/materials/2", "wrong-type"),
    }  # fmt: skip
    assert told(document) <= without_lines
    body["materials"].pop()
    document = refused(company.post("/v1/products", json=body), 422, "invalid")
    lines = {("/materials/0/hs4", "unknown-hs-code"), ("/materials/1/value", "too-many-decimals")}
    assert told(document) == without_lines - {("/materials/2", "wrong-type")} | lines
    assert document["detail"] == "Validation failed: 10 errors."
    unit = next(each for each in document["errors"] if each["pointer"] == "/unit")
    assert "t" in unit["allowed"]


@pytest.mark.parametrize("wrong", [{"country": 5}, {"country": None}, {"district": 7}])
def test_nothing_is_said_by_comparing_with_what_cannot_be_read(company, wrong):
    body = {"name": "Hall", "country": "AZ", "district": "Nowhere", "park_code": "AGDAM-SP", "bogus": 1} | wrong
    document = refused(company.post("/v1/sites", json=body), 422, "invalid")
    assert {each["pointer"] for each in document["errors"]} == {"/bogus", *(f"/{name}" for name in wrong)}


def test_each_of_these_routes_names_all_at_once(shared_app, company):
    site = {
        "country": "XX",
        "production_started_on": "2999-01-01",
        "park_code": "NO-SP",
        "name": "\x00",
        "district": "",
    }
    answer = company.post("/v1/sites", json=site | {"x": 1})
    assert {each["pointer"] for each in refused(answer, 422)["errors"]} == {*(f"/{name}" for name in site), "/x"}

    changed = company.get(f"/v1/sites/{company.site_id}")
    answer = company.put(
        f"/v1/sites/{company.site_id}",
        json={"production_started_on": "2999-01-01"},
        headers={"If-Match": changed.headers["ETag"]},
    )
    assert told(refused(answer, 422)) == {("/name", "required"), ("/production_started_on", "in-future")}

    answer = company.post("/v1/applications", json={"scheme": "XYZ", "product_ids": ["no"], "more": 1})
    assert told(refused(answer, 422)) == {
        ("/scheme", "unknown-scheme"), ("/product_ids/0", "invalid-id"), ("/more", "unknown-member")
    }  # fmt: skip

    body = {"organisation_id": company.organisation_id, "park_code": "NO-SP", "holder_voen": "123", "starts_on": "soon"}
    answer = shared_app.registrar.post("/v1/residencies", json=body | {"status": "guest", "planned_jobs": -1})
    assert told(refused(answer, 422)) == {
        ("/park_code", "unknown-park"), ("/holder_voen", "wrong-voen"), ("/starts_on", "invalid-date"),
        ("/status", "not-in-list"), ("/planned_jobs", "out-of-range"),
    }  # fmt: skip

    claim = {"voen": "123", "legal_name_az": "Q\u0430raba\u011f", "member": {"full_name": 5, "password": "short"}}
    answer = shared_app.http.post("/v1/registrations/confirm", json=claim | {"token": "x", "legal_form": "MMC"})
    assert told(refused(answer, 422)) == {
        ("/voen", "wrong-voen"), ("/legal_name_az", "lookalike"), ("/legal_name_en", "required"),
        ("/member/full_name", "wrong-type"), ("/member/password", "wrong-length"),
    }  # fmt: skip

    days = [{"day": "2027-03-20", "occasion": "carnival"}, {"day": "x", "occasion": "novruz"}]
    answer = shared_app.owner.post("/v1/calendar/holidays", json={"year": 1800, "days": days})
    assert told(refused(answer, 422)) == {
        ("/year", "out-of-range"), ("/days/0/day", "other-year"), ("/days/0/occasion", "not-in-list"),
        ("/days/1/day", "invalid-date"),
    }  # fmt: skip


@pytest.mark.parametrize("language", ["en", "az", "ru"])
def test_parameters_headers_and_forms_in_our_words(shared_app, company, language):
    speaking = {"Accept-Language": language}
    answers = [
        company.get("/v1/products?limit=0&retired=perhaps", headers=speaking),
        company.get("/v1/products?limit=1000", headers=speaking),
        company.get("/v1/applications?state=lost", headers=speaking),
        company.get("/v1/products?cursor=x", headers=speaking),
        company.post("/v1/products", json=[], headers=speaking),
        company.post("/v1/products", content=b'{"a":', headers=speaking | {"Content-Type": "application/json"}),
        company.post("/v1/products", json={"names": {"ENG": None}, "costs": [{"kind": None}]}, headers=speaking),
        company.post(
            f"/v1/organisations/{company.organisation_id}/evidence",
            files={"file": ("p.pdf", PDF)},
            data={"kind": "power-of-attorney", "issued_on": "yesterday", "valid_until": "1"},
            headers=speaking,
        ),
        shared_app.http.post("/v1/registrations", json={"email": "x"}, headers=speaking),
    ]
    for answer in answers:
        document = refused(answer, 422)
        assert document["errors"], document
        for each in document["errors"]:
            assert each["code"] and each["pointer"] is not None
            assert not FOREIGN.search(each["detail"]), each
            if language != "en":
                assert not re.search(r"\b(Enter|This|There|must)\b", each["detail"]), each
    form = {each["pointer"] for each in answers[-2].json()["errors"]}
    assert form == {"/kind", "/issued_on", "/valid_until"}
    limit = next(e for e in answers[1].json()["errors"] if e["pointer"] == "query:limit")
    assert limit["maximum"] == 100


def test_lines_of_a_file_are_named(shared_app):
    rows = b"party_id,legal_name,voen\nR1,Sample,123\n"
    answer = shared_app.registrar.post(
        "/v1/register/imports", files={"file": ("r.csv", rows)}, headers={"Accept-Language": "az"}
    )
    document = refused(answer, 422, "register-invalid")
    assert document["detail"].startswith("Heç nə idxal edilmədi: faylda ")
    assert all(each["pointer"].startswith("/lines/") and each["code"] for each in document["errors"])


def test_a_stored_answer_is_given_again_as_it_was(company):
    """The key remembers what was made, whatever language the retry speaks."""
    key = {"Idempotency-Key": "problems-1"}
    first = company.post("/v1/products", json=product(company.site_id), headers=key)
    again = company.post("/v1/products", json=product(company.site_id), headers=key | {"Accept-Language": "ru"})
    assert ok(first) == ok(again)
    other = company.post("/v1/products", json={}, headers=key | {"Accept-Language": "ru"})
    assert refused(other, 422, "key-reused")["detail"].startswith("Этот Idempotency-Key")
