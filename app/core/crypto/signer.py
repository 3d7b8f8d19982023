"""Sign JWS tokens with a private key file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from app.core.crypto import jws
from app.core.crypto.jwk import did_kid, short_kid, thumbprint
from app.core.crypto.jws import PrivateKey, PublicKey
from app.core.crypto.pem_files import load_or_create_key


class Signer(Protocol):
    """Whatever can sign in our name: a file today, a hardware module another day."""

    @property
    def kid(self) -> str: ...

    @property
    def public(self) -> PublicKey: ...

    def sign(self, payload: bytes | Mapping[str, Any], *, typ: str, short: bool = False) -> str:
        """A compact JWS with this key's `kid`, or with its short form, which only the stamp for paper carries."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class FileSigner:
    """Signer over a key file."""

    kid: str
    _key: PrivateKey

    @property
    def public(self) -> PublicKey:
        return self._key.public

    def sign(self, payload: bytes | Mapping[str, Any], *, typ: str, short: bool = False) -> str:
        return jws.sign(payload, typ=typ, kid=short_kid(self.kid) if short else self.kid, key=self._key)


def certificate_signer(path: Path, issuer: str) -> FileSigner:
    """The signer of certificates: `kid` is `<DID>#<thumbprint>`. Makes the key file on first use."""
    key = load_or_create_key(path)
    return FileSigner(did_kid(issuer, key.public), key)


def access_signer(path: Path) -> FileSigner:
    """The signer of access tokens, with a key of its own: `kid` is the bare thumbprint. Makes the file on first use."""
    key = load_or_create_key(path)
    return FileSigner(thumbprint(key.public), key)
