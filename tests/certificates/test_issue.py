"""A credential is signed if it is sound, and never if it is not."""

import json

import jsonschema_rs
import pytest
import sqlalchemy as sa

from app.certificates.model import Certificate
from app.core.counters import Counter
from tests.factories import ok

LOOKS_LIKE_SAMPLE = "Sаmple Works"  # its first а is Cyrillic


def payload_of(app, number):
    from base64 import urlsafe_b64decode  # noqa: PLC0415 (used here alone)

    body = app.token(number).split(".")[1]
    return json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def test_a_certificate_names_what_the_service_serves(app):
    number = app.certify()
    payload = payload_of(app, number)
    assert payload["credentialSubject"]["assessmentLevel"] == "scheme-cab"

    ours = payload["@context"][2]
    answer = app.anonymous.get(ours.removeprefix(app.settings.base_url))
    assert answer.headers["content-type"] == "application/ld+json"
    assert "number" in ok(answer)["@context"]

    schema = app.anonymous.get(payload["credentialSchema"]["id"].removeprefix(app.settings.base_url))
    assert schema.headers["content-type"] == "application/schema+json"
    assert ok(schema)["$id"] == payload["credentialSchema"]["id"]
    assert jsonschema_rs.Draft202012Validator(ok(schema)).is_valid(payload)

    for entry in payload["credentialStatus"]:
        lists = app.anonymous.get(entry["statusListCredential"].removeprefix(app.settings.base_url))
        assert lists.status_code == 200
    for link in (payload["credentialSubject"]["referenceScheme"]["id"], payload["id"]):
        assert app.anonymous.get(link.removeprefix(app.settings.base_url)).status_code == 200


@pytest.mark.parametrize("path", [f"/v1/{kind}/certificate-{n}" for kind in ("contexts", "schemas") for n in (1, 2)])
def test_context_and_schema_may_be_kept(shared_app, path):
    answer = shared_app.anonymous.get(path)
    assert answer.headers["cache-control"] == "public, max-age=86400, immutable"
    again = shared_app.anonymous.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert shared_app.anonymous.get(f"{path}9").status_code == 404


def test_the_approver_reads_why_and_nothing_is_lost(app):
    company = app.set_up_company()
    with app.database.session() as session:  # as a company from before such names were refused at the entry
        session.execute(sa.text("UPDATE organisations SET legal_name_en = :name"), {"name": LOOKS_LIKE_SAMPLE})
        session.commit()
    case_id = company.apply()
    app.review(case_id)
    refused = app.approver.post(f"/v1/applications/{case_id}/approve", version="now")
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["code"] == "credential-not-sound"
    for named, place in zip(problem["problems"], ("name", "names/en"), strict=True):
        assert named.startswith(f"/credentialSubject/issuedToParty/{place} ") and "“Sаmple” (Cyrillic, Latin)" in named

    assert company.application(case_id)["state"] == "recommended"
    with app.database.read_session() as session:
        assert session.scalars(sa.select(Certificate)).all() == []
        assert session.scalars(sa.select(Counter.name).where(Counter.name == "status-index")).all() == []
    app.approver.act(
        f"/v1/applications/{case_id}/return", {"reason": "The name of the company is spelt with a foreign letter."}
    )
    assert company.application(case_id)["state"] == "in_review"
    assert app.certify().split("-")[2] == "000001"
