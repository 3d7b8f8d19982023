"""One request, one commit, before the answer: nothing leaves that is not in the tables."""

import json
from contextlib import contextmanager
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from app.web import deps
from tests.factories import PASSWORD, PDF, in_state, ok, product, voen_of
from tests.helpers import count, execute, refused, rows, stored_id

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
def commits_fail(house):
    """Every commit is lost after all its statements went through, as when the disk is full or the server goes away:
    the database rolls back by itself."""
    dialect = house.database.write_engine.dialect

    def lose(connection):
        connection.rollback()
        raise dialect.dbapi.OperationalError("lost in the moment of the commit")

    with patch.object(dialect, "do_commit", lose):
        yield


@pytest.fixture(autouse=True)
def staff(request):
    """Made before anything is counted."""
    if "house" in request.fixturenames:
        house = request.getfixturevalue("house")
        return house.reviewer, house.approver, house.owner, house.registrar
    return None


def everything(house):
    counts = {table: count(house, table) for table in TABLES}
    states = rows(house, "SELECT id, state, version, assignee_id FROM applications ORDER BY id")
    counters = rows(house, "SELECT name, value FROM counters ORDER BY name")
    head = rows(house, "SELECT seq, hash FROM audit_head")
    return counts, states, counters, head


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "a-key-of-the-approver"}], ids=["plain", "with a key"])
def test_a_failed_commit_lets_no_certificate_out(house, headers):
    company = house.company()
    case_id = in_state(house, company, "recommended")
    before = everything(house)
    with commits_fail(house):
        answer = house.approver.post(f"/v1/cases/{case_id}/approve", version="now", headers=headers)
    assert answer.status_code in {500, 503}
    refused(answer, answer.status_code)
    assert "eyJ" not in answer.text
    assert "MIK-2026" not in answer.text
    assert "ETag" not in answer.headers
    assert everything(house) == before
    assert count(house, "certificates") == count(house, "decisions") == 0


def test_after_a_failed_commit_the_case_can_be_decided(house):
    """The number that was lost is given again: serials have no gap."""
    company = house.company()
    case_id = in_state(house, company, "recommended")

    with commits_fail(house):
        assert house.approver.post(f"/v1/cases/{case_id}/approve", version="now").status_code >= 500
    (number,) = house.approve(case_id)["certificates"]
    assert number.startswith("MIK-2026-000001-")
    assert house.verify(number)["verdict"] == "valid"


def test_other_writes_fail_as_cleanly(house):
    company = house.company()
    draft = company.prepare(company.draft())
    number = house.certify(company)
    claim = house.with_token(registration())
    before = everything(house)
    path = f"/v1/residencies/{ok(company.get('/v1/residencies'))['items'][0]['id']}"
    closing = {"on": "2026-11-22", "reason": "Taken back."}
    login = {"grant_type": "password", "username": f"member@{company.voen}.example", "password": PASSWORD}
    with commits_fail(house):
        answers = [
            company.post("/v1/products", json=product(company.site_id)),
            company.post("/v1/api-clients", json={"name": "Order system"}),
            company.post(f"/v1/applications/{draft}/submit", version="now"),
            company.add_evidence(draft),
            house.owner.post(f"/v1/certificates/{number}/revoke", version="now", json={"reason": "bankruptcy"}),
            house.registrar.post(f"{path}/cancel", version="now", json=closing),
            house.anonymous.post("/v1/registrations/confirm", json=claim),
            house.anonymous.post("/v1/auth/token", data=login),
        ]
    for answer in answers:
        assert answer.status_code in {500, 503}, answer.text
        refused(answer, answer.status_code)
        for secret in ("secret", "eyJ", 'id"'):
            assert secret not in answer.text
    assert everything(house) == before
    assert house.verify(number)["verdict"] == "valid"


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


def watched(house, look):
    """A client of the same service; `look()` is called in the moment in which the answer begins to leave."""
    seen = []

    async def asgi(scope, receive, send):
        async def watching(message):
            if message["type"] == "http.response.start":
                seen.append(look())
            await send(message)

        await house.app(scope, receive, watching)

    return TestClient(asgi, base_url=house.settings.base_url, raise_server_exceptions=False), seen


@pytest.mark.parametrize("key", [None, "a-key-of-the-approver"])
def test_the_answer_leaves_after_the_commit(house, key):
    """Whoever reads the tables in the moment of the answer finds the certificate there."""
    company = house.company()
    case_id = in_state(house, company, "recommended")
    statement = "SELECT count(*) FROM certificates JOIN audit_events ON subject_id = number"
    client, seen = watched(house, lambda: rows(house, statement)[0][0])
    token = house.app.state.tokens.issue(house.approver.subject, house.clock())
    version = house.approver.version_of(f"/v1/cases/{case_id}")
    headers = {"Authorization": f"Bearer {token}", "If-Match": f'"{version}"'}
    headers |= {"Idempotency-Key": key} if key else {}
    answer = client.post(f"/v1/cases/{case_id}/approve", headers=headers)
    assert len(ok(answer)["certificates"]) == 1
    assert seen == [1]


def test_every_other_answer_leaves_after_its_commit(house):
    """The same for writes of other kinds: an event in the history, or the row itself."""
    company = house.company()
    draft = company.draft()
    client, seen = watched(house, lambda: (count(house, "audit_events"), count(house, "guesses")))
    token = house.app.state.tokens.issue(company.subject, house.clock())
    headers = {"Authorization": f"Bearer {token}"}
    before = count(house, "audit_events")
    claim = house.with_token(registration())
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


def test_no_route_commits_after_its_answer(shared_house):
    """FastAPI's default scope ends a dependency after the answer; the session always has the other one."""
    found = []

    def walk(dependant, route):
        if dependant.call is deps.get_session:
            found.append(route)
            assert dependant.scope == "function", route
        for each in dependant.dependencies:
            walk(each, route)

    for route in api_routes(shared_house.app.routes):
        walk(route.dependant, f"{route.methods} {route.path}")
    assert len(set(found)) > 50


def test_a_case_that_went_back_stays_back(house):
    """Approval finds that the rules no longer allow the mark: it says 409, and the way back is committed."""
    company = house.company()
    case_id = in_state(house, company, "recommended")
    (residency,) = ok(company.get("/v1/residencies"))["items"]
    path = f"/v1/residencies/{residency['id']}"
    ok(house.registrar.put(f"{path}/stage", version=residency["version"], json={"stage": "construction"}))
    before = count(house, "audit_events")
    document = refused(house.approver.post(f"/v1/cases/{case_id}/approve", version="now"), 409, "not-eligible")
    assert [finding["rule"] for finding in document["findings"]] == ["K-05"]
    case = ok(house.reviewer.get(f"/v1/cases/{case_id}"))
    assert case["state"] == "in_review"
    assert case["recommendation"] is None
    assert case["certificates"] == []
    assert "release" in case["moves"]
    assert count(house, "audit_events") == before + 1
    assert count(house, "decisions") == count(house, "certificates") == 0
    last = ok(house.reviewer.get(f"/v1/cases/{case_id}/timeline"))["items"][-1]
    assert last["event"] == "application.returned"
    assert last["name"] == "Approver"
    house.registrar.put(f"{path}/stage", version="now", json={"stage": "operating"})
    house.review(case_id)
    assert house.approve(case_id)["state"] == "approved"


def test_a_changed_dossier_sends_the_case_back(house):
    """Other facts than the recommended ones, though the rules are still met."""
    company = house.company()
    case_id = in_state(house, company, "recommended")
    organisation = stored_id(house, company.organisation_id)
    execute(house, "UPDATE organisations SET legal_name_en = 'Another name' WHERE id = :id", id=organisation)
    refused(house.approver.post(f"/v1/cases/{case_id}/approve", version="now"), 409, "dossier-changed")
    assert ok(house.reviewer.get(f"/v1/cases/{case_id}"))["state"] == "in_review"
    voided = rows(house, "SELECT voided_at FROM recommendations")
    assert len(voided) == 1 and voided[0][0] is not None


def test_the_history_is_chained_over_everything_that_happened(house):
    """Each event carries the hash of the one before; refused requests leave no mark."""
    from app import audit  # noqa: PLC0415 (the one look inside)

    house.certify()
    with house.database.read_session() as session:
        events = session.scalars(sa.select(audit.AuditEvent).order_by(audit.AuditEvent.seq)).all()
        head = session.scalars(sa.select(audit.AuditHead)).one()
    previous = audit.GENESIS
    for number, event in enumerate(events, start=1):
        assert event.seq == number
        assert event.prev_hash == previous
        previous = audit.chain_hash(previous, audit.hashed_members(event))
        assert event.hash == previous
        json.dumps(event.data)
    assert (head.seq, head.hash) == (len(events), previous)
