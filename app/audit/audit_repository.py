"""Query audit events."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.audit.model import AuditEvent, AuditHead


def timeline(session: Session, case_id: UUID) -> Sequence[AuditEvent]:
    """Return the events of one application, oldest first."""
    query = sa.select(AuditEvent).where(AuditEvent.case_id == case_id).order_by(AuditEvent.seq)
    return session.scalars(query).all()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Filter of audit events; None places no condition. `since` is inclusive, `until` exclusive."""

    event: str | None = None
    subject_type: str | None = None
    subject_id: str | None = None
    actor_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_events(session: Session, event_filter: EventFilter, after: int, limit: int) -> Sequence[AuditEvent]:
    """Return matching events in the order of the chain, after the sequence number `after`."""
    conditions = (
        (AuditEvent.event, event_filter.event),
        (AuditEvent.subject_type, event_filter.subject_type),
        (AuditEvent.subject_id, event_filter.subject_id),
        (AuditEvent.actor_id, event_filter.actor_id),
    )
    query = sa.select(AuditEvent).where(
        AuditEvent.seq > after, *(c == value for c, value in conditions if value is not None)
    )
    if event_filter.since is not None:
        query = query.where(AuditEvent.at >= event_filter.since)
    if event_filter.until is not None:
        query = query.where(AuditEvent.at < event_filter.until)
    return session.scalars(query.order_by(AuditEvent.seq).limit(limit)).all()


def last_event_at(session: Session) -> datetime | None:
    """Return when the newest event happened; a clock that is behind it is wrong."""
    return session.scalar(sa.select(AuditEvent.at).order_by(AuditEvent.seq.desc()).limit(1))


def hashes_of(session: Session, numbers: Collection[int]) -> dict[int, str]:
    """Return the stored hashes of these events by number; missing events are left out."""
    query = sa.select(AuditEvent.seq, AuditEvent.hash).where(AuditEvent.seq.in_(numbers))
    return {row.seq: row.hash for row in session.execute(query)}


def last_seq(session: Session) -> int:
    """Return the number of the newest event; 0 without one."""
    return session.scalar(sa.select(sa.func.max(AuditEvent.seq))) or 0


def get_head_hash(session: Session) -> str:
    """Return the hash of the newest event, which commits to the whole chain."""
    return session.scalars(sa.select(AuditHead.hash)).one()
