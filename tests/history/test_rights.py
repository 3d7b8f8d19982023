"""On PostgreSQL the service can run as a role that could not rewrite history if it wanted to."""

import os
import re
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

import app as service
from app.cli import app as mik
from app.commit_pipeline import open_database
from app.database_rights import HISTORY, RIGHTS, RoleReport, compare_role, grant_statements
from app.database_schema import APPEND_ONLY_TABLES, Base
from app.demo.scenario import run
from app.integrity.audit_chain import check_audit_chain
from tests.cli.helpers import hire_staff, stage
from tests.conftest import _admin
from tests.factories import ok, running_app
from tests.helpers import rows

ROLE, PASSWORD = f"mik_app_{os.getpid()}", "only-for-this-test"  # roles belong to the whole server


@pytest.fixture
def as_service(database_url):
    """Address of the database for the role of the service; None on SQLite, which has no roles."""
    if database_url.startswith("sqlite"):
        yield None
        return
    sql = CliRunner().invoke(mik, ["admin", "rights", "--role", ROLE])
    assert sql.exit_code == 0
    _admin(database_url, f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
    _admin(database_url, sql.stdout)
    yield sa.make_url(database_url).set(username=ROLE, password=PASSWORD).render_as_string(hide_password=False)
    _admin(database_url, f"DROP OWNED BY {ROLE}")
    _admin(database_url, f"DROP ROLE {ROLE}")


@contextmanager
def closing_session(url):
    database = open_database(url)
    with database.read_session() as session:
        yield session
    database.dispose()


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
        app.owner.act(f"/v1/jobs/{app.park_job()}/retry")
        app.run_jobs()
        app.clock.advance(days=40)
        assert app.run_jobs() > 0
        assert rows(app, "SELECT name, last_error FROM jobs WHERE attempts > 0") == []


def test_the_journey_of_the_demo_needs_no_more(as_service, tmp_path):
    if as_service is None:
        return
    with running_app(as_service, tmp_path) as app:
        hire_staff(app)
        played = run(stage(app)[0])
        assert {each["verdict"] for each in played.certificates} == {"valid", "suspended", "revoked"}


def forbidden():
    """Every change of a table that the rights do not name, and what only an owner or an administrator may do."""
    for name, table in sorted(Base.metadata.tables.items()):
        rights = RIGHTS[name]
        for column in table.columns:
            if column.name not in rights.update:
                yield f'UPDATE {name} SET "{column.name}" = "{column.name}"'
        if not rights.insert:
            yield f"INSERT INTO {name} SELECT * FROM {name}"
        if not rights.delete:
            yield f"DELETE FROM {name}"
        yield f"TRUNCATE {name} CASCADE"
        yield f"ALTER TABLE {name} DISABLE TRIGGER ALL"
        yield f"DROP TABLE {name} CASCADE"
        yield f"CREATE TRIGGER own BEFORE INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()"
    yield "DROP TRIGGER audit_events_no_rewrite ON audit_events"
    yield "DROP TRIGGER certificates_signed_columns ON certificates"
    yield "DROP FUNCTION certificates_signed_columns() CASCADE"
    yield "CREATE OR REPLACE FUNCTION refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
    yield "UPDATE alembic_version SET version_num = 'x'"
    yield "SET session_replication_role = replica"
    yield "CREATE TABLE shadow (id int)"
    # PostgreSQL only warns of a GRANT that grants nothing: the second statement shows that it gave nothing.
    yield "GRANT ALL ON audit_events TO CURRENT_USER; DELETE FROM audit_events"


def test_everything_else_is_out_of_its_reach(as_service):
    if as_service is None:
        return
    engine = sa.create_engine(as_service, isolation_level="AUTOCOMMIT")
    done = []
    with engine.connect() as connection:
        for statement in forbidden():
            try:
                connection.exec_driver_sql(statement)
            except sa.exc.ProgrammingError as why:
                said = str(why)
                if not re.search(r"permission denied|must be owner", said):
                    done.append(f"{statement}: {said}")
            else:
                done.append(statement)
    engine.dispose()
    assert done == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET event = 'x'",
        "UPDATE decisions SET outcome = 'approved'",
        "UPDATE certificates SET holder_name = 'x'",
        "UPDATE certificates SET token = 'x', status = 'active'",
        "UPDATE recommendations SET products = '[]'",
        "UPDATE users SET is_staff = true",
        "UPDATE signing_keys SET public_jwk = '{}'",
        "DELETE FROM log_entries",
    ],
)
def test_among_it(statement, as_service):
    if as_service is None:
        return
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
        _admin(as_service, statement)


def test_a_role_is_compared_with_what_is_needed(as_service, database_url):
    if as_service is None:
        with closing_session(database_url) as session:
            assert compare_role(session) is None
        return
    with closing_session(as_service) as session:
        assert compare_role(session) == RoleReport(owns_tables=False, excess=(), missing=())
    _admin(database_url, f"GRANT UPDATE (holder_name), DELETE ON certificates TO {ROLE}")
    _admin(database_url, f"REVOKE INSERT ON reports FROM {ROLE}")
    with closing_session(as_service) as session:
        excess = ("DELETE on certificates", "UPDATE (holder_name) on certificates")
        assert compare_role(session) == RoleReport(owns_tables=False, excess=excess, missing=("INSERT on reports",))
    with closing_session(database_url) as session:
        report = compare_role(session)
        assert (report.owns_tables, report.missing) == (True, ())
        assert "TRUNCATE on decisions" in report.excess


def test_every_table_has_its_rights_and_every_right_its_column():
    assert RIGHTS.keys() == Base.metadata.tables.keys()
    for name, rights in RIGHTS.items():
        assert rights.update <= {column.name for column in Base.metadata.tables[name].columns}, name
    assert {RIGHTS[name] for name in APPEND_ONLY_TABLES} == {HISTORY}


def test_no_column_may_be_updated_that_nothing_updates():
    """Each is assigned, or named in a statement, somewhere in the service; `mac` is set by the mapper."""
    modules = [path.read_text() for path in Path(service.__file__).parent.rglob("*.py") if path.name != "model.py"]
    text = "\n".join(modules)
    assigned = set(re.findall(r"\.(\w+)(?=[^=\n]*(?<![=!<>])=(?!=))", text))  # also one of several targets
    assigned |= set(re.findall(r"\b(\w+) ?=", text))
    for each in modules:
        if "setattr(" in each:  # sets the values of a mapping, column by column
            assigned |= set(re.findall(r'"(\w+)": ', each))
    for name, rights in RIGHTS.items():
        assert rights.update - assigned - {"mac"} == set(), name


def test_every_table_with_a_guard_is_named(database):
    with database.read_engine.connect() as connection:
        if database.is_sqlite:
            found = connection.exec_driver_sql("SELECT DISTINCT tbl_name FROM sqlite_master WHERE type = 'trigger'")
        else:
            found = connection.exec_driver_sql("SELECT DISTINCT event_object_table FROM information_schema.triggers")
        kept_true = {"certificates"}  # guarded in part
        assert {row[0] for row in found} - kept_true == APPEND_ONLY_TABLES


def test_every_table_is_granted():
    sql = grant_statements("somebody")
    for table in Base.metadata.tables:
        assert f" ON {table} TO somebody;" in sql
    changeable = "during_investigation, status, status_reason, status_since, version"
    assert f"GRANT SELECT, INSERT, UPDATE ({changeable}) ON certificates TO somebody;" in sql
    assert "GRANT SELECT, INSERT ON decisions TO somebody;" in sql


@pytest.mark.parametrize("role", ["", "Robert'); DROP TABLE users", "a b", "1a", "x" * 64])
def test_a_role_is_a_plain_name(role):
    assert CliRunner().invoke(mik, ["admin", "rights", "--role", role]).exit_code == 2
