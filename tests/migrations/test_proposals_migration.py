"""Requests of owners become proposals with the hashes of their documents, and come back."""

import pytest
import sqlalchemy as sa
from alembic import command

from tests.factories import ok
from tests.helpers import refused, rows
from tests.migrations.helpers import run

BEFORE = "20261128_0300_decisions"
REQUESTS = "SELECT id, user_id, kind, role, state, requested_by, decided_by, version FROM access_requests ORDER BY id"


def role(user, name):
    return {"kind": "role", "content": {"user_id": user.id, "role": name}}


def test_requests_move_and_come_back(app):
    owner, second, reviewer = app.owner, app.second_owner, app.reviewer
    confirmed, own, foreign, waiting = (
        ok(owner.post("/v1/proposals", json=role(reviewer, name)))
        for name in ("approver", "auditor", "inspector", "registrar")
    )
    app.confirm_proposal(confirmed)
    owner.act(f"/v1/proposals/{own['id']}/withdraw")
    second.act(f"/v1/proposals/{foreign['id']}/refuse")
    number = app.certify()
    owner.act(f"/v1/certificates/{number}/revoke", {"reason": "bankruptcy"})
    listed = ok(owner.get("/v1/proposals?limit=100"))["items"]
    assert [each["state"] for each in listed] == ["confirmed", "withdrawn", "refused", "proposed", "proposed"]

    run(app.database, command.downgrade, BEFORE)
    requests = rows(app, REQUESTS)
    assert [(row.kind, row.role, row.state) for row in requests] == [
        ("grant-role", "approver", "confirmed"),
        ("grant-role", "auditor", "refused"),
        ("grant-role", "inspector", "refused"),
        ("grant-role", "registrar", "open"),
    ]
    run(app.database, command.upgrade, "head")
    assert ok(owner.get("/v1/proposals?limit=100"))["items"] == listed[:4]  # their hashes among it
    app.restore_authenticators()
    assert second.act(f"/v1/proposals/{waiting['id']}/confirm")["state"] == "confirmed"
    refused(second.post(f"/v1/proposals/{confirmed['id']}/confirm", version="now"), 409, "wrong-state")
    run(app.database, command.downgrade, BEFORE)
    assert [row.state for row in rows(app, REQUESTS)] == ["confirmed", "refused", "refused", "confirmed"]
    with pytest.raises(sa.exc.SQLAlchemyError):
        rows(app, "SELECT 1 FROM proposals")
