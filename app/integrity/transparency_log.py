"""Recompute the public log from its first entry and report the first row that does not match.

The signed checkpoint makes this meaningful: an attacker who rewrites the rows lacks the key of the log. A checkpoint
stored elsewhere (`against`) also reveals that an older database was restored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.audit import audit_repository, recorder
from app.core import strict_json
from app.core.crypto.keyring import KeyState
from app.core.database import UNREADABLE, parts_of
from app.signing import signing_repository
from app.signing.key_lifecycle import STATE_EVENT
from app.transparency import log_repository, merkle
from app.transparency.checkpoint import Checkpoint, verify_checkpoint
from app.transparency.log_entry import LogEvent, is_backdated, latest_moment, parse_entry
from app.transparency.merkle import HASH_BYTES
from app.transparency.model import LogEntry
from app.transparency.signed_note import NoteRejected, Verifier


@dataclass(frozen=True, slots=True)
class IntegrityFinding:
    """A row that does not match: its name and the reason."""

    row: str
    detail: str


@dataclass(frozen=True, slots=True)
class RecomputedLog:
    """The consistent part of the log; `finding` is the first row that does not match."""

    size: int
    root: bytes
    finding: IntegrityFinding | None
    audit_heads: Sequence[tuple[int, int, str]] = field(default_factory=tuple)
    """For each entry `audit.head`: its number, the number of events it covers, and the hash of the last of them."""
    backdated: IntegrityFinding | None = None
    """The first entry that is dated before entries that precede it: signed, but not true."""


def recompute_log(session: Session, verifier: Verifier, against: Checkpoint | None = None) -> RecomputedLog:
    """Recompute leaves, tree, stored hashes and head from the entries, and verify the signature.

    `against` is a checkpoint stored elsewhere, whose root must occur in the tree.
    """
    size, audit_heads = 0, []
    latest: datetime | None = None
    backdated: IntegrityFinding | None = None
    frontier: tuple[bytes, ...] = ()
    finding: IntegrityFinding | None = None
    checkpoint_root = merkle.EMPTY_ROOT if against and against.size == 0 else None
    try:
        for row in log_repository.iterate_rows(session):
            finding = _check_row(row, size, frontier)
            if finding is not None:
                break
            if row.event == LogEvent.AUDIT_HEAD:
                audit_heads.append((size, strict_json.loads(row.entry)["head"], row.sha256 or ""))
            entry = parse_entry(row.entry)
            if backdated is None and is_backdated(entry, latest):
                backdated = IntegrityFinding(f"log entry {size}", f"It is dated before an entry of {latest:%F %T} UTC.")
            latest = latest_moment(entry, latest)
            frontier = merkle.extend_range(frontier, _split_hashes(row.hashes))
            size += 1
            if against is not None and size == against.size:
                checkpoint_root = merkle.root_from_range(frontier)
    except UNREADABLE:
        finding = IntegrityFinding(f"log entry {size}", "It cannot be read.")
    root = merkle.root_from_range(frontier)
    finding = finding or _check_head(session, verifier, Checkpoint(verifier.name, size, root))
    if finding is None and against is not None and checkpoint_root != against.root:
        finding = _checkpoint_mismatch(against, size)
    return RecomputedLog(size, root, finding, tuple(audit_heads), backdated)


def _split_hashes(hashes: bytes) -> tuple[bytes, ...]:
    return tuple(hashes[offset : offset + HASH_BYTES] for offset in range(0, len(hashes), HASH_BYTES))


def _check_row(row: LogEntry, expected: int, frontier: Sequence[bytes]) -> IntegrityFinding | None:
    if row.seq != expected:
        return IntegrityFinding(f"log entry {expected}", f"There is no entry {expected}; the next one is {row.seq}.")
    name = f"log entry {expected}"
    hashes = merkle.completed_hashes(merkle.leaf_hash(row.entry), expected, frontier)
    if row.hashes[:HASH_BYTES] != hashes[0]:
        return IntegrityFinding(name, "Its content differs from what was hashed.")
    if _split_hashes(row.hashes) != hashes:
        return IntegrityFinding(name, "Its stored tree hashes do not match it and the entries before it.")
    entry = parse_entry(row.entry)
    if (entry.event, entry.at, entry.subject, entry.sha256) != (row.event, row.at, row.subject, row.sha256):
        return IntegrityFinding(name, "Its columns differ from what was hashed.")
    return None


def _check_head(session: Session, verifier: Verifier, derived: Checkpoint) -> IntegrityFinding | None:
    head = log_repository.get_head(session)
    if head is None:
        return IntegrityFinding("log head", "It is missing.")
    if head.checkpoint is None:
        return IntegrityFinding("log head", "It has no signed checkpoint.") if derived.size else None
    try:
        promised = verify_checkpoint(head.checkpoint, verifier)
    except NoteRejected as why:
        return IntegrityFinding("log head", str(why))
    if promised.size > derived.size:
        detail = f"There is no entry {derived.size}, but the signed checkpoint covers {promised.size} entries."
        return IntegrityFinding(f"log entry {derived.size}", detail)
    if (promised.size, promised.root) != (derived.size, derived.root) or head.size != derived.size:
        return IntegrityFinding("log head", f"The signed checkpoint does not match the {derived.size} stored entries.")
    return None


def _checkpoint_mismatch(against: Checkpoint, size: int) -> IntegrityFinding:
    if against.size > size:
        detail = (
            f"The stored checkpoint covers {against.size} entries, the log has {size}: entries were removed, "
            "or an older database was restored."
        )
        return IntegrityFinding(f"log entry {size}", detail)
    detail = f"The first {against.size} entries differ from those of the stored checkpoint: the log was rewritten."
    return IntegrityFinding(f"log entries before {against.size}", detail)


def check_audit_heads(session: Session, audit_heads: Sequence[tuple[int, int, str]]) -> IntegrityFinding | None:
    """Compare the audit events with the entries `audit.head`, which reveal a truncated audit trail."""
    for part in parts_of(audit_heads):
        hashes = audit_repository.hashes_of(session, {events for _, events, _ in part})
        for entry, events, logged in part:
            found = hashes.get(events, recorder.GENESIS if events == 0 else None)
            if found is None:
                last = audit_repository.last_seq(session)
                detail = f"The log covers {events} events (entry {entry}), but the audit trail ends with event {last}."
                return IntegrityFinding(f"audit event {min(last + 1, events)}", detail)
            if found != logged:
                return IntegrityFinding(
                    f"audit event {events}", f"Its hash differs from the one in entry {entry} of the log."
                )
    return None


def check_keys(session: Session) -> IntegrityFinding | None:
    """Check that every key is in the state that the log records."""
    keys = signing_repository.list_keys(session)
    last = {
        kid: (each.event, each.at)
        for kid, each in log_repository.get_last_events(session, [key.kid for key in keys]).items()
    }
    for key in keys:
        event, at = last.get(key.kid, (None, None))
        if event != STATE_EVENT[KeyState(key.state)]:
            return IntegrityFinding(
                f"key {key.kid}", f"Its state is {key.state}, but its last entry in the log is {event or 'missing'}."
            )
        if key.state == KeyState.COMPROMISED and key.state_since != at:
            return IntegrityFinding(f"key {key.kid}", "Its compromise begins at another time than in the log.")
    return None
