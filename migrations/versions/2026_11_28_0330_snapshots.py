"""Snapshots hold the whole answer with a message authentication code; no trigger guards them any longer.

Rows are not moved: the next start of the service writes them anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_0330_snapshots"
down_revision = "20261128_0320_authenticators"
branch_labels = None
depends_on = None

CHANGES_OF_A_SNAPSHOT = (
    ("certificates", "update", "number"),
    ("certificates", "delete", "number"),
    ("log_entries", "update", "subject"),
    ("log_entries", "delete", "subject"),
)
"""Table, what happens to a row of it, and the column that names the certificate."""
LOGGED = (
    "SELECT 1 FROM certificates c JOIN log_entries l ON l.subject = c.number AND l.event = 'certificate.issued' "
    "AND l.sha256 = c.token_sha256 WHERE c.number = NEW.number AND c.token_sha256 = {}"
)
REFUSAL = "a snapshot is stored only of a certificate that is in the log as it was signed"


def upgrade() -> None:
    _drop_triggers()
    op.drop_table("certificate_snapshots")
    op.create_table(
        "certificate_snapshots",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("signed_hash", sa.LargeBinary(), nullable=False, comment="SHA-256, 32 bytes"),
        sa.Column("kid", sa.Text(), nullable=False, comment="key that signed the token"),
        sa.Column("issued_at", sa.BigInteger(), nullable=False, comment="second since 1970 of the issue in the log"),
        sa.Column("log_seq", sa.BigInteger(), nullable=False, comment="last log entry about the certificate"),
        sa.Column("holder_id", sa.Text(), nullable=True, comment="URN of the company, as signed"),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "good_until",
            sa.BigInteger(),
            nullable=True,
            comment="second since 1970 at which time alone changes the answer; null: never",
        ),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="JSON"),
        sa.Column("mac", sa.LargeBinary(), nullable=False, comment="HMAC-SHA-256 over all other columns"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_certificate_snapshots")),
        sa.UniqueConstraint("signed_hash", name=op.f("uq_certificate_snapshots_signed_hash")),
    )


def downgrade() -> None:
    """Snapshots repeat what tokens and log say: nothing is lost."""
    op.drop_table("certificate_snapshots")
    op.create_table(
        "certificate_snapshots",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("signed_hash", sa.LargeBinary(), nullable=False, comment="SHA-256, 32 bytes"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"],
            ["certificates.number"],
            name=op.f("fk_certificate_snapshots_number_certificates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_certificate_snapshots")),
        sa.UniqueConstraint("signed_hash", name=op.f("uq_certificate_snapshots_signed_hash")),
    )
    _create_triggers()


def _drop_triggers() -> None:
    """The function of PostgreSQL takes its trigger with it."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, verb, _ in CHANGES_OF_A_SNAPSHOT:
        name = f"{table}_{verb}_deletes_snapshot"
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP FUNCTION {name}() CASCADE")
    if is_sqlite:
        for verb in ("insert", "update"):
            op.execute(f"DROP TRIGGER certificate_snapshots_logged_{verb}")
    else:
        op.execute("DROP FUNCTION certificate_snapshots_logged() CASCADE")


def _create_triggers() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, verb, number in CHANGES_OF_A_SNAPSHOT:
        name = f"{table}_{verb}_deletes_snapshot"
        delete = f"DELETE FROM certificate_snapshots WHERE number = OLD.{number}"  # noqa: S608 (constants only)
        if is_sqlite:
            op.execute(f"CREATE TRIGGER {name} AFTER {verb.upper()} ON {table} BEGIN {delete}; END")
            continue
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {delete}; RETURN NULL; END$$")
        op.execute(f"CREATE TRIGGER {name} AFTER {verb.upper()} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")  # also for a session that silences the others
    name = "certificate_snapshots_logged"
    if is_sqlite:
        is_logged = LOGGED.format("lower(hex(NEW.signed_hash))")
        refuse = f"WHEN NOT EXISTS ({is_logged}) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for verb in ("INSERT", "UPDATE"):
            op.execute(f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON certificate_snapshots {refuse}")
        return
    is_logged = LOGGED.format("encode(NEW.signed_hash, 'hex')")
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN IF NOT EXISTS ({is_logged}) THEN RAISE EXCEPTION '{REFUSAL}'; END IF; RETURN NEW; END$$"
    )
    op.execute(
        f"CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON certificate_snapshots FOR EACH ROW EXECUTE FUNCTION {name}()"
    )
