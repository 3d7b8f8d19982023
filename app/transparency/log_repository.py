"""Query the public log. Rows are found by their numbers; nothing scans the log."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.database import PAGE_ROWS, core_table, pages_of, parts_of
from app.transparency.log_entry import LogEvent
from app.transparency.merkle import HASH_BYTES, Node
from app.transparency.model import LogEntry, LogHead

_ROW = core_table(LogEntry)
_ADD = sa.insert(_ROW)
_HASHES = sa.select(_ROW.c.seq, _ROW.c.hashes).where(_ROW.c.seq.in_(sa.bindparam("closing", expanding=True)))
_HEAD = sa.select(LogHead).execution_options(populate_existing=True)  # it is moved past the mapper
_HEAD_LOCKED = _HEAD.with_for_update()
_UPDATE_HEAD = sa.update(core_table(LogHead)).values(
    size=sa.bindparam("to_size"), vkey=sa.bindparam("of_key"), checkpoint=sa.bindparam("signed")
)


def get_head(session: Session, *, lock: bool = False) -> LogHead | None:
    return session.scalars(_HEAD_LOCKED if lock else _HEAD).one_or_none()


def update_head(session: Session, size: int, vkey: str, checkpoint: str) -> None:
    """The head is locked."""
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
    """The entries first..last-1, in order."""
    query = sa.select(LogEntry.entry).where(LogEntry.seq >= first, LogEntry.seq < last).order_by(LogEntry.seq)
    return session.scalars(query).all()


def iterate_rows(session: Session) -> Iterator[LogEntry]:
    """Every row in order, without keeping them. At one that cannot be read raises one of `UNREADABLE`."""
    for found in pages_of(session, LogEntry, LogEntry.seq):
        session.expunge_all()
        yield from found


def find_issue_entry(session: Session, number: str) -> LogEntry | None:
    """The entry with which a certificate was issued."""
    query = sa.select(LogEntry).where(LogEntry.subject == number, LogEntry.event == LogEvent.CERTIFICATE_ISSUED)
    return session.scalars(query).one_or_none()


def find_issue_entries(session: Session, numbers: Sequence[str]) -> dict[str, LogEntry]:
    """The same for many, by number."""
    query = sa.select(LogEntry).where(LogEntry.subject.in_(numbers), LogEntry.event == LogEvent.CERTIFICATE_ISSUED)
    return {row.subject: row for row in session.scalars(query) if row.subject is not None}


def iterate_issue_entries(session: Session) -> Iterator[tuple[str, bytes]]:
    """Number and entry of every certificate in the log, in its order."""
    query = sa.select(LogEntry.subject, LogEntry.entry).where(LogEntry.event == LogEvent.CERTIFICATE_ISSUED)
    for subject, entry in session.execute(query.order_by(LogEntry.seq).execution_options(yield_per=PAGE_ROWS)):
        assert subject is not None  # an issue is about a certificate
        yield subject, entry


def get_ruleset_digests(session: Session) -> dict[str, str | None]:
    """The digest of every ruleset that was logged, by `SCHEME/version`."""
    query = sa.select(LogEntry.subject, LogEntry.sha256).where(LogEntry.event == LogEvent.RULESET_PUBLISHED)
    return {row.subject: row.sha256 for row in session.execute(query)}


def has_entry(session: Session, event: LogEvent, subject: str) -> bool:
    query = sa.select(sa.exists().where(LogEntry.subject == subject, LogEntry.event == event))
    return bool(session.scalar(query))


def get_last_audit_head(session: Session) -> str | None:
    """The hash of the history that was logged last."""
    query = sa.select(LogEntry.sha256).where(LogEntry.event == LogEvent.AUDIT_HEAD)
    return session.scalars(query.order_by(LogEntry.seq.desc()).limit(1)).one_or_none()


def get_last_events(session: Session, subjects: Sequence[str]) -> dict[str, tuple[str, datetime]]:
    """Event and moment of the newest entry about each of these."""
    newest = (
        sa.select(sa.func.max(LogEntry.seq)).where(LogEntry.subject.in_(subjects)).group_by(LogEntry.subject)
    ).scalar_subquery()
    query = sa.select(LogEntry.subject, LogEntry.event, LogEntry.at).where(LogEntry.seq.in_(newest))
    return {row.subject: (row.event, row.at) for row in session.execute(query)}


def find_entries_about(session: Session, event: LogEvent, subjects: Sequence[str]) -> dict[str, bytes]:
    """The entry of this event about each of these; one that has none is left out."""
    query = sa.select(LogEntry.subject, LogEntry.entry).where(LogEntry.subject.in_(subjects), LogEntry.event == event)
    return {row.subject: row.entry for row in session.execute(query)}


def newest_entry_at(session: Session) -> datetime | None:
    return session.scalar(sa.select(LogEntry.at).order_by(LogEntry.seq.desc()).limit(1))


def list_key_entries(session: Session, kid: str) -> Sequence[LogEntry]:
    """What the log says of a key, in order."""
    return session.scalars(sa.select(LogEntry).where(LogEntry.subject == kid).order_by(LogEntry.seq)).all()
