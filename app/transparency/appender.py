"""Append to the public log in the transaction of the logged action, consistent with every signed checkpoint.

`add_entry` only queues an entry. When the session commits, the log head is locked, audit events are chained, the
entries and the new audit head are inserted, and the new checkpoint is signed: the lock order is application, counters,
log head, audit head. Any failure fails the whole transaction.

Two inconsistent checkpoints can never be signed: the hashes to be extended must yield the root that was last signed,
and the new root is computed from them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy.orm import Session

from app.audit import audit_repository, recorder
from app.core.errors import Unavailable
from app.core.messages import Message, to_message
from app.core.unit_of_work import after_commit, get_pending, take_pending
from app.transparency import log_repository, merkle
from app.transparency.checkpoint import Checkpoint, verify_checkpoint
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.model import LogHead
from app.transparency.signed_note import NoteRejected, NoteSigner

SIGNER_KEY = "log.signer"
"""Key in `Session.info` of the `SignerProvider`."""
GUARD_KEY = "log.guard"
"""`Session.info` key of the `LogGuard`."""
WITNESS_WAKE_KEY = "log.wake_witnesses"
"""Key in `Session.info` of a function that asks the witnesses to sign the new checkpoint at once."""
URGENT_EVENTS = frozenset({LogEvent.CERTIFICATE_REVOKED, LogEvent.CERTIFICATE_SUSPENDED, LogEvent.KEY_COMPROMISED})
"""Events that witnesses should see before their next round."""
SignerProvider = Callable[[Session], NoteSigner]
_PENDING_KEY = "log entries"
_WRITTEN_KEY = "written log entries"


class LogGuard(Protocol):
    """Knows the log that was verified before (`verified_log.py`), so that no second history is signed."""

    def require_extends(self, session: Session, checkpoint: str | None) -> None:
        """Raise `LogDamaged` unless the locked log contains everything that was verified before."""

    def adopt(self, checkpoint: str, first: int, entries: Iterable[tuple[Entry, bytes]]) -> None:
        """Take over the committed entries from index `first` on."""


class LogDamaged(Unavailable):
    """The log differs from its last signed checkpoint; nothing may be appended before the cause is found."""

    code = "log-damaged"

    def __init__(self, what: str | Message) -> None:
        self.what = what
        super().__init__(
            Message(
                "The public log is damaged: %(what)s Nothing was changed. Run `mik doctor --only log`.",
                what=to_message(what),
            )
        )


class LogKeyMissing(Unavailable):
    """An action that must be logged requires the key of the log."""

    code = "log-key-away"


def add_entry(session: Session, entry: Entry) -> None:
    """Queue an entry; the commit of this session inserts it."""
    get_pending(session, _PENDING_KEY, list).append(entry)


def append_audit_head(session: Session, now: datetime) -> bool:
    """Queue an entry of the audit head. Returns False, and queues nothing, if the logged head is current."""
    if log_repository.get_last_audit_head(session) == audit_repository.get_head_hash(session):
        return False
    add_entry(session, Entry(LogEvent.AUDIT_HEAD, now))
    return True


def write_pending(session: Session) -> None:
    """Insert the queued entries and sign the new checkpoint.

    A commit step that precedes the lock of the audit head. Raises `LogDamaged`, `LogKeyMissing`.
    """
    pending: list[Entry] = take_pending(session, _PENDING_KEY, list)
    if not pending:
        return
    session.flush()
    head = log_repository.get_head(session, lock=True)
    if head is None:
        raise LogDamaged("its head is missing.")
    signer = _require_signer(session, head)
    guard: LogGuard | None = session.info.get(GUARD_KEY)
    if guard is not None:
        guard.require_extends(session, head.checkpoint)
    frontier = _verified_compact_range(session, head, signer)
    history = recorder.append_and_lock_head(session)
    last = pending[-1].at
    entries = [entry for entry in pending if entry.event is not LogEvent.AUDIT_HEAD]
    entries.append(Entry(LogEvent.AUDIT_HEAD, last, head=history.seq, sha256=history.hash))
    first = size = head.size
    rows = []
    contents = [entry.canonical_bytes() for entry in entries]
    for entry, content in zip(entries, contents, strict=True):
        hashes = merkle.completed_hashes(merkle.leaf_hash(content), size, frontier)
        frontier = merkle.extend_range(frontier, hashes)
        rows.append(
            {
                "seq": size,
                "at": entry.at,
                "event": entry.event.value,
                "subject": entry.subject,
                "sha256": entry.sha256,
                "entry": content,
                "hashes": b"".join(hashes),
            }
        )
        size += 1
    log_repository.add_entries(session, rows)
    checkpoint = signer.sign(Checkpoint(signer.name, size, merkle.root_from_range(frontier)).text)
    log_repository.update_head(session, size, signer.verifier.vkey, checkpoint)
    get_pending(session, _WRITTEN_KEY, list).extend((first + place, entry) for place, entry in enumerate(entries))
    if guard is not None:
        after_commit(session, partial(guard.adopt, checkpoint, first, list(zip(entries, contents, strict=True))))
    wake: Callable[[], None] | None = session.info.get(WITNESS_WAKE_KEY)
    if wake is not None and any(entry.event in URGENT_EVENTS for entry in entries):
        after_commit(session, wake)


def take_written(session: Session) -> Sequence[tuple[int, Entry]]:
    """Return index and entry of everything that this commit has logged, for a later commit step."""
    written: list[tuple[int, Entry]] = take_pending(session, _WRITTEN_KEY, list)
    return written


def _require_signer(session: Session, head: LogHead) -> NoteSigner:
    signer_of: SignerProvider | None = session.info.get(SIGNER_KEY)
    if signer_of is None:
        raise LogKeyMissing("The key of the public log is not available; no action that must be logged is possible.")
    signer = signer_of(session)
    if head.vkey is not None and head.vkey != signer.verifier.vkey:
        raise LogKeyMissing(
            Message(
                "The key file of the public log holds %(found)s, but the log was started with "
                "%(begun)s. Put the right key file back into the data folder.",
                found=signer.verifier.vkey,
                begun=head.vkey,
            )
        )
    return signer


def _verified_compact_range(session: Session, head: LogHead, signer: NoteSigner) -> tuple[bytes, ...]:
    """Return the hashes to extend, verified against the last signed checkpoint. Raises `LogDamaged`."""
    if head.checkpoint is None:
        return ()
    try:
        promised = verify_checkpoint(head.checkpoint, signer.verifier)
    except NoteRejected as why:
        raise LogDamaged("its last checkpoint cannot be read.") from why
    nodes = merkle.compact_range_nodes(head.size)
    hashes_by_node = log_repository.get_hashes(session, nodes)
    if promised.size != head.size or len(hashes_by_node) != len(nodes):
        raise LogDamaged("entries that were promised are missing.")
    frontier = tuple(hashes_by_node[node] for node in nodes)
    if merkle.root_from_range(frontier) != promised.root:
        raise LogDamaged("its hashes do not give the root that was last signed.")
    return frontier
