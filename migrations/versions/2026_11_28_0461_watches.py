"""watches: what people without an account follow by mail"""

import sqlalchemy as sa
from alembic import op

from app.core import database

revision = "20261128_0461_watches"
down_revision = "20261128_0460_webhooks"
branch_labels = None
depends_on = None

BEFORE = (
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
    "certificates-reissued",
    "authenticator-proposed",
    "authenticator-registered",
    "authenticator-removed",
    "notice",
)
ADDED = ("confirm-watch", "watched-change")


def upgrade():
    op.create_table(
        "watches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "value",
            sa.Text(),
            nullable=False,
            comment="number of a certificate, id of a holder, or digits of an HS code",
        ),
        sa.Column("email", sa.Text(), nullable=False, comment="lower case"),
        sa.Column("language", sa.Text(), nullable=True, comment="of messages: az, en or ru; null: not known"),
        sa.Column("token_hash", sa.Text(), nullable=False, comment="SHA-256 of 32 random bytes"),
        sa.Column(
            "encrypted_token",
            sa.Text(),
            nullable=False,
            comment="AES-GCM, bound to the id: each mail has a link to end it",
        ),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", database.UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('certificate', 'holder', 'heading')", name=op.f("ck_watches_kind")),
        sa.PrimaryKeyConstraint("id", name="pk_watches"),
        sa.UniqueConstraint("token_hash", name="uq_watches_token_hash"),
    )
    op.create_index("ix_watches_value", "watches", ["value", "kind"])
    op.create_index("ix_watches_email", "watches", ["email"])
    op.execute(
        "INSERT INTO event_cursors (follower, sequence) SELECT 'watches', coalesce(max(seq), 0) FROM audit_events"
    )
    _allow((*BEFORE, *ADDED))


def downgrade():
    message = sa.table("outgoing_messages", sa.column("kind"))
    op.execute(sa.delete(message).where(message.c.kind.in_(ADDED)))
    _allow(BEFORE)
    op.execute("DELETE FROM event_cursors WHERE follower = 'watches'")
    op.execute("DELETE FROM jobs WHERE name LIKE 'watches.%'")
    op.drop_table("watches")


def _allow(kinds):
    with op.batch_alter_table("outgoing_messages") as batch_op:
        batch_op.drop_constraint(op.f("ck_outgoing_messages_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_outgoing_messages_kind"), database.check_in("kind", list(kinds)))
