"""Define an entry of the public log and its hashed bytes: canonical JSON (RFC 8785). Pure.

An entry can never be removed, so it holds numbers, codes, key ids and hashes, and nothing about a person.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.core import strict_json

ENTRY_VERSION = 1
MAX_INTEGER = 2**53 - 1  # larger integers are not exact in RFC 8785


class LogEvent(StrEnum):
    CERTIFICATE_ISSUED = "certificate.issued"  # `sha256` over the token's header.payload, `key` signed it
    CERTIFICATE_REISSUED = "certificate.reissued"  # signed anew, as it was, after its key was compromised
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
    CREDENTIAL_REGISTERED = "credential.registered"  # `credential` is the hash of a staff credential and its `user`
    CREDENTIAL_REMOVED = "credential.removed"
    ROLE_GRANTED = "role.granted"  # `role` is the hash of a member of staff and a role
    ROLE_TAKEN = "role.taken"
    STATUS_LIST_SIGNED = "status_list.signed"  # `sha256` over the list's header.payload


SUBJECT_MEMBER: Mapping[str, str] = MappingProxyType(
    {
        "certificate": "certificate",
        "key": "key",
        "ruleset": "ruleset",
        "credential": "credential",
        "role": "role",
        "status_list": "list",
    }
)
"""First word of an event → the member that names its subject. `audit.head` has no subject."""

_DATED_OTHERWISE = frozenset({LogEvent.KEY_COMPROMISED, LogEvent.AUDIT_HEAD})
"""A compromise is dated by its beginning, and an audit head by the entry before it."""
MAX_STEP_BACK = timedelta(minutes=15)
"""How much earlier than entries before it an honest entry may be dated: by the beginning of its request, and by clocks
of several servers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; members that are None are left out of its JSON.

    `subject` is a certificate number, a key's `kid`, `SCHEME/version` of a ruleset, the hash of a staff credential or
    of a role of a person, or the name of a status list; None for `audit.head`. `at` is aware.
    `sha256` and `decision` are lower-case hex.
    """

    event: LogEvent
    at: datetime
    subject: str | None = None
    sha256: str | None = None
    key: str | None = None  # kid that signed an issued or reissued certificate
    head: int | None = None  # number of audit events
    during_investigation: bool = False  # of a surrender: an investigation was open
    decision: str | None = None  # hash of the decision document
    reason: str | None = None  # code: cause of a suspension or its end, reason of a revocation
    previous: str | None = None  # of an issue: number of the certificate that it replaces
    user: str | None = None  # of a credential: id of its owner

    def to_dict(self) -> dict[str, str | int]:
        members: dict[str, str | int | None] = {
            "v": ENTRY_VERSION,
            "event": self.event.value,
            "at": self.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
            "key": self.key,
            "head": self.head,
            "sha256": self.sha256,
            "during_investigation": self.during_investigation or None,
            "decision": self.decision,
            "reason": self.reason,
            "previous": self.previous,
            "user": self.user,
        }
        if (subject_member := _subject_member(self.event)) is not None:
            members[subject_member] = self.subject
        return {name: value for name, value in members.items() if value is not None}

    def canonical_bytes(self) -> bytes:
        """Return the bytes of the leaf. Raises ValueError for a lone surrogate or an integer above `MAX_INTEGER`."""
        if self.head is not None and not 0 <= self.head <= MAX_INTEGER:
            raise ValueError(f"{self.head} is not exact in JSON")
        members = self.to_dict()  # names are ASCII: by code points they sort as by UTF-16 units
        return json.dumps(members, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def is_backdated(entry: Entry, latest: datetime | None) -> bool:
    """Whether the entry is dated before entries that precede it, the latest of which is dated `latest`."""
    return latest is not None and entry.event not in _DATED_OTHERWISE and entry.at < latest - MAX_STEP_BACK


def latest_moment(entry: Entry, latest: datetime | None) -> datetime | None:
    """Return the latest moment of the entries before this one, and this one."""
    if entry.event in _DATED_OTHERWISE:
        return latest
    return entry.at if latest is None else max(latest, entry.at)


def _subject_member(event: LogEvent) -> str | None:
    return SUBJECT_MEMBER.get(event.partition(".")[0])


def parse_entry(content: bytes) -> Entry:
    """Parse the bytes of a leaf. Raises ValueError for anything but the canonical bytes of an entry."""
    members: dict[str, Any] = strict_json.loads(content)
    try:
        event = LogEvent(members["event"])
        subject = members.get(_subject_member(event) or "")
        entry = Entry(
            event,
            datetime.fromisoformat(members["at"]),
            subject,
            sha256=members.get("sha256"),
            key=None if event.partition(".")[0] == "key" else members.get("key"),
            head=members.get("head"),
            during_investigation=members.get("during_investigation", False),
            decision=members.get("decision"),
            reason=members.get("reason"),
            previous=members.get("previous"),
            user=members.get("user"),
        )
        canonical = entry.canonical_bytes()
    except (AttributeError, KeyError, TypeError, ValueError) as why:
        raise ValueError("The content is not an entry of the log.") from why
    if canonical != content:
        raise ValueError("The content is not the canonical form of an entry of the log.")
    return entry
