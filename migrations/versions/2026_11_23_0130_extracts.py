"""Create the table of certificate snapshots, short rows from which verifications respond.

The next start of the service writes them, and triggers delete outdated ones: any change of a certificate, or of the log
entry of its issue, deletes its snapshot. A migration that makes SQLite copy one of these tables must create their
triggers again.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261123_0130_extracts"
down_revision = "20261122_2240_status_lists"
branch_labels = None
depends_on = None

LOGGED = (
    "SELECT 1 FROM certificates c JOIN log_entries l ON l.subject = c.number AND l.event = 'certificate.issued' "
    "AND l.sha256 = c.token_sha256 WHERE c.number = NEW.number AND c.token_sha256 = {}"
)
"""What an extract is of: its certificate is in the public log, as it was signed."""
REFUSAL = "extracts are only of what is in the log as it was signed"
DROPPED_BY = (
    ("certificates", "update", "number"),
    ("certificates", "delete", "number"),
    ("log_entries", "update", "subject"),
    ("log_entries", "delete", "subject"),
)
"""Table, what happens to a row of it, and the column that names the certificate. The foreign key alone is not enough:
SQLite's own shell, as it starts, does not look at foreign keys."""


def upgrade() -> None:
    op.create_table(
        "extracts",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("signed_hash", sa.LargeBinary(), nullable=False, comment="SHA-256, 32 bytes"),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["certificates.number"], name=op.f("fk_extracts_number_certificates"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_extracts")),
        sa.UniqueConstraint("signed_hash", name=op.f("uq_extracts_signed_hash")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()


def _guard_sqlite() -> None:
    for table, verb, number in DROPPED_BY:
        drop = f"BEGIN DELETE FROM extracts WHERE number = OLD.{number}; END"  # noqa: S608 (constants only)
        op.execute(f"CREATE TRIGGER {table}_{verb}_drops_extract AFTER {verb.upper()} ON {table} {drop}")
    is_logged = LOGGED.format("lower(hex(NEW.signed_hash))")
    refuse = f"WHEN NOT EXISTS ({is_logged}) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for verb in ("INSERT", "UPDATE"):
        op.execute(f"CREATE TRIGGER extracts_logged_{verb.lower()} BEFORE {verb} ON extracts {refuse}")


def _guard_postgresql() -> None:
    for table, verb, number in DROPPED_BY:
        name = f"{table}_{verb}_drops_extract"
        drop = f"DELETE FROM extracts WHERE number = OLD.{number}"  # noqa: S608 (constants only)
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {drop}; RETURN NULL; END$$")
        op.execute(f"CREATE TRIGGER {name} AFTER {verb.upper()} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")  # also for a session that silences the others
    is_logged = LOGGED.format("encode(NEW.signed_hash, 'hex')")
    op.execute(
        "CREATE FUNCTION extracts_logged() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN IF NOT EXISTS ({is_logged}) THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN NEW; END$$"
    )
    op.execute(
        "CREATE TRIGGER extracts_logged BEFORE INSERT OR UPDATE ON extracts "
        "FOR EACH ROW EXECUTE FUNCTION extracts_logged()"
    )


def downgrade() -> None:
    """Extracts repeat what the certificates say: nothing is lost."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, verb, _ in DROPPED_BY:
        name = f"{table}_{verb}_drops_extract"
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP FUNCTION {name}() CASCADE")
    op.drop_table("extracts")
    if not is_sqlite:
        op.execute("DROP FUNCTION extracts_logged()")
