"""Query audit events."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.audit.model import AuditEvent, AuditHead
from app.core.database import core_table


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


def events_about(
    session: Session, subject_type: str, subject_ids: Sequence[str], events: Collection[str]
) -> dict[str, list[AuditEvent]]:
    """Return these events of each subject, oldest first; a subject without one is left out."""
    query = sa.select(AuditEvent).where(
        AuditEvent.subject_type == subject_type, AuditEvent.subject_id.in_(subject_ids), AuditEvent.event.in_(events)
    )
    found: dict[str, list[AuditEvent]] = {}
    for row in session.scalars(query.order_by(AuditEvent.seq)):
        found.setdefault(row.subject_id, []).append(row)
    return found


def list_events_named(session: Session, events: Collection[str], after: int, limit: int) -> Sequence[AuditEvent]:
    """Return events of these names in the order of the chain, after the sequence number `after`."""
    query = sa.select(AuditEvent).where(AuditEvent.seq > after, AuditEvent.event.in_(events))
    return session.scalars(query.order_by(AuditEvent.seq).limit(limit)).all()


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


def find_neighbours(session: Session, row: AuditEvent) -> tuple[int | None, int | None]:
    """Return the numbers of the events before and after this one, as their hashes say."""
    before = sa.select(AuditEvent.seq).where(AuditEvent.hash == row.prev_hash).limit(1)
    after = sa.select(AuditEvent.seq).where(AuditEvent.prev_hash == row.hash).limit(1)
    return session.scalars(before).first(), session.scalars(after).first()


_HEAD = core_table(AuditHead)
_LOCKED_HEAD = sa.select(_HEAD.c.seq, _HEAD.c.hash).with_for_update()
_UPDATE_HEAD = sa.update(_HEAD).values(seq=sa.bindparam("to_seq"), hash=sa.bindparam("to_hash"))
_ADD_EVENTS = sa.insert(core_table(AuditEvent))


def lock_head(session: Session) -> tuple[int, str]:
    """Lock the head until the transaction ends; return its number and hash."""
    head = session.execute(_LOCKED_HEAD).one()
    return head.seq, head.hash


def append_events(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write chained events in their order, and let the head name the last one."""
    session.execute(_ADD_EVENTS, rows)
    session.execute(_UPDATE_HEAD, {"to_seq": rows[-1]["seq"], "to_hash": rows[-1]["hash"]})
