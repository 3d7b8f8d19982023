"""webhooks: endpoints of companies, deliveries of events to them, and attempts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from app.core import database

revision = "20261128_0460_webhooks"
down_revision = "20261128_0450_inbox"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "event_types",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql"),
            nullable=False,
            comment="empty: all",
        ),
        sa.Column(
            "follows",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=True,
            comment="certificates of others: kind, colon, value; null: none",
        ),
        sa.Column(
            "encrypted_secret",
            sa.Text(),
            nullable=False,
            comment="AES-GCM, bound to the id; see app/core/crypto/secret_box.py",
        ),
        sa.Column(
            "encrypted_previous_secret", sa.Text(), nullable=True, comment="signs as well until `previous_until`"
        ),
        sa.Column("previous_until", database.UtcDateTime(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("disabled_at", database.UtcDateTime(), nullable=True),
        sa.Column("disabled_because", sa.Text(), nullable=True),
        sa.Column(
            "failing_since", database.UtcDateTime(), nullable=True, comment="first failure since the last success"
        ),
        sa.Column(
            "paused_until", database.UtcDateTime(), nullable=True, comment="it gave no answer: nothing is sent before"
        ),
        sa.Column(
            "resend_after",
            sa.BigInteger(),
            nullable=True,
            comment="sequence number of the last event that was looked at again; null: none is asked for",
        ),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'disabled') = (disabled_at IS NOT NULL)", name=op.f("ck_webhook_endpoints_disabled_when")
        ),
        sa.CheckConstraint(
            "disabled_because IS NULL OR disabled_because IN ('failing', 'gone')",
            name=op.f("ck_webhook_endpoints_disabled_because"),
        ),
        sa.CheckConstraint("state IN ('active', 'disabled')", name=op.f("ck_webhook_endpoints_state")),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_because IS NULL)", name=op.f("ck_webhook_endpoints_disabled_with_reason")
        ),
        sa.CheckConstraint(
            "(encrypted_previous_secret IS NULL) = (previous_until IS NULL)",
            name=op.f("ck_webhook_endpoints_previous_secret_ends"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name="fk_webhook_endpoints_organisation_id"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
    )
    op.create_index("ix_webhook_endpoints_organisation_id", "webhook_endpoints", ["organisation_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False, comment="header `webhook-id`"),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="JSON as it is signed and sent"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="since it was last asked for"),
        sa.Column("next_attempt_at", database.UtcDateTime(), nullable=True),
        sa.Column(
            "failing_since",
            database.UtcDateTime(),
            nullable=True,
            comment="first failed attempt since it was last asked for",
        ),
        sa.Column("created_at", database.UtcDateTime(), nullable=False),
        sa.Column("finished_at", database.UtcDateTime(), nullable=True),
        sa.CheckConstraint("(state = 'waiting') = (finished_at IS NULL)", name=op.f("ck_webhook_deliveries_finished")),
        sa.CheckConstraint(
            "(state = 'waiting') = (next_attempt_at IS NOT NULL)", name=op.f("ck_webhook_deliveries_waits_for_attempt")
        ),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name=op.f("ck_webhook_deliveries_state")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.id"], name="fk_webhook_deliveries_endpoint_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("endpoint_id", "event_id", name="uq_webhook_deliveries_endpoint_id_event_id"),
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["next_attempt_at", "endpoint_id"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index("ix_webhook_deliveries_finished_at", "webhook_deliveries", ["finished_at"], unique=False)
    op.create_index("ix_webhook_deliveries_state", "webhook_deliveries", ["endpoint_id", "state", "id"], unique=False)
    op.create_table(
        "webhook_attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("at", database.UtcDateTime(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True, comment="HTTP status; null: no answer"),
        sa.Column("error", sa.Text(), nullable=True, comment="why there is no answer"),
        sa.Column("answer", sa.Text(), nullable=True, comment="beginning of the body of the answer"),
        sa.CheckConstraint("(status IS NULL) <> (error IS NULL)", name=op.f("ck_webhook_attempts_status_or_error")),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["webhook_deliveries.id"], name="fk_webhook_attempts_delivery_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_attempts"),
    )
    op.create_index("ix_webhook_attempts_delivery_id", "webhook_attempts", ["delivery_id"], unique=False)
    op.execute(
        "INSERT INTO event_cursors (follower, sequence) SELECT 'webhooks', coalesce(max(seq), 0) FROM audit_events"
    )  # from now on: whoever makes an endpoint misses nothing, even if no worker has run yet


def downgrade():
    op.execute("DELETE FROM event_cursors WHERE follower = 'webhooks'")
    op.execute("DELETE FROM jobs WHERE name LIKE 'webhooks.%'")
    op.drop_table("webhook_attempts")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")
