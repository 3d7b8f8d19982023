"""The tables and columns that took standard names keep every row, constraint and trigger, down and up again."""

import pytest
import sqlalchemy as sa
from alembic import command

from app.database_schema import is_migrated
from tests.api.helpers import bearer, email_of, enrolled, sign_in
from tests.factories import ok
from tests.helpers import execute, rows
from tests.migrations.helpers import RENAMED_TABLES, run

BEFORE, AFTER = "20261127_2250_rights", "20261128_0200_standard_names"
COLUMNS = {
    ("organisations", "status"): "standing",
    ("users", "read_only_since"): "sealed_at",
    ("totp_enrolments", "encrypted_secret"): "sealed",
    ("totp_enrolments", "encrypted_pending_secret"): "pending",
    ("refresh_tokens", "user_session_id"): "sign_in_id",
    ("certificate_snapshots", "content"): "text",
    ("certificate_search_terms", "term"): "word",
}
TOUCHED = {*RENAMED_TABLES.values(), "organisations", "refresh_tokens", "users"}


def rows_by_table(database):
    """Every row of every table, as the driver hands it out."""
    with database.read_engine.connect() as connection:
        names = [name for name in sa.inspect(connection).get_table_names() if name != "alembic_version"]
        found = {}
        for name in names:
            result = connection.exec_driver_sql(f"SELECT * FROM {name}")
            columns = tuple(result.keys())
            found[name] = (columns, sorted(map(repr, result.all())))
    return found


def names_of(database, tables):
    """The names of the constraints, indexes and columns of these tables, and of all triggers."""
    with database.read_engine.connect() as connection:
        inspector = sa.inspect(connection)
        found = set()
        for table in tables:
            keys = [*inspector.get_check_constraints(table), *inspector.get_foreign_keys(table)]
            keys += [*inspector.get_unique_constraints(table), inspector.get_pk_constraint(table)]
            keys += [*inspector.get_indexes(table), *inspector.get_columns(table)]
            found |= {f"{table}.{key['name']}" for key in keys}
        triggers = (
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            if database.is_sqlite
            else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        )
        return found | set(connection.exec_driver_sql(triggers).scalars())


def test_rows_and_triggers_stay_with_their_tables(app):
    company = app.set_up_company()
    number, other = app.certify(company), app.certify(company)
    tokens = ok(sign_in(app, email_of(company)))
    sign_in(app, email_of(company), "not this password")
    ok(company.post("/v1/sites", json={"name": "Two", "district": "Ağdam"}, headers={"Idempotency-Key": "once"}))
    enrolled(app.reviewer)
    latest = rows_by_table(app.database)
    run(app.database, command.downgrade, AFTER)  # what came later is not its business
    for each in (number, other):
        signed = bytes.fromhex(rows(app, "SELECT token_sha256 FROM certificates WHERE number = :n", n=each)[0][0])
        insert = "INSERT INTO certificate_snapshots (number, signed_hash, content) VALUES (:number, :signed, :content)"
        execute(app, insert, number=each, signed=signed, content=b"x")
    before = rows_by_table(app.database)
    written = {name: rows for name, (_, rows) in before.items()}
    assert all(written[name] for name in TOUCHED), sorted(name for name in TOUCHED if not written[name])
    names = names_of(app.database, TOUCHED)

    run(app.database, command.downgrade, BEFORE)
    older = rows_by_table(app.database)
    assert older.keys() == {*before} - {*RENAMED_TABLES.values()} | RENAMED_TABLES.keys()
    for old, new in ({name: name for name in older} | RENAMED_TABLES).items():
        assert older[old] == (tuple(COLUMNS.get((new, column), column) for column in before[new][0]), written[new]), old
    assert len(names_of(app.database, {*older} & ({*TOUCHED} | RENAMED_TABLES.keys()))) == len(names)

    run(app.database, command.upgrade, AFTER)
    assert rows_by_table(app.database) == before
    assert names_of(app.database, TOUCHED) == names
    old_names = {*RENAMED_TABLES, "standing", "sign_in_id", "sealed", "extract"}
    assert not [name for name in names if any(old in name for old in old_names)]

    _guards_of_snapshots_hold(app, number, other)
    run(app.database, command.upgrade, "head")
    assert is_migrated(app.database)
    assert rows_by_table(app.database).keys() == latest.keys()
    assert rows(app, "SELECT * FROM certificate_snapshots") == []  # the next start writes them
    assert app.verify(number)["verdict"] == "valid"
    ok(app.anonymous.get("/v1/me", headers=bearer(tokens)))


def _guards_of_snapshots_hold(app, number, other):
    """As they were in that version: later snapshots carry a code instead."""
    with pytest.raises(sa.exc.DatabaseError, match="in the log as it was signed"):
        execute(
            app,
            "UPDATE certificate_snapshots SET signed_hash = :other WHERE number = :number",
            number=number,
            other=b"x",
        )
    execute(app, "UPDATE certificates SET district = district WHERE number = :number", number=number)
    assert [row[0] for row in rows(app, "SELECT number FROM certificate_snapshots")] == [other]
