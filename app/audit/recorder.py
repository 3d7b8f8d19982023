"""Append audit events to a hash chain, in the transaction of the change that they record.

Changes of state, rights, rules and keys are recorded. Events contain ids, codes and hashes only; names and free text
stay in rows of their own, so that a person can be erased while the chain stays verifiable. `record` only notes the
event; the chain is written when the session commits, so that the lock on the head is always the last one taken (lock
order: application, counters, log head, audit head).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import audit_repository
from app.audit.model import AuditEvent
from app.core.actor import Actor
from app.core.database import dumps_canonical
from app.core.unit_of_work import after_commit, get_pending, take_pending

GENESIS = "0" * 64
"""Previous hash of the first event."""
WAKE_KEY = "audit.wake"
"""In `Session.info`: functions that tell the followers of this process, after the commit, that there are new events."""
_PENDING_KEY = "audit events"


@dataclass(frozen=True, slots=True)
class _PendingEvent:
    event: str
    actor: Actor
    subject_type: str
    subject_id: str
    case_id: UUID | None
    data: Mapping[str, Any]
    at: datetime


def record(
    session: Session,
    actor: Actor,
    event: str,
    subject: tuple[str, UUID | str],
    now: datetime,
    *,
    case_id: UUID | None = None,
    **data: Any,
) -> None:
    """Note an event; the commit of this session chains and writes it. What an agent does names their authority too."""
    subject_type, subject_id = subject
    if actor.authority_id is not None:
        data |= {"acting_for": actor.organisation_id, "authority": actor.authority_id}
    entry = _PendingEvent(event, actor, subject_type, str(subject_id), case_id, data, now)
    get_pending(session, _PENDING_KEY, list).append(entry)


def chain_hash(prev_hash: str, row: Mapping[str, Any]) -> str:
    """Hash the members of one event together with the hash before it."""
    return hashlib.sha256(f"{prev_hash}\n{dumps_canonical(row)}".encode()).hexdigest()


def hashed_members(row: AuditEvent) -> dict[str, Any]:
    """Return what the hash of a row covers, in one format on every database."""
    return {
        "seq": row.seq,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": row.event,
        "actor": [row.actor_kind, str(row.actor_id) if row.actor_id else None],
        "subject": [row.subject_type, row.subject_id],
        "case": str(row.case_id) if row.case_id else None,
        "data": row.data,
    }


def write_pending(session: Session) -> None:
    """Chain and write the noted events; a commit step."""
    if get_pending(session, _PENDING_KEY, list):
        append_and_lock_head(session)


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest event of the chain: its number and its hash, which commits to all events before it."""

    seq: int
    hash: str


def append_and_lock_head(session: Session) -> ChainHead:
    """Append the noted events and lock the head until the transaction ends. No other lock may be taken after it.

    The public log uses it, because an entry needs the head before the commit writes the remaining events.
    """
    session.flush()  # so that the head is the last lock taken
    seq, last = audit_repository.lock_head(session)
    rows: list[dict[str, Any]] = []
    pending: list[_PendingEvent] = take_pending(session, _PENDING_KEY, list)
    for noted_event in pending:
        seq += 1
        row = {
            "seq": seq,
            "at": noted_event.at,
            "event": noted_event.event,
            "actor_kind": noted_event.actor.kind.value,
            "actor_id": noted_event.actor.id,
            "subject_type": noted_event.subject_type,
            "subject_id": noted_event.subject_id,
            "case_id": noted_event.case_id,
            "data": {k: str(v) if isinstance(v, UUID) else v for k, v in noted_event.data.items()},
            "prev_hash": last,
        }
        last = chain_hash(last, hashed_members(AuditEvent(**row)))
        rows.append({**row, "hash": last})
    if rows:
        audit_repository.append_events(session, rows)
        for wake in session.info.get(WAKE_KEY, ()):
            after_commit(session, wake)
    return ChainHead(seq, last)
