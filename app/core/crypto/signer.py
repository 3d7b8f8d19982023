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
    """A signing key of the issuer, in a file or in a hardware module."""

    @property
    def kid(self) -> str: ...

    @property
    def public(self) -> PublicKey: ...

    def sign(self, payload: bytes | Mapping[str, Any], *, typ: str, short: bool = False) -> str:
        """Return a compact JWS with this key's `kid`, or with its short form, which only QR tokens carry."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class FileSigner:
    """Sign with the private key of a file."""

    kid: str
    _key: PrivateKey

    @property
    def public(self) -> PublicKey:
        return self._key.public

    def sign(self, payload: bytes | Mapping[str, Any], *, typ: str, short: bool = False) -> str:
        return jws.sign(payload, typ=typ, kid=short_kid(self.kid) if short else self.kid, key=self._key)


def certificate_signer(path: Path, issuer: str) -> FileSigner:
    """Return the signer of certificates: `kid` is `<DID>#<thumbprint>`. Creates the key file on first use."""
    key = load_or_create_key(path)
    return FileSigner(did_kid(issuer, key.public), key)


def access_signer(path: Path) -> FileSigner:
    """Return the signer of access tokens: `kid` is the bare thumbprint. Creates the key file on first use."""
    key = load_or_create_key(path)
    return FileSigner(thumbprint(key.public), key)
