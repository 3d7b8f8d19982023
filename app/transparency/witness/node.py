"""A witness of logs: it cosigns a checkpoint only after a proof that the log did no more than grow.

The folder of a witness holds its name, two keys, for each log the checkpoint that it cosigned last, and evidence. A new
checkpoint is on the disk before its cosignature is given away; a witness that forgot could cosign a second history.
"""

import fcntl
import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from app.core.crypto.pem_files import UnsafeKeyFile, read_private_file, write_private
from app.core.dates import format_utc
from app.core.errors import UnsafeToStart
from app.core.files import replace_file, write_once
from app.transparency import merkle
from app.transparency.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from app.transparency.cosignature import Cosigner
from app.transparency.signed_note import NoteRejected, Verifier, is_key_name, split_note
from app.transparency.witness.protocol import (
    SIZE_MEDIA_TYPE,
    TEXT_MEDIA_TYPE,
    AddCheckpoint,
    parse_add_checkpoint,
)

NAME_FILE, LOGS_FILE, LOCK_FILE = "name", "logs", ".lock"
EVIDENCE_FOLDER = "evidence"
MAX_EVIDENCE_FILES = 1_000
NEVER = Checkpoint("", 0, merkle.EMPTY_ROOT)


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    status: int
    body: str
    media_type: str = TEXT_MEDIA_TYPE


class WitnessFolder:
    """The files of a witness. One process at a time has it open. Raises `UnsafeToStart`."""

    def __init__(self, path: Path, name: str | None, logs: Sequence[Verifier]) -> None:
        self._path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._require_alone()
        is_new = not (path / NAME_FILE).exists()
        self.name = self._keep_name(name)
        self.cosigners = (
            Cosigner(self.name, self._key("ed25519.pem", Ed25519PrivateKey, is_new=is_new)),
            Cosigner(self.name, self._key("ml-dsa-44.pem", MLDSA44PrivateKey, is_new=is_new)),
        )
        if is_new:  # last, so that a first run that was interrupted begins again
            replace_file(path / NAME_FILE, f"{self.name}\n".encode())
        self._keep_logs({each.name for each in logs})

    def close(self) -> None:
        self._lock.close()

    def last_checkpoint(self, origin: str) -> str | None:
        """Return the note that was cosigned last for this log."""
        try:
            return self._state_file(origin).read_text("utf-8") or None
        except FileNotFoundError:
            return None

    def keep_checkpoint(self, origin: str, note: str) -> None:
        """Return when the note is on the disk."""
        replace_file(self._state_file(origin), note.encode())

    def keep_evidence(self, at: datetime, status: int, text: str, request: AddCheckpoint, last: str | None) -> None:
        """Keep a signed checkpoint that was refused, once; of one text there is one file."""
        folder = self._path / EVIDENCE_FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        names = [path.name for path in folder.iterdir()]
        if any(digest in name for name in names) or len(names) >= MAX_EVIDENCE_FILES:
            return
        moment = format_utc(at).replace(":", "")
        kept = f"refused with {status} at {format_utc(at)}\n\n{request.body.decode()}\ncosigned before:\n\n{last or ''}"
        replace_file(folder / f"{moment}-{status}-{digest}.txt", kept.encode())

    def _require_alone(self) -> IO[bytes]:
        lock = (self._path / LOCK_FILE).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise UnsafeToStart(f"Another witness runs on the folder {self._path}: end it, or name another.") from None
        return lock

    def _keep_name(self, name: str | None) -> str:
        try:
            kept = (self._path / NAME_FILE).read_text("utf-8").strip()
        except FileNotFoundError:
            kept = None
        if kept is not None and name not in {None, kept}:
            raise UnsafeToStart(
                f"The witness of {self._path} is named {kept}, and its keys belong to this name: leave --name out."
            )
        found = kept or name
        if not found or not is_key_name(found) or len(found.encode()) > 255:
            raise UnsafeToStart("Name the witness at its first run, such as --name witness.customs.example/w1.")
        return found

    def _key(self, file: str, kind: type[Any], *, is_new: bool) -> Any:
        path = self._path / file
        try:
            pem = read_private_file(path)
        except FileNotFoundError:
            if not is_new:
                raise UnsafeToStart(f"The key {path} is gone. Put it back from your backup.") from None
            encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
            write_private(path, kind.generate().private_bytes(encoding, form, serialization.NoEncryption()))
            pem = read_private_file(path)
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as why:
            raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold a private key in PEM.") from why
        if not isinstance(key, kind):
            raise UnsafeKeyFile(f"The key file {path} is refused. It holds a key of another kind.")
        return key

    def _keep_logs(self, origins: set[str]) -> None:
        """Note each log at its first run. One that was noted must have its state: it never begins again."""
        path = self._path / LOGS_FILE
        known = set(path.read_text("utf-8").split()) if path.exists() else set()
        if lost := sorted(each for each in origins & known if not self._state_file(each).exists()):
            raise UnsafeToStart(
                f"What was cosigned for {lost[0]} is gone from {self._path}. Put its file back from your backup: "
                "without it this witness could cosign a second history."
            )
        for origin in sorted(origins - known):
            write_once(self._state_file(origin), b"")
        replace_file(path, "".join(f"{each}\n" for each in sorted(origins | known)).encode())

    def _state_file(self, origin: str) -> Path:
        return self._path / f"log-{hashlib.sha256(origin.encode()).hexdigest()[:32]}.checkpoint"


class Witness:
    """Answers add-checkpoint. `logs` may name several keys of one log."""

    def __init__(self, folder: WitnessFolder, logs: Sequence[Verifier], clock: Callable[[], datetime]) -> None:
        self._folder, self._clock = folder, clock
        self._logs: Mapping[str, list[Verifier]] = {
            each.name: [other for other in logs if other.name == each.name] for each in logs
        }
        self._turn = threading.Lock()

    def add_checkpoint(self, body: bytes) -> WitnessAnswer:
        """Cosign, or refuse with the status that tlog-witness names."""
        try:
            request = parse_add_checkpoint(body)
            text, _ = split_note(request.note)
            offered = parse_checkpoint(text)
        except NoteRejected as why:
            return WitnessAnswer(400, f"{why}\n")
        if offered.origin not in self._logs:
            return WitnessAnswer(404, "This witness does not follow this log.\n")
        if not any(_is_signed(request.note, key) for key in self._logs[offered.origin]):
            return WitnessAnswer(403, "No key that is trusted for this log signed the checkpoint.\n")
        if request.old > offered.size:
            return WitnessAnswer(400, "The old size is larger than the checkpoint.\n")
        with self._turn:  # the comparison with the last size and the new state are one step
            return self._add(request, text, offered)

    def _add(self, request: AddCheckpoint, text: str, offered: Checkpoint) -> WitnessAnswer:
        now = self._clock()
        kept = self._folder.last_checkpoint(offered.origin)
        last = parse_checkpoint(split_note(kept)[0]) if kept else NEVER
        if kept and offered.size == last.size and offered.root != last.root:
            self._folder.keep_evidence(now, 409, text, request, kept)  # two signed histories of one length
            return WitnessAnswer(409, f"{last.size}\n", SIZE_MEDIA_TYPE)
        if request.old != last.size:
            return WitnessAnswer(409, f"{last.size}\n", SIZE_MEDIA_TYPE)
        if not merkle.verify_consistency(last.size, offered.size, last.root, offered.root, request.proof):
            self._folder.keep_evidence(now, 422, text, request, kept)
            return WitnessAnswer(422, "The proof does not lead from the checkpoint cosigned last to this one.\n")
        lines = [each.cosign(text, int(now.timestamp())) for each in self._folder.cosigners]
        self._folder.keep_checkpoint(offered.origin, request.note)
        return WitnessAnswer(200, "".join(line.text for line in lines))


def _is_signed(note: str, key: Verifier) -> bool:
    try:
        verify_checkpoint(note, key)
    except NoteRejected:
        return False
    return True
