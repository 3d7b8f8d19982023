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
    MISSING = "missing"  # there is no row at this place, but there are later ones
    MISPLACED = "misplaced"  # the row belongs to another place of the chain
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
    if session.get_bind().dialect.name == "postgresql":
        # One snapshot for rows and head: otherwise concurrent writes would look like a broken head.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    last, held = GENESIS, 0
    for row in _iterate_rows(session):
        if broken := _check_row(session, row, held + 1, last):
            return ChainReport(held, last, broken)
        assert row is not None  # an unreadable row is a break
        last, held = row.hash, row.seq
    return ChainReport(held, last, _check_head(session.get(AuditHead, 1), held, last))


def _iterate_rows(session: Session) -> Iterator[AuditEvent | None]:
    """Yield all rows in order; None for the first row that cannot be read."""
    try:
        for rows in pages_of(session, AuditEvent, AuditEvent.seq):
            yield from rows
    except UNREADABLE:
        yield None


def _check_row(session: Session, row: AuditEvent | None, expected: int, last: str) -> ChainBreak | None:
    """Return what is wrong with the row at the place `expected`; None if it is that event, unchanged."""
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
            detail = f"At {row.seq} stands the event that was written as {place}."
            return ChainBreak(row.seq, ChainFault.MISPLACED, detail)
    except UNREADABLE:
        return unreadable
    return ChainBreak(row.seq, ChainFault.CHANGED, f"Event {row.seq} does not say what was written: its hash differs.")


def _gap_break(found: int, expected: int) -> ChainBreak:
    if found > expected:
        return ChainBreak(expected, ChainFault.MISSING, f"There is no event {expected}; the next one is {found}.")
    return ChainBreak(found, ChainFault.MISPLACED, f"The chain begins with event 1, there is no event {found}.")


def _original_seq(session: Session, row: AuditEvent, members: Mapping[str, Any]) -> int | None:
    """Return the place that a moved row was written for, found by its neighbours and proved by its hash."""
    before, after = audit_repository.find_neighbours(session, row)
    # The neighbours may have moved too: of two exchanged rows, each is at the other's place.
    guesses = [before + 1, before] if before is not None else [1]
    guesses += [after - 1, after] if after is not None else []
    return next((g for g in guesses if row.hash == chain_hash(row.prev_hash, {**members, "seq": g})), None)


def _check_head(head: AuditHead | None, last_seq: int, last: str) -> ChainBreak | None:
    if head is None:
        return ChainBreak(last_seq, ChainFault.HEAD, "The stored head of the chain is gone.")
    if (head.seq, head.hash) == (last_seq, last):
        return None
    if isinstance(head.seq, int) and head.seq > last_seq:
        return ChainBreak(
            last_seq + 1, ChainFault.CUT, f"There is no event {last_seq + 1}, but the stored head is event {head.seq}."
        )
    return ChainBreak(
        last_seq, ChainFault.HEAD, f"The stored head (event {head.seq}) does not fit the last event, {last_seq}."
    )
