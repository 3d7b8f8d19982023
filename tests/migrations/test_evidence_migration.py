"""Evidence that lay here before it could be confirmed: it comes along, belongs to its company, and waits."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import command

from app.core.database import new_id
from tests.migrations.helpers import run, some

BEFORE, AFTER = "20261122_1910", "20261122_2030_evidence_items"


def insert(connection, name, **values):
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    needed = {c.name: some(c) for c in table.columns if not c.nullable and c.name not in values}
    connection.execute(table.insert().values(needed | values))


def test_evidence_comes_along_and_goes_back(database):
    run(database, command.downgrade, BEFORE)
    sqlite = database.is_sqlite
    organisation, application, item = (each.hex if sqlite else each for each in (new_id(), new_id(), new_id()))
    with database.write_engine.begin() as connection:
        now = datetime(2026, 11, 22, tzinfo=UTC)
        insert(connection, "schemes", code="MIK", content={}, current_ruleset="2026.1")
        insert(
            connection, "organisations", id=organisation, voen="0010000101", standing="unconfirmed", source="applicant"
        )
        insert(
            connection,
            "applications",
            id=application,
            scheme_code="MIK",
            organisation_id=organisation,
            state="draft",
            state_since=now,
        )
        insert(connection, "evidence", id=item, application_id=application, kind="permit")
    run(database, command.upgrade, AFTER)
    with database.write_engine.begin() as connection:
        row = connection.execute(sa.text("SELECT * FROM evidence")).mappings().one()
        assert str(row["organisation_id"]).replace("-", "") == str(organisation).replace("-", "")
        assert (row["version"], row["confirmed_at"], row["issued_on"]) == (1, None, None)
        assert row["stated"] in ({}, "{}")
        own = {"id": new_id().hex if sqlite else new_id(), "organisation_id": organisation, "kind": "permit"}
        insert(connection, "evidence", **own, stated={})  # the company's own, which the older service cannot hold
        twice = {"id": new_id().hex if sqlite else new_id(), "application_id": application, "kind": "permit"}
        insert(connection, "evidence", **twice, organisation_id=organisation, stated={}, sha256="x")
    run(database, command.downgrade, BEFORE)
    with database.write_engine.begin() as connection:
        left = connection.execute(sa.text("SELECT id FROM evidence")).scalars().all()
        assert [str(each).replace("-", "") for each in left] == [str(item).replace("-", "")]
