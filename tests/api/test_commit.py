"""One request, one commit, before the answer: nothing leaves that is not in the tables."""

import json
from contextlib import contextmanager
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from app.audit import model, recorder
from app.web import dependencies
from tests.factories import PASSWORD, PDF, in_state, ok, product, voen_of
from tests.helpers import count, execute, refused, rows, stored_id

pytestmark = pytest.mark.no_coverage

TABLES = (
    "certificates",
    "decisions",
    "audit_events",
    "assessments",
    "applications",
    "case_notes",
    "suspensions",
    "users",
)


@contextmanager
def commits_fail(app):
    """Every commit is lost after all its statements went through, as when the disk is full or the server goes away:
    the database rolls back by itself."""
    dialect = app.database.write_engine.dialect

    def lose(connection):
        connection.rollback()
        raise dialect.dbapi.OperationalError("lost in the moment of the commit")

    with patch.object(dialect, "do_commit", lose):
        yield


@pytest.fixture(autouse=True)
def staff(request):
    """Made before anything is counted."""
    if "app" in request.fixturenames:
        app = request.getfixturevalue("app")
        return app.reviewer, app.approver, app.owner, app.registrar
    return None


def everything(app):
    counts = {table: count(app, table) for table in TABLES}
    states = rows(app, "SELECT id, state, version, assignee_id FROM applications ORDER BY id")
    counters = rows(app, "SELECT name, value FROM counters ORDER BY name")
    head = rows(app, "SELECT seq, hash FROM audit_head")
    return counts, states, counters, head


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "a-key-of-the-approver"}], ids=["plain", "with a key"])
def test_a_failed_commit_lets_no_certificate_out(app, headers):
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    before = everything(app)
    with commits_fail(app):
        answer = app.approver.post(f"/v1/applications/{case_id}/approve", version="now", headers=headers)
    assert answer.status_code in {500, 503}
    refused(answer, answer.status_code)
    assert "eyJ" not in answer.text
    assert "MIK-2026" not in answer.text
    assert "ETag" not in answer.headers
    assert everything(app) == before
    assert count(app, "certificates") == count(app, "decisions") == 0


def test_after_a_failed_commit_the_case_can_be_decided(app):
    """The number that was lost is given again: serials have no gap."""
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")

    with commits_fail(app):
        assert app.approver.post(f"/v1/applications/{case_id}/approve", version="now").status_code >= 500
    (number,) = app.approve(case_id)["certificates"]
    assert number.startswith("MIK-2026-000001-")
    assert app.verify(number)["verdict"] == "valid"


def test_other_writes_fail_as_cleanly(app):
    company = app.set_up_company()
    draft = company.prepare(company.draft())
    number = app.certify(company)
    claim = app.with_token(registration())
    before = everything(app)
    path = f"/v1/residencies/{ok(company.get('/v1/residencies'))['items'][0]['id']}"
    closing = {"on": "2026-11-22", "reason": "Taken back."}
    login = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    with commits_fail(app):
        answers = [
            company.post("/v1/products", json=product(company.site_id)),
            company.post("/v1/api-clients", json={"name": "Order system"}),
            company.post(f"/v1/applications/{draft}/submit", version="now"),
            company.add_evidence(draft),
            app.owner.post(f"/v1/certificates/{number}/revoke", version="now", json={"reason": "bankruptcy"}),
            app.registrar.post(f"{path}/cancel", version="now", json=closing),
            app.anonymous.post("/v1/registrations/confirm", json=claim),
            app.anonymous.post("/v1/auth/token", data=login),
        ]
    for answer in answers:
        assert answer.status_code in {500, 503}, answer.text
        refused(answer, answer.status_code)
        for secret in ("secret", "eyJ", 'id"'):
            assert secret not in answer.text
    assert everything(app) == before
    assert app.verify(number)["verdict"] == "valid"


def registration(serial=4242):
    voen = voen_of(serial)
    member = {"full_name": "Aysel Nümunə", "email": f"first@{voen}.example", "password": PASSWORD}
    return {
        "legal_name_az": "“Nümunə” MMC",
        "legal_name_en": "Sample",
        "legal_form": "MMC",
        "voen": voen,
        "member": member,
    }


def watched(app, look):
    """A client of the same service; `look()` is called in the moment in which the answer begins to leave."""
    seen = []

    async def asgi(scope, receive, send):
        async def watching(message):
            if message["type"] == "http.response.start":
                seen.append(look())
            await send(message)

        await app.asgi(scope, receive, watching)

    return TestClient(asgi, base_url=app.settings.base_url, raise_server_exceptions=False), seen


@pytest.mark.parametrize("key", [None, "a-key-of-the-approver"])
def test_the_answer_leaves_after_the_commit(app, key):
    """Whoever reads the tables in the moment of the answer finds the certificate there."""
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    statement = "SELECT count(*) FROM certificates JOIN audit_events ON subject_id = number"
    client, seen = watched(app, lambda: rows(app, statement)[0][0])
    path = f"/v1/applications/{case_id}/approve"
    asked = app.approver.without_confirmation().post(path, version="now").json()
    token = app.container.access_tokens.issue(app.approver.subject, app.clock())
    version = app.approver.version_of(f"/v1/applications/{case_id}")
    headers = {"Authorization": f"Bearer {token}", "If-Match": f'"{version}"'}
    headers |= {"Idempotency-Key": key} if key else {}
    headers["Mik-Confirmation"] = app.approver.confirmation(asked["document"])
    answer = client.post(path, headers=headers)
    assert len(ok(answer)["certificates"]) == 1
    assert seen == [1]


def test_every_other_answer_leaves_after_its_commit(app):
    """The same for writes of other kinds: an event in the history, or the row itself."""
    company = app.set_up_company()
    draft = company.draft()
    client, seen = watched(app, lambda: (count(app, "audit_events"), count(app, "failed_logins")))
    token = app.container.access_tokens.issue(company.subject, app.clock())
    headers = {"Authorization": f"Bearer {token}"}
    before = count(app, "audit_events")
    claim = app.with_token(registration())
    ok(client.post("/v1/registrations/confirm", json=claim))
    ok(client.post("/v1/products", json=product(company.site_id), headers=headers))
    ok(client.post(f"/v1/applications/{draft}/evidence", files={"file": PDF}, data={"kind": "other"}, headers=headers))
    ok(client.post("/v1/api-clients", json={"name": "Order system"}, headers=headers))
    wrong = {"grant_type": "password", "username": "nobody@sample.example", "password": "not this one"}
    assert client.post("/v1/auth/token", data=wrong).status_code == 401
    audited = [events for events, _ in seen]
    assert before < audited[0] < audited[1] < audited[2] < audited[3] < audited[4]
    assert seen[-1][1] > 0


def api_routes(routes):
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif router := getattr(route, "original_router", None):
            yield from api_routes(router.routes)


def test_no_route_commits_after_its_answer(shared_app):
    """FastAPI's default scope ends a dependency after the answer; the session always has the other one."""
    found = []

    def walk(dependant, route):
        if dependant.call is dependencies.get_session:
            found.append(route)
            assert dependant.scope == "function", route
        for each in dependant.dependencies:
            walk(each, route)

    for route in api_routes(shared_app.fastapi.routes):
        walk(route.dependant, f"{route.methods} {route.path}")
    assert len(set(found)) > 50


def test_a_case_that_went_back_stays_back(app):
    """Approval finds that the rules no longer allow the mark: it says 409, and the way back is committed."""
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    (residency,) = ok(company.get("/v1/residencies"))["items"]
    path = f"/v1/residencies/{residency['id']}"
    ok(app.registrar.put(f"{path}/stage", version=residency["version"], json={"stage": "construction"}))
    before = count(app, "audit_events")
    document = refused(app.approver.post(f"/v1/applications/{case_id}/approve", version="now"), 409, "not-eligible")
    assert [finding["rule"] for finding in document["findings"]] == ["K-05"]
    case = ok(app.reviewer.get(f"/v1/applications/{case_id}"))
    assert case["state"] == "in_review"
    assert case["recommendation"] is None
    assert case["certificates"] == []
    assert "release" in case["allowed_actions"]
    assert count(app, "audit_events") == before + 1
    assert count(app, "decisions") == count(app, "certificates") == 0
    last = ok(app.reviewer.get(f"/v1/applications/{case_id}/timeline"))["items"][-1]
    assert last["event"] == "application.returned"
    assert last["name"] == "Approver"
    app.registrar.put(f"{path}/stage", version="now", json={"stage": "operating"})
    app.review(case_id)
    assert app.approve(case_id)["state"] == "approved"


def test_a_changed_dossier_sends_the_case_back(app):
    """Other facts than the recommended ones, though the rules are still met."""
    company = app.set_up_company()
    case_id = in_state(app, company, "recommended")
    organisation = stored_id(app, company.organisation_id)
    execute(app, "UPDATE organisations SET legal_name_en = 'Another name' WHERE id = :id", id=organisation)
    refused(app.approver.post(f"/v1/applications/{case_id}/approve", version="now"), 409, "dossier-changed")
    assert ok(app.reviewer.get(f"/v1/applications/{case_id}"))["state"] == "in_review"
    voided = rows(app, "SELECT voided_at FROM recommendations")
    assert len(voided) == 1 and voided[0][0] is not None


def test_the_history_is_chained_over_everything_that_happened(app):
    """Each event carries the hash of the one before; refused requests leave no mark."""
    app.certify()
    with app.database.read_session() as session:
        events = session.scalars(sa.select(model.AuditEvent).order_by(model.AuditEvent.seq)).all()
        head = session.scalars(sa.select(model.AuditHead)).one()
    previous = recorder.GENESIS
    for number, event in enumerate(events, start=1):
        assert event.seq == number
        assert event.prev_hash == previous
        previous = recorder.chain_hash(previous, recorder.hashed_members(event))
        assert event.hash == previous
        json.dumps(event.data)
    assert (head.seq, head.hash) == (len(events), previous)
