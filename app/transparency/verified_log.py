"""Follow the public log and keep what was verified, so that no answer rests on rows of the database alone.

Every process has one `VerifiedLog`. It verifies the signed checkpoint with the key of the key file, recomputes the tree
over all entries, and keeps the entries about keys, rulesets, staff credentials, status lists and changes of status.
Issue entries are many: they stay in the database and are proven one by one (`find_issue`);
only their numbers are kept, so that no deleted row makes a certificate unknown.

A log that was rewritten, cut or put back to an older state is damaged. The newest checkpoint that any process of this
installation verified is kept in a file beside the keys; the log must contain it (docs/decisions/0072).
"""

import logging
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.core.database import PAGE_ROWS, Database
from app.core.messages import Message
from app.transparency import log_repository, merkle, reader
from app.transparency.appender import LogDamaged
from app.transparency.checkpoint import Checkpoint, verify_checkpoint
from app.transparency.issued_numbers import IssuedNumbers
from app.transparency.log_entry import SUBJECT_MEMBER, Entry, LogEvent, parse_entry
from app.transparency.signed_note import NoteRejected, Verifier

REFRESH_SECONDS = 1.0
"""Maximum delay until every process knows an entry that another process added."""
_ISSUED = b'"event":"certificate.issued"'
_AUDIT_HEAD = b'"event":"audit.head"'
_CERTIFICATE = b'"certificate":"'
_log = logging.getLogger(__name__)


class LoggedEntry(NamedTuple):
    seq: int
    entry: Entry


class VerifiedLog:
    """The log as this process has verified it. Thread-safe.

    `verifier` returns the public key of the log from its key file; it raises `LogKeyMissing` where there is none.
    `checkpoint_file` is None where nothing may be written, such as in read-only commands.
    """

    def __init__(
        self,
        database: Database,
        verifier: Callable[[], Verifier],
        checkpoint_file: Path | None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._verifier = verifier
        self._file = checkpoint_file
        self._seconds = seconds
        self._lock = threading.RLock()
        self._refreshed_at = float("-inf")
        self._damage: LogDamaged | None = None
        self._checkpoint: str | None = None
        self._remembered_note: tuple[str, Verifier, Checkpoint] | None = None
        self._size = 0
        self._range: tuple[bytes, ...] = ()
        self._entries: dict[tuple[str, str], tuple[LoggedEntry, ...]] = {}
        self._issued = IssuedNumbers()
        self._is_behind = False

    @property
    def size(self) -> int:
        return self._size

    @property
    def checkpoint(self) -> str | None:
        """Return the newest verified checkpoint, a signed note; None before the first entry."""
        return self._checkpoint

    @property
    def verifier(self) -> Verifier:
        """Return the public key of the log as its key file has it. Raises `LogKeyMissing`."""
        return self._verifier()

    @property
    def vkey(self) -> str:
        return self._verifier().vkey

    @property
    def is_intact(self) -> bool:
        """Whether the log in the database agrees with what was verified."""
        self.refresh()
        return self._damage is None

    def require_intact(self) -> None:
        """Raise `LogDamaged` where the log in the database differs from what was verified."""
        self.refresh()
        if self._damage is not None:
            raise LogDamaged(self._damage.what)

    @property
    def is_current(self) -> bool:
        """Whether this process knows of every entry that any process of this installation verified.

        True also where the log in the database is damaged now, as long as this process verified all of it before: what
        it kept in memory is right. Does not refresh.
        """
        return self._size > 0 and not self._is_behind

    def require_current(self) -> None:
        """Raise `LogDamaged` unless this process knows every verified entry: not even “unknown” can be said without."""
        if not self.is_current:
            self.require_intact()

    def was_issued(self, number: str) -> bool:
        """Return whether the verified log contains the issue of this certificate. Does not refresh."""
        return number in self._issued

    def issued_beside(self, known: IssuedNumbers) -> list[tuple[str, int]]:
        """Return series and serial of every issued certificate that is not among the known ones. Does not refresh."""
        with self._lock:
            return list(self._issued.added_to(known))

    def entries_about(self, kind: str, subject: str) -> tuple[LoggedEntry, ...]:
        """Return the verified entries about a subject, oldest first; `kind` is the first word of their events.

        Issues of certificates are not among them.
        """
        self.refresh()
        return self._entries.get((kind, subject), ())

    def status_entries(self, number: str) -> tuple[LoggedEntry, ...]:
        """Return the entries that changed the status of a certificate, oldest first."""
        return tuple(each for each in self.entries_about("certificate", number) if not _is_reissue(each))

    def reissues(self, number: str) -> tuple[LoggedEntry, ...]:
        """Return the entries about further tokens of a certificate, oldest first."""
        return tuple(each for each in self.entries_about("certificate", number) if _is_reissue(each))

    def last_seq(self, number: str) -> int | None:
        """Return the index of the last entry about status or tokens of a certificate after its issue; None without one.

        Does not refresh: verifications call it after the keys, which do.
        """
        entries = self._entries.get(("certificate", number))
        return entries[-1].seq if entries else None

    def changed_numbers(self) -> Sequence[str]:
        """Return the numbers of certificates whose status ever changed."""
        return [number for number in self.subjects("certificate") if self.status_entries(number)]

    def subjects(self, kind: str) -> Sequence[str]:
        self.refresh()
        return [subject for each, subject in list(self._entries) if each == kind]

    def credentials(self) -> Mapping[str, str]:
        """Return hash → user id of every staff credential that is registered and was not removed."""
        self.refresh()
        found = {}
        for (kind, subject), entries in list(self._entries.items()):
            last = entries[-1].entry
            if kind == "credential" and last.event is LogEvent.CREDENTIAL_REGISTERED and last.user:
                found[subject] = last.user
        return MappingProxyType(found)

    def find_issue(self, session: Session, number: str) -> LoggedEntry | None:
        """Return the issue entry of a certificate, proven by its path to the verified root; None without a row.

        Raises `LogDamaged` where the row does not lead to that root.
        """
        row = log_repository.find_issue_entry(session, number)
        if row is None:
            return None
        if row.seq >= self._size:
            self.refresh(force=True)
        if row.seq >= self._size:
            raise LogDamaged(Message("entry %(seq)s is not covered by a signed checkpoint.", seq=row.seq))
        path, root = merkle.inclusion_path(row.seq, self._size), merkle.root_from_range(self._range)
        hashes = reader.subtree_hashes(session, path)
        if not merkle.verify_inclusion(row.seq, self._size, merkle.leaf_hash(row.entry), hashes, root):
            raise LogDamaged(Message("entry %(seq)s differs from what was signed.", seq=row.seq))
        entry = _parse(row.entry)
        if entry is None or entry.event is not LogEvent.CERTIFICATE_ISSUED or entry.subject != number:
            return None
        return LoggedEntry(row.seq, entry)

    def refresh(self, *, force: bool = False) -> None:
        """Verify what was added, at most once a second unless forced. While the database is away, nothing changes."""
        if not force and self._seconds() - self._refreshed_at < REFRESH_SECONDS:
            return
        with self._lock:
            if not force and self._seconds() - self._refreshed_at < REFRESH_SECONDS:
                return
            self._refreshed_at = self._seconds()
            try:
                with self._database.read_session() as session:
                    self._follow(session)
                self._damage, self._is_behind = None, False
            except SQLAlchemyError as why:
                _log.warning("The public log cannot be read: %s", why.__class__.__name__)
            except LogDamaged as why:
                if self._damage is None:
                    _log.error("%s", why.message)
                self._damage = why
                remembered = self._remembered()
                self._is_behind = remembered is not None and remembered.size > self._size

    def require_extends(self, session: Session, checkpoint: str | None) -> None:
        """Require that the log whose head this transaction has locked contains everything verified so far.

        Raises `LogDamaged`: signing on would tell a second history.
        """
        with self._lock:
            remembered = self._remembered()
            if checkpoint == self._checkpoint and remembered is not None and remembered.size <= self._size:
                return
            if checkpoint is None and self._checkpoint is None and remembered is None:
                return
            self._follow(session)

    def adopt(self, checkpoint: str, first: int, entries: Iterable[tuple[Entry, bytes]]) -> None:
        """Take over entries that this process has just committed, from index `first` on, without reading them again."""
        with self._lock:
            if self._damage or first != self._size:
                return  # the next refresh reads them
            added = [(entry, content) for entry, content in entries]
            size, compact_range = self._size, self._range
            for _, content in added:
                compact_range = _extend(compact_range, size, content)
                size += 1
            found = _grouped(LoggedEntry(first + index, entry) for index, (entry, _) in enumerate(added))
            issued = IssuedNumbers()
            for entry, _ in added:
                if entry.event is LogEvent.CERTIFICATE_ISSUED and entry.subject:
                    issued.add(entry.subject)
            self._keep(checkpoint, size, compact_range, found, issued)

    def _follow(self, session: Session) -> None:
        """Verify the log from where this process is to its signed end. Raises `LogDamaged`; then nothing is kept."""
        head = log_repository.get_head(session)
        if head is None:
            raise LogDamaged("its head is missing.")
        remembered = self._remembered()
        known_size = max(self._size, remembered.size if remembered else 0)
        if head.checkpoint is None:
            if known_size:
                raise LogDamaged("its signed entries are missing.")
            return
        try:
            signed = verify_checkpoint(head.checkpoint, self._verifier())
        except NoteRejected as why:
            raise LogDamaged("its last checkpoint is not signed by the key of the log.") from why
        if signed.size < known_size:
            raise LogDamaged("it was put back to an older state.")
        if head.checkpoint != self._checkpoint:
            self._read_entries(session, head.checkpoint, signed, remembered)

    def _read_entries(
        self, session: Session, checkpoint: str, signed: Checkpoint, remembered: Checkpoint | None
    ) -> None:
        """Read the entries up to a checkpoint, and keep them if they give its root and that of the remembered one."""
        size, compact_range = self._size, self._range
        roots = {each.size: each.root for each in (remembered, signed) if each is not None}
        added: list[LoggedEntry] = []
        issued = IssuedNumbers()
        _require_root(roots, size, compact_range)
        while size < signed.size:
            page = log_repository.list_entries(session, size, min(size + PAGE_ROWS, signed.size))
            if len(page) != min(PAGE_ROWS, signed.size - size):
                raise LogDamaged("entries that were signed are missing.")
            for content in page:
                compact_range = _extend(compact_range, size, content)
                if _ISSUED in content:
                    issued.add(_certificate_in(content))
                elif _AUDIT_HEAD not in content and (entry := _parse(content)) is not None:
                    added.append(LoggedEntry(size, entry))
                size += 1
                _require_root(roots, size, compact_range)
        self._keep(checkpoint, size, compact_range, _grouped(added), issued)

    def _keep(
        self,
        checkpoint: str,
        size: int,
        compact_range: tuple[bytes, ...],
        added: Mapping[tuple[str, str], Sequence[LoggedEntry]],
        issued: IssuedNumbers,
    ) -> None:
        self._issued.update(issued)
        for about, entries in added.items():
            self._entries[about] = (*self._entries.get(about, ()), *entries)
        self._checkpoint, self._size, self._range = checkpoint, size, compact_range
        self._remember(checkpoint)

    def _remembered(self) -> Checkpoint | None:
        """Return the checkpoint of the file. A file that is missing or not signed by the log's key counts as none."""
        try:
            text = self._file.read_text("utf-8") if self._file else ""
            return self._verified(text) if text else None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, NoteRejected) as why:
            _log.warning("The file of the verified checkpoint %s is ignored: %s", self._file, why)
            return None

    def _verified(self, note: str) -> Checkpoint:
        """Return the checkpoint of a note signed by the key of the log; the last note is verified once."""
        verifier = self._verifier()
        if self._remembered_note is None or self._remembered_note[:2] != (note, verifier):
            self._remembered_note = note, verifier, verify_checkpoint(note, verifier)
        return self._remembered_note[2]

    def _remember(self, checkpoint: str) -> None:
        """Replace the file. It is not flushed to the disk: it guards against rewriting, not against a power failure."""
        if self._file is None or ((kept := self._remembered()) and kept.size >= self._size):
            return
        draft = self._file.with_name(f".{self._file.name}.{secrets.token_hex(8)}")
        try:
            draft.write_text(checkpoint, "utf-8")
            draft.replace(self._file)
        except OSError as why:
            draft.unlink(missing_ok=True)
            _log.warning("The verified checkpoint cannot be written to %s: %s", self._file, why.strerror)


def _require_root(roots: Mapping[int, bytes], size: int, compact_range: tuple[bytes, ...]) -> None:
    if size in roots and merkle.root_from_range(compact_range) != roots[size]:
        raise LogDamaged("its entries do not give the root that was signed.")


def _extend(compact_range: tuple[bytes, ...], size: int, content: bytes) -> tuple[bytes, ...]:
    return merkle.extend_range(compact_range, merkle.completed_hashes(merkle.leaf_hash(content), size, compact_range))


def _certificate_in(content: bytes) -> str:
    """Return the certificate that an entry names, without parsing it: issues are many."""
    begin = content.find(_CERTIFICATE) + len(_CERTIFICATE)
    return content[begin : content.index(b'"', begin)].decode()


def _parse(content: bytes) -> Entry | None:
    """Return the entry; None for one of a kind that this version does not know."""
    try:
        return parse_entry(content)
    except ValueError:
        return None


def _is_reissue(logged: LoggedEntry) -> bool:
    return logged.entry.event is LogEvent.CERTIFICATE_REISSUED


def _grouped(entries: Iterable[LoggedEntry]) -> dict[tuple[str, str], list[LoggedEntry]]:
    """Group entries by kind and subject, without issues of certificates and entries without a subject."""
    groups: dict[tuple[str, str], list[LoggedEntry]] = defaultdict(list)
    for each in entries:
        kind = each.entry.event.partition(".")[0]
        if kind in SUBJECT_MEMBER and each.entry.subject and each.entry.event is not LogEvent.CERTIFICATE_ISSUED:
            groups[kind, each.entry.subject].append(each)
    return groups
