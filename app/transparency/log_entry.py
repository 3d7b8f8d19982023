"""What one entry of the public log says, and the bytes that are hashed: canonical JSON (RFC 8785). Pure.

An entry can never be taken back, so it holds numbers, codes, key ids and hashes, and nothing about a person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

ENTRY_VERSION = 1
MAX_INTEGER = 2**53 - 1  # beyond it RFC 8785 numbers are no longer exact


class LogEvent(StrEnum):
    CERTIFICATE_ISSUED = "certificate.issued"  # `sha256` over the token's header.payload, `key` signed it
    CERTIFICATE_SUSPENDED = "certificate.suspended"
    CERTIFICATE_REINSTATED = "certificate.reinstated"
    CERTIFICATE_REVOKED = "certificate.revoked"
    CERTIFICATE_SURRENDERED = "certificate.surrendered"
    CERTIFICATE_SUPERSEDED = "certificate.superseded"
    KEY_PUBLISHED = "key.published"  # it will sign; everybody may know it before its first use
    KEY_ACTIVATED = "key.activated"
    KEY_RETIRED = "key.retired"
    KEY_COMPROMISED = "key.compromised"  # `at` is since when, which may lie before the entries ahead of it
    RULESET_PUBLISHED = "ruleset.published"  # `sha256` is the digest of its content
    AUDIT_HEAD = "audit.head"  # `head` events of the history were recorded; `sha256` is the hash of the last


SUBJECT_MEMBER: Mapping[str, str] = MappingProxyType({"certificate": "certificate", "key": "key", "ruleset": "ruleset"})
"""First word of an event → the member that names what it is about. `audit.head` is about nothing but itself."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`subject` is a certificate's number, a key's `kid` or `SCHEME/version`; None for `audit.head`. `at` is aware.

    `key` is the key that signed an issued certificate. `sha256` is lower-case hex. `during_investigation` stands in the
    entry of a surrender, and only where it is true: its holder gave it back while an inquiry about it was open.
    """

    event: LogEvent
    at: datetime
    subject: str | None = None
    sha256: str | None = None
    key: str | None = None
    head: int | None = None
    during_investigation: bool = False

    def to_dict(self) -> dict[str, str | int]:
        about = SUBJECT_MEMBER.get(self.event.partition(".")[0])
        members: dict[str, str | int | None] = {
            "v": ENTRY_VERSION,
            "event": self.event.value,
            "at": self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
            "key": self.key,
            "head": self.head,
            "sha256": self.sha256,
            "during_investigation": self.during_investigation or None,
        }
        if about is not None:
            members[about] = self.subject
        return {name: value for name, value in members.items() if value is not None}

    def canonical_bytes(self) -> bytes:
        """The bytes of the leaf. ValueError for what has no canonical form: lone surrogates, too large a number."""
        if self.head is not None and not 0 <= self.head <= MAX_INTEGER:
            raise ValueError(f"{self.head} has no exact form in JSON")
        members = self.to_dict()  # names are ASCII: by code points they sort as by UTF-16 units
        return json.dumps(members, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
