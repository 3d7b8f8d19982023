"""The body of an add-checkpoint request (C2SP tlog-witness 1.0.0), written and parsed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.transparency.checkpoint import parse_hash, parse_number
from app.transparency.signed_note import NoteRejected, encode_base64

SIZE_MEDIA_TYPE = "text/x.tlog.size"
TEXT_MEDIA_TYPE = "text/plain; charset=utf-8"
MAX_PROOF_LINES = 63
MAX_BODY_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A checkpoint (a signed note), and the proof that it extends the tree of `old` entries."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def body(self) -> bytes:
        return f"old {self.old}\n{_hash_lines(self.proof)}\n{self.note}".encode()


def _hash_lines(hashes: Sequence[bytes]) -> str:
    return "".join(f"{encode_base64(each)}\n" for each in hashes)


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """Parse a request; its note is not opened. Raises `NoteRejected`."""
    if len(body) > MAX_BODY_BYTES:
        raise NoteRejected(f"The request has more than {MAX_BODY_BYTES} bytes.")
    try:
        head, found, note = body.decode().partition("\n\n")
    except UnicodeDecodeError as why:
        raise NoteRejected("The request is not text in UTF-8.") from why
    first, *hashes = head.split("\n")
    if not found or not first.startswith("old "):
        raise NoteRejected("The request does not begin with the old size.")
    if len(hashes) > MAX_PROOF_LINES:
        raise NoteRejected(f"The proof has more than {MAX_PROOF_LINES} lines.")
    old = parse_number(first.removeprefix("old "), "The old size is not a number.")
    return AddCheckpoint(old, tuple(map(parse_hash, hashes)), note)


def parse_size(text: str) -> int:
    """Parse the body of a 409: the size that the witness cosigned last. Raises `NoteRejected`."""
    if not text.endswith("\n"):
        raise NoteRejected("The size does not end in a whole line.")
    return parse_number(text.removesuffix("\n"), "The answer has no size.")
