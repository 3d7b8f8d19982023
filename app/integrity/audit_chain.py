"""Recompute the audit chain and report the first row that does not match."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from app.audit import audit_repository
from app.audit.model import AuditEvent, AuditHead
from app.audit.recorder import GENESIS, chain_hash, hashed_members
from app.core.database import UNREADABLE, pages_of


class ChainFault(StrEnum):
    CHANGED = "changed"  # the row differs from what was hashed, or cannot be read
    MISSING = "missing"  # the row with this number is missing, but later rows exist
    MISPLACED = "misplaced"  # the row was written with another number
    UNCHAINED = "unchained"  # its hash is right, but it does not follow the row before
    CUT = "cut"  # the rows end before the stored head
    HEAD = "head"  # the head does not match the last row, or is missing


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """The first place where the chain is broken."""

    seq: int
    fault: ChainFault
    detail: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    events: int  # verified rows, from the first on
    head_hash: str  # hash of the last of them
    first_break: ChainBreak | None


def check_audit_chain(session: Session) -> ChainReport:
    """Recompute every hash in order, up to the stored head, in one snapshot.

    An attacker who can rewrite all rows and the head can build a consistent chain; only a head published elsewhere
    before reveals that.
    """
    begin_snapshot(session)  # for rows and head: otherwise concurrent writes would look like a broken head
    last_hash, verified = GENESIS, 0
    for row in _iterate_rows(session):
        if broken := _check_row(session, row, verified + 1, last_hash):
            return ChainReport(verified, last_hash, broken)
        assert row is not None  # an unreadable row is a break
        last_hash, verified = row.hash, row.seq
    return ChainReport(verified, last_hash, _check_head(session.get(AuditHead, 1), verified, last_hash))


def begin_snapshot(session: Session) -> None:
    """Let a new session read one state of the database to its end; on SQLite every transaction does."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _iterate_rows(session: Session) -> Iterator[AuditEvent | None]:
    """Yield all rows in order; None for the first row that cannot be read."""
    try:
        for rows in pages_of(session, AuditEvent, AuditEvent.seq):
            yield from rows
    except UNREADABLE:
        yield None


def _check_row(session: Session, row: AuditEvent | None, expected: int, last: str) -> ChainBreak | None:
    """Return the break at event number `expected`; None if the row is that event, unchanged."""
    unreadable = ChainBreak(expected, ChainFault.CHANGED, f"Event {expected} cannot be read.")
    if row is None:
        return unreadable
    try:
        if row.seq != expected:
            return _gap_break(row.seq, expected)
        members = hashed_members(row)
        if row.hash == chain_hash(row.prev_hash, members):
            unchained = ChainBreak(
                row.seq, ChainFault.UNCHAINED, f"Event {row.seq} does not follow the event before it."
            )
            return None if row.prev_hash == last else unchained
        if place := _original_seq(session, row, members):
            detail = f"Event {row.seq} was written as event {place}."
            return ChainBreak(row.seq, ChainFault.MISPLACED, detail)
    except UNREADABLE:
        return unreadable
    return ChainBreak(
        row.seq, ChainFault.CHANGED, f"Event {row.seq} differs from what was written: its hash does not match."
    )


def _gap_break(found: int, expected: int) -> ChainBreak:
    if found > expected:
        return ChainBreak(expected, ChainFault.MISSING, f"There is no event {expected}; the next one is {found}.")
    return ChainBreak(found, ChainFault.MISPLACED, f"The chain begins with event 1, there is no event {found}.")


def _original_seq(session: Session, row: AuditEvent, members: Mapping[str, Any]) -> int | None:
    """Return the original number of a moved row, guessed from its neighbours and proved by its hash."""
    before, after = audit_repository.find_neighbours(session, row)
    # The neighbours may have moved too: two exchanged rows have each other's numbers.
    guesses = [before + 1, before] if before is not None else [1]
    guesses += [after - 1, after] if after is not None else []
    return next((g for g in guesses if row.hash == chain_hash(row.prev_hash, {**members, "seq": g})), None)


def _check_head(head: AuditHead | None, last_seq: int, last: str) -> ChainBreak | None:
    if head is None:
        return ChainBreak(last_seq, ChainFault.HEAD, "The stored head of the chain is missing.")
    if (head.seq, head.hash) == (last_seq, last):
        return None
    if isinstance(head.seq, int) and head.seq > last_seq:
        return ChainBreak(
            last_seq + 1, ChainFault.CUT, f"There is no event {last_seq + 1}, but the stored head is event {head.seq}."
        )
    return ChainBreak(
        last_seq, ChainFault.HEAD, f"The stored head (event {head.seq}) does not fit the last event, {last_seq}."
    )
