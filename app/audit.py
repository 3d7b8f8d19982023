"""One append-only table of what happened: every change of state, right, rule and key, in the transaction of the change.

Events hold ids, codes and hashes only. Names and free text live in their own rows, so that a person can be erased
while the chain stays whole. `record` only notes the event; the chain is written when the session commits, so that the
lock on the head is always the last one taken (lock order: application, counters, log head, audit head).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.actor import Actor
from app.db import Base, dumps

GENESIS = "0" * 64
_PENDING = "audit.pending"


class AuditEvent(Base):
    __tablename__ = "audit_events"

    seq: Mapped[int] = mapped_column(sa.BigInteger(), primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    event: Mapped[str] = mapped_column(comment="past tense, e.g. application.submitted")
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    subject_type: Mapped[str]
    subject_id: Mapped[str] = mapped_column(comment="a row's id, or a natural key such as a certificate number")
    case_id: Mapped[UUID | None] = mapped_column(index=True, comment="the application whose timeline shows this")
    data: Mapped[dict[str, Any]] = mapped_column(comment="ids, codes and hashes only")
    prev_hash: Mapped[str]
    hash: Mapped[str]


class AuditHead(Base):
    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(sa.BigInteger())
    hash: Mapped[str]

    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)


@dataclass(frozen=True, slots=True)
class _Noted:
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
    """Note an event; it is chained and written with the commit of this session, or not at all."""
    subject_type, subject_id = subject
    noted = _Noted(event, actor, subject_type, str(subject_id), case_id, data, now)
    session.info.setdefault(_PENDING, []).append(noted)


def timeline(session: Session, case_id: UUID) -> Sequence[AuditEvent]:
    """What happened to one application, oldest first."""
    query = sa.select(AuditEvent).where(AuditEvent.case_id == case_id).order_by(AuditEvent.seq)
    return session.scalars(query).all()


def chain_hash(prev_hash: str, row: Mapping[str, Any]) -> str:
    """Hash of one event over everything it says and the hash before it."""
    return hashlib.sha256(f"{prev_hash}\n{dumps(row)}".encode()).hexdigest()


def hashed_members(row: AuditEvent) -> dict[str, Any]:
    """What the hash of a row covers, in one fixed spelling on every database."""
    return {
        "seq": row.seq,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "event": row.event,
        "actor": [row.actor_kind, str(row.actor_id) if row.actor_id else None],
        "subject": [row.subject_type, row.subject_id],
        "case": str(row.case_id) if row.case_id else None,
        "data": row.data,
    }


@event.listens_for(Session, "before_commit")
def _seal(session: Session) -> None:
    pending: list[_Noted] = session.info.pop(_PENDING, [])
    if not pending:
        return
    session.flush()  # so that the head is the last lock taken
    locked = sa.select(AuditHead).with_for_update().execution_options(populate_existing=True)
    head = session.scalars(locked).one()
    for noted in pending:
        row = AuditEvent(
            seq=head.seq + 1,
            at=noted.at,
            event=noted.event,
            actor_kind=noted.actor.kind.value,
            actor_id=noted.actor.id,
            subject_type=noted.subject_type,
            subject_id=noted.subject_id,
            case_id=noted.case_id,
            data={k: str(v) if isinstance(v, UUID) else v for k, v in noted.data.items()},
            prev_hash=head.hash,
        )
        row.hash = chain_hash(head.hash, hashed_members(row))
        session.add(row)
        head.seq, head.hash = row.seq, row.hash


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_PENDING, None)
