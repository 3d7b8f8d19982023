"""Query outgoing messages."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import page_of
from app.notifications.model import OutgoingMessage


def has_due_message(session: Session, now: datetime) -> bool:
    """Whether a message is due."""
    return bool(session.scalar(sa.select(sa.exists().where(OutgoingMessage.next_attempt_at <= now))))


def lock_next_due(session: Session, now: datetime) -> OutgoingMessage | None:
    """Lock and return the message that is due longest; rows locked by another worker are skipped."""
    query = sa.select(OutgoingMessage).where(OutgoingMessage.next_attempt_at <= now)
    query = query.order_by(OutgoingMessage.next_attempt_at, OutgoingMessage.id).limit(1)
    return session.scalars(query.with_for_update(skip_locked=True)).one_or_none()


def lock_message(session: Session, message_id: UUID) -> OutgoingMessage | None:
    """Return the message, locked."""
    return session.get(OutgoingMessage, message_id, with_for_update=True, populate_existing=True)


def list_waiting(session: Session, limit: int) -> Sequence[OutgoingMessage]:
    query = sa.select(OutgoingMessage).where(OutgoingMessage.next_attempt_at.is_not(None))
    return session.scalars(query.order_by(OutgoingMessage.id).limit(limit)).all()


_STATES = {
    "waiting": (OutgoingMessage.next_attempt_at.is_not(None), OutgoingMessage.last_error.is_(None)),
    "failed": (OutgoingMessage.delivered_at.is_(None), OutgoingMessage.last_error.is_not(None)),
    "delivered": (OutgoingMessage.delivered_at.is_not(None),),
    "void": (
        OutgoingMessage.next_attempt_at.is_(None),
        OutgoingMessage.delivered_at.is_(None),
        OutgoingMessage.last_error.is_(None),
    ),
}
"""Conditions of the states of `app/notifications/mail_deliveries.py`."""


def list_messages(session: Session, *, state: str | None, after: UUID | None, limit: int) -> Sequence[OutgoingMessage]:
    """Return messages in the order in which they were written; of one state only if it is named."""
    query = sa.select(OutgoingMessage).where(*_STATES[state] if state else ())
    return page_of(session, query, OutgoingMessage.id, after, limit)


def failed_count(session: Session) -> int:
    """Count messages whose newest attempt failed."""
    return session.scalar(sa.select(sa.func.count()).select_from(OutgoingMessage).where(*_STATES["failed"])) or 0


def has_messages_before(session: Session, before: datetime) -> bool:
    """Whether `delete_messages_before` would delete messages."""
    old = sa.exists().where(OutgoingMessage.next_attempt_at.is_(None), OutgoingMessage.created_at < before)
    return bool(session.scalar(sa.select(old)))


def delete_messages_before(session: Session, before: datetime) -> None:
    """Delete delivered and void messages older than that moment: they contain addresses of people."""
    old = sa.delete(OutgoingMessage).where(OutgoingMessage.next_attempt_at.is_(None))
    session.execute(old.where(OutgoingMessage.created_at < before))


def waiting_count(session: Session) -> int:
    """Count messages that are neither delivered nor void."""
    query = sa.select(sa.func.count()).where(OutgoingMessage.next_attempt_at.is_not(None))
    return session.scalar(query) or 0


def oldest_waiting_at(session: Session) -> datetime | None:
    """Return when the oldest of these messages was written."""
    return session.scalar(
        sa.select(sa.func.min(OutgoingMessage.created_at)).where(OutgoingMessage.next_attempt_at.is_not(None))
    )
