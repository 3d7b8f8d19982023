"""Parse and verify checkpoints and inclusion proofs of the public log. Pure.

Formats: C2SP tlog-checkpoint v1.0.0, and C2SP tlog-proof for the proof that accompanies a certificate.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote

from app.transparency import merkle
from app.transparency.signed_note import NoteRejected, Verifier, open_note

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
_MAX_SIZE = 1 << 62
_MAX_PATH_LENGTH = 63


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: its name, the number of entries, and the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the text to be signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Proof:
    """The index of an entry in the log, with the path to the root of a checkpoint (a signed note)."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    @property
    def text(self) -> str:
        hashes = "".join(f"{base64.b64encode(sibling).decode('ascii')}\n" for sibling in self.path)
        return f"{PROOF_HEADER}\nindex {self.index}\n{hashes}\n{self.checkpoint}"


def origin_of(issuer: str) -> str:
    """Return the name of the log of an issuer: `did:web:verify.example.az` has `verify.example.az/log`."""
    host = unquote(issuer.removeprefix("did:web:").partition(":")[0])
    return f"{host}/log"


def verify_checkpoint(note: str, verifier: Verifier) -> Checkpoint:
    """Return a checkpoint of this log signed by this key; extension lines are ignored. Raises `NoteRejected`."""
    found = parse_checkpoint(open_note(note, verifier))
    if found.origin != verifier.name:
        raise NoteRejected(f"The checkpoint is of another log, not of {verifier.name}.")
    return found


def parse_checkpoint(text: str) -> Checkpoint:
    """Parse the text of a note, its signatures taken away, as a checkpoint. Raises `NoteRejected`."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines):
        raise NoteRejected("This is not a checkpoint: it has origin, size and root, and no empty line.")
    origin, size, root = lines[:3]
    count = parse_number(size, "The checkpoint has no size.")
    found = Checkpoint(origin, count, parse_hash(root))
    if count == 0 and found.root != merkle.EMPTY_ROOT:
        raise NoteRejected("A log without entries has another root.")
    return found


def parse_proof(text: str) -> Proof:
    """Parse a tlog-proof; `verify_proof` verifies it. Raises `NoteRejected`."""
    head, found, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not found or lines[0] != PROOF_HEADER:
        raise NoteRejected(f"This is not a proof: it does not begin with {PROOF_HEADER}.")
    lines = lines[2:] if len(lines) > 1 and lines[1].startswith("extra ") else lines[1:]
    if not lines or not lines[0].startswith("index "):
        raise NoteRejected("The proof does not name the place of the entry.")
    if len(lines) > _MAX_PATH_LENGTH + 1:
        raise NoteRejected("The proof is longer than any path of a tree.")
    index = parse_number(lines[0].removeprefix("index "), "The proof does not name the place of the entry.")
    return Proof(index, tuple(map(parse_hash, lines[1:])), checkpoint)


def verify_proof(entry: bytes, proof: Proof, verifier: Verifier) -> Checkpoint:
    """Return the checkpoint in which this entry is proven. Raises `NoteRejected`."""
    checkpoint = verify_checkpoint(proof.checkpoint, verifier)
    leaf = merkle.leaf_hash(entry)
    if not merkle.verify_inclusion(proof.index, checkpoint.size, leaf, proof.path, checkpoint.root):
        raise NoteRejected("The proof does not lead from the entry to the root of the checkpoint.")
    return checkpoint


def parse_number(text: str, error: str) -> int:
    """Parse a decimal without leading zeroes. Raises `NoteRejected` with this message."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) > _MAX_SIZE:
        raise NoteRejected(error)
    return int(text)


def parse_hash(text: str) -> bytes:
    """Parse a hash in standard base64. Raises `NoteRejected`."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as why:
        raise NoteRejected("A hash is not base64.") from why
    if len(content) != merkle.HASH_BYTES or base64.b64encode(content).decode("ascii") != text:
        raise NoteRejected("A hash has not 32 bytes in plain base64.")
    return content
