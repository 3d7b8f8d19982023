"""Cosignatures of witnesses (C2SP tlog-cosignature 1.0.1): Ed25519 (kind 0x04) and ML-DSA-44 (kind 0x06). Pure.

A witness states: at this time, this was the largest tree of this log that I have seen, and it only grew. What its key
signs is not the note itself, so that no cosignature can be taken for a signature of a log.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from app.transparency.checkpoint import parse_checkpoint
from app.transparency.signed_note import (
    NoteRejected,
    SignatureLine,
    encode_base64,
    is_key_name,
    split_vkey,
)

MAX_TIME = (1 << 63) - 1
_TIME_BYTES = 8
_MAX_NAME_BYTES = 255
_LABEL = b"subtree/v1\n\x00"


class CosignatureKind(IntEnum):
    """The byte that precedes a key in its key id and vkey."""

    ED25519 = 0x04
    ML_DSA_44 = 0x06


_KEY_BYTES = {CosignatureKind.ED25519: 32, CosignatureKind.ML_DSA_44: 1_312}
_SIGNATURE_BYTES = {CosignatureKind.ED25519: 64, CosignatureKind.ML_DSA_44: 2_420}


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """The public key of a witness, with its name."""

    name: str
    kind: CosignatureKind
    public: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise ValueError("The name of a witness key has no blanks and no plus sign.")
        if self.kind is CosignatureKind.ML_DSA_44 and len(self.name.encode()) > _MAX_NAME_BYTES:
            raise ValueError(f"The name of an ML-DSA-44 key has at most {_MAX_NAME_BYTES} bytes.")
        if len(self.public) != _KEY_BYTES[self.kind]:
            raise ValueError(f"A witness key of this kind has {_KEY_BYTES[self.kind]} bytes.")

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as text: name, key id, kind and key."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(bytes([self.kind]) + self.public)}"

    def has_signed(self, line: SignatureLine) -> bool:
        """Whether the line names this key; its signature is not verified."""
        return (line.name, line.key_id) == (self.name, self.key_id)

    def verify(self, text: str, line: SignatureLine) -> int:
        """Return the time (POSIX) at which this key cosigned the checkpoint with this text. Raises `NoteRejected`."""
        time = int.from_bytes(line.signature[:_TIME_BYTES], "big")
        signature = line.signature[_TIME_BYTES:]
        if not self.has_signed(line) or len(signature) != _SIGNATURE_BYTES[self.kind] or time > MAX_TIME:
            raise NoteRejected(f"This is not a cosignature of {self.name}.")
        message = _message(self.kind, self.name, text, time)
        try:
            if self.kind is CosignatureKind.ED25519:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
            else:
                MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature as why:
            raise NoteRejected(f"The cosignature of {self.name} is wrong.") from why
        return time


@dataclass(frozen=True, repr=False)
class Cosigner:
    """The private key of a witness, with its name."""

    name: str
    _key: Ed25519PrivateKey | MLDSA44PrivateKey

    @cached_property
    def verifier(self) -> CosignatureVerifier:
        is_ed25519 = isinstance(self._key, Ed25519PrivateKey)
        kind = CosignatureKind.ED25519 if is_ed25519 else CosignatureKind.ML_DSA_44
        return CosignatureVerifier(self.name, kind, self._key.public_key().public_bytes_raw())

    def cosign(self, text: str, time: int) -> SignatureLine:
        """Cosign the text of a checkpoint at this time. Whoever calls this has verified that the log only grew."""
        if not 0 < time <= MAX_TIME:
            raise ValueError("a cosignature has a POSIX time")
        signature = self._key.sign(_message(self.verifier.kind, self.name, text, time))
        return SignatureLine(self.name, self.verifier.key_id, time.to_bytes(_TIME_BYTES, "big") + signature)


def parse_cosignature_vkey(text: str) -> CosignatureVerifier:
    """Parse the verifier key of a witness. Raises `NoteRejected`, also when the key id does not match."""
    name, key_id, content = split_vkey(text)
    try:
        verifier = CosignatureVerifier(name, CosignatureKind(content[0] if content else 0), content[1:])
    except ValueError as why:
        raise NoteRejected("This is not a key of a witness: kind 0x04 (Ed25519) or 0x06 (ML-DSA-44).") from why
    if verifier.key_id.hex() != key_id:
        raise NoteRejected("The key id does not belong to the verifier key.")
    return verifier


def _message(kind: CosignatureKind, name: str, text: str, time: int) -> bytes:
    """What is signed. ML-DSA-44 commits to the name of the witness, and not to extension lines."""
    checkpoint = parse_checkpoint(text)
    if kind is CosignatureKind.ED25519:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    origin = checkpoint.origin.encode()
    if len(origin) > _MAX_NAME_BYTES:
        raise NoteRejected(f"The name of the log has more than {_MAX_NAME_BYTES} bytes.")
    return b"".join(
        (
            _LABEL,
            _prefixed(name.encode()),
            time.to_bytes(8, "big"),
            _prefixed(origin),
            bytes(8),  # from the first entry
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _prefixed(content: bytes) -> bytes:
    return bytes([len(content)]) + content
