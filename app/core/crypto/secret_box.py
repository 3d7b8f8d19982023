"""Secrets that must be read again (those of authenticators) are sealed before they are stored.

A copy of the database alone, such as a backup, then makes nobody an approver. AES-256-GCM under a key file of its own;
the owner's id is bound in, so that one person's sealed secret is worth nothing in another's row.
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
    """A sealed secret that this key does not open: the key file was exchanged, or the row was tampered with."""

    code = "unsealable"


class SecretBox:
    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def from_folder(cls, keys_dir: Path) -> "SecretBox":
        """Over the key file in this folder; made on first use."""
        return cls(load_or_create_secret(keys_dir / KEY_FILE))

    def encrypt(self, secret: str, owner: UUID) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), owner.bytes)).decode()

    def decrypt(self, sealed: str, owner: UUID) -> str:
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.bytes).decode()
        except InvalidTag as why:
            raise DecryptionFailed("The secret cannot be opened with this key.") from why
