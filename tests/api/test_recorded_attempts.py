"""What an auditor finds of those who tried to come in, and of staff who read companies' documents."""

import json
import logging
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from app.core.actor import SYSTEM
from app.web.read_audit import MAX_ATTEMPTS, ReadAudit
from tests.factories import NOW, PASSWORD, ok

pytestmark = pytest.mark.pg_sampled
TYPED = "a secret that went into the wrong box"


def sign_in(app, account, password="wrong wrong wrong", **more):
    form = {"grant_type": "password", "username": account, "password": password}
    return app.http.post("/v1/auth/token", data=form | more)


def events(app, name):
    return ok(app.auditor.get("/v1/audit", params={"event": name, "limit": 100}))["items"]


def test_wrong_passwords_leave_few_events_about_their_account(app):
    user, email = app.approver.id, "approver@staff.example"
    for _ in range(10):
        assert sign_in(app, email).status_code == 401
    assert sign_in(app, email, PASSWORD).status_code == 429  # it is not looked at any more
    found = events(app, "sign_in.failed")
    assert [(e["subject"]["id"], e["data"], e["actor"]["kind"]) for e in found] == [
        (user, {"failures": 1}, "system"),
        (user, {"failures": 10}, "system"),
    ]


def test_what_was_typed_for_nobody_is_not_kept(app):
    for i in range(101):
        sign_in(app, f"{TYPED} {i}")
    found = events(app, "sign_in.failed")
    assert [e["data"]["failures"] for e in found] == [1, 10, 100]
    ((kind, key),) = {(e["subject"]["type"], e["subject"]["id"]) for e in found}
    assert (kind, len(key)) == ("address", 64)
    assert TYPED not in json.dumps(found)


def test_wrong_codes_are_each_recorded(app):
    stolen = app.registrar.without_factor()
    with_app = ok(stolen.post("/v1/me/second-factor"))
    assert "secret" in with_app
    for _ in range(2):
        assert stolen.post("/v1/me/second-factor/confirm", json={"otp": "000000"}).status_code == 403
    assert sign_in(app, "registrar@staff.example", PASSWORD, otp="000000").status_code == 401
    found = events(app, "second_factor.failed")
    assert {e["subject"]["id"] for e in found} == {stolen.id}
    assert [e["data"]["failures"] for e in found] == [1, 2, 3]
    assert events(app, "sign_in.failed") == []  # the password was right


def test_downloads_by_staff_are_recorded_and_those_of_the_company_are_not(app):
    company = app.set_up_company(evidence=False)
    own = company.upload("permit", issued_on="2026-11-02")
    draft = company.draft()
    of_case = ok(company.add_evidence(draft))
    paths = (f"/v1/evidence/{own['id']}/file", f"/v1/applications/{draft}/evidence/{of_case['id']}")
    for caller in (company, app.reviewer, app.auditor):
        for path in paths:
            assert caller.get(path).status_code == 200
    refused = app.inspector.get(paths[0])
    assert refused.status_code == 403
    app.container.reading_trail.flush()
    found = events(app, "evidence.downloaded")
    assert [(e["actor"]["id"], e["subject"]["id"]) for e in found] == [
        (who.id, item["id"]) for who in (app.reviewer, app.auditor) for item in (own, of_case)
    ]
    assert found[0]["data"] == {
        "kind": "permit",
        "organisation": company.organisation_id,
        "sha256": own["sha256"],
    }
    timeline = ok(company.get(f"/v1/applications/{draft}/timeline"))["items"]
    assert "downloaded" not in json.dumps(timeline)


def test_a_download_does_not_wait_for_a_writer(app):
    item = app.set_up_company(evidence=False).upload("permit", issued_on="2026-11-02")
    reviewer, path = app.reviewer, f"/v1/evidence/{item['id']}/file"
    reviewer.get("/v1/me")  # its session is made
    with app.database.session() as writer:
        writer.execute(sa.text("UPDATE audit_head SET seq = seq"))  # the last lock of everybody who writes
        assert reviewer.get(path).status_code == 200
        writer.rollback()
    app.container.reading_trail.flush()
    assert [e["subject"]["id"] for e in events(app, "evidence.downloaded")] == [item["id"]]


def test_an_event_that_cannot_be_written_is_logged(caplog):
    class Down:
        def session(self):
            raise OperationalError("INSERT", {}, Exception("down"))

    slept, item = [], uuid4()
    trail = ReadAudit(Down(), sleep=slept.append)
    with caplog.at_level(logging.WARNING):
        trail.record(SYSTEM, "evidence.downloaded", ("evidence", item), NOW)
        trail.close()
    assert len(slept) == MAX_ATTEMPTS - 1
    assert str(item) in caplog.records[-1].getMessage()
    assert "lost" in caplog.records[-1].getMessage()
