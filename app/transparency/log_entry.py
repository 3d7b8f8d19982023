"""Define an entry of the public log and its hashed bytes: canonical JSON (RFC 8785). Pure.

An entry can never be removed, so it holds numbers, codes, key ids and hashes, and nothing about a person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

ENTRY_VERSION = 1
MAX_INTEGER = 2**53 - 1  # larger integers are not exact in RFC 8785


class LogEvent(StrEnum):
    CERTIFICATE_ISSUED = "certificate.issued"  # `sha256` over the token's header.payload, `key` signed it
    CERTIFICATE_SUSPENDED = "certificate.suspended"
    CERTIFICATE_REINSTATED = "certificate.reinstated"
    CERTIFICATE_REVOKED = "certificate.revoked"
    CERTIFICATE_SURRENDERED = "certificate.surrendered"
    CERTIFICATE_SUPERSEDED = "certificate.superseded"
    KEY_PUBLISHED = "key.published"  # published before its first use
    KEY_ACTIVATED = "key.activated"
    KEY_RETIRED = "key.retired"
    KEY_COMPROMISED = "key.compromised"  # `at` is the start of the compromise; it may precede earlier entries
    RULESET_PUBLISHED = "ruleset.published"  # `sha256` is the digest of its content
    AUDIT_HEAD = "audit.head"  # `head` is the number of audit events; `sha256` is the hash of the last


SUBJECT_MEMBER: Mapping[str, str] = MappingProxyType({"certificate": "certificate", "key": "key", "ruleset": "ruleset"})
"""First word of an event → the JSON member that holds its subject. `audit.head` has no subject."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the public log.

    `subject` is a certificate number, a `kid` or `SCHEME/version`; None for `audit.head`. `at` is time-zone aware.
    `key` is the `kid` that signed an issued certificate. `sha256` is lower-case hex. `during_investigation` is written
    only if true: the holder surrendered the certificate while an investigation about it was open. `reason` is a code of
    a closed list, such as why the moment of a compromise was corrected.
    """

    event: LogEvent
    at: datetime
    subject: str | None = None
    sha256: str | None = None
    key: str | None = None
    head: int | None = None
    during_investigation: bool = False
    reason: str | None = None

    def to_dict(self) -> dict[str, str | int]:
        subject_member = SUBJECT_MEMBER.get(self.event.partition(".")[0])
        members: dict[str, str | int | None] = {
            "v": ENTRY_VERSION,
            "event": self.event.value,
            "at": self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
            "key": self.key,
            "head": self.head,
            "sha256": self.sha256,
            "during_investigation": self.during_investigation or None,
            "reason": self.reason,
        }
        if subject_member is not None:
            members[subject_member] = self.subject
        return {name: value for name, value in members.items() if value is not None}

    def canonical_bytes(self) -> bytes:
        """Return the bytes of the leaf. Raises ValueError for lone surrogates and for integers above 2^53 - 1."""
        if self.head is not None and not 0 <= self.head <= MAX_INTEGER:
            raise ValueError(f"{self.head} is not exact in JSON")
        members = self.to_dict()  # names are ASCII, so code-point order equals the UTF-16 order of RFC 8785
        return json.dumps(members, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
