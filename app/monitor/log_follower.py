"""Read the log from its tiles and prove that it only grew: from the last checkpoint to the new one, entry by entry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.core import strict_json
from app.core.dates import format_utc
from app.monitor.evidence import FindingKind, MonitorFinding
from app.monitor.public_service import PublicService, Received, Unreachable
from app.monitor.state import MonitorState, Position
from app.transparency import merkle, tiles
from app.transparency.checkpoint import Checkpoint, parse_hash, verify_checkpoint
from app.transparency.log_entry import Entry, LogEvent, is_backdated, latest_moment, parse_entry
from app.transparency.merkle import EMPTY_ROOT
from app.transparency.signed_note import NoteRejected, Verifier
from app.transparency.tiles import WIDTH, Tile


@dataclass(frozen=True, slots=True)
class SeenCheckpoint:
    """A checkpoint as it was received; `found` is None where the key of the log did not sign it."""

    received: Received
    found: Checkpoint | None

    @property
    def note(self) -> str:
        return self.received.text


def fetch_checkpoint(service: PublicService, verifier: Verifier, path: str = "/log/checkpoint") -> SeenCheckpoint:
    """Fetch a checkpoint. Raises `Unreachable`."""
    received = service.get(path)
    if received.status != 200:
        raise Unreachable(f"{received.url} answers {received.status}.")
    try:
        return SeenCheckpoint(received, verify_checkpoint(received.body.decode("utf-8"), verifier))
    except (NoteRejected, UnicodeDecodeError):
        return SeenCheckpoint(received, None)


class LogFollower:
    """Follow one log; `report` is told what contradicts."""

    def __init__(
        self,
        service: PublicService,
        state: MonitorState,
        verifier: Verifier,
        report: Callable[[MonitorFinding], None],
    ) -> None:
        self._service, self._state, self._verifier, self._report = service, state, verifier, report

    def follow(self, seen: SeenCheckpoint) -> bool:
        """Read what is new and return whether the log grew as it must. Raises `Unreachable`."""
        verified = self._state.position("verified")
        kept = self._state.get("checkpoint")
        found = seen.found
        if found is None:
            detail = f"{seen.received.url} gives a checkpoint that {self._verifier.name} did not sign."
            self._tell(FindingKind.CHECKPOINT_REFUSED, detail, seen, kept)
            return False
        if found.size < verified.size:
            detail = f"The log had {verified.size} entries, and now has {found.size}."
            self._tell(FindingKind.LOG_SHRANK, detail, seen, kept)
            return False
        if found.size == verified.size:
            if found.root != (merkle.root_from_range(verified.compact_range) if found.size else EMPTY_ROOT):
                detail = f"Two checkpoints of {found.size} entries have different roots."
                self._tell(FindingKind.FORK, detail, seen, kept)
                return False
            self._state.set("checkpoint", seen.note)
            return True
        return self._read(seen, found, verified, kept)

    def _read(self, seen: SeenCheckpoint, target: Checkpoint, verified: Position, kept: str | None) -> bool:
        position = self._state.position("read")
        if not verified.size <= position.size <= target.size:
            position = verified
        while position.size < target.size:
            batch, received = self._fetch(position.size, target.size)
            if batch is None:
                detail = f"{received.url} does not contain the entries of the tile."
                self._tell(FindingKind.LOG_REWRITTEN, detail, seen, kept, received)
                self._start_again(verified)
                return False
            with self._state.batch():
                for content in batch:
                    latest = self._keep(position.size, content, position.latest)
                    leaf = merkle.leaf_hash(content)
                    hashes = merkle.completed_hashes(leaf, position.size, position.compact_range)
                    position = Position(position.size + 1, merkle.extend_range(position.compact_range, hashes), latest)
                self._state.set_position("read", position)
        if merkle.root_from_range(position.compact_range) != target.root:
            detail = (
                f"The entries do not lead from the checkpoint of {verified.size} entries to that of {target.size}: an"
                " entry was changed, removed or inserted, or one of the checkpoints is of another history."
            )
            proof = self._service.get(f"/log/consistency?first={verified.size}&second={target.size}")
            self._tell(FindingKind.LOG_REWRITTEN, detail, seen, kept, proof)
            self._start_again(verified)
            return False
        with self._state.batch():
            self._state.set_position("verified", position)
            self._state.set("checkpoint", seen.note)
        return True

    def _start_again(self, verified: Position) -> None:
        with self._state.batch():
            self._state.forget_from(verified.size)
            self._state.set_position("read", verified)

    def _fetch(self, first: int, size: int) -> tuple[list[bytes] | None, Received]:
        """Return the entries of one tile from `first` on; None where it does not hold them."""
        index = first // WIDTH
        tile = Tile(None, index, min(WIDTH, size - index * WIDTH))
        received = self._service.get(f"/log/tile/{tile.path}")
        try:
            if received.status != 200:
                return None, received
            return tiles.decode_entry_bundle(received.body, tile.width)[first - index * WIDTH :], received
        except ValueError:
            return None, received

    def _keep(self, seq: int, content: bytes, latest: datetime | None) -> datetime | None:
        """Keep an entry for the examinations, and return the latest moment so far.

        An entry of a later version of the service is only hashed.
        """
        try:
            entry = parse_entry(content)
        except ValueError:
            if not _is_later(content):
                detail = f"Entry {seq} of the log is not an entry in its canonical form."
                self._report(MonitorFinding(FindingKind.ENTRY_REFUSED, f"entry {seq}", detail, logged=(content,)))
            return latest
        if is_backdated(entry, latest):
            detail = (
                f"Entry {seq} of the log is dated {format_utc(entry.at)}, but follows an entry of {latest:%F %T} UTC."
            )
            self._report(MonitorFinding(FindingKind.ENTRY_BACKDATED, f"entry {seq}", detail, logged=(content,)))
        self._keep_subject(seq, content, entry)
        return latest_moment(entry, latest)

    def _keep_subject(self, seq: int, content: bytes, entry: Entry) -> None:
        kind, subject = entry.event.partition(".")[0], entry.subject
        if subject is None:
            return
        if entry.event is LogEvent.CERTIFICATE_ISSUED:
            if not self._state.add_issue(subject, seq, content):
                known = self._state.find_issue(subject)
                if known is not None and known.seq != seq:
                    detail = f"Entries {known.seq} and {seq} both issue this number."
                    logged = (known.content, content)
                    self._report(MonitorFinding(FindingKind.ISSUED_TWICE, subject, detail, logged=logged))
            self._state.add_pending([subject])
        elif kind == "certificate":
            self._state.add_change(subject, seq, content)
            self._state.add_pending([subject])
        elif kind == "key":
            self._state.add_key_entry(subject, seq, content)

    def _tell(self, kind: FindingKind, detail: str, seen: SeenCheckpoint, kept: str | None, *more: Received) -> None:
        logged = (kept.encode(),) if kept else ()
        self._report(MonitorFinding(kind, self._verifier.name, detail, (seen.received, *more), logged))


def _is_later(content: bytes) -> bool:
    """Whether the entry has an event that this version does not know."""
    try:
        members = strict_json.loads(content)
        return isinstance(members, dict) and members["event"] not in set(LogEvent)
    except (ValueError, KeyError, TypeError):
        return False


def verify_growth(service: PublicService, old: Checkpoint, new: Checkpoint) -> tuple[bool, Received]:
    """Return whether a proof of this vantage point leads from one checkpoint to the other. Raises `Unreachable`."""
    received = service.get(f"/log/consistency?first={old.size}&second={new.size}")
    if received.status != 200:
        return False, received
    try:
        path = [parse_hash(each) for each in strict_json.loads(received.body)["hashes"]]
    except (ValueError, KeyError, TypeError):
        return False, received
    return merkle.verify_consistency(old.size, new.size, old.root, new.root, path), received
