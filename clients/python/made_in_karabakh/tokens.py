"""Verify certificates from their tokens alone, with the issuer's published keys and status lists.

Unknown is never yes: without a status list that is signed, current and of the same issuer there is no verdict. What
only the public log can tell (a compromised key, a certificate that was signed anew) is told by `mik verify --offline`
with a bundle, and by the service.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from made_in_karabakh.errors import MikClientError

MAX_TOKEN_CHARS: Final = 65_536
MAX_LIST_BYTES: Final = 4_194_304
MIN_LIST_BYTES: Final = 16_384  # the standard's minimum of 131,072 entries
MAX_CLOCK_SKEW: Final = timedelta(minutes=5)
CREDENTIAL: Final = "vc+jwt"
STAMP: Final = "stamp+jwt"
SHORT_KID: Final = 8
"""Characters of the thumbprint by which a QR token names its key."""
FALLBACK_DAYS: Final = 4  # a list never lives longer

Verdict = Literal["valid", "revoked", "suspended", "expired", "not_yet_valid"]


class TokenRejected(MikClientError):
    """The token is none of this issuer, or was changed: do not rely on it."""


class UnknownKey(TokenRejected):
    """The keys do not contain the one that it names. Fetch them again; a compromised key is withdrawn."""


class StatusUnknown(MikClientError):
    """The token is genuine, but no status list that can be relied on says whether it still holds."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A genuine token: who signed it, and what it says."""

    kid: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VerifiedCertificate:
    """A genuine certificate with its verdict.

    `revoked` also covers surrendered and superseded. `as_of` is the moment of the older status list: what happened
    later is not seen.
    """

    number: str
    verdict: Verdict
    as_of: datetime
    valid_from: datetime
    valid_until: datetime
    payload: Mapping[str, Any]


class TokenVerifier:
    """Verify tokens of one issuer.

    `issuer` is its DID, which you know from elsewhere than the token. `jwks` is `/.well-known/jwks.json`.
    `find_status_list` returns the token of a list by its address, from a cache or the network, None without one.
    """

    def __init__(
        self, issuer: str, jwks: Mapping[str, Any], find_status_list: Callable[[str], str | None] = lambda _url: None
    ) -> None:
        self._issuer, self._find = issuer, find_status_list
        self._keys = {
            kid: _public_key(key)
            for key in jwks["keys"]
            if (kid := str(key.get("kid", ""))).partition("#")[0] == issuer and key.get("crv") == "P-256"
        }

    def certificate(self, token: str, now: datetime) -> VerifiedCertificate:
        """Verify the token of a certificate. `now` is aware. Raises `TokenRejected` or `StatusUnknown`."""
        verified = self._verified(token, CREDENTIAL, self._keys)
        payload = verified.payload
        try:
            if {"vc", "vp"} & payload.keys() or _issuer_of(payload) != self._issuer:
                raise TokenRejected("It is not a certificate of this issuer.")
            number = payload["credentialSubject"]["number"]
            first, last = _moment(payload["validFrom"]), _moment(payload["validUntil"])
            entries = [_entry(each) for each in payload["credentialStatus"]]
        except (KeyError, TypeError, ValueError, AttributeError) as why:
            raise TokenRejected("It is signed, but it is not a certificate.") from why
        if not isinstance(number, str) or sorted(purpose for purpose, _, _ in entries) != ["revocation", "suspension"]:
            raise TokenRejected("It is signed, but it is not a certificate.")
        found = {purpose: self._is_set(purpose, url, index, now) for purpose, url, index in entries}
        as_of = min(moment for _, moment in found.values())
        return VerifiedCertificate(
            number,
            "revoked"
            if found["revocation"][0]
            else "expired"
            if now > last
            else "suspended"
            if found["suspension"][0]
            else "not_yet_valid"
            if now < first
            else "valid",
            as_of,
            first,
            last,
            payload,
        )

    def stamp(self, token: str) -> VerifiedToken:
        """Verify the token of a QR code: what was certified, not whether it still holds. Raises `TokenRejected`."""
        short = {kid.partition("#")[2][:SHORT_KID]: key for kid, key in self._keys.items()}
        return self._verified(token, STAMP, short)

    def _verified(self, token: str, typ: str, keys: Mapping[str, ec.EllipticCurvePublicKey]) -> VerifiedToken:
        if not isinstance(token, str) or len(token) > MAX_TOKEN_CHARS or token.count(".") != 2:
            raise TokenRejected("This is not a signed token.")
        first, second, third = token.split(".")
        header = _object(first)
        if header.keys() != {"alg", "typ", "kid"} or (header["alg"], header["typ"]) != ("ES256", typ):
            raise TokenRejected(f"This is not a token of the kind {typ}.")
        key = keys.get(str(header["kid"]))
        if key is None:
            raise UnknownKey("The keys do not contain the one that signed this token. Fetch them again.")
        signature = _bytes(third)
        if len(signature) != 64:
            raise TokenRejected("The signature is wrong.")
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        try:
            key.verify(der, f"{first}.{second}".encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise TokenRejected("The signature is wrong.") from None
        return VerifiedToken(str(header["kid"]), _object(second))

    def _is_set(self, purpose: str, url: str, index: int, now: datetime) -> tuple[bool, datetime]:
        """Return the bit of a list, and the moment when the list was signed."""
        token = self._find(url)
        if token is None:
            raise StatusUnknown(f"There is no status list for {purpose}: {url}")
        try:
            payload = self._verified(token, CREDENTIAL, self._keys).payload
            subject, types = payload["credentialSubject"], payload["type"]
            signed, until = _moment(payload["validFrom"]), _moment(payload["validUntil"])
            is_this = (
                (payload["id"], _issuer_of(payload), subject["statusPurpose"]) == (url, self._issuer, purpose)
                and subject["type"] == "BitstringStatusList"
                and "BitstringStatusListCredential" in types
            )
            bits = _bits(subject["encodedList"])
        except (TokenRejected, KeyError, TypeError, ValueError, AttributeError, zlib.error) as why:
            raise StatusUnknown(f"The status list for {purpose} cannot be relied on: {why}") from why
        if not is_this or index >= len(bits) * 8:
            raise StatusUnknown(f"The status list for {purpose} is another list.")
        if signed > now + MAX_CLOCK_SKEW or now > until or until - signed > timedelta(days=FALLBACK_DAYS, hours=1):
            raise StatusUnknown(f"The status list for {purpose} is not of today. Fetch it again, or check your clock.")
        return bool(bits[index // 8] & 0x80 >> index % 8), signed


def _issuer_of(payload: Mapping[str, Any]) -> object:
    issuer = payload["issuer"]
    return issuer["id"] if isinstance(issuer, dict) else issuer


def _entry(entry: Mapping[str, Any]) -> tuple[str, str, int]:
    index = entry["statusListIndex"]
    if entry["type"] != "BitstringStatusListEntry" or not (isinstance(index, str) and index.isdecimal()):
        raise ValueError("not an entry of a status list")
    return str(entry["statusPurpose"]), str(entry["statusListCredential"]), int(index)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone")
    return moment.astimezone(UTC)


def _bits(text: str) -> bytes:
    if not text.startswith("u"):
        raise ValueError("not base64url")
    unpacked = zlib.decompressobj(wbits=31)
    bits = unpacked.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)), MAX_LIST_BYTES + 1)
    if not unpacked.eof or unpacked.unused_data or not MIN_LIST_BYTES <= len(bits) <= MAX_LIST_BYTES:
        raise ValueError("not a whole list")
    return bits


def _public_key(key: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(_bytes(key[name])) for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def _bytes(segment: str) -> bytes:
    """Decode canonical base64url: one text for each content."""
    try:
        raw = base64.b64decode(segment.encode("ascii") + b"=" * (-len(segment) % 4), b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise TokenRejected("This is not a signed token.") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != segment:
        raise TokenRejected("This is not a signed token.")
    return raw


def _object(segment: str) -> dict[str, Any]:
    try:
        value = json.loads(_bytes(segment), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise TokenRejected("This is not a signed token.") from None
    if not isinstance(value, dict):
        raise TokenRejected("This is not a signed token.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
