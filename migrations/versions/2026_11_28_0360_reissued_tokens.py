"""tokens of certificates that were signed anew after their key was compromised, and the message about it"""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261128_0360_reissued_tokens"
down_revision = "20261128_0350_witnesses"
branch_labels = None
depends_on = None

REFUSAL = "reissued_tokens are never changed"


KIND, KINDS = "'administrator-taken'", "'administrator-taken', 'certificates-reissued'"
INDEX = "ix_outgoing_messages_next_attempt_at"


def upgrade() -> None:
    _change_kinds(KIND, KINDS)
    op.create_table(
        "reissued_tokens",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("token_sha256", sa.Text(), nullable=False, comment="over header.payload"),
        sa.Column("reissued_at", database.UtcDateTime(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["certificates.number"], name=op.f("fk_reissued_tokens_number")),
        sa.ForeignKeyConstraint(["kid"], ["signing_keys.kid"], name=op.f("fk_reissued_tokens_kid")),
        sa.PrimaryKeyConstraint("number", "kid", name=op.f("pk_reissued_tokens")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_reissued_tokens_token_sha256")),
    )
    if op.get_bind().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        for verb in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER reissued_tokens_no_{verb.lower()} BEFORE {verb} ON reissued_tokens {refuse}")
        same = (
            "SELECT 1 FROM reissued_tokens "
            "WHERE number = NEW.number AND kid = NEW.kid OR token_sha256 = NEW.token_sha256"
        )
        op.execute(  # REPLACE would delete the row first
            f"CREATE TRIGGER reissued_tokens_no_insert BEFORE INSERT ON reissued_tokens WHEN EXISTS ({same}) {refuse}"
        )
        return
    op.execute(
        "CREATE TRIGGER reissued_tokens_no_rewrite BEFORE UPDATE OR DELETE ON reissued_tokens "
        "FOR EACH ROW EXECUTE FUNCTION refuse_rewrite()"
    )
    op.execute(
        "CREATE TRIGGER reissued_tokens_no_truncate BEFORE TRUNCATE ON reissued_tokens "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewrite()"
    )


def _change_kinds(old: str, new: str) -> None:
    """Change the closed list of kinds of messages. SQLite has no other way than a new table with the same rows."""
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        stored = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
        made = connection.execute(stored, {"name": "outgoing_messages"}).scalar_one()
        index = connection.execute(stored, {"name": INDEX}).scalar_one()
        op.execute("ALTER TABLE outgoing_messages RENAME TO outgoing_messages_before")
        op.execute(f"DROP INDEX {INDEX}")
        connection.exec_driver_sql(made.replace(old, new, 1))
        op.execute("INSERT INTO outgoing_messages SELECT * FROM outgoing_messages_before")
        op.execute("DROP TABLE outgoing_messages_before")
        connection.exec_driver_sql(index)
        return
    name = "ck_outgoing_messages_kind"
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"
    made = connection.execute(sa.text(query), {"name": name}).scalar_one()
    added = ", 'certificates-reissued'::text"
    text = made.replace(added, "") if old == KINDS else made.replace(f"{KIND}::text", f"{KIND}::text{added}")
    op.execute(f"ALTER TABLE outgoing_messages DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE outgoing_messages ADD CONSTRAINT {name} {text}")


def downgrade() -> None:
    op.drop_table("reissued_tokens")
    op.execute("DELETE FROM outgoing_messages WHERE kind = 'certificates-reissued'")
    _change_kinds(KINDS, KIND)
