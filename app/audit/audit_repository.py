"""Queries over audit events."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.audit.model import AuditEvent, AuditHead


def timeline(session: Session, case_id: UUID) -> Sequence[AuditEvent]:
    """What happened to one application, oldest first."""
    query = sa.select(AuditEvent).where(AuditEvent.case_id == case_id).order_by(AuditEvent.seq)
    return session.scalars(query).all()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events an auditor asks for; None asks for all. `until` is exclusive."""

    event: str | None = None
    subject_type: str | None = None
    subject_id: str | None = None
    actor_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_events(session: Session, wanted: EventFilter, after: int, limit: int) -> Sequence[AuditEvent]:
    """In the order of the chain, after this place in it."""
    asked = (
        (AuditEvent.event, wanted.event),
        (AuditEvent.subject_type, wanted.subject_type),
        (AuditEvent.subject_id, wanted.subject_id),
        (AuditEvent.actor_id, wanted.actor_id),
    )
    query = sa.select(AuditEvent).where(
        AuditEvent.seq > after, *(c == value for c, value in asked if value is not None)
    )
    if wanted.since is not None:
        query = query.where(AuditEvent.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEvent.at < wanted.until)
    return session.scalars(query.order_by(AuditEvent.seq).limit(limit)).all()


def last_event_at(session: Session) -> datetime | None:
    """When the newest event happened; a clock that says less is wrong."""
    return session.scalar(sa.select(AuditEvent.at).order_by(AuditEvent.seq.desc()).limit(1))


def hashes_of(session: Session, numbers: Collection[int]) -> dict[int, str]:
    """The stored hashes of these events; one that is not there is left out."""
    query = sa.select(AuditEvent.seq, AuditEvent.hash).where(AuditEvent.seq.in_(numbers))
    return {row.seq: row.hash for row in session.execute(query)}


def last_seq(session: Session) -> int:
    """Number of the newest event; 0 without one."""
    return session.scalar(sa.select(sa.func.max(AuditEvent.seq))) or 0


def get_head_hash(session: Session) -> str:
    """The hash of the newest event: it stands for the whole chain."""
    return session.scalars(sa.select(AuditHead.hash)).one()
