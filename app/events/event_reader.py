"""Read public events in the order of commits.

Everything that follows the events (inbox, mail, webhooks, watch lists) stores the sequence number of the last event
it has dealt with, and calls `events_after`. Sequence numbers are given under a lock that is held until the commit: an
event with a smaller number is never seen later, and what was rolled back has no number.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications.application_deadlines import load_deadline_steps
from app.applications.deadline_calculator import end_of_day
from app.audit.model import AuditEvent
from app.core.actor import ActorKind
from app.core.dates import baku_day
from app.events import event_repository
from app.events.catalogue import load_catalogue
from app.events.public_event import (
    SOURCES,
    AuditRecord,
    EventFacts,
    PublicEvent,
    audit_names_of,
    to_event,
)
from app.reference import holiday_calendar
from app.schemes.closed_lists import load_lists
from app.schemes.evidence_kinds import load_evidence_kinds
from app.transparency import log_repository
from app.transparency.log_entry import LogEvent, parse_entry

BATCH_SIZE = 200
ACCOUNT_GROUP = "account."
"""Events about accounts are for the person and the administrators of the company."""
Fetch = Callable[[int], Sequence[AuditEvent]]


def events_after(session: Session, sequence: int, limit: int) -> list[PublicEvent]:
    """Return the next events after `sequence`, at most `limit`, with everybody who is told.

    Fewer than `limit` means that there are no more now.
    """
    names = frozenset(SOURCES)
    return _take(session, sequence, limit, lambda after: _all_after(session, names, after))


def events_of_organisation(
    session: Session,
    organisation_id: UUID,
    sequence: int,
    limit: int,
    *,
    types: Collection[str] = (),
    with_accounts: bool = False,
) -> list[PublicEvent]:
    """Return the next events that the company is told, after `sequence`. Empty `types`: of all types.

    `with_accounts`: also those that its administrators alone are told.
    """
    wanted = frozenset(types) or frozenset(load_catalogue().types)
    if not with_accounts:
        wanted = frozenset(name for name in wanted if not name.startswith(ACCOUNT_GROUP))
    names = audit_names_of(wanted)
    if not names:
        return []

    def is_told(event: PublicEvent) -> bool:
        told = event.told.organisations | (event.told.administrators_of if with_accounts else frozenset())
        return organisation_id in told

    def fetch(after: int) -> Sequence[AuditEvent]:
        return event_repository.list_audit_events_about(session, organisation_id, names, after, BATCH_SIZE)

    return _take(session, sequence, limit, fetch, is_told)


def events_of_certificates(
    session: Session,
    limit: int,
    *,
    number: str | None = None,
    organisation_id: UUID | None = None,
    heading: str | None = None,
) -> list[PublicEvent]:
    """Return the newest events that watchers are told, newest first.

    They are of one certificate, of those of a holder, or of those whose code begins with a heading.
    """
    told = (event.name for event in load_catalogue().types.values() if "watchers" in event.told)
    rows = event_repository.list_newest_about_certificates(
        session,
        audit_names_of(frozenset(told)),
        limit,
        number=number,
        organisation_id=organisation_id,
        heading=heading,
    )
    return list(map_events(session, rows))


def _all_after(session: Session, names: Collection[str], after: int) -> Sequence[AuditEvent]:
    return event_repository.list_audit_events(session, names, after, BATCH_SIZE)


def _take(
    session: Session,
    after: int,
    limit: int,
    fetch: Fetch,
    is_wanted: Callable[[PublicEvent], bool] = lambda _event: True,
) -> list[PublicEvent]:
    found: list[PublicEvent] = []
    while len(found) < limit:
        rows = fetch(after)
        found += [event for event in map_events(session, rows) if is_wanted(event)]
        if len(rows) < BATCH_SIZE:
            break
        after = rows[-1].seq
    return found[:limit]


def map_events(session: Session, rows: Sequence[AuditEvent]) -> Iterator[PublicEvent]:
    """Yield the public events of audit events, in their order."""
    records = [
        AuditRecord(
            row.seq,
            row.at,
            row.event,
            ActorKind(row.actor_kind),
            row.subject_type,
            row.subject_id,
            row.case_id,
            row.data,
        )
        for row in rows
    ]
    facts = _FactLoader(session, records, {row.seq: row.actor_id for row in rows})
    catalogue, names = load_catalogue(), load_lists().names
    for record in records:
        event = to_event(record, facts.of(record), catalogue, names)
        if event is not None:
            yield event


class _FactLoader:
    """Load the rows that a batch of audit events names: one query per table."""

    def __init__(self, session: Session, records: Sequence[AuditRecord], actor_ids: dict[int, UUID | None]) -> None:
        self._session = session
        self._actor_ids = actor_ids
        numbers = {number for record in records if (number := _certificate_of(record)) is not None}
        users = {UUID(record.subject_id) for record in records if record.subject_type == "user"}
        actors = {
            actor_id
            for record in records
            if record.actor_kind is ActorKind.USER and (actor_id := actor_ids[record.sequence]) is not None
        }
        claims = {UUID(record.data["claim"]) for record in records if "claim" in record.data}
        clients = {UUID(record.subject_id) for record in records if record.subject_type == "client"}
        manifests = {UUID(record.subject_id) for record in records if record.subject_type == "manifest"}
        cases = {record.case_id for record in records if record.case_id is not None}
        self._applications = event_repository.find_applications(session, cases) if cases else {}
        self._holders = event_repository.find_holders(session, numbers) if numbers else {}
        self._employers = event_repository.find_employers(session, users | actors) if users | actors else {}
        self._claimants = event_repository.find_claimants(session, claims) if claims else {}
        self._client_companies = event_repository.find_client_companies(session, clients) if clients else {}
        self._manifest_companies = event_repository.find_manifest_companies(session, manifests) if manifests else {}
        logged = sorted({record.subject_id for record in records if record.subject_type == "certificate"})
        self._entries = log_repository.list_entries_about(session, logged) if logged else {}
        has_question = any(record.event == "application.information_requested" for record in records)
        self._calendar = holiday_calendar.load_calendar(session) if has_question else None

    def of(self, record: AuditRecord) -> EventFacts:
        application = self._applications.get(record.case_id) if record.case_id else None
        claim_id = record.data.get("claim")
        actor_id = self._actor_ids[record.sequence]
        kind = load_evidence_kinds().get(record.data.get("kind", "")) if record.subject_type == "evidence" else None
        return EventFacts(
            organisation_id=self._organisation_of(record),
            application_number=application.number if application else None,
            claimant_id=self._claimants.get(UUID(claim_id)) if claim_id else None,
            person_id=UUID(record.subject_id) if record.subject_type == "user" else None,
            affected=self._affected_by(record),
            is_actor_staff=record.actor_kind is ActorKind.USER
            and actor_id in self._employers
            and self._employers[actor_id] is None,
            is_staff_only=kind is not None and kind.is_staff_only,
            log_index=self._log_index_of(record),
            answer_due_at=self._answer_due(record.at) if record.event == "application.information_requested" else None,
        )

    def _organisation_of(self, record: AuditRecord) -> UUID | None:
        """Return the company that the event concerns today: a confirmed claim moves its rows into the company."""
        if (number := _certificate_of(record)) is not None:
            return self._holders.get(number)
        if record.case_id is not None:
            application = self._applications.get(record.case_id)
            return application.organisation_id if application else None
        if record.subject_type == "organisation":
            return UUID(record.subject_id)
        by_type: Mapping[str, Mapping[UUID, UUID | None]] = {
            "user": self._employers,
            "client": self._client_companies,
            "manifest": self._manifest_companies,
        }
        if record.subject_type in by_type:
            return by_type[record.subject_type].get(UUID(record.subject_id))
        stated = record.data.get("organisation")
        return UUID(stated) if stated else None

    def _affected_by(self, record: AuditRecord) -> frozenset[UUID]:
        if record.event != event_repository.RULESET_EVENT:
            return frozenset()
        scheme_code = record.subject_id.partition("/")[0]
        return event_repository.find_affected(self._session, scheme_code, record.at)

    def _log_index_of(self, record: AuditRecord) -> int | None:
        """Return the entry that names the decision of this act; of an issue, the only one."""
        decision = record.data.get("decision_sha256")
        for index, content in self._entries.get(record.subject_id, ()):
            entry = parse_entry(content)
            is_issue = record.event == entry.event == LogEvent.CERTIFICATE_ISSUED
            if (entry.decision is not None and entry.decision == decision) or is_issue:
                return index
        return None

    def _answer_due(self, asked_at: datetime) -> datetime:
        (step,) = (step for step in load_deadline_steps() if step.name == "answer")
        assert self._calendar is not None  # loaded with the batch
        return end_of_day(self._calendar.add_working_days(baku_day(asked_at), step.working_days))


def _certificate_of(record: AuditRecord) -> str | None:
    if record.subject_type == "certificate":
        return record.subject_id
    return record.data.get("certificate") if record.subject_type == "matter" else None
