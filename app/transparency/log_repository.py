"""Query the public log by primary key and index; only `iterate_…` functions read it whole."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import PAGE_ROWS, core_table, pages_of, parts_of
from app.transparency.log_entry import LogEvent
from app.transparency.merkle import HASH_BYTES, Node
from app.transparency.model import LogEntry, LogHead

_ROW = core_table(LogEntry)
_ADD = sa.insert(_ROW)
_HASHES = sa.select(_ROW.c.seq, _ROW.c.hashes).where(_ROW.c.seq.in_(sa.bindparam("closing", expanding=True)))
_HEAD = sa.select(LogHead).execution_options(populate_existing=True)  # updated without the mapper
_HEAD_LOCKED = _HEAD.with_for_update()
_UPDATE_HEAD = sa.update(core_table(LogHead)).values(
    size=sa.bindparam("to_size"), vkey=sa.bindparam("of_key"), checkpoint=sa.bindparam("signed")
)


def get_head(session: Session, *, lock: bool = False) -> LogHead | None:
    return session.scalars(_HEAD_LOCKED if lock else _HEAD).one_or_none()


def is_unused(session: Session) -> bool:
    """Return whether nothing was ever logged here."""
    head = get_head(session)
    return head is not None and head.checkpoint is None


def update_head(session: Session, size: int, vkey: str, checkpoint: str) -> None:
    """Update the head, which the caller has locked."""
    session.execute(_UPDATE_HEAD, {"to_size": size, "of_key": vkey, "signed": checkpoint})


def add_entries(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    session.execute(_ADD, [dict(row) for row in rows])


def get_hashes(session: Session, nodes: Sequence[Node]) -> dict[Node, bytes]:
    """Return the stored hashes of complete subtrees; missing ones are left out."""
    found: dict[Node, bytes] = {}
    for batch in parts_of(nodes):
        found_rows = session.execute(_HASHES, {"closing": list({node.completed_by for node in batch})})
        rows = {row.seq: row.hashes for row in found_rows}
        for node in batch:
            stored = rows.get(node.completed_by, b"")[HASH_BYTES * node.level : HASH_BYTES * (node.level + 1)]
            if len(stored) == HASH_BYTES:
                found[node] = stored
    return found


def list_entries(session: Session, first: int, last: int) -> Sequence[bytes]:
    """Return the entries from `first` (inclusive) to `last` (exclusive), in order."""
    query = sa.select(LogEntry.entry).where(LogEntry.seq >= first, LogEntry.seq < last).order_by(LogEntry.seq)
    return session.scalars(query).all()


def iterate_rows(session: Session) -> Iterator[LogEntry]:
    """Yield every row in order, a page in memory at a time. Raises one of `UNREADABLE` at an unreadable row."""
    for found in pages_of(session, LogEntry, LogEntry.seq):
        session.expunge_all()
        yield from found


def find_issue_entry(session: Session, number: str) -> LogEntry | None:
    """Find the entry of the issue of a certificate."""
    query = sa.select(LogEntry).where(LogEntry.subject == number, LogEntry.event == LogEvent.CERTIFICATE_ISSUED)
    return session.scalars(query).one_or_none()


def find_token_entry(session: Session, number: str) -> LogEntry | None:
    """Find the newest entry that names a token of a certificate: its issue, or the last time it was signed anew."""
    events = [LogEvent.CERTIFICATE_ISSUED.value, LogEvent.CERTIFICATE_REISSUED.value]
    query = sa.select(LogEntry).where(LogEntry.subject == number, LogEntry.event.in_(events))
    return session.scalars(query.order_by(LogEntry.seq.desc()).limit(1)).one_or_none()


def find_issue_entries(session: Session, numbers: Sequence[str]) -> dict[str, LogEntry]:
    """Find the issue entries of these certificates, by number."""
    query = sa.select(LogEntry).where(LogEntry.subject.in_(numbers), LogEntry.event == LogEvent.CERTIFICATE_ISSUED)
    return {row.subject: row for row in session.scalars(query) if row.subject is not None}


def iterate_issue_entries(session: Session) -> Iterator[tuple[str, bytes]]:
    """Yield number and issue entry of every certificate, in the order of the log."""
    query = sa.select(LogEntry.subject, LogEntry.entry).where(LogEntry.event == LogEvent.CERTIFICATE_ISSUED)
    for subject, entry in session.execute(query.order_by(LogEntry.seq).execution_options(yield_per=PAGE_ROWS)):
        assert subject is not None  # the subject of an issue is a certificate
        yield subject, entry


def get_ruleset_digests(session: Session) -> dict[str, str | None]:
    """Return the digest of every logged ruleset, by `SCHEME/version`."""
    query = sa.select(LogEntry.subject, LogEntry.sha256).where(LogEntry.event == LogEvent.RULESET_PUBLISHED)
    return {row.subject: row.sha256 for row in session.execute(query)}


def has_entry(session: Session, event: LogEvent, subject: str) -> bool:
    query = sa.select(sa.exists().where(LogEntry.subject == subject, LogEntry.event == event))
    return bool(session.scalar(query))


def get_last_audit_head(session: Session) -> str | None:
    """Return the audit hash that was logged last."""
    query = sa.select(LogEntry.sha256).where(LogEntry.event == LogEvent.AUDIT_HEAD)
    return session.scalars(query.order_by(LogEntry.seq.desc()).limit(1)).one_or_none()


class LastEvent(NamedTuple):
    event: str
    at: datetime  # UTC
    seq: int


def get_last_events(
    session: Session, subjects: Sequence[str], *, without: LogEvent | None = None
) -> dict[str, LastEvent]:
    """Return the newest entry of each subject, other than those of an event."""
    about = [LogEntry.subject.in_(subjects), *([LogEntry.event != without.value] if without else [])]
    newest = (sa.select(sa.func.max(LogEntry.seq)).where(*about).group_by(LogEntry.subject)).scalar_subquery()
    query = sa.select(LogEntry.subject, LogEntry.event, LogEntry.at, LogEntry.seq).where(LogEntry.seq.in_(newest))
    return {row.subject: LastEvent(row.event, row.at, row.seq) for row in session.execute(query)}


def find_entries_about(session: Session, event: LogEvent, subjects: Sequence[str]) -> dict[str, bytes]:
    """Return the entry of this event by subject; subjects without one are left out."""
    query = sa.select(LogEntry.subject, LogEntry.entry).where(LogEntry.subject.in_(subjects), LogEntry.event == event)
    return {row.subject: row.entry for row in session.execute(query)}


def list_entries_about(session: Session, subjects: Sequence[str]) -> dict[str, list[tuple[int, bytes]]]:
    """Return index and content of every entry about these subjects, oldest first."""
    query = sa.select(LogEntry.subject, LogEntry.seq, LogEntry.entry).where(LogEntry.subject.in_(subjects))
    found: dict[str, list[tuple[int, bytes]]] = {}
    for row in session.execute(query.order_by(LogEntry.seq)):
        found.setdefault(row.subject, []).append((row.seq, row.entry))
    return found


def list_entries_of(session: Session, *events: str) -> Sequence[bytes]:
    """Return the entries of these events, oldest first."""
    return session.scalars(sa.select(LogEntry.entry).where(LogEntry.event.in_(events)).order_by(LogEntry.seq)).all()


def find_first_entry_with_decision(session: Session) -> int | None:
    """Return the index of the first entry that names a decision; every later decision is named as well."""
    first = 0
    while page := list_entries(session, first, first + PAGE_ROWS):
        for seq, content in enumerate(page, first):
            if b'"decision":' in content:
                return seq
        first += len(page)
    return None


def newest_entry_at(session: Session) -> datetime | None:
    return session.scalar(sa.select(LogEntry.at).order_by(LogEntry.seq.desc()).limit(1))


def list_key_entries(session: Session, kid: str) -> Sequence[LogEntry]:
    """Return the entries of a key, in order."""
    return session.scalars(sa.select(LogEntry).where(LogEntry.subject == kid).order_by(LogEntry.seq)).all()
