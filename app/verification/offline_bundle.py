"""Write and read a bundle: one archive (tar) for offline verification, the same bytes for the same log and lists.

It holds keys, status lists, the signed checkpoint and every entry of the log, so that nothing can be left out: the
entries must give the root that the log signed, and the reader names the key of the log. Only members in exactly the
form that `write_bundle` gives are read: no links, no other paths, no extended headers, nothing behind the end.
"""

import base64
import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from app.core import strict_json
from app.core.crypto import jwk, jws
from app.core.crypto.jws import PublicKey
from app.core.crypto.keyring import KeyRecord, KeyState
from app.core.errors import MikError
from app.transparency import merkle
from app.transparency.checkpoint import Checkpoint, Proof, origin_of, verify_checkpoint
from app.transparency.log_entry import Entry, LogEvent, parse_entry
from app.transparency.signed_note import NoteRejected, Verifier, parse_vkey
from app.transparency.tiles import WIDTH, Tile, decode_entry_bundle
from app.transparency.witness_policy import WitnessJudgement, WitnessPolicy, evaluate_note, judge
from app.verification.offline import OfflineSources

VERSION = 2
BLOCK = 512
MAX_SMALL_BYTES = 4_194_304
MAX_TILE_BYTES = WIDTH * 65_537
MAX_ENTRIES = 100_000_000
MAX_LISTS = 100_000
INDEX, KEYS, VKEY = "bundle.json", "keys.json", "log/vkey"
CHECKPOINT, WITNESSED = "log/checkpoint", "log/witnessed"
_LIST = re.compile(r"status-lists/((?:revocation|suspension)-[1-9][0-9]{0,8})\.jwt")
_ISSUED, _AUDIT_HEAD = b'"event":"certificate.issued"', b'"event":"audit.head"'
_REISSUED = b'"event":"certificate.reissued"'


class BundleRejected(MikError):
    """The file is no bundle, a damaged one, or one of another log; the message tells the user what to do."""

    code = "bundle-refused"


@dataclass(frozen=True, slots=True)
class SeenLog:
    """What was seen before of the log with this key: its largest size with the root."""

    vkey: str
    size: int = 0
    root: bytes = merkle.EMPTY_ROOT


def status_list_path(name: str) -> str:
    return f"status-lists/{name}.jwt"


def tile_path(tile: Tile) -> str:
    return f"log/tile/{tile.path}"


def log_thumbprint(vkey: str) -> str:
    """Return the SHA-256 of a key of a log as text, in hex: short enough to be printed and compared."""
    return hashlib.sha256(vkey.encode()).hexdigest()


def index_bytes(issuer: str) -> bytes:
    return json.dumps({"v": VERSION, "issuer": issuer}).encode() + b"\n"


def write_bundle(path: Path, members: Iterable[tuple[str, bytes]]) -> int:
    """Write the archive beside `path`, then replace it, and return the number of its members."""
    if path.is_dir():
        raise BundleRejected(f"{path} is a folder: name a file, such as bundle.tar.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    count = 0
    try:
        with draft.open("wb") as file:
            for name, content in members:
                file.write(_header(name, len(content)) + content + bytes(-len(content) % BLOCK))
                count += 1
            file.write(bytes(2 * BLOCK))
        draft.chmod(0o644)  # bundles are passed on to others, whatever the umask is
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _header(name: str, size: int) -> bytes:
    """Return the one header (ustar) that a member of this name and size has."""
    header = bytearray(BLOCK)
    header[0 : len(name)] = name.encode("ascii")
    for place, text in ((100, "0000644"), (108, "0000000"), (116, "0000000"), (124, f"{size:011o}"), (136, "0" * 11)):
        header[place : place + len(text)] = text.encode()
    header[148:156] = b" " * 8
    header[156:157] = b"0"
    header[257:265] = b"ustar\x0000"
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header)


@dataclass
class BundleArchive:
    """A bundle that was read whole: every signature, root and hash is verified. Raises `BundleRejected`.

    `seen` names the key that is trusted, and what was seen of its log before.
    """

    path: Path
    seen: SeenLog
    issuer: str = ""
    size: int = 0
    root: bytes = merkle.EMPTY_ROOT
    moment: datetime | None = None
    is_older_than_seen: bool = False
    _verifier: Verifier | None = None
    _notes: dict[str, tuple[str, Checkpoint]] = field(default_factory=dict)
    _keys: Mapping[str, PublicKey] = field(default_factory=dict)
    _leaves: list[bytes] = field(default_factory=list)
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)
    _about: dict[str, list[tuple[int, Entry]]] = field(default_factory=lambda: defaultdict(list))

    def load(self) -> "BundleArchive":
        try:
            with self.path.open("rb") as file:
                self._load(file)
        except OSError as error:
            raise BundleRejected(f"{self.path} cannot be read: {error.strerror}.") from error
        return self

    def sources(self, policy: WitnessPolicy | None) -> OfflineSources:
        assert self._verifier is not None  # loaded
        about = {kid: entries for kid, entries in self._about.items() if "#" in kid}
        states = {kid: [entry for _, entry in entries] for kid, entries in about.items()}
        compromised = {}
        for kid, entries in about.items():
            declared = [(seq, entry) for seq, entry in entries if entry.event is LogEvent.KEY_COMPROMISED]
            if declared and kid in self._keys:
                (first, _), (last, entry) = declared[0], declared[-1]
                compromised[kid] = KeyRecord(kid, self._keys[kid], KeyState.COMPROMISED, entry.at, first, last)
        signing = {kid for kid, entries in states.items() if any(e.event is LogEvent.KEY_ACTIVATED for e in entries)}
        known = {kid: key for kid, key in self._keys.items() if kid in signing}
        moment = self.moment or datetime.fromtimestamp(0, UTC)
        return OfflineSources(
            issuer=self.issuer,
            trusted={kid: key for kid, key in known.items() if kid not in compromised},
            withdrawn={kid: key for kid, key in known.items() if kid in compromised},
            verifier=self._verifier,
            find_status_list=self._find_status_list,
            find_proof=self._find_proof,
            made_at=moment,
            checkpoint_at=moment,
            compromised=compromised,
            status_entries=lambda number: tuple(self._about.get(number, ())),
            judge_witnesses=None if policy is None else lambda number, at, now: self._judge(policy, number, at, now),
        )

    def _load(self, file: IO[bytes]) -> None:
        members = self._members(file)
        index = self._json(next(members, None), INDEX)
        if not isinstance(index, dict) or index.get("v") != VERSION or not isinstance(index.get("issuer"), str):
            raise BundleRejected(f"{self.path} is not a bundle that this version reads: make it again.")
        self.issuer = index["issuer"]
        self._load_checkpoint(members)
        self._keys = self._read_keys(next(members, None))
        roots = self._load_entries(members)
        for name, (_, found) in self._notes.items():
            if roots.get(found.size, merkle.EMPTY_ROOT) != found.root:
                raise self._damaged(name, "the entries are not those that the log signed")
        self.is_older_than_seen = self.size < self.seen.size
        if self.seen.size in roots and roots[self.seen.size] != self.seen.root:
            raise BundleRejected(
                f"{self.path} and an archive that was seen before tell two histories of the same log. Keep both: they"
                " are evidence. Rely on neither, and ask the witnesses of the log."
            )

    def _load_entries(self, members: Iterator[tuple[str, int, bytes]]) -> dict[int, bytes]:
        """Read lists and entries, and return the roots at the sizes of the checkpoints and at the size seen before."""
        wanted = {self.seen.size, *(found.size for _, found in self._notes.values())}
        roots: dict[int, bytes] = {}
        compact_range: tuple[bytes, ...] = ()
        index, count = 0, -(-self.size // WIDTH)
        for name, place, content in members:
            if (match := _LIST.fullmatch(name)) and not index and len(self._places) < MAX_LISTS:
                self._places[match[1]] = (place, len(content))
                continue
            tile = Tile(None, index, min(WIDTH, self.size - index * WIDTH))
            if index == count or name != tile_path(tile):
                raise self._damaged(name, "it does not belong here")
            self._places[name] = (place, len(content))
            index += 1
            for entry in self._entries(name, content, tile.width):
                hashes = merkle.completed_hashes(merkle.leaf_hash(entry), len(self._leaves), compact_range)
                compact_range = merkle.extend_range(compact_range, hashes)
                self._note(len(self._leaves), entry)
                self._leaves.append(hashes[0])
                if len(self._leaves) in wanted:
                    roots[len(self._leaves)] = merkle.root_from_range(compact_range)
        if index < count:
            raise self._damaged("its end", "entries of the log are missing")
        return roots

    def _entries(self, name: str, content: bytes, width: int) -> list[bytes]:
        try:
            return decode_entry_bundle(content, width)
        except ValueError as error:
            raise self._damaged(name, str(error)) from error

    def _load_checkpoint(self, members: Iterator[tuple[str, int, bytes]]) -> None:
        vkey = self._text(next(members, None), VKEY).strip()
        if vkey != self.seen.vkey:
            raise BundleRejected(f"{self.path} is of another log than the one that is trusted: its key is {vkey}.")
        try:
            self._verifier = parse_vkey(vkey)
            if self._verifier.name != origin_of(self.issuer):
                raise self._damaged(INDEX, "its issuer has another log")
            for name in (CHECKPOINT, WITNESSED):
                note = self._text(next(members, None), name)
                if name == CHECKPOINT or note:
                    self._notes[name] = note, verify_checkpoint(note, self._verifier)
        except NoteRejected as error:
            raise self._damaged("log", str(error)) from error
        newest = self._notes[CHECKPOINT][1]
        self.size, self.root = newest.size, newest.root
        if self.size > MAX_ENTRIES or any(found.size > self.size for _, found in self._notes.values()):
            raise self._damaged(CHECKPOINT, "its size cannot be")

    def _read_keys(self, member: tuple[str, int, bytes] | None) -> Mapping[str, PublicKey]:
        """Return the keys whose thumbprint is the one in their `kid`; the log says which of them may sign."""
        try:
            keys = jwk.parse_jwks(self._text(member, KEYS).encode())
        except jws.UnusableKey as error:
            raise self._damaged(KEYS, error.message) from error
        return {kid: key for kid, key in keys.items() if kid == jwk.did_kid(self.issuer, key)}

    def _note(self, seq: int, content: bytes) -> None:
        """Keep entries about keys and changes of status; an issue is found again by its number."""
        if seq == self.size - 1:
            self.moment = self._moment_of(content)
        if _ISSUED in content or _AUDIT_HEAD in content:
            return
        try:
            entry = parse_entry(content)
        except ValueError:
            return  # of a later version: it is part of the root all the same
        if entry.subject is not None and entry.event is not LogEvent.CERTIFICATE_ISSUED:
            self._about[entry.subject].append((seq, entry))

    def _moment_of(self, content: bytes) -> datetime:
        try:
            moment = datetime.fromisoformat(strict_json.loads(content)["at"])
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged("its end", "the last entry has no moment") from error
        return moment.astimezone(UTC)

    def _members(self, file: IO[bytes]) -> Iterator[tuple[str, int, bytes]]:
        """Yield name, place of the content and content of each member. Raises `BundleRejected`."""
        while (header := file.read(BLOCK)) != bytes(BLOCK):
            name = header[:100].rstrip(b"\0").decode("ascii", "replace")
            size = int(header[124:135], 8) if re.fullmatch(rb"[0-7]{11}", header[124:135]) else -1
            limit = MAX_TILE_BYTES if name.startswith("log/tile/") else MAX_SMALL_BYTES
            if not 0 <= size <= limit or not name.isascii() or header != _header(name, size):
                raise self._damaged(name[:100] or "its beginning", "it is no member of a bundle")
            place, padded = file.tell(), size + -size % BLOCK
            content = file.read(padded)
            if len(content) != padded or any(content[size:]):
                raise self._damaged(name, "it is cut off")
            yield name, place, content[:size]
        if file.read(BLOCK) != bytes(BLOCK) or file.read(1):
            raise self._damaged("its end", "it is cut off, or something follows it")

    def _text(self, member: tuple[str, int, bytes] | None, name: str) -> str:
        if member is None or member[0] != name:
            raise self._damaged(name, "it is missing")
        try:
            return member[2].decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._damaged(name, "it is not text") from error

    def _json(self, member: tuple[str, int, bytes] | None, name: str) -> object:
        text = self._text(member, name)
        try:
            return strict_json.loads(text)
        except ValueError as error:
            raise self._damaged(name, "it is not JSON") from error

    def _find_status_list(self, url: str) -> str | None:
        """Find a list by the last part of its address; the list itself names its full address."""
        place = self._places.get(url.rpartition("/")[2])
        return None if place is None else self._read(place).decode("ascii", "replace")

    def _find_proof(self, number: str, sha256: str) -> str | None:
        """Make the proof of the entry that names this token from the entries of the archive; else of the issue."""
        return self._prove(number, f'"sha256":"{sha256}"'.encode()) or self._prove(number, _ISSUED)

    def _prove(self, number: str, other: bytes) -> str | None:
        wanted = f'"certificate":"{number}"'.encode()
        for index in range(-(-self.size // WIDTH)):
            tile = Tile(None, index, min(WIDTH, self.size - index * WIDTH))
            content = self._read(self._places[tile_path(tile)])
            if wanted not in content:
                continue
            for shift, entry in enumerate(decode_entry_bundle(content, tile.width)):
                if wanted in entry and other in entry and (_ISSUED in entry or _REISSUED in entry):
                    seq = index * WIDTH + shift
                    path = [self._hash(span.first, span.last) for span in merkle.inclusion_path(seq, self.size)]
                    head, _, rest = Proof(seq, tuple(path), self._notes[CHECKPOINT][0]).text.partition("\n")
                    return f"{head}\nextra {base64.b64encode(entry).decode('ascii')}\n{rest}"
        return None

    def _hash(self, first: int, last: int) -> bytes:
        """Compute the hash over a range of leaves."""
        compact_range: tuple[bytes, ...] = ()
        for count, leaf in enumerate(self._leaves[first:last]):
            compact_range = merkle.extend_range(compact_range, merkle.completed_hashes(leaf, count, compact_range))
        return merkle.root_from_range(compact_range)

    def _judge(self, policy: WitnessPolicy, number: str, at: datetime, now: datetime) -> WitnessJudgement:
        """Judge by the witnessed checkpoint if it contains every change of this number, else by the newest."""
        entries: Sequence[tuple[int, Entry]] = self._about.get(number, ())
        last = max([seq for seq, _ in entries], default=0)
        moment = max([at, *(entry.at for _, entry in entries)])
        note, found = self._notes.get(WITNESSED, self._notes[CHECKPOINT])
        if found.size <= last:
            note, _ = self._notes[CHECKPOINT]
        return judge(evaluate_note(policy, note, now), moment, now)

    def _read(self, place: tuple[int, int]) -> bytes:
        with self.path.open("rb") as file:
            file.seek(place[0])
            return file.read(place[1])

    def _damaged(self, path: str, error: str) -> BundleRejected:
        return BundleRejected(f"The bundle {self.path} is damaged at {path}: {error}. Fetch it again.")


def read_vkey(path: Path) -> str:
    """Return the key of the log that an archive names, unverified. Raises `BundleRejected`."""
    if path.is_dir():
        raise BundleRejected(
            f"{path} is a folder, as earlier versions wrote: it does not prove the last status. Have it made again with"
            " `mik admin export-bundle FILE`."
        )
    archive = BundleArchive(path, SeenLog(""))
    try:
        with path.open("rb") as file:
            members = archive._members(file)  # noqa: SLF001 (the same module)
            next(members, None)
            return archive._text(next(members, None), VKEY).strip()  # noqa: SLF001 (the same module)
    except OSError as error:
        raise BundleRejected(f"{path} cannot be read: {error.strerror}.") from error
