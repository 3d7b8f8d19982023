"""Signing keys: their files, their public faces, their states, and the Signer that hides where a key lives."""

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app import jws, strict_json
from app.core.files import write_once
from app.errors import UnsafeToStart
from app.jws import PrivateKey, PublicKey, UnusableKey

_MAX_KEY_FILE_BYTES = 16_384
_MAX_JWKS_BYTES = 1_048_576
_SECRET_BYTES = 32
SHORT_KID_CHARS = 8


class UnsafeKeyFile(UnsafeToStart):
    """A key file that must not be used; the message names it and says what to do."""

    code = "unsafe-key-file"


class KeyState(StrEnum):
    NEXT = "next"  # published so that everybody knows it before its first use; the owner acts next
    ACTIVE = "active"  # signs
    RETIRED = "retired"  # signs no more; what it signed stays good
    COMPROMISED = "compromised"  # others may hold it: what it signed is good only if it is known to be older


class KeyAction(StrEnum):
    ACTIVATE = "activate"
    RETIRE = "retire"
    COMPROMISE = "compromise"


KEY_MOVES: Mapping[tuple[KeyState, KeyAction], KeyState] = MappingProxyType(
    {
        (KeyState.NEXT, KeyAction.ACTIVATE): KeyState.ACTIVE,
        (KeyState.ACTIVE, KeyAction.RETIRE): KeyState.RETIRED,
        (KeyState.NEXT, KeyAction.COMPROMISE): KeyState.COMPROMISED,
        (KeyState.ACTIVE, KeyAction.COMPROMISE): KeyState.COMPROMISED,
        (KeyState.RETIRED, KeyAction.COMPROMISE): KeyState.COMPROMISED,
    }
)
PUBLISHED_STATES = frozenset({KeyState.NEXT, KeyState.ACTIVE, KeyState.RETIRED})  # what the JWKS shows


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A public key of ours with its state; `since` is aware, the moment of its last change of state."""

    kid: str
    public: PublicKey
    state: KeyState
    since: datetime


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Our public keys by `kid`: `known` with their states, `signing` those that have or may have signed certificates,
    `every` with those that will."""

    known: Mapping[str, KnownKey]
    signing: Mapping[str, PublicKey]
    every: Mapping[str, PublicKey]

    @classmethod
    def of(cls, keys: Iterable[KnownKey]) -> "KeyRing":
        known = {key.kid: key for key in keys}
        # A key that is still `next` has signed nothing; a compromised one did, and its dates decide.
        signing = {kid: key.public for kid, key in known.items() if key.state is not KeyState.NEXT}
        every = {kid: key.public for kid, key in known.items()}
        return cls(MappingProxyType(known), MappingProxyType(signing), MappingProxyType(every))

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """What the world may trust: everything but compromised keys."""
        return jwks({kid: key.public for kid, key in self.known.items() if key.state in PUBLISHED_STATES})


def did_document(issuer: str, ring: KeyRing) -> dict[str, Any]:
    """Who the issuer is (did:web), and with which keys it vouches.

    `assertionMethod` has the keys that sign, signed or will sign: a reader who keeps the document for a while must
    have a key before its first use. A compromised key is described, so that old texts can be looked into, and no more.
    `kid` of each key is the thumbprint, the fragment of its `id`; the `id` is the `kid` of header and JWKS.
    """
    methods = []
    for kid, key in ring.known.items():
        jwk = public_jwk(key.public, kid.rpartition("#")[2])
        del jwk["use"]  # what a key is for stands in the document
        methods.append({"id": kid, "type": "JsonWebKey", "controller": issuer, "publicKeyJwk": jwk})
    vouching = [kid for kid, key in ring.known.items() if key.state in PUBLISHED_STATES]
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": issuer,
        "verificationMethod": methods,
        "assertionMethod": vouching,
    }


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
    key = load_or_create(path)
    return FileSigner(did_kid(issuer, key.public), key)


def access_signer(path: Path) -> FileSigner:
    """The signer of access tokens, with a key of its own: `kid` is the bare thumbprint. Makes the file on first use."""
    key = load_or_create(path)
    return FileSigner(thumbprint(key.public), key)


def load_or_create(path: Path) -> PrivateKey:
    """The key in this file; made now where there is none. Workers that start at once all get the same key."""
    try:
        return load(path)
    except FileNotFoundError:
        write_private(path, create_private_key()[1])
        return load(path)


def load_or_create_secret(path: Path) -> bytes:
    """The 32 random bytes in this file, for what is sealed in the database; made on first use like the other keys."""
    try:
        return load_secret(path)
    except FileNotFoundError:
        write_private(path, secrets.token_hex(_SECRET_BYTES).encode())
        return load_secret(path)


def load_secret(path: Path) -> bytes:
    """The same without making one. Raises FileNotFoundError, or UnsafeKeyFile for a wrong mode or content."""
    text = read_private(path)
    try:
        secret = bytes.fromhex(text.decode("ascii"))
    except ValueError as error:
        raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold a secret of ours.") from error
    if len(secret) != _SECRET_BYTES:
        raise UnsafeKeyFile(f"The key file {path} is refused. It does not hold {_SECRET_BYTES} bytes.")
    return secret


def load(path: Path) -> PrivateKey:
    """The P-256 key in this file. Raises FileNotFoundError, or UnsafeKeyFile where its mode or content is not right."""
    pem = read_private(path)
    try:
        return PrivateKey.from_pem(pem)
    except UnusableKey as error:
        raise UnsafeKeyFile(f"The key file {path} is refused. {error.message}") from error


def read_private(path: Path) -> bytes:
    """The content of a file that nobody but its owner may use."""
    try:
        # One descriptor for look and read: the file cannot be exchanged in between. NONBLOCK: a pipe must not hang us.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnsafeKeyFile(f"The key file {path} cannot be read: {error.strerror}.") from error
    try:
        status = os.fstat(descriptor)
        mode = stat.S_IMODE(status.st_mode)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeKeyFile(f"The key file {path} is not a regular file.")
        if mode & 0o077:
            raise UnsafeKeyFile(
                f"The key file {path} has mode {mode:04o}: others than its owner may use it. Run: chmod 600 {path}"
            )
        return os.read(descriptor, _MAX_KEY_FILE_BYTES)
    finally:
        os.close(descriptor)


def create_private_key() -> tuple[PrivateKey, bytes]:
    """A new P-256 key, and its PEM text for a key file."""
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(encoding, form, serialization.NoEncryption())
    return PrivateKey.from_pem(pem), pem


def write_private(path: Path, content: bytes) -> None:
    """Write a new key file; where there is one already, it stays. Losing that race is fine: the key of the loser has
    signed nothing."""
    try:
        write_once(path, content)
    except OSError as error:
        raise UnsafeKeyFile(f"No key file can be made at {path}: {error.strerror}.") from error


def thumbprint(key: PublicKey) -> str:
    """RFC 7638 thumbprint: base64url of SHA-256 over the required members in alphabetical order, without spaces."""
    members = jws.dump_json({"crv": "P-256", "kty": "EC", "x": key.x, "y": key.y})
    return jws.base64url(hashlib.sha256(members).digest())


def did_kid(issuer: str, key: PublicKey) -> str:
    """The `kid` of a certificate key: `<DID>#<thumbprint>`, the same text in header, JWKS and DID document."""
    return f"{issuer}#{thumbprint(key)}"


def short_kid(kid: str) -> str:
    """First 8 characters of the thumbprint: enough to tell our own few keys apart where every character counts."""
    return kid.rpartition("#")[2][:SHORT_KID_CHARS]


def public_jwk(key: PublicKey, kid: str) -> dict[str, str]:
    """The public JWK (RFC 7517); the private member `d` cannot appear, since it is not read."""
    return {"kty": "EC", "crv": "P-256", "x": key.x, "y": key.y, "alg": jws.ALG, "use": "sig", "kid": kid}


def jwks(keys: Mapping[str, PublicKey]) -> dict[str, list[dict[str, str]]]:
    """The JWKS document of these keys by `kid` (`application/jwk-set+json`)."""
    return {"keys": [public_jwk(key, kid) for kid, key in keys.items()]}


def from_jwk(member: object) -> tuple[str, PublicKey]:
    """`kid` and key of a public P-256 JWK. Raises UnusableKey, also where the private half is in it."""
    if not isinstance(member, Mapping):
        raise UnusableKey("A key of a JWKS is an object.")
    kid, x, y = (member.get(name) for name in ("kid", "x", "y"))
    if "d" in member:
        raise UnusableKey("This JWKS shows a private key: it must be treated as compromised.")
    if member.get("kty") != "EC" or member.get("crv") != "P-256" or member.get("alg", jws.ALG) != jws.ALG:
        raise UnusableKey("The key is not an ES256 key on the curve P-256.")
    if not (isinstance(kid, str) and kid and isinstance(x, str) and isinstance(y, str)):
        raise UnusableKey("The key lacks kid, x or y.")
    return kid, PublicKey.from_coordinates(x, y)


def read_jwks(document: bytes) -> dict[str, PublicKey]:
    """The ES256 keys of a JWKS document, by `kid`. Keys of other kinds are passed over, as RFC 7517 §5 asks.

    Raises UnusableKey where the document is not a JWKS, names a `kid` twice or holds a damaged or private key.
    """
    try:
        content = strict_json.loads(document) if len(document) <= _MAX_JWKS_BYTES else None
    except ValueError as error:
        raise UnusableKey("The key file is not JSON.") from error
    members = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(members, list):
        raise UnusableKey("The key file is not a JWKS: it has no list `keys`.")
    keys: dict[str, PublicKey] = {}
    for member in members:
        if isinstance(member, dict) and (member.get("kty"), member.get("crv")) != ("EC", "P-256"):
            continue
        kid, key = from_jwk(member)
        if kid in keys:
            raise UnusableKey("The key file names a kid twice.")
        keys[kid] = key
    return keys
