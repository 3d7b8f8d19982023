"""W3C Bitstring Status List v1.0: bits, their encoded form, and the list as a credential. Pure.

Bit 0 is the left-most of the first byte. A list has one purpose, because verifiers refuse a list for several. Whatever
cannot be trusted of a list is refused with the error of the standard, and a reader must then say that the status is not
known, never that all is well.
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
"""In each list of ours: the smallest that the standard allows (§3.4). An index lies below it."""
MAX_BYTES: Final = 4_194_304
"""Of an expanded list, ours or a stranger's: a few kilobytes of gzip can hold gigabytes."""
_MAX_ENCODED: Final = 8_388_608
GZIP_LEVEL: Final = 6  # of gzip: level 9 takes fifteen times as long for almost nothing
TTL: Final = timedelta(seconds=30)
"""How long others may keep a list; with the time of fetching, a change is everywhere within a minute."""
LIFETIME: Final = timedelta(days=4)
"""From signing to the end of a list: so long may the service be away before old lists are refused."""
_CONTEXT: Final = "https://www.w3.org/ns/credentials/v2"
_STATUS_ERRORS: Final = "https://www.w3.org/ns/credentials/status-list#"
_VCDM_ERRORS: Final = "https://www.w3.org/TR/vc-data-model#"


class Purpose(StrEnum):
    REVOCATION = "revocation"  # for ever
    SUSPENSION = "suspension"  # may end


PURPOSES: Final = tuple(purpose.value for purpose in Purpose)


class StatusListErrorType(StrEnum):
    """Error types of the standard (§3.5), as RFC 9457 wants them."""

    VERIFICATION = _STATUS_ERRORS + "STATUS_VERIFICATION_ERROR"
    LENGTH = _STATUS_ERRORS + "STATUS_LIST_LENGTH_ERROR"
    RANGE = _VCDM_ERRORS + "RANGE_ERROR"
    MALFORMED = _VCDM_ERRORS + "MALFORMED_VALUE_ERROR"


class StatusListRejected(MikError):
    """A status list, or an entry that points into one, that must not be relied on."""

    code = "status-list-refused"

    def __init__(self, fault: StatusListErrorType, message: str) -> None:
        super().__init__(message, data={"error": fault.value})
        self.error_type = fault


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list whose form is right; whether its signature is, was asked before. Moments are aware."""

    url: str
    issuer: str
    purpose: Purpose
    bits: bytes
    valid_from: datetime
    valid_until: datetime


def list_name(list_id: int, purpose: str) -> str:
    """`revocation-1`: the last part of a list's address."""
    return f"{purpose}-{list_id}"


def parse_list_name(name: str) -> tuple[int, Purpose] | None:
    """Number and purpose of a list by its name; None for what is no name of a list."""
    match = re.fullmatch(r"(revocation|suspension)-([1-9][0-9]{0,8})", name)
    return (int(match[2]), Purpose(match[1])) if match else None


def empty_bits() -> bytes:
    """The bits of a list in which nothing is set."""
    return bytes(LIST_LENGTH // 8)


def is_set(bits: bytes, index: int) -> bool:
    """Raises ListRefused for a place outside the list."""
    if not 0 <= index < len(bits) * 8:
        raise StatusListRejected(
            StatusListErrorType.RANGE, f"The list has {len(bits) * 8} places; there is no place {index}."
        )
    return bool(bits[index // 8] & (0x80 >> index % 8))


def set_bit(bits: bytes, index: int, *, to: bool) -> bytes:
    """The bits with one of them as wanted. Raises ListRefused for a place outside the list."""
    if is_set(bits, index) == to:
        return bits
    copy = bytearray(bits)
    copy[index // 8] ^= 0x80 >> index % 8
    return bytes(copy)


def encode_bits(bits: bytes) -> str:
    """`encodedList`: multibase base64url (`u`) of gzip, the same text every time."""
    packed = gzip.compress(bits, GZIP_LEVEL, mtime=0)
    return "u" + base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode_bits(text: object) -> bytes:
    """The bits of an `encodedList`. Raises ListRefused: too short, too large, or not in the form of the standard."""
    if not isinstance(text, str) or not re.fullmatch(r"u[A-Za-z0-9_-]+", text) or len(text) > _MAX_ENCODED:
        raise StatusListRejected(StatusListErrorType.MALFORMED, "The list is not in base64url with the prefix “u”.")
    unpacking = zlib.decompressobj(wbits=31)  # gzip
    try:
        packed = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
        bits = unpacking.decompress(packed, MAX_BYTES + 1)
    except (binascii.Error, zlib.error):
        raise StatusListRejected(StatusListErrorType.MALFORMED, "The list is not gzip in base64url.") from None
    if len(bits) > MAX_BYTES:
        raise StatusListRejected(StatusListErrorType.LENGTH, f"The list is larger than {MAX_BYTES} bytes.")
    if not unpacking.eof or unpacking.unused_data:
        raise StatusListRejected(StatusListErrorType.MALFORMED, "The list is cut off, or something follows it.")
    if len(bits) * 8 < LIST_LENGTH:
        raise StatusListRejected(
            StatusListErrorType.LENGTH,
            f"The list has {len(bits) * 8} places; fewer than {LIST_LENGTH} give holders away.",
        )
    return bits


def build_status_list_credential(url: str, issuer: str, purpose: Purpose, bits: bytes, now: datetime) -> dict[str, Any]:
    """The list as a credential, to be signed as it is. It has the issuer of the certificates and its own address."""
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
            "ttl": int(TTL.total_seconds() * 1000),  # milliseconds, unlike everywhere else
        },
    }


def parse_status_list_credential(payload: Mapping[str, Any]) -> StatusList:
    """A list from the payload of its credential, whose signature was verified. Raises ListRefused."""
    issuer, types, subject = payload.get("issuer"), payload.get("type"), payload.get("credentialSubject")
    issuer = issuer.get("id") if isinstance(issuer, dict) else issuer
    url, wanted = payload.get("id"), {"VerifiableCredential", "BitstringStatusListCredential"}
    if not isinstance(types, list) or not wanted.issubset(each for each in types if isinstance(each, str)):
        raise StatusListRejected(StatusListErrorType.VERIFICATION, "This is not the credential of a status list.")
    if not (isinstance(issuer, str) and isinstance(url, str) and isinstance(subject, dict)):
        raise StatusListRejected(StatusListErrorType.VERIFICATION, "The list lacks issuer, address or subject.")
    if subject.get("type") != "BitstringStatusList" or subject.get("statusPurpose") not in PURPOSES:
        raise StatusListRejected(StatusListErrorType.VERIFICATION, "The list is for no purpose that we know.")
    return StatusList(
        url=url,
        issuer=issuer,
        purpose=Purpose(subject["statusPurpose"]),
        bits=decode_bits(subject.get("encodedList")),
        valid_from=_parse_datetime(payload.get("validFrom")),
        valid_until=_parse_datetime(payload.get("validUntil")),
    )


def parse_status_entry(entry: object, purpose: Purpose) -> tuple[str, int] | None:
    """Address and index that an entry of `credentialStatus` names, None where it is for another purpose.

    Raises ListRefused for an entry that is no entry of ours.
    """
    if not isinstance(entry, dict) or entry.get("type") != "BitstringStatusListEntry":
        raise StatusListRejected(
            StatusListErrorType.MALFORMED, "The certificate names a kind of status that we do not know."
        )
    if entry.get("statusPurpose") != purpose:
        return None
    url, index = entry.get("statusListCredential"), entry.get("statusListIndex")
    if not (isinstance(url, str) and isinstance(index, str) and re.fullmatch("0|[1-9][0-9]{0,9}", index)):
        raise StatusListRejected(
            StatusListErrorType.MALFORMED, "The certificate names its place in the list in a wrong form."
        )
    return url, int(index)


def _parse_datetime(text: object) -> datetime:
    """XSD dateTimeStamp. A list that does not say how old it is, or when it ends, cannot be relied on."""
    stamp = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
    if isinstance(text, str) and re.fullmatch(stamp, text):
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise StatusListRejected(
        StatusListErrorType.MALFORMED, "The list has no moment with an offset from which, and until which, it is good."
    )
