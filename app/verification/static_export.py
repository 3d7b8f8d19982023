"""Write answers, signed ranges, status lists, keys and log as files for a web server, and keep them up to date.

A round follows the verified log: whatever process logged a change, the ranges that it hits are written anew. The first
round compares every file. Files of a web server are no source: everything can be written again from the log.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from app.certificates import status_list_repository
from app.certificates.certificate_number import CertificateNumber
from app.certificates.read_model import snapshot_repository
from app.certificates.read_model.proven_records import RecordDamaged
from app.certificates.status_list import list_name
from app.certificates.status_list_publisher import StatusListPublisher
from app.core.crypto import jws
from app.core.crypto.keyring import KeyRing, KeyState
from app.core.database import Database
from app.core.errors import UnsafeToStart
from app.core.files import make_public_folder, publish_file
from app.core.text.marking import Marking
from app.signing.key_documents import did_document
from app.signing.key_provider import KeyProvider
from app.transparency import reader, tiles
from app.transparency.issued_numbers import IssuedNumbers
from app.transparency.verified_log import VerifiedLog
from app.transparency.witness import cosigned
from app.transparency.witness_policy import WitnessPolicy
from app.verification import static_files
from app.verification.evaluation import RecordProver
from app.verification.response import encode
from app.verification.snapshots import SnapshotCheck
from app.verification.static_files import RANGE_SIZE, RangeRejected, StaticAnswer
from app.verification.verdict import evaluate_number, next_change_at

ROUND_SECONDS = 1.0
"""How often the log is asked for changes. A revocation is in the files within two seconds."""
LOCK_FILE = ".lock"
logger = logging.getLogger(__name__)


class FolderInUse(UnsafeToStart):
    """Another process keeps the files of this folder up to date."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another process writes {folder}.")


@dataclass
class StaticExport:
    """Keep the files of one folder. Of several processes the first one writes, until it ends. Not thread-safe."""

    folder: Path
    database: Database
    log: VerifiedLog
    keys: KeyProvider
    lists: StatusListPublisher
    records: RecordProver
    check: SnapshotCheck
    policy: WitnessPolicy | None
    clock: Callable[[], datetime]
    marking: Marking | None = None
    _lock: int | None = None
    _size: int = 0
    _issued: IssuedNumbers = field(default_factory=IssuedNumbers)
    _due: dict[str, datetime] = field(default_factory=dict)

    def run_round(self) -> int:
        """Write what changed since the last round; return the number of files. Raises `FolderInUse`, `LogDamaged`.

        A round that fails is made again as a whole.
        """
        self._require_lock()
        self.log.refresh(force=True)
        self.log.require_intact()
        size, now = self.log.size, self.clock()
        hit = {name for name, due in self._due.items() if due <= now}
        if size == self._size and not hit:
            return 0
        keys = self.keys.reload()
        issued = self.log.issued_beside(self._issued)
        for series, serial in issued:
            self._issued.add(f"{series}-{serial:06d}-")
        if any(self.log.entries_about("key", kid)[-1].seq >= self._size for kid in self.log.subjects("key")):
            hit |= set(self._due)
        hit |= {static_files.range_of(f"{series}-{serial:06d}-") for series, serial in issued}
        hit |= {
            static_files.range_of(n) for n in self.log.changed_numbers() if (self.log.last_seq(n) or 0) >= self._size
        }
        self._due |= dict.fromkeys(hit, datetime.fromtimestamp(0, UTC))  # should this round fail
        written = sum(self._write_range(name, keys, now) for name in sorted(hit))
        written += self._write_keys(keys)
        written += 0 if self._has_no_signer(keys) else self._write_lists()
        written += self._write_log()
        self._size = size
        return written

    def close(self) -> None:
        """Let another process write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @asynccontextmanager
    async def run_in_background(self) -> AsyncIterator[None]:
        """Run a round every second until the block ends; no failure reaches a request."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.close()

    async def _run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.run_round)
            except FolderInUse:
                pass  # of another worker; should it end, this one goes on
            except Exception:  # the next round tries again
                logger.exception("The static files cannot be written; it is tried again.")
            await asyncio.sleep(ROUND_SECONDS)

    def _require_lock(self) -> None:
        if self._lock is not None:
            return
        make_public_folder(self.folder)
        lock = os.open(self.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise FolderInUse(self.folder) from None
        self._lock = lock

    def _publish(self, path: str, content: bytes) -> int:
        return publish_file(self.folder / path, content)

    def _write_range(self, name: str, keys: KeyRing, now: datetime) -> int:
        """Write the answers of a range, then the range. The checkpoint is taken after the answers: it covers them."""
        numbers = self._numbers_of(name)
        with self.database.read_session() as session:
            answers = self._answers(session, numbers, keys, now)
        for missing in set(numbers) - {each.number for each in answers}:  # nothing proves it any more
            (self.folder / static_files.answer_path(missing)).unlink(missing_ok=True)
        written = sum(self._publish(static_files.answer_path(each.number), each.body) for each in answers)
        if self._has_no_signer(keys):  # until a key is active, readers refuse the range whose answers changed
            self._due[name] = now + static_files.LIFETIME
            return written
        path, signer = static_files.range_path(name), self.keys.active_signer()
        kept = self._read_kept(name, {signer.kid: signer.public})
        if (
            kept is not None
            and kept.answers == static_files.list_answers(answers)
            and kept.issued_at <= now < self._due_at(kept)
        ):
            self._due[name] = self._due_at(kept)
            return written
        note = self._checkpoint()
        payload = static_files.build_range(name, self.lists.issuer, note, answers, now)
        linted = static_files.lint_range(payload, answers, self.log.verifier)
        token = static_files.sign_range(signer, linted)
        written += self._publish(path, token.encode())
        self._due[name] = self._due_at(static_files.read_range(token, name, {signer.kid: signer.public}))
        return written

    def _numbers_of(self, name: str) -> list[str]:
        series, _, prefix = name.rpartition("-")
        scheme, _, year = series.rpartition("-")
        serials = range(int(prefix) * RANGE_SIZE, (int(prefix) + 1) * RANGE_SIZE)
        issued = (serial for serial in serials if f"{series}-{serial:06d}-" in self._issued)
        return [str(CertificateNumber(scheme, int(year), serial)) for serial in issued]

    def _answers(self, session: Session, numbers: Sequence[str], keys: KeyRing, now: datetime) -> list[StaticAnswer]:
        """Return the online answers of these numbers; a number of which the row is damaged is left out."""
        rows = snapshot_repository.by_number(session, numbers)
        found = []
        for number in numbers:
            row = rows.get(number)
            if row is not None and self.check.accepts(row, keys, now.timestamp()):
                end = None if row.good_until is None else datetime.fromtimestamp(row.good_until, UTC)
                found.append(StaticAnswer(number, row.body, row.log_seq, end))
                continue
            with suppress(RecordDamaged):
                record = self.records.load(session, [number], keys, now)[number]
                body = encode(evaluate_number(record, keys, now), self.lists.base_url, marking=self.marking)
                found.append(StaticAnswer(number, body, record.log_seq, next_change_at(record, now)))
        return found

    def _read_kept(self, name: str, keys: dict[str, jws.PublicKey]) -> static_files.AnswerRange | None:
        try:
            token = (self.folder / static_files.range_path(name)).read_text("ascii")
            return static_files.read_range(token, name, keys)
        except (FileNotFoundError, UnicodeDecodeError, RangeRejected):
            return None

    @staticmethod
    def _has_no_signer(keys: KeyRing) -> bool:
        return all(key.state is not KeyState.ACTIVE for key in keys.by_kid.values())

    @staticmethod
    def _due_at(found: static_files.AnswerRange) -> datetime:
        return min(found.good_until, found.issued_at + static_files.RESIGN_AFTER)

    def _write_keys(self, keys: KeyRing) -> int:
        return self._publish(static_files.JWKS, jws.dump_json(keys.jwks())) + self._publish(
            static_files.DID, jws.dump_json(did_document(self.lists.issuer, keys))
        )

    def _write_lists(self) -> int:
        """Write the status lists; those that are not fresh are signed, which the log names."""
        with self.database.read_session() as session:
            names = [list_name(*each) for each in status_list_repository.list_all(session)]
        return sum(
            self._publish(static_files.status_list_path(name), self.lists.get_token(name).encode()) for name in names
        )

    def _write_log(self) -> int:
        self.log.refresh(force=True)
        with self.database.read_session() as session:
            return write_log(session, self.folder / "log", self.log.vkey, self.policy, self.clock())

    def _checkpoint(self) -> str:
        """Return the newest checkpoint that this process has verified."""
        self.log.refresh(force=True)
        self.log.require_intact()
        assert self.log.checkpoint is not None  # certificates were issued
        return self.log.checkpoint


def write_log(session: Session, folder: Path, vkey: str, policy: WitnessPolicy | None, now: datetime) -> int:
    """Write the public log as files of tlog-tiles, and return how many are new. Raises `NotFound` before it begins.

    The checkpoint is written last, so that everything that it covers exists. Of a tile that is complete, the incomplete
    ones are removed.
    """
    newest = cosigned.get_newest(session, policy, now)
    written = 0
    for tile in tiles.all_tiles(newest.size):
        path = folder / "tile" / tile.path
        if not path.exists():
            written += publish_file(path, reader.read_tile(session, tile))
            if tile.width == tiles.WIDTH:
                _remove_partial_tiles(path)
    written += publish_file(folder / "vkey", f"{vkey}\n".encode())
    return written + publish_file(folder / "checkpoint", newest.note.encode())


def _remove_partial_tiles(complete: Path) -> None:
    partial = complete.with_name(f"{complete.name}.p")
    if partial.is_dir():
        for path in partial.iterdir():
            path.unlink()
        partial.rmdir()
