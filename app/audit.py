"""One append-only table of what happened: every change of state, right, rule and key, in the transaction of the change.

Events hold ids, codes and hashes only. Names and free text live in their own rows, so that a person can be erased
while the chain stays whole. `record` only notes the event; the chain is written when the session commits, so that the
lock on the head is always the last one taken (lock order: application, counters, log head, audit head).
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.actor import Actor
from app.core.unit_of_work import noted, take
from app.db import UNREADABLE, Base, dumps, pages_of, table_of

GENESIS = "0" * 64
"""What reading a row raises whose columns were filled past the service with what they cannot hold."""
_NOTED = "audit events"


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

    __table_args__ = (
        sa.Index("ix_audit_events_subject", "subject_type", "subject_id", "seq"),
        sa.Index("ix_audit_events_actor", "actor_id", "seq"),
    )


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
    entry = _Noted(event, actor, subject_type, str(subject_id), case_id, data, now)
    noted(session, _NOTED, list).append(entry)


def timeline(session: Session, case_id: UUID) -> Sequence[AuditEvent]:
    """What happened to one application, oldest first."""
    query = sa.select(AuditEvent).where(AuditEvent.case_id == case_id).order_by(AuditEvent.seq)
    return session.scalars(query).all()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events an auditor asks for; None asks for all. `until` is exclusive."""

    event: str | None = None
    subject_type: str | None = None
    subject_id: str | None = None
    actor_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


def events(session: Session, wanted: Wanted, after: int, limit: int) -> Sequence[AuditEvent]:
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


def last_moment(session: Session) -> datetime | None:
    """When the newest event happened; a clock that says less is wrong."""
    return session.scalar(sa.select(AuditEvent.at).order_by(AuditEvent.seq.desc()).limit(1))


def hashes(session: Session, numbers: Collection[int]) -> dict[int, str]:
    """The stored hashes of these events; one that is not there is left out."""
    query = sa.select(AuditEvent.seq, AuditEvent.hash).where(AuditEvent.seq.in_(numbers))
    return {row.seq: row.hash for row in session.execute(query)}


def last_number(session: Session) -> int:
    """Number of the newest event; 0 without one."""
    return session.scalar(sa.select(sa.func.max(AuditEvent.seq))) or 0


def head_hash(session: Session) -> str:
    """The hash of the newest event: it stands for the whole chain."""
    return session.scalars(sa.select(AuditHead.hash)).one()


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


def append_noted(session: Session) -> None:
    """Chain and write the noted events; a step of the commit."""
    if noted(session, _NOTED, list):
        seal(session)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The newest event of the chain: its number, and its hash, which stands for all before it."""

    seq: int
    hash: str


_HEAD = table_of(AuditHead)
_LOCKED_HEAD = sa.select(_HEAD.c.seq, _HEAD.c.hash).with_for_update()
_MOVE_HEAD = sa.update(_HEAD).values(seq=sa.bindparam("to_seq"), hash=sa.bindparam("to_hash"))
_ADD_EVENTS = sa.insert(table_of(AuditEvent))


def seal(session: Session) -> Sealed:
    """Chain what was noted so far, and hold the head until this transaction ends. No other lock may be taken after it.

    For the public log, which has to know the head before the commit does this by itself.
    """
    session.flush()  # so that the head is the last lock taken
    head = session.execute(_LOCKED_HEAD).one()
    seq, last = head.seq, head.hash
    rows: list[dict[str, Any]] = []
    pending: list[_Noted] = take(session, _NOTED, list)
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
        session.execute(_ADD_EVENTS, rows)
        session.execute(_MOVE_HEAD, {"to_seq": seq, "to_hash": last})
    return Sealed(seq, last)


class Fault(StrEnum):
    CHANGED = "changed"  # the row does not say what was hashed, or cannot even be read
    MISSING = "missing"  # there is no row at this place, but there are later ones
    MISPLACED = "misplaced"  # the row belongs to another place of the chain
    UNCHAINED = "unchained"  # whole in itself, but it does not follow the row before
    CUT = "cut"  # the rows end before the stored head
    HEAD = "head"  # the head does not fit the last row, or is gone


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the chain does not hold."""

    seq: int
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    events: int  # rows that hold, from the first on
    head: str  # hash of the last of them
    broken: Broken | None


def check(session: Session) -> Report:
    """Derive every hash anew, in order, up to the stored head, as of one moment.

    Whoever can rewrite all rows and the head can make a chain that looks whole: against that helps only a head that was
    published elsewhere before.
    """
    if session.get_bind().dialect.name == "postgresql":
        # One snapshot for rows and head: otherwise what is written meanwhile would look like a broken head.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    last, held = GENESIS, 0
    for row in _rows(session):
        if broken := _broken(session, row, held + 1, last):
            return Report(held, last, broken)
        assert row is not None  # else it was broken
        last, held = row.hash, row.seq
    return Report(held, last, _broken_head(session.get(AuditHead, 1), held, last))


def _rows(session: Session) -> Iterator[AuditEvent | None]:
    """All rows in order; None for the first one whose columns hold what their types cannot be."""
    try:
        for rows in pages_of(session, AuditEvent, AuditEvent.seq):
            yield from rows
    except UNREADABLE:
        yield None


def _broken(session: Session, row: AuditEvent | None, expected: int, last: str) -> Broken | None:
    """What is wrong with the row that stands where `expected` should; None where it is that one, unchanged."""
    unreadable = Broken(expected, Fault.CHANGED, f"Event {expected} cannot be read.")
    if row is None:
        return unreadable
    try:
        if row.seq != expected:
            return _gap(row.seq, expected)
        members = hashed_members(row)
        if row.hash == chain_hash(row.prev_hash, members):
            unchained = Broken(row.seq, Fault.UNCHAINED, f"Event {row.seq} does not follow the event before it.")
            return None if row.prev_hash == last else unchained
        if place := _own_place(session, row, members):
            detail = f"At {row.seq} stands the event that was written as {place}."
            return Broken(row.seq, Fault.MISPLACED, detail)
    except UNREADABLE:
        return unreadable
    return Broken(row.seq, Fault.CHANGED, f"Event {row.seq} does not say what was written: its hash differs.")


def _gap(found: int, expected: int) -> Broken:
    if found > expected:
        return Broken(expected, Fault.MISSING, f"There is no event {expected}; the next one is {found}.")
    return Broken(found, Fault.MISPLACED, f"The chain begins with event 1, there is no event {found}.")


def _own_place(session: Session, row: AuditEvent, members: Mapping[str, Any]) -> int | None:
    """The place that a moved row was written for, guessed by its neighbours in the chain and proved by its hash."""
    before = session.scalars(sa.select(AuditEvent.seq).where(AuditEvent.hash == row.prev_hash).limit(1)).first()
    after = session.scalars(sa.select(AuditEvent.seq).where(AuditEvent.prev_hash == row.hash).limit(1)).first()
    # The neighbours may have been moved as well: two that were exchanged stand in each other's place.
    guesses = [before + 1, before] if before is not None else [1]
    guesses += [after - 1, after] if after is not None else []
    return next((g for g in guesses if row.hash == chain_hash(row.prev_hash, {**members, "seq": g})), None)


def _broken_head(head: AuditHead | None, held: int, last: str) -> Broken | None:
    if head is None:
        return Broken(held, Fault.HEAD, "The stored head of the chain is gone.")
    if (head.seq, head.hash) == (held, last):
        return None
    if isinstance(head.seq, int) and head.seq > held:
        return Broken(held + 1, Fault.CUT, f"There is no event {held + 1}, but the stored head is event {head.seq}.")
    return Broken(held, Fault.HEAD, f"The stored head (event {head.seq}) does not fit the last event, {held}.")
