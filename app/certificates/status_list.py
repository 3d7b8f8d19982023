"""Encode and parse W3C Bitstring Status Lists v1.0: bits, encoded form, credential. Pure.

Bit 0 is the left-most bit of the first byte. A list has one purpose, because verifiers reject a list for several. A
list that cannot be trusted is rejected with the error of the standard; a reader must then report the status as
undetermined, never as valid.
"""

import base64
import binascii
import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from app.core.dates import format_utc
from app.core.errors import MikError

LIST_LENGTH: Final = 131_072
"""Entries of each published list: the minimum of the standard (§3.4). Indexes are lower."""
MAX_BYTES: Final = 4_194_304
"""Maximum size of an expanded list: a few kilobytes of gzip can contain gigabytes."""
_MAX_ENCODED: Final = 8_388_608
GZIP_LEVEL: Final = 6  # of gzip: level 9 takes fifteen times as long for almost nothing
TTL: Final = timedelta(seconds=30)
"""How long others may cache a list; a change is visible everywhere within a minute."""
LIFETIME: Final = timedelta(days=4)
"""Validity of a signed list; if the service is unavailable for longer, verifiers reject it."""
_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
_STATUS_ERRORS: Final = "https://www.w3.org/ns/credentials/status-list#"
_VCDM_ERRORS: Final = "https://www.w3.org/TR/vc-data-model#"


class Purpose(StrEnum):
    REVOCATION = "revocation"  # for ever
    SUSPENSION = "suspension"  # may end


PURPOSES: Final = tuple(purpose.value for purpose in Purpose)


class StatusListErrorType(StrEnum):
    """Error types of the standard (§3.5), as RFC 9457 requires them."""

    VERIFICATION = _STATUS_ERRORS + "STATUS_VERIFICATION_ERROR"
    LENGTH = _STATUS_ERRORS + "STATUS_LIST_LENGTH_ERROR"
    RANGE = _VCDM_ERRORS + "RANGE_ERROR"
    MALFORMED = _VCDM_ERRORS + "MALFORMED_VALUE_ERROR"


class StatusListRejected(MikError):
    """A status list, or an entry that refers to one, that must not be relied on."""

    code = "status-list-refused"

    def __init__(self, error_type: StatusListErrorType, message: str) -> None:
        super().__init__(message, data={"error": error_type.value})
        self.error_type = error_type


@dataclass(frozen=True, slots=True)
class StatusList:
    """A parsed list, whose signature was verified before. Moments are aware."""

    url: str
    issuer: str
    purpose: Purpose
    bits: bytes
    valid_from: datetime
    valid_until: datetime


def list_name(list_id: int, purpose: str) -> str:
    """Return the last part of a list's address, such as `revocation-1`."""
    return f"{purpose}-{list_id}"


def parse_list_name(name: str) -> tuple[int, Purpose] | None:
    """Parse the name of a list into its number and purpose; None for any other text."""
    match = re.fullmatch(r"(revocation|suspension)-([1-9][0-9]{0,8})", name)
    return (int(match[2]), Purpose(match[1])) if match else None


def empty_bits() -> bytes:
    """Return the bits of a list in which no bit is set."""
    return bytes(LIST_LENGTH // 8)


def is_set(bits: bytes, index: int) -> bool:
    """Return a bit. Raises `StatusListRejected` for an index outside the list."""
    if not 0 <= index < len(bits) * 8:
        raise StatusListRejected(
            StatusListErrorType.RANGE, f"The list has {len(bits) * 8} entries; there is no index {index}."
        )
    return bool(bits[index // 8] & (0x80 >> index % 8))


def set_bit(bits: bytes, index: int, *, value: bool) -> bytes:
    """Return the bits with one bit changed. Raises `StatusListRejected` outside the list."""
    if is_set(bits, index) == value:
        return bits
    copy = bytearray(bits)
    copy[index // 8] ^= 0x80 >> index % 8
    return bytes(copy)


def encode_bits(bits: bytes) -> str:
    """Encode bits as `encodedList`: multibase base64url (`u`) of gzip, deterministic."""
    compressed = gzip.compress(bits, GZIP_LEVEL, mtime=0)
    return "u" + base64.urlsafe_b64encode(compressed).rstrip(b"=").decode("ascii")


def decode_bits(text: object) -> bytes:
    """Decode an `encodedList`.

    Raises `StatusListRejected` when it is too short, too large or not in the standard's format.
    """
    if not isinstance(text, str) or not re.fullmatch(r"u[A-Za-z0-9_-]+", text) or len(text) > _MAX_ENCODED:
        raise StatusListRejected(StatusListErrorType.MALFORMED, "The list is not in base64url with the prefix “u”.")
    decompressor = zlib.decompressobj(wbits=31)  # gzip
    try:
        compressed = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
        bits = decompressor.decompress(compressed, MAX_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise StatusListRejected(StatusListErrorType.MALFORMED, "The list is not gzip in base64url.") from None
    if len(bits) > MAX_BYTES:
        raise StatusListRejected(StatusListErrorType.LENGTH, f"The list is larger than {MAX_BYTES} bytes.")
    if not decompressor.eof or decompressor.unused_data:
        raise StatusListRejected(StatusListErrorType.MALFORMED, "The list is cut off, or something follows it.")
    if len(bits) * 8 < LIST_LENGTH:
        raise StatusListRejected(
            StatusListErrorType.LENGTH,
            f"The list has {len(bits) * 8} entries; fewer than {LIST_LENGTH} would identify holders.",
        )
    return bits


def build_status_list_credential(url: str, issuer: str, purpose: Purpose, bits: bytes, now: datetime) -> dict[str, Any]:
    """Build the credential of a list, to be signed unchanged.

    Its issuer is that of the certificates; its id is its own address.
    """
    return {
        "@context": [_CONTEXT],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": format_utc(now),
        "validUntil": format_utc(now + LIFETIME),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose.value,
            "encodedList": encode_bits(bits),
            "ttl": int(TTL.total_seconds() * 1000),  # milliseconds, as the standard requires
        },
    }


def parse_status_list_credential(payload: Mapping[str, Any]) -> StatusList:
    """Parse a list from the payload of its verified credential. Raises `StatusListRejected`."""
    issuer, types, subject = payload.get("issuer"), payload.get("type"), payload.get("credentialSubject")
    issuer = issuer.get("id") if isinstance(issuer, dict) else issuer
    url, required_types = payload.get("id"), {"VerifiableCredential", "BitstringStatusListCredential"}
    if not isinstance(types, list) or not required_types.issubset(
        type_name for type_name in types if isinstance(type_name, str)
    ):
        raise StatusListRejected(StatusListErrorType.VERIFICATION, "This is not the credential of a status list.")
    if not (isinstance(issuer, str) and isinstance(url, str) and isinstance(subject, dict)):
        raise StatusListRejected(StatusListErrorType.VERIFICATION, "The list lacks issuer, address or subject.")
    if subject.get("type") != "BitstringStatusList" or subject.get("statusPurpose") not in PURPOSES:
        raise StatusListRejected(StatusListErrorType.VERIFICATION, "The list has an unknown purpose.")
    return StatusList(
        url=url,
        issuer=issuer,
        purpose=Purpose(subject["statusPurpose"]),
        bits=decode_bits(subject.get("encodedList")),
        valid_from=_parse_datetime(payload.get("validFrom")),
        valid_until=_parse_datetime(payload.get("validUntil")),
    )


def parse_status_entry(entry: object, purpose: Purpose) -> tuple[str, int] | None:
    """Return address and index of a `credentialStatus` entry; None if it has another purpose.

    Raises `StatusListRejected` for an entry in another format.
    """
    if not isinstance(entry, dict) or entry.get("type") != "BitstringStatusListEntry":
        raise StatusListRejected(StatusListErrorType.MALFORMED, "The certificate has an unknown kind of status entry.")
    if entry.get("statusPurpose") != purpose:
        return None
    url, index = entry.get("statusListCredential"), entry.get("statusListIndex")
    if not (isinstance(url, str) and isinstance(index, str) and re.fullmatch("0|[1-9][0-9]{0,9}", index)):
        raise StatusListRejected(StatusListErrorType.MALFORMED, "The certificate has a list index in a wrong format.")
    return url, int(index)


def _parse_datetime(text: object) -> datetime:
    """Parse an XSD dateTimeStamp. A list without age or end cannot be relied on."""
    pattern = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
    if isinstance(text, str) and re.fullmatch(pattern, text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise StatusListRejected(StatusListErrorType.MALFORMED, "The list has no validity period with UTC offsets.")
