"""Map audit events to public events, and decide who is told. Pure.

`SOURCES` maps the name of each audit event that leaves the service; all others are listed as internal, with a reason,
in `events.toml`. One audit event leads to one public event at most, so that its number in the chain names both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.core.actor import ActorKind
from app.events.catalogue import EventCatalogue, EventType

ID_PREFIX = "evt_"
ID_DIGITS = 12
Names = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Closed list → code → language → name."""


class ActorGroup(StrEnum):
    COMPANY = "company"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Hold the members of one audit event that the mapping reads."""

    sequence: int
    at: datetime
    event: str
    actor_kind: ActorKind
    subject_type: str
    subject_id: str
    case_id: UUID | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Hold what rows say about an audit event; None is not known, or there is none.

    `organisation_id` is the company concerned: applicant, holder, or employer of the account. `affected` are the
    companies that a ruleset affects.
    """

    organisation_id: UUID | None = None
    application_number: str | None = None
    claimant_id: UUID | None = None
    person_id: UUID | None = None
    affected: frozenset[UUID] = frozenset()
    is_actor_staff: bool = False
    is_staff_only: bool = False
    log_index: int | None = None
    answer_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Hold who is told. `watchers` follow the certificate; `owner` is the staff of the owner of the mark."""

    organisations: frozenset[UUID] = frozenset()
    administrators_of: frozenset[UUID] = frozenset()
    persons: frozenset[UUID] = frozenset()
    watchers: bool = False
    owner: bool = False

    @property
    def is_nobody(self) -> bool:
        return self == Told()


@dataclass(frozen=True, slots=True)
class EventSubject:
    kind: str
    id: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """One event as it leaves the service; `sequence` and `told` stay inside."""

    sequence: int
    type: str
    at: datetime
    actor: ActorGroup
    subject: EventSubject
    status: str | None
    kind: str | None
    reason: Mapping[str, str] | None
    deadline: datetime | None
    certificate: str | None
    log_index: int | None
    told: Told

    @property
    def id(self) -> str:
        return format_event_id(self.sequence)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON members, as `json_schema` of the catalogue describes them."""
        return {
            "id": self.id,
            "type": self.type,
            "at": _format_time(self.at),
            "actor": self.actor.value,
            "subject": {"kind": self.subject.kind, "id": self.subject.id, "number": self.subject.number},
            "data": {
                "status": self.status,
                "kind": self.kind,
                "reason": dict(self.reason) if self.reason else None,
                "deadline": _format_time(self.deadline) if self.deadline else None,
                "certificate": self.certificate,
            },
            "log_index": self.log_index,
        }


@dataclass(frozen=True, slots=True)
class EventSource:
    """State which event an audit event becomes. `…_from` names the member of the audit data that holds the value."""

    type: str
    status: str | None = None
    kind: str | None = None
    status_from: str | None = None
    kind_from: str | None = None
    reason_from: str | None = None


def _case(name: str, status: str | None = None) -> EventSource:
    return EventSource(f"application.{name}", status, "initial", status_from=None if status else "state")


def _rights(kind: str) -> EventSource:
    return EventSource("account.rights_changed", kind=kind)


SOURCES: Mapping[str, EventSource] = MappingProxyType(
    {
        "application.submitted": _case("submitted"),
        "application.information_requested": _case("information_requested"),
        "application.answered": _case("answered"),
        "application.answer_due": _case("answer_due"),
        "application.withdrawn": _case("ended"),
        "application.lapsed": _case("ended"),
        "application.approved": _case("decided"),  # the state is `rejected` where no product was granted
        "application.rejected": _case("decided"),
        "organisation.confirmed": EventSource("claim.decided", "confirmed"),
        "claim.confirmed": EventSource("claim.decided", "confirmed"),
        "organisation.refused": EventSource("claim.decided", "refused"),
        "claim.disputed": EventSource("claim.disputed", "disputed"),
        "certificate.issued": EventSource("certificate.issued", "active"),
        "certificate.suspended": EventSource("certificate.suspended", "suspended", reason_from="cause"),
        "certificate.reinstated": EventSource("certificate.reinstated", "active", reason_from="cause"),
        "certificate.revoked": EventSource("certificate.revoked", "revoked", reason_from="reason"),
        "certificate.surrendered": EventSource("certificate.surrendered", "surrendered", reason_from="reason"),
        "certificate.reissued": EventSource("certificate.reissued"),
        "certificate.superseded": EventSource("certificate.superseded", "superseded"),
        "certificate.expiring": EventSource("certificate.expiring", status_from="state"),
        "certificate.expired": EventSource("certificate.expired", "expired"),
        "evidence.confirmed": EventSource("evidence.changed", kind="confirmed"),
        "evidence.confirmation_withdrawn": EventSource("evidence.changed", kind="withdrawn"),
        "evidence.withdrawn": EventSource("evidence.changed", kind="withdrawn"),
        "evidence.found_false": EventSource("evidence.changed", kind="found_false"),
        "evidence.infected": EventSource("evidence.changed", kind="infected"),
        "evidence.expired": EventSource("evidence.changed", kind="expired"),
        "evidence.expiring": EventSource("evidence.expiring"),
        "residency.ended": EventSource("residency.changed", kind="ended"),
        "residency.cancelled": EventSource("residency.changed", kind="cancelled"),
        "residency.restored": EventSource("residency.changed", kind="restored"),
        "matter.opened": EventSource("matter.opened", "open", kind_from="kind"),
        "matter.closed": EventSource(
            "matter.decided", kind_from="kind", status_from="outcome", reason_from="revocation_reason"
        ),
        "manifest.finished": EventSource("manifest.finished", "finished"),
        "ruleset.published": EventSource("ruleset.affects_you", "published"),
        "member.invited": EventSource("account.invited"),
        "password.changed": EventSource("account.password_reset", kind="changed"),
        "password.reset": EventSource("account.password_reset", kind="reset"),
        "member.joined": _rights("member_added"),
        "member.left": _rights("member_removed"),
        "member.removed": _rights("member_removed"),
        "client.created": _rights("client_added"),
        "client.revoked": _rights("client_removed"),
        "member.administrator_given": _rights("role_changed"),
        "member.administrator_taken": _rights("role_changed"),
        "role.granted": _rights("role_changed"),
        "role.taken": _rights("role_changed"),
        "second_factor.reset": _rights("authenticator_reset"),
        "credential.registered": _rights("authenticator_reset"),
        "credential.removed": _rights("authenticator_reset"),
        "webhook.disabled": EventSource("account.webhook_disabled", kind_from="reason"),
        "identity.linked": _rights("sign_in_added"),
        "identity.unlinked": _rights("sign_in_removed"),
        "passkey.registered": _rights("sign_in_added"),
        "passkey.removed": _rights("sign_in_removed"),
    }
)
"""Audit event → the event that leaves the service."""


def to_event(record: AuditRecord, facts: EventFacts, catalogue: EventCatalogue, names: Names) -> PublicEvent | None:
    """Return the public event of an audit event; None where it is internal or nobody is told."""
    source = SOURCES.get(record.event)
    if source is None:
        return None
    event_type = catalogue.types[source.type]
    kind = source.kind or _text(record.data, source.kind_from)
    to = told(event_type, kind, facts, catalogue)
    if to.is_nobody:
        return None
    return PublicEvent(
        record.sequence,
        source.type,
        record.at,
        _actor_group(record, facts),
        _subject_of(event_type, record, facts),
        source.status or _text(record.data, source.status_from),
        kind,
        _reason_of(event_type, _text(record.data, source.reason_from), names),
        _deadline_of(record, facts) if event_type.has_deadline else None,
        _text(record.data, "certificate") if event_type.subject == "matter" else None,
        facts.log_index,
        to,
    )


def told(event_type: EventType, kind: str | None, facts: EventFacts, catalogue: EventCatalogue) -> Told:
    """Decide who is told of an event.

    A claim that is disputed is not told to its claimant, to whom it is waiting. A document that only staff supply is
    not told to the company, nor a matter that somebody else opened by a report to the holder.
    """
    company = frozenset() if facts.organisation_id is None else frozenset({facts.organisation_id})
    audiences = set(event_type.told)
    if event_type.name == "claim.disputed":
        audiences.remove("claimant")
    if facts.is_staff_only:
        audiences.remove("company")
    if event_type.subject == "matter" and kind in catalogue.not_told_to_holder:
        audiences.remove("holder")
    persons = {facts.claimant_id if "claimant" in audiences else None}
    persons.add(facts.person_id if "person" in audiences else None)
    return Told(
        (company if audiences & {"company", "holder"} else frozenset())
        | (facts.affected if "affected" in audiences else frozenset()),
        company if "administrators" in audiences else frozenset(),
        frozenset(person for person in persons if person is not None),
        watchers="watchers" in audiences,
        owner="owner" in audiences,
    )


def format_event_id(sequence: int) -> str:
    """Return the id of the event; ids sort as their sequence numbers below 10¹²."""
    return f"{ID_PREFIX}{sequence:0{ID_DIGITS}d}"


def parse_event_id(text: str) -> int:
    """Return the sequence number of an id. Raises `ValueError` for text that is no id."""
    digits = text.removeprefix(ID_PREFIX)
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19 and format_event_id(int(digits)) == text):
        raise ValueError("This is no id of an event.")
    return int(digits)


def audit_names_of(types: frozenset[str]) -> frozenset[str]:
    """Return the audit events that become events of these types."""
    return frozenset(name for name, source in SOURCES.items() if source.type in types)


def _actor_group(record: AuditRecord, facts: EventFacts) -> ActorGroup:
    if record.actor_kind is ActorKind.SYSTEM:
        return ActorGroup.SYSTEM
    return ActorGroup.STAFF if facts.is_actor_staff else ActorGroup.COMPANY


def _subject_of(event_type: EventType, record: AuditRecord, facts: EventFacts) -> EventSubject:
    kind = event_type.subject
    if kind == "claim":
        return EventSubject(kind, str(record.data["claim"]))
    if (webhook := record.data.get("webhook")) is not None:
        return EventSubject(kind, str(webhook))
    number = record.subject_id if kind == "certificate" else None
    return EventSubject(kind, record.subject_id, facts.application_number if kind == "application" else number)


def _reason_of(event_type: EventType, code: str | None, names: Names) -> Mapping[str, str] | None:
    if code is None:
        return None
    for group in event_type.reasons:
        if (entry := names[group].get(code)) is not None:
            return {"code": code, "az": entry["az"], "en": entry["en"]}
    return {"code": code, "az": code, "en": code}


def _deadline_of(record: AuditRecord, facts: EventFacts) -> datetime | None:
    stated = _text(record.data, "deadline")
    return datetime.fromisoformat(stated) if stated else facts.answer_due_at


def _text(data: Mapping[str, Any], name: str | None) -> str | None:
    value = None if name is None else data.get(name)
    return None if value is None else str(value)


def _format_time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
