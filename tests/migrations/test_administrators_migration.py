"""In companies that exist the earliest active member becomes the administrator, and nobody is lost on the way back."""

from uuid import UUID

import sqlalchemy as sa
from alembic import command

from app.auth.model import User
from app.auth.user_repository import get_active_administrator_ids
from app.database_schema import is_migrated
from tests.factories import PASSWORD, ok
from tests.migrations.helpers import run

BEFORE = "20261127_2200_claims"


def join(app, company, email):
    ok(company.post("/v1/invitations", json={"email": email}))
    body = {"token": app.code(email), "full_name": "Kənan Nümunə", "password": PASSWORD}
    return ok(app.anonymous.post("/v1/invitations/accept", json=body))["user_id"]


def test_the_earliest_active_member_becomes_the_administrator(app):
    alone, left, together = (app.confirm(app.register()) for _ in range(3))
    app.clock.advance(days=1)
    second = join(app, left, "second@numune.example")
    join(app, together, "third@numune.example")
    ok(left.put(f"/v1/members/{second}/administrator"))
    ok(left.delete(f"/v1/members/{left.id}"))
    app.clock.advance(days=1)
    with app.database.read_session() as session:
        people = session.scalar(sa.select(sa.func.count()).select_from(User))

    run(app.database, command.downgrade, BEFORE)
    run(app.database, command.upgrade, "head")

    assert is_migrated(app.database)
    with app.database.read_session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(User)) == people
        for company, administrator in ((alone, alone.id), (left, second), (together, together.id)):
            found = get_active_administrator_ids(session, session.get(User, UUID(company.id)).organisation_id)
            assert {str(each) for each in found} == {administrator}
