"""Tables of endpoints, of the events that are delivered to them, and of the attempts to do so."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Base, JsonColumnOrNull, check_in, new_id


class EndpointState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class DisableReason(StrEnum):
    FAILING = "failing"  # for five days
    GONE = "gone"  # it answered 410


class DeliveryState(StrEnum):
    WAITING = "waiting"  # for its first or next attempt
    DELIVERED = "delivered"
    FAILED = "failed"  # given up


IS_WAITING = sa.text("next_attempt_at IS NOT NULL")


class WebhookEndpoint(Base):
    """An address of a company that is told of its events."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisations.id"), index=True)
    url: Mapped[str]
    description: Mapped[str | None]
    event_types: Mapped[list[str]] = mapped_column(comment="empty: all")
    follows: Mapped[list[str] | None] = mapped_column(
        JsonColumnOrNull, comment="certificates of others: kind, colon, value; null: none"
    )
    encrypted_secret: Mapped[str] = mapped_column(comment="AES-GCM, bound to the id; see app/core/crypto/secret_box.py")
    encrypted_previous_secret: Mapped[str | None] = mapped_column(comment="signs as well until `previous_until`")
    previous_until: Mapped[datetime | None]
    state: Mapped[str]
    disabled_at: Mapped[datetime | None]
    disabled_because: Mapped[str | None]
    failing_since: Mapped[datetime | None] = mapped_column(comment="first failure since the last success")
    paused_until: Mapped[datetime | None] = mapped_column(comment="it gave no answer: nothing is sent before")
    resend_after: Mapped[int | None] = mapped_column(
        sa.BigInteger(), comment="sequence number of the last event that was looked at again; null: none is asked for"
    )
    created_at: Mapped[datetime]
    version: Mapped[int]

    __table_args__ = (
        sa.CheckConstraint(check_in("state", EndpointState), name="state"),
        sa.CheckConstraint(
            f"disabled_because IS NULL OR {check_in('disabled_because', DisableReason)}", name="disabled_because"
        ),
        sa.CheckConstraint("(state = 'disabled') = (disabled_at IS NOT NULL)", name="disabled_when"),
        sa.CheckConstraint("(disabled_at IS NULL) = (disabled_because IS NULL)", name="disabled_with_reason"),
        sa.CheckConstraint(
            "(encrypted_previous_secret IS NULL) = (previous_until IS NULL)", name="previous_secret_ends"
        ),
    )


class WebhookDelivery(Base):
    """One event for one endpoint. Every attempt sends the same id and body."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    endpoint_id: Mapped[UUID] = mapped_column(sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    event_id: Mapped[str] = mapped_column(comment="header `webhook-id`")
    event_type: Mapped[str]
    body: Mapped[str] = mapped_column(comment="JSON as it is signed and sent")
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(comment="since it was last asked for")
    next_attempt_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None] = mapped_column(comment="first failed attempt since it was last asked for")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)

    __table_args__ = (
        sa.CheckConstraint(check_in("state", DeliveryState), name="state"),
        sa.CheckConstraint("(state = 'waiting') = (next_attempt_at IS NOT NULL)", name="waits_for_attempt"),
        sa.CheckConstraint("(state = 'waiting') = (finished_at IS NULL)", name="finished"),
        sa.UniqueConstraint("endpoint_id", "event_id"),
        sa.Index("ix_webhook_deliveries_state", "endpoint_id", "state", "id"),
        sa.Index(
            "ix_webhook_deliveries_due",
            "next_attempt_at",
            "endpoint_id",
            sqlite_where=IS_WAITING,
            postgresql_where=IS_WAITING,
        ),
    )


class WebhookAttempt(Base):
    """One request, and what came of it."""

    __tablename__ = "webhook_attempts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    delivery_id: Mapped[UUID] = mapped_column(sa.ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    duration_ms: Mapped[int]
    status: Mapped[int | None] = mapped_column(comment="HTTP status; null: no answer")
    error: Mapped[str | None] = mapped_column(comment="why there is no answer")
    answer: Mapped[str | None] = mapped_column(comment="beginning of the body of the answer")

    __table_args__ = (sa.CheckConstraint("(status IS NULL) <> (error IS NULL)", name="status_or_error"),)
