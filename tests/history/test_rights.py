"""On PostgreSQL the service can run as a role that could not rewrite history if it wanted to."""

import os

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from app.cli import app as mik
from app.database_schema import APPEND_ONLY_TABLES, Base, grant_statements
from app.integrity.audit_chain import check_audit_chain
from tests.conftest import _admin
from tests.factories import ok, running_app

ROLE, PASSWORD = f"mik_app_{os.getpid()}", "only-for-this-test"  # roles belong to the whole server


@pytest.fixture
def as_service(database_url):
    """Address of the database for the role of the service; None on SQLite, which has no roles."""
    if database_url.startswith("sqlite"):
        yield None
        return
    sql = CliRunner().invoke(mik, ["admin", "database-rights", "--role", ROLE])
    assert sql.exit_code == 0
    _admin(database_url, f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
    _admin(database_url, sql.stdout)
    yield sa.make_url(database_url).set(username=ROLE, password=PASSWORD).render_as_string(hide_password=False)
    _admin(database_url, f"DROP OWNED BY {ROLE}")
    _admin(database_url, f"DROP ROLE {ROLE}")


def test_the_service_runs_with_these_rights(as_service, tmp_path):
    if as_service is None:
        return
    with running_app(as_service, tmp_path) as app:
        number = app.certify()
        app.owner.act(f"/v1/certificates/{number}/suspend", {"cause": "hearing"})
        assert app.verify(number)["verdict"] == "suspended"
        with app.database.read_session() as session:
            assert check_audit_chain(session).first_break is None
        ok(app.owner.post("/v1/calendar/holidays", json={"year": 2027, "days": []}))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET event = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "DROP TABLE audit_events",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_events_no_rewrite ON audit_events",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, 'x')",
        "UPDATE decisions SET outcome = 'approved'",
        "DELETE FROM decided_products",
        "UPDATE rulesets SET digest = 'x'",
        "SET session_replication_role = replica",
        "CREATE TABLE shadow (id int)",
        "GRANT ALL ON audit_events TO CURRENT_USER",
    ],
)
def test_and_history_is_out_of_its_reach(as_service, statement):
    if as_service is None:
        return
    # PostgreSQL only warns of a GRANT that grants nothing: the second statement shows that it gave nothing.
    with pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner"):
        _admin(as_service, f"{statement}; DELETE FROM audit_events")


def test_every_table_with_a_guard_is_named(database):
    with database.read_engine.connect() as connection:
        if database.is_sqlite:
            found = connection.exec_driver_sql("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'")
        else:
            found = connection.exec_driver_sql("SELECT DISTINCT event_object_table FROM information_schema.triggers")
        assert {row[0] for row in found} == APPEND_ONLY_TABLES


def test_every_table_is_granted():
    sql = grant_statements("somebody")
    for table in Base.metadata.tables:
        assert f" ON {table} TO somebody;" in sql


@pytest.mark.parametrize("role", ["", "Robert'); DROP TABLE users", "a b", "1a", "x" * 64])
def test_a_role_is_a_plain_name(role):
    assert CliRunner().invoke(mik, ["admin", "database-rights", "--role", role]).exit_code == 2
