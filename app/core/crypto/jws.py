"""Sign and verify compact JSON Web Signatures, ES256 only. The only module that imports python-jose.

python-jose 3.5 accepts padded and re-encoded signatures, `crit` and other unknown header members, any `typ`, string
times, and signs under ES256 with a key of another curve. Therefore every byte of a token is checked here first, and
only jose's key objects are used: to sign, and for the `cryptography` key inside them, which verifies.

One content can have many token texts: ECDSA gives another signature each time, and (r, n-s) verifies wherever (r, s)
does. Never use a token's text as a key; `signed_hash` is the stable identifier of what was signed.
"""

import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from jose import jwk
from jose.backends.cryptography_backend import CryptographyECKey

from app.core import strict_json
from app.core.errors import MikError

ALG: Final = "ES256"
TYP_CREDENTIAL: Final = "vc+jwt"  # `typ` of certificates
TYP_ACCESS_TOKEN: Final = "at+jwt"  # noqa: S105 (a media type)
TYP_QR_TOKEN: Final = "stamp+jwt"  # noqa: S105 (a media type)
TYP_ANSWER_RANGE: Final = "range+jwt"
TYP_REGISTER: Final = "register+jwt"  # of a register of others
TYP_MANIFEST_RESULT: Final = "manifest-result+jwt"
MAX_TOKEN_CHARS: Final = 65_536
MAX_ACCESS_SECONDS: Final = 15 * 60
_ISSUED_AHEAD_SECONDS: Final = 30  # tolerated clock difference for `iat`; expiry has no tolerance
_MAX_HEADER_CHARS: Final = 1_024
_HEADER_MEMBERS: Final = frozenset({"alg", "typ", "kid"})
_SIGNATURE_BYTES: Final = 64  # R || S, never DER
_COORDINATE_BYTES: Final = 32
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_ECDSA_PREHASHED = ec.ECDSA(Prehashed(hashes.SHA256()))
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")


class RejectionReason(StrEnum):
    """Why a token is rejected: for logs and verification results, not for the sender of the token."""

    TYPE = "not-a-string"
    SIZE = "too-long"
    ASCII = "not-ascii"
    SEGMENTS = "not-three-segments"
    BASE64 = "not-canonical-base64url"
    HEADER = "header-not-as-required"
    ALG = "alg-not-es256"
    TYP = "typ-not-as-asked"
    KID = "kid-unknown"
    SIGNATURE_FORM = "signature-not-64-bytes"
    SIGNATURE = "signature-wrong"
    PAYLOAD = "payload-not-strict-json"
    CLAIMS = "claims-not-as-required"
    EXPIRED = "expired"


class TokenRejected(MikError):
    """The single exception for a token that is not accepted, whatever the cause."""

    code = "token-refused"

    def __init__(self, reason: RejectionReason) -> None:
        super().__init__(f"The token is refused: {reason.replace('-', ' ')}.")
        self.reason = reason


class UnusableKey(MikError):
    """The key is damaged or not on the curve P-256."""

    code = "unusable-key"


def require_cryptography_backend() -> None:
    """Reject the pure Python backend: it is 34 times slower and not constant in time. Called on import."""
    if jwk.get_key(ALG) is not CryptographyECKey:
        raise RuntimeError("python-jose does not use the `cryptography` backend: install python-jose[cryptography]")


require_cryptography_backend()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A P-256 public key, parsed once and ready to verify. `x` and `y` are 43 characters of base64url each."""

    x: str
    y: str
    _key: Any = field(compare=False)  # derived from `x` and `y`; key objects do not compare equal

    @classmethod
    def from_coordinates(cls, x: str, y: str) -> "PublicKey":
        """Build a key from the members of a JWK. Raises `UnusableKey` when not canonical or not on the curve."""
        try:
            if (
                len(raw_x := _decode_base64url(x)) != _COORDINATE_BYTES
                or len(raw_y := _decode_base64url(y)) != _COORDINATE_BYTES
            ):
                raise UnusableKey("The coordinates of a P-256 key have 32 bytes each.")
            numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(raw_x), int.from_bytes(raw_y), ec.SECP256R1())
            return cls(x, y, jwk.construct(numbers.public_key(), ALG))
        except (ValueError, TokenRejected) as error:
            raise UnusableKey("The coordinates are not those of a point on P-256.") from error

    @classmethod
    def _from_key(cls, key: ec.EllipticCurvePublicKey) -> "PublicKey":
        numbers = key.public_numbers()
        x, y = (encode_base64url(n.to_bytes(_COORDINATE_BYTES)) for n in (numbers.x, numbers.y))
        return cls(x, y, jwk.construct(key, ALG))


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A P-256 private key, parsed once and ready to sign. Its repr reveals nothing."""

    public: PublicKey
    _key: Any

    @classmethod
    def from_pem(cls, pem: bytes) -> "PrivateKey":
        """Build a key from unencrypted PEM. Raises `UnusableKey` for anything but a P-256 private key."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise UnusableKey("This is not an unencrypted private key in PEM form.") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise UnusableKey("The key is not on the curve P-256, which ES256 requires.")
        return cls(PublicKey._from_key(key.public_key()), jwk.construct(key, ALG))  # noqa: SLF001 (one module, one secret)


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token with valid format and signature; its claims are not evaluated."""

    header: Mapping[str, str]
    payload: Mapping[str, Any]
    signed_hash: str  # lower-case hex SHA-256 of the ASCII `header.payload`

    @property
    def kid(self) -> str:
        return self.header["kid"]


@dataclass(frozen=True, slots=True)
class SignatureResult:
    """A token with valid header and signature; its payload was not parsed."""

    kid: str
    hash: bytes  # SHA-256 of the ASCII `header.payload`, 32 bytes


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """Claims of an access token; times in whole seconds since 1970."""

    sub: str
    jti: str
    iat: int
    exp: int
    claims: Mapping[str, Any]


def sign(payload: bytes | Mapping[str, Any], *, typ: str, kid: str, key: PrivateKey) -> str:
    """Return a compact JWS over the payload. Bytes are signed as they are, a mapping as compact UTF-8 JSON.

    Raises ValueError for a payload that `verify` would reject, so that every signed token can be verified.
    """
    body = payload if isinstance(payload, bytes) else dump_json(payload)
    if not isinstance(strict_json.loads(body), dict):
        raise ValueError("the payload is not a JSON object")  # noqa: TRY004 (the type is right, its content is not)
    header = dump_json({"alg": ALG, "kid": kid, "typ": typ})
    signed = f"{encode_base64url(header)}.{encode_base64url(body)}"
    token = f"{signed}.{encode_base64url(key._key.sign(signed.encode('ascii')))}"  # noqa: SLF001 (one module, one secret)
    if len(token) > MAX_TOKEN_CHARS:
        raise ValueError(f"the token would be longer than {MAX_TOKEN_CHARS} characters")
    return token


def verify(token: object, *, typ: str, keys: Mapping[str, PublicKey]) -> VerifiedToken:
    """Check format, header and signature of a token against the service's keys by `kid`.

    The payload is parsed only after the signature was verified. Raises only `TokenRejected`.
    """
    header, key, text = _parse_token(token, typ, keys)
    signed, _, signature = text.rpartition(".")
    raw, body = _decode_base64url(signature), _decode_base64url(signed.partition(".")[2])
    digest = _verify_with_key(key, signed, raw)
    return VerifiedToken(header, _parse_object(body, RejectionReason.PAYLOAD), digest.hex())


def verify_signature(token: object, *, typ: str, keys: Mapping[str, PublicKey]) -> SignatureResult:
    """Verify without parsing the payload, for callers that identify it by its hash. Raises only `TokenRejected`."""
    header, key, text = _parse_token(token, typ, keys)
    signed, _, signature = text.rpartition(".")
    return SignatureResult(header["kid"], _verify_with_key(key, signed, _decode_base64url(signature)))


def _parse_token(token: object, typ: str, keys: Mapping[str, PublicKey]) -> tuple[Mapping[str, str], PublicKey, str]:
    """Return the header, the key that it names, and the token as a text of three segments."""
    if not isinstance(token, str):
        raise TokenRejected(RejectionReason.TYPE)
    if len(token) > MAX_TOKEN_CHARS:
        raise TokenRejected(RejectionReason.SIZE)
    if not token.isascii():
        raise TokenRejected(RejectionReason.ASCII)
    if token.count(".") != 2:
        raise TokenRejected(RejectionReason.SEGMENTS)
    header = _parse_header(token[: token.index(".")], typ)
    key = keys.get(header["kid"])
    if key is None:
        raise TokenRejected(RejectionReason.KID)
    return header, key, token


def _verify_with_key(key: PublicKey, signed: str, signature: bytes) -> bytes:
    """Verify the signature and return the SHA-256 of `header.payload`.

    jose's `verify` would hash the text a second time: three kilobytes for a certificate.
    """
    if len(signature) != _SIGNATURE_BYTES:
        raise TokenRejected(RejectionReason.SIGNATURE_FORM)
    digest = hashlib.sha256(signed.encode("ascii")).digest()
    r, s = int.from_bytes(signature[:_COORDINATE_BYTES]), int.from_bytes(signature[_COORDINATE_BYTES:])
    try:
        key._key.prepared_key.verify(encode_dss_signature(r, s), digest, _ECDSA_PREHASHED)  # noqa: SLF001 (one module, one secret)
    except InvalidSignature:
        raise TokenRejected(RejectionReason.SIGNATURE) from None
    return digest


def signed_hash(token: str) -> str:
    """Hash the ASCII `header.payload`, lower-case hex SHA-256; equal for every signature over one content."""
    return hashlib.sha256(token.rpartition(".")[0].encode("ascii")).hexdigest()


def verify_access_token(
    token: object, *, keys: Mapping[str, PublicKey], issuer: str, audience: str, now: datetime
) -> AccessClaims:
    """Check an access token: signature, exact `iss` and `aud`, `sub`, `jti`, whole-second times, at most 15 minutes.

    `now` must be aware. Raises only `TokenRejected`.
    """
    claims = verify(token, typ=TYP_ACCESS_TOKEN, keys=keys).payload
    sub, jti, iat, exp = (claims.get(name) for name in ("sub", "jti", "iat", "exp"))
    # A list that contains the audience is rejected too: these tokens have one recipient.
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        raise TokenRejected(RejectionReason.CLAIMS)
    if not (isinstance(sub, str) and sub and isinstance(jti, str) and jti):
        raise TokenRejected(RejectionReason.CLAIMS)
    # `type(…) is int`: True is also an int, and 1e9 or "1" must not be converted.
    if type(iat) is not int or type(exp) is not int or not 0 < exp - iat <= MAX_ACCESS_SECONDS:
        raise TokenRejected(RejectionReason.CLAIMS)
    seconds = now.timestamp()
    if iat > seconds + _ISSUED_AHEAD_SECONDS:
        raise TokenRejected(RejectionReason.CLAIMS)
    if seconds >= exp:
        raise TokenRejected(RejectionReason.EXPIRED)
    return AccessClaims(sub, jti, iat, exp, claims)


def dump_json(value: Any) -> bytes:
    """Encode compact UTF-8 JSON in the given order. Raises ValueError for NaN, Infinity and lone surrogates."""
    return _ENCODER.encode(value).encode("utf-8")


@lru_cache(64)  # the service issues few distinct headers; rejections are not cached
def _parse_header(segment: str, typ: str) -> Mapping[str, str]:
    if len(segment) > _MAX_HEADER_CHARS:
        raise TokenRejected(RejectionReason.HEADER)
    header = _parse_object(_decode_base64url(segment), RejectionReason.HEADER)
    if header.keys() != _HEADER_MEMBERS or not all(isinstance(value, str) for value in header.values()):
        raise TokenRejected(RejectionReason.HEADER)
    if header["alg"] != ALG:
        raise TokenRejected(RejectionReason.ALG)
    if header["typ"] != typ:
        raise TokenRejected(RejectionReason.TYP)
    return MappingProxyType(header)  # shared by all tokens with these bytes


def _parse_object(data: bytes, reason: RejectionReason) -> dict[str, Any]:
    try:
        value = strict_json.loads(data)
    except ValueError:
        raise TokenRejected(reason) from None
    if not isinstance(value, dict):
        raise TokenRejected(reason)
    return value


def _decode_base64url(segment: str) -> bytes:
    """Decode canonical unpadded base64url. Encoding the result again must give the same text.

    That one comparison rejects padding, foreign characters and non-zero trailing bits.
    """
    try:
        raw = binascii.a2b_base64(segment.encode("ascii").translate(_FROM_URL) + b"=" * (-len(segment) % 4))
    except (binascii.Error, UnicodeEncodeError):
        raise TokenRejected(RejectionReason.BASE64) from None
    if encode_base64url(raw) != segment:
        raise TokenRejected(RejectionReason.BASE64)
    return raw


def payload_bytes(token: str) -> bytes:
    """Return the payload of a verified token as it was signed, byte for byte."""
    return _decode_base64url(token.split(".")[1])


def encode_base64url(raw: bytes) -> str:
    """Encode unpadded base64url (RFC 7515 §2)."""
    return binascii.b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")
