"""Deriving the public log anew from its first entry on, and naming the first row that does not hold.

The signed checkpoint makes this more than a look in the mirror: whoever rewrites the rows has not the key of the log. A
checkpoint that was kept elsewhere (`against`) shows even a database of yesterday put in the place of today's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.audit import audit_repository, recorder
from app.core import strict_json
from app.core.crypto.keyring import KeyState
from app.core.database import UNREADABLE, parts_of
from app.signing import signing_repository
from app.signing.key_lifecycle import EVENT
from app.transparency import log_repository, merkle
from app.transparency.checkpoint import Checkpoint, read_checkpoint
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.merkle import HASH_BYTES
from app.transparency.model import LogEntry
from app.transparency.signed_note import NoteRefused, Verifier


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row that does not hold: which, and why."""

    row: str
    detail: str


@dataclass(frozen=True, slots=True)
class Derived:
    """The log as far as it holds; `wrong` is the first row that does not."""

    size: int
    root: bytes
    wrong: Wrong | None
    histories: Sequence[tuple[int, int, str]] = field(default_factory=tuple)
    """Number of an entry `audit.head`, the number of events it is about, the hash of the last of them."""


def derive(session: Session, verifier: Verifier, against: Checkpoint | None = None) -> Derived:
    """Entries → leaves → tree → kept hashes → head → signature."""
    size, histories = 0, []
    frontier: tuple[bytes, ...] = ()
    wrong: Wrong | None = None
    kept_root = merkle.EMPTY_ROOT if against and against.size == 0 else None
    try:
        for row in log_repository.rows(session):
            wrong = _wrong_with(row, size, frontier)
            if wrong is not None:
                break
            if row.event == LogEvent.AUDIT_HEAD:
                histories.append((size, strict_json.loads(row.entry)["head"], row.sha256 or ""))
            frontier = merkle.grown(frontier, _split(row.hashes))
            size += 1
            if against is not None and size == against.size:
                kept_root = merkle.fold(frontier)
    except UNREADABLE:
        wrong = Wrong(f"log entry {size}", "It cannot be read.")
    root = merkle.fold(frontier)
    wrong = wrong or _wrong_head(session, verifier, Checkpoint(verifier.name, size, root))
    if wrong is None and against is not None and kept_root != against.root:
        wrong = _wrong_against(against, size)
    return Derived(size, root, wrong, tuple(histories))


def _split(hashes: bytes) -> tuple[bytes, ...]:
    return tuple(hashes[place : place + HASH_BYTES] for place in range(0, len(hashes), HASH_BYTES))


def _wrong_with(row: LogEntry, expected: int, frontier: Sequence[bytes]) -> Wrong | None:
    if row.seq != expected:
        return Wrong(f"log entry {expected}", f"There is no entry {expected}; the next one is {row.seq}.")
    name = f"log entry {expected}"
    hashes = merkle.closed(merkle.leaf_hash(row.entry), expected, frontier)
    if row.hashes[:HASH_BYTES] != hashes[0]:
        return Wrong(name, "It does not say what was hashed.")
    if _split(row.hashes) != hashes:
        return Wrong(name, "The tree over it and the entries before is another one.")
    members = strict_json.loads(row.entry)
    told = Entry(LogEvent(row.event), row.at, row.subject, row.sha256, _text(members, "key", row), members.get("head"))
    if told.canonical() != row.entry:
        return Wrong(name, "Its columns do not repeat what was hashed.")
    return None


def _text(members: Mapping[str, object], name: str, row: LogEntry) -> str | None:
    """The key that signed a certificate; in an entry about a key it is the subject already."""
    value = members.get(name) if row.event == LogEvent.CERTIFICATE_ISSUED else None
    return value if isinstance(value, str) else None


def _wrong_head(session: Session, verifier: Verifier, derived: Checkpoint) -> Wrong | None:
    head = log_repository.head(session)
    if head is None:
        return Wrong("log head", "It is gone.")
    if head.checkpoint is None:
        return Wrong("log head", "It has no signed checkpoint.") if derived.size else None
    try:
        promised = read_checkpoint(head.checkpoint, verifier)
    except NoteRefused as why:
        return Wrong("log head", str(why))
    if promised.size > derived.size:
        detail = f"There is no entry {derived.size}, but the signed checkpoint is about {promised.size} entries."
        return Wrong(f"log entry {derived.size}", detail)
    if (promised.size, promised.root) != (derived.size, derived.root) or head.size != derived.size:
        return Wrong("log head", f"The signed checkpoint is not about the {derived.size} entries that are there.")
    return None


def _wrong_against(against: Checkpoint, size: int) -> Wrong:
    if against.size > size:
        detail = (
            f"The checkpoint that was kept is about {against.size} entries, the log has {size}: entries were cut off, "
            "or an older database stands in the place of the right one."
        )
        return Wrong(f"log entry {size}", detail)
    detail = f"The first {against.size} entries are not those of the checkpoint that was kept: the log was rewritten."
    return Wrong(f"log entries before {against.size}", detail)


def compare_history(session: Session, histories: Sequence[tuple[int, int, str]]) -> Wrong | None:
    """Whether the history still has what the log says of it: a cut tail shows back to the last entry `audit.head`."""
    for part in parts_of(histories):
        hashes = audit_repository.hashes(session, {events for _, events, _ in part})
        for entry, events, logged in part:
            found = hashes.get(events, recorder.GENESIS if events == 0 else None)
            if found is None:
                last = audit_repository.last_number(session)
                detail = f"The log knew of {events} events (entry {entry}), the history ends with event {last}."
                return Wrong(f"audit event {min(last + 1, events)}", detail)
            if found != logged:
                return Wrong(f"audit event {events}", f"It is not the event that entry {entry} of the log is about.")
    return None


def compare_keys(session: Session) -> Wrong | None:
    """Whether every key is in the state that the log says."""
    keys = signing_repository.keys(session)
    last = log_repository.last_about(session, [key.kid for key in keys])
    for key in keys:
        event, at = last.get(key.kid, (None, None))
        if event != EVENT[KeyState(key.state)]:
            return Wrong(
                f"key {key.kid}", f"It is {key.state}, but the last the log says of it is {event or 'nothing'}."
            )
        if key.state == KeyState.COMPROMISED and key.state_since != at:
            return Wrong(f"key {key.kid}", "It is compromised since another moment than the log says.")
    return None
