"""tables and columns take the standard terms: sessions, failed log-ins, TOTP enrolments, snapshots, search terms, status

Names change, and no row does. PostgreSQL renames in place, so that grants stay. SQLite cannot rename a constraint: the
tables are created again under their new names and filled from a copy. Triggers that mention a renamed table are created
again on both.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "20261128_0200_standard_names"
down_revision = "20261127_2250_rights"
branch_labels = None
depends_on = None

TABLES = (
    ("organisations", "organisations"),
    ("guesses", "failed_logins"),
    ("kept_answers", "idempotency_records"),
    ("second_factors", "totp_enrolments"),
    ("sign_ins", "user_sessions"),
    ("refresh_tokens", "refresh_tokens"),
    ("extracts", "certificate_snapshots"),
    ("certificate_words", "certificate_search_terms"),
)
"""Parents before the tables that refer to them."""
COLUMNS = (
    ("organisations", "standing", "status"),
    ("totp_enrolments", "sealed", "encrypted_secret"),
    ("totp_enrolments", "pending", "encrypted_pending_secret"),
    ("refresh_tokens", "sign_in_id", "user_session_id"),
    ("certificate_snapshots", "text", "content"),
    ("certificate_search_terms", "word", "term"),
)
"""New table, old column, new column."""
PARTS = (
    *((old, new) for old, new in TABLES if old != new),
    ("sign_in_id", "user_session_id"),
    ("_standing", "_status"),
)
"""What names of constraints and indexes contain."""

CHANGES_OF_A_SNAPSHOT = (
    ("certificates", "update", "number"),
    ("certificates", "delete", "number"),
    ("log_entries", "update", "subject"),
    ("log_entries", "delete", "subject"),
)
"""Table, what happens to a row of it, and the column that names the certificate."""
NAMES_BEFORE = ("extracts", "drops_extract", "extracts are only of what is in the log as it was signed")
NAMES_AFTER = (
    "certificate_snapshots",
    "deletes_snapshot",
    "a snapshot is stored only of a certificate that is in the log as it was signed",
)
"""Of the triggers: table, ending of the names, message of the refusal."""
LOGGED = (
    "SELECT 1 FROM certificates c JOIN log_entries l ON l.subject = c.number AND l.event = 'certificate.issued' "
    "AND l.sha256 = c.token_sha256 WHERE c.number = NEW.number AND c.token_sha256 = {}"
)


def upgrade() -> None:
    _drop_triggers(*NAMES_BEFORE)
    op.execute("ALTER TABLE users RENAME COLUMN sealed_at TO read_only_since")
    _rename(TABLES, COLUMNS, PARTS)
    _create_triggers(*NAMES_AFTER)


def downgrade() -> None:
    _drop_triggers(*NAMES_AFTER)
    op.execute("ALTER TABLE users RENAME COLUMN read_only_since TO sealed_at")
    old_names = {new: old for old, new in TABLES}
    _rename(
        [(new, old) for old, new in TABLES],
        [(old_names[table], new, old) for table, old, new in COLUMNS],
        [(new, old) for old, new in PARTS],
    )
    _create_triggers(*NAMES_BEFORE)


def _rename(tables, columns, parts) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rename_by_copy(tables, columns, parts)
    else:
        _rename_in_place(tables, columns, parts)


def _rename_in_place(tables, columns, parts) -> None:
    for old, new in tables:
        if old != new:
            op.execute(f"ALTER TABLE {old} RENAME TO {new}")
    for table, old, new in columns:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    connection = op.get_bind()
    names = {"names": [new for _, new in tables]}
    constraints = sa.text(
        "SELECT conrelid::regclass::text AS table_name, conname AS name FROM pg_constraint "
        "WHERE conrelid::regclass::text = ANY(:names) AND contype IN ('c', 'f', 'p', 'u')"
    )
    for row in connection.execute(constraints, names).all():
        if (name := _with_parts(row.name, parts)) != row.name:
            op.execute(f"ALTER TABLE {row.table_name} RENAME CONSTRAINT {row.name} TO {name}")
    indexes = sa.text("SELECT indexname AS name FROM pg_indexes WHERE tablename = ANY(:names)")
    for row in connection.execute(indexes, names).all():  # those of constraints have their new names already
        if (name := _with_parts(row.name, parts)) != row.name:
            op.execute(f"ALTER INDEX {row.name} RENAME TO {name}")


def _rename_by_copy(tables, columns, parts) -> None:
    """Danger: dropping a table deletes its rows first, and those that cascade from them; so all are copied before."""
    connection = op.get_bind()
    op.execute("PRAGMA defer_foreign_keys=ON")
    definitions = {}
    for old, _ in tables:
        found = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL ORDER BY type DESC")
        definitions[old] = connection.execute(found, {"name": old}).scalars().all()  # the table, then its indexes
        op.execute(f"CREATE TABLE copy_of_{old} AS SELECT * FROM {old}")  # noqa: S608 (own names)
    for old, _ in reversed(tables):
        op.execute(f"DROP TABLE {old}")
    for old, new in tables:
        before = [column["name"] for column in sa.inspect(connection).get_columns(f"copy_of_{old}")]
        renamed = {a: b for table, a, b in columns if table == new}
        after = [renamed.get(name, name) for name in before]
        for definition in definitions[old]:
            op.execute(_with_columns(_with_parts(definition, parts), renamed))
        op.execute(f"INSERT INTO {new} ({', '.join(after)}) SELECT {', '.join(before)} FROM copy_of_{old}")  # noqa: S608 (names from above)
        op.execute(f"DROP TABLE copy_of_{old}")


def _with_parts(text, parts):
    for old, new in parts:
        text = text.replace(old, new)
    return text


def _with_columns(definition, renamed):
    for old, new in renamed.items():
        definition = re.sub(rf"\b{old}\b", new, definition)
    return definition


def _create_triggers(snapshots, ending, refusal) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, verb, number in CHANGES_OF_A_SNAPSHOT:
        name, delete = f"{table}_{verb}_{ending}", f"DELETE FROM {snapshots} WHERE number = OLD.{number}"  # noqa: S608 (names from above)
        if is_sqlite:
            op.execute(f"CREATE TRIGGER {name} AFTER {verb.upper()} ON {table} BEGIN {delete}; END")
            continue
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {delete}; RETURN NULL; END$$")
        op.execute(f"CREATE TRIGGER {name} AFTER {verb.upper()} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")  # also for a session that silences the others
    name = f"{snapshots}_logged"
    if is_sqlite:
        is_logged = LOGGED.format("lower(hex(NEW.signed_hash))")
        refuse = f"WHEN NOT EXISTS ({is_logged}) BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        for verb in ("INSERT", "UPDATE"):
            op.execute(f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON {snapshots} {refuse}")
        return
    is_logged = LOGGED.format("encode(NEW.signed_hash, 'hex')")
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN IF NOT EXISTS ({is_logged}) THEN RAISE EXCEPTION '{refusal}'; END IF; RETURN NEW; END$$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {snapshots} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _drop_triggers(snapshots, ending, _refusal) -> None:
    """The function of PostgreSQL takes its trigger with it."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, verb, _ in CHANGES_OF_A_SNAPSHOT:
        name = f"{table}_{verb}_{ending}"
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP FUNCTION {name}() CASCADE")
    if is_sqlite:
        for verb in ("insert", "update"):
            op.execute(f"DROP TRIGGER {snapshots}_logged_{verb}")
    else:
        op.execute(f"DROP FUNCTION {snapshots}_logged() CASCADE")
