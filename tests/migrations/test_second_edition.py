"""A data folder from before the second edition of the rules, migrated and served: nothing entered is lost."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.applications.model import Decision
from app.auth.authenticate import TokenSubject
from app.certificates.model import StatusDecision
from app.cli import app as mik
from app.core import canonical_json
from app.core.actor import ActorKind
from app.integrity import decisions
from app.products.model import Material
from app.schemes.closed_lists import load_lists
from tests.factories import ApiClient, Clock, ok, running_app
from tests.migrations import first_edition
from tests.migrations.helpers import RENAMED_TABLES

AFTER = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
DATA = first_edition.read()


@pytest.fixture(scope="module")
def app(shared_database_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("folder")
    first_edition.load(shared_database_url, folder, DATA)
    with running_app(shared_database_url, folder, Clock(AFTER), base_url="http://localhost:8411") as app:
        yield app


def member(app, party):
    """The member of a company of the demo."""
    (user,) = [row for row in first_edition.rows_of(DATA, "users") if row["email"] == f"{party}@company.example"]
    return ApiClient(app, TokenSubject(ActorKind.USER, user["id"]))


def application(member, reference):
    found = ok(member.get(f"/v1/applications?reference={reference}"))["items"]
    return ok(member.get(f"/v1/applications/{found[0]['id']}"))


@pytest.mark.parametrize(("number", "verdict"), DATA["verdicts"].items())
def test_certificates_verify_as_before(app, number, verdict):
    assert app.verify(number)["verdict"] == verdict
    token = app.token(number)
    assert ok(app.anonymous.post("/v1/verify", json={"token": token}))["verdict"] == verdict


def test_no_row_is_lost(app):
    with app.database.read_session() as session:
        for name, table in DATA["tables"].items():
            count = session.scalar(sa.select(sa.func.count()).select_from(sa.table(RENAMED_TABLES.get(name, name))))
            assert count >= len(table["rows"]), name


def test_what_was_ticked_is_the_claim_and_the_value_is_kept(app):
    with app.database.read_session() as session:
        now = {(line.product_id, line.position): line for line in session.scalars(sa.select(Material))}
    before = first_edition.rows_of(DATA, "materials")
    assert before and len(now) == len(before)
    for line in before:
        row = now[line["product_id"], line["position"]]
        assert (row.claim, row.packing, row.proofs) == (line["originating"], False, [])
        assert (row.name, row.hs4, row.value, row.weight_kg) == tuple(
            line[name] for name in ("name", "hs4", "value", "weight_kg")
        )
        assert row.basis == ("domestic" if line["origin_country"] == "AZ" else "cif")


def test_what_is_not_on_the_lists_is_shown_and_refused_at_the_next_save(app):
    maker = member(app, "r10")
    (old,) = [each for each in ok(maker.get("/v1/products"))["items"] if each["reference"] == "OLD-1"]
    path = f"/v1/products/{old['id']}"
    shown = ok(maker.get(path))
    assert (shown["unit"], shown["flags"], shown["steps"][0]["operation"]) == ("bag", ["handmade"], "manufacture")
    assert [Decimal(line["value"]) for line in shown["materials"]] == [Decimal("12.1234"), 5]
    amounts = {(cost["kind"], cost["place"]): Decimal(cost["amount"]) for cost in shown["costs"]}
    assert amounts == {("labour", "KARABAKH"): 8, ("materials", "AZ_OTHER"): 12, ("materials", "ABROAD"): 5}

    refused = maker.put(path, version="now", json=as_body(shown))
    assert refused.status_code == 422
    said = {each["pointer"]: each["detail"] for each in refused.json()["errors"]}
    assert ", ".join(load_lists().units) in said["/unit"]
    assert any(pointer.startswith("/flags") for pointer in said)
    assert ok(maker.get(path)) == shown

    mended = as_body(shown) | {"unit": "pair", "flags": []}
    assert ok(maker.put(path, version="now", json=mended))["unit"] == "pair"


def as_body(product):
    """What a client sends back that changes nothing."""
    left_out = {"id", "organisation_id", "version", "retired", "retired_at", "site", "annual_capacity", "created_at"}
    return {name: value for name, value in product.items() if name not in left_out}


def test_a_recommended_case_goes_back_to_review(app):
    """The first edition passed it; by the second, proofs, declaration, cost statement and visit are missing."""
    footwear = member(app, "r10")
    case = application(footwear, "demo-MIA-R10")
    assert case["state"] == "recommended"
    refused = app.approver.post(f"/v1/applications/{case['id']}/approve", version="now")
    assert (refused.status_code, refused.json()["code"]) == (409, "not-eligible")
    assert {"C-16", "C-17"} <= {each["rule"] for each in refused.json()["findings"]}
    again = application(footwear, "demo-MIA-R10")
    assert (again["state"], again["certificates"]) == ("in_review", [])


def test_a_case_that_waits_for_an_answer_asks_for_the_declaration(app):
    pipes = member(app, "r02")
    case = application(pipes, "demo-MIK-R02")
    assert case["state"] == "information_requested"
    answers = [{"question_id": each["id"], "text": "In January."} for each in case["questions"]]
    path = f"/v1/applications/{case['id']}/respond"
    refused = pipes.post(path, version="now", json={"answers": answers})
    assert refused.status_code == 409
    assert refused.json()["code"] in {"incomplete", "declaration-missing"}


def test_documents_without_a_subject_stay_and_speak_for_none(app):
    tubes = member(app, "r01")
    organisation = ok(tubes.get("/v1/me"))["organisation"]["id"]
    documents = ok(tubes.get(f"/v1/organisations/{organisation}/evidence"))["items"]
    permit = next(each for each in documents if each["kind"] == "permit")
    assert permit["confirmed_at"] and not permit["site_id"] and not permit["product_ids"]
    product = next(each["id"] for each in ok(tubes.get("/v1/products"))["items"] if each["reference"] == "P001")
    judged = ok(tubes.post("/v1/schemes/MIK/assessments", json={"product_ids": [product]}))["items"][0]["rules"]
    found = {each["rule"]: each for each in judged}
    assert found["K-11"]["outcome"] == "incomplete" and "names no product or site" in found["K-11"]["reason"]
    assert found["C-17"]["outcome"] == "pass"  # a certificate for the site is in force
    assert found["C-08"]["outcome"] == "manual"  # “welding” is no operation of the list


def test_an_origin_document_of_before_is_about_the_product(app):
    with app.database.read_session() as session:
        query = sa.text("SELECT stated FROM evidence WHERE kind = 'origin-document'").columns(stated=sa.JSON())
        stated = session.execute(query).scalars().all()
    assert stated and all((each["about"], each["country"]) == ("product", "AZ") for each in stated)


@pytest.mark.parametrize("part", ["audit", "log"])
def test_history_and_public_log_hold(app, part):
    environment = {
        "MIK_DATA_DIR": str(app.settings.data_dir),
        "MIK_DATABASE_URL": app.settings.database_url,
        "MIK_BASE_URL": app.settings.base_url,
    }
    result = CliRunner().invoke(mik, ["doctor", "--only", part], env=environment)
    assert result.exit_code == 0, result.output


def test_decisions_of_before_have_documents_that_agree_with_the_audit_trail(app):
    """What the migration built from their rows fits; a later decision is logged, and ends the time without hashes."""
    with app.database.read_session() as session:
        decided = session.scalars(sa.select(Decision)).all()
        acts = session.scalars(sa.select(StatusDecision)).all()
        report = decisions.check_decisions(session)
    assert len(decided) == len(first_edition.rows_of(DATA, "decisions")) > 0
    assert acts
    for row in (*decided, *acts):
        assert row.document["unknown"] == ["version"]
        assert row.sha256 == canonical_json.digest(row.document)
    assert report.findings == []
    number = next(number for number, verdict in DATA["verdicts"].items() if verdict == "valid")
    app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
    app.owner.act(f"/v1/certificates/{number}/reinstate", {"cause": "hearing"})
    with app.database.read_session() as session:
        assert decisions.check_decisions(session).findings == []
