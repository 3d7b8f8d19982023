"""Sign and verify notes, and parse verifier keys (C2SP signed-note v1.0.0), Ed25519 only. Pure.

A note is a text that ends in a line feed, an empty line, and lines `— <name> <base64 of key id and signature>`.
Signatures of other keys, such as those of witnesses, are ignored; the key given by the caller must have signed.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519 = b"\x01"
_DASH = "— "
_KEY_ID_BYTES = 4
_MAX_NOTE_CHARS = 1_000_000
_MAX_SIGNATURES = 100
_NAME = re.compile(r"[^\s+]{1,500}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class NoteRejected(ValueError):
    """The text is not a valid signed note; the message states the fault."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name."""

    name: str
    public: bytes  # 32 bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("The name of a log key has no blanks and no plus sign.")
        if len(self.public) != 32:
            raise ValueError("An Ed25519 key has 32 bytes.")

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """Return the key as text: `<name>+<key id>+<base64 of type and key>`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_ED25519 + self.public)}"

    def is_valid_signature(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, repr=False)
class NoteSigner:
    """A private key with its name."""

    name: str
    _key: Ed25519PrivateKey

    @cached_property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self._key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the note: text, empty line, one signature. Deterministic, as Ed25519 is. Raises `NoteRejected`."""
        _require_valid_text(text)
        signed = encode_base64(self.verifier.key_id + self._key.sign(text.encode()))
        return f"{text}\n{_DASH}{self.name} {signed}\n"


def parse_vkey(text: str) -> Verifier:
    """Parse a verifier key. Raises `NoteRejected`, also when the key id does not match name and key."""
    name, key_id, content = split_vkey(text)
    try:
        verifier = Verifier(name, content[1:])
    except ValueError as why:
        raise NoteRejected("This is not a verifier key.") from why
    if content[:1] != _ED25519:
        raise NoteRejected("The verifier key is not of the kind Ed25519.")
    if verifier.key_id.hex() != key_id:
        raise NoteRejected("The key id does not belong to the verifier key.")
    return verifier


def split_vkey(text: str) -> tuple[str, str, bytes]:
    """Return name, key id in hex, and the key behind the byte of its kind. Raises `NoteRejected`."""
    name, _, rest = text.partition("+")
    key_id, _, key = rest.partition("+")
    try:
        return name, key_id, decode_base64(key)
    except ValueError as why:
        raise NoteRejected("This is not a verifier key.") from why


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature of a note: the name of its key, the id of its key, and what follows the id."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def text(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}\n"


def open_note(note: str, verifier: Verifier) -> str:
    """Return the text of a note that this key signed. Raises `NoteRejected`."""
    text, signatures = split_note(note)
    is_signed = False
    for line in signatures:
        if (line.name, line.key_id) != (verifier.name, verifier.key_id):
            continue
        if not verifier.is_valid_signature(text, line.signature):
            raise NoteRejected(f"The signature of {verifier.name} is wrong.")
        is_signed = True
    if not is_signed:
        raise NoteRejected(f"The note is not signed by {verifier.name}.")
    return text


def split_note(note: str) -> tuple[str, tuple[SignatureLine, ...]]:
    """Return the text of a note and its signatures, none of them verified. Raises `NoteRejected`."""
    if len(note) > _MAX_NOTE_CHARS or not note.endswith("\n"):
        raise NoteRejected("This is not a signed note: it does not end in a whole line.")
    text, found, lines = note.rpartition(f"\n\n{_DASH}")
    if not found:
        raise NoteRejected("This is not a signed note: it has no signatures.")
    text += "\n"
    _require_valid_text(text)
    return text, parse_signature_lines(_DASH + lines)


def parse_signature_lines(text: str) -> tuple[SignatureLine, ...]:
    """Parse lines of signatures, each whole. Raises `NoteRejected`."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise NoteRejected("The note has too many signatures.")
    return tuple(map(_parse_signature, lines))


def _parse_signature(line: str) -> SignatureLine:
    name, _, content = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not _NAME.fullmatch(name):
        raise NoteRejected("A signature line of the note is malformed.")
    try:
        signed = decode_base64(content)
    except ValueError as why:
        raise NoteRejected("A signature line of the note is malformed.") from why
    if len(signed) <= _KEY_ID_BYTES:
        raise NoteRejected("A signature line of the note is malformed.")
    return SignatureLine(name, signed[:_KEY_ID_BYTES], signed[_KEY_ID_BYTES:])


def _require_valid_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as why:
        raise NoteRejected("The text of a note is Unicode without lone surrogates.") from why
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteRejected("The text of a note ends in a line feed and has no other control characters.")


def is_key_name(text: str) -> bool:
    """Whether a key may have this name: Unicode without blanks and plus sign."""
    return _NAME.fullmatch(text) is not None and not _SURROGATE.search(text)


def encode_base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Decode canonical base64 with padding. Raises ValueError for any other spelling."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as why:
        raise ValueError("not base64") from why
    if encode_base64(content) != text:
        raise ValueError("not the canonical base64")
    return content
