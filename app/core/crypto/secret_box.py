"""Encrypt secrets that must be read again, such as those of authenticators, before they are stored.

A copy of the database alone, such as a backup, then reveals none of them. AES-256-GCM under a key file of its own; the
owner's id is authenticated too, so that a value copied to another person's row does not decrypt.
"""

import base64
import secrets
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.crypto.pem_files import load_or_create_secret
from app.core.errors import MikError

KEY_FILE = "second-factors.key"
_NONCE_BYTES = 12


class DecryptionFailed(MikError):
    """The value does not decrypt under this key: the key file was exchanged, or the row was altered."""

    code = "unsealable"


class SecretBox:
    """Encrypt and decrypt secrets of one owner with AES-256-GCM."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def from_folder(cls, keys_dir: Path) -> "SecretBox":
        """Create the box from the key file in this folder, which is created on first use."""
        return cls(load_or_create_secret(keys_dir / KEY_FILE))

    def encrypt(self, secret: str, owner: UUID) -> str:
        """Encrypt a secret for one owner; base64."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), owner.bytes)).decode()

    def decrypt(self, encrypted: str, owner: UUID) -> str:
        """Decrypt a secret of this owner. Raises `DecryptionFailed`."""
        raw = base64.b64decode(encrypted)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.bytes).decode()
        except InvalidTag as why:
            raise DecryptionFailed("The secret cannot be opened with this key.") from why
