"""Create the entries and the head of the public log.

The next start of the service, which has the key of the log, enters earlier events.
"""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261122_2200_public_log"
down_revision = "20261122_2040"
branch_labels = None
depends_on = None

ISSUED = sa.text("event = 'certificate.issued'")


def upgrade() -> None:
    op.create_table(
        "log_entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="from 0, no gaps"),
        sa.Column("at", database.UtcDateTime(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column(
            "subject", sa.Text(), nullable=True, comment="certificate number, kid, or SCHEME/version of a ruleset"
        ),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column(
            "entry",
            sa.LargeBinary(),
            nullable=False,
            comment="canonical JSON: what is hashed; the columns before repeat it",
        ),
        sa.Column(
            "hashes",
            sa.LargeBinary(),
            nullable=False,
            comment="32 bytes each: its leaf, then every subtree that it completes",
        ),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_log_entries_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_entries")),
    )
    op.create_index("ix_log_entries_subject", "log_entries", ["subject", "seq"])
    op.create_index(
        "uq_log_entries_issued", "log_entries", ["subject"], unique=True, sqlite_where=ISSUED, postgresql_where=ISSUED
    )
    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("vkey", sa.Text(), nullable=True, comment="of the key that signs it; fixed with the first entry"),
        sa.Column("checkpoint", sa.Text(), nullable=True, comment="the last one signed, of this size"),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_one_row")),
        sa.CheckConstraint("(size = 0) = (checkpoint IS NULL)", name=op.f("ck_log_head_signed")),
        sa.CheckConstraint("(vkey IS NULL) = (checkpoint IS NULL)", name=op.f("ck_log_head_keyed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
    )
    op.execute("INSERT INTO log_head (id, size) VALUES (1, 0)")
    _guard()


def _guard() -> None:
    """The database itself refuses to rewrite an entry. SQLite's REPLACE would delete it past the trigger on DELETE."""
    if op.get_bind().dialect.name == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'log_entries are never changed'); END"
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER log_entries_no_{verb.lower()} BEFORE {verb} ON log_entries {refuse}")
        twice = "event = 'certificate.issued' AND event = NEW.event AND subject = NEW.subject"
        exists = f"WHEN EXISTS (SELECT 1 FROM log_entries WHERE seq = NEW.seq OR ({twice}))"  # noqa: S608 (constants only)
        op.execute(f"CREATE TRIGGER log_entries_no_insert BEFORE INSERT ON log_entries {exists} {refuse}")
        return
    op.execute(
        "CREATE TRIGGER log_entries_no_rewrite BEFORE UPDATE OR DELETE ON log_entries "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()"
    )
    op.execute(
        "CREATE TRIGGER log_entries_no_truncate BEFORE TRUNCATE ON log_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite()"
    )


def downgrade() -> None:
    """Triggers go with their table."""
    op.drop_table("log_head")
    op.drop_table("log_entries")
