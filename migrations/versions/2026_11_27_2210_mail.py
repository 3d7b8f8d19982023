"""Add outgoing messages, and the language of users."""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261127_2210_mail"
down_revision = "20261127_2200_claims"
branch_labels = None
depends_on = None

KINDS = (
    "registration-requested",
    "reset-requested",
    "confirm-address",
    "address-taken",
    "reset-password",
    "first-password",
    "invitation",
    "claim-confirmed",
    "claim-refused",
    "claim-disputed",
    "member-removed",
    "account-closed",
    "role-granted",
    "role-taken",
    "administrator-given",
    "administrator-taken",
)


def upgrade() -> None:
    op.create_table(
        "outgoing_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False, comment="e-mail address"),
        sa.Column("language", sa.Text(), nullable=True, comment="null: not known, so all of az and en"),
        sa.Column("values", database.JsonColumn, nullable=False, comment="what the text names; no secrets"),
        sa.Column(
            "encrypted_token",
            sa.Text(),
            nullable=True,
            comment="AES-GCM under keys/second-factors.key, bound to the id; null once the message is delivered or void",
        ),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("void_at", database.UtcDateTime(), nullable=False, comment="from then on it is not sent any more"),
        sa.Column(
            "next_attempt_at",
            database.UtcDateTime(),
            nullable=True,
            comment="null: delivered or void. While a worker sends it, when another one may try",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("delivered_at", database.UtcDateTime(), nullable=True),
        sa.CheckConstraint(database.check_in("kind", list(KINDS)), name=op.f("ck_outgoing_messages_kind")),
        sa.CheckConstraint(
            "delivered_at IS NULL OR next_attempt_at IS NULL", name=op.f("ck_outgoing_messages_delivered_once")
        ),
        sa.CheckConstraint(
            "next_attempt_at IS NOT NULL OR encrypted_token IS NULL", name=op.f("ck_outgoing_messages_token_erased")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_messages")),
    )
    op.create_index(op.f("ix_outgoing_messages_next_attempt_at"), "outgoing_messages", ["next_attempt_at"])
    _say("null: the person, or the command line")
    op.add_column(
        "users",
        sa.Column(
            "language", sa.Text(), nullable=True, comment="of messages to this person: az, en or ru; null: not known"
        ),
    )


def downgrade() -> None:
    """Messages that wait are lost with their table."""
    _say("null: the command line")
    op.drop_column("users", "language")
    op.drop_table("outgoing_messages")


def _say(comment: str) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite stores no comments
        op.execute(f"COMMENT ON COLUMN password_resets.issued_by IS '{comment}'")
