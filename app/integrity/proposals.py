"""Compare confirmed proposals with what two people signed and with the audit trail."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit import audit_repository
from app.audit.model import AuditEvent
from app.auth import proposal_repository
from app.auth.model import Proposal, ProposalState
from app.auth.proposals import UNSIGNED_KINDS, confirmation_document, proposal_document
from app.core.canonical_json import digest
from app.core.database import PAGE_ROWS, UNREADABLE
from app.integrity.signatures import RegisteredKeys
from app.integrity.transparency_log import IntegrityFinding

_PROPOSED, _CONFIRMED = "proposal.proposed", "proposal.confirmed"


def check_page(session: Session, page: Sequence[Proposal], keys: RegisteredKeys) -> Iterator[IntegrityFinding]:
    """Compare the confirmed ones of a page; those that nobody confirmed did nothing."""
    confirmed = [each for each in page if each.state == ProposalState.CONFIRMED]
    found: dict[str, list[AuditEvent]] = {}
    for kind in {each.subject_type for each in confirmed}:
        ids = [each.subject_id for each in confirmed if each.subject_type == kind]
        for events in audit_repository.events_about(session, kind, ids, {_PROPOSED, _CONFIRMED}).values():
            for event in events:
                found.setdefault(str(event.data.get("proposal")), []).append(event)
    for proposal in confirmed:
        row = f"proposal {proposal.id} on {proposal.subject_type} {proposal.subject_id}"
        for wrong in _errors(proposal, found.get(str(proposal.id), []), keys):
            yield IntegrityFinding(row, wrong)


def _errors(proposal: Proposal, events: Sequence[AuditEvent], keys: RegisteredKeys) -> Iterator[str]:
    if proposal.decided_by is None or proposal.decided_at is None:
        yield "It is confirmed, but names nobody who confirmed it."
        return
    if proposal.decided_by in {proposal.proposed_by, proposal.user_id}:
        yield "One person proposed and confirmed it, or it is about the person who confirmed it."
    proposed = proposal_document(proposal.kind, proposal.content, proposal.proposed_by)
    confirmed = confirmation_document(proposal, proposal.decided_by)
    if digest(proposed) != proposal.sha256:
        yield "Its content is not the one of its hash."
    if digest(confirmed) != proposal.confirmed_sha256:
        yield "What was confirmed is not the one of its hash."
    yield from _event_errors(events, _PROPOSED, proposal.sha256, proposal.proposed_by)
    yield from _event_errors(events, _CONFIRMED, proposal.confirmed_sha256, proposal.decided_by)
    if any(each.event == _CONFIRMED and each.at != proposal.decided_at for each in events):
        yield "Its moment is not the one of the audit trail."
    yield from keys.errors_of(
        proposal.proposer_confirmation,
        proposed,
        proposal.proposed_by,
        proposal.proposed_at,
        what="proposer's signature",
        is_required=proposal.kind not in UNSIGNED_KINDS,
    )
    yield from keys.errors_of(proposal.confirmer_confirmation, confirmed, proposal.decided_by, proposal.decided_at)


def _event_errors(events: Sequence[AuditEvent], name: str, sha256: str | None, person: UUID) -> Iterator[str]:
    event = next((each for each in events if each.event == name), None)
    if event is None:
        yield f"No event of the audit trail records it as {name.removeprefix('proposal.')}."
        return
    if event.data.get("sha256") != sha256:
        yield f"Its hash is not the one of audit event {event.seq}."
    if event.actor_id != person:
        yield f"The person of audit event {event.seq} is another."


def find_missing(session: Session) -> Iterator[IntegrityFinding]:
    """Yield the proposals that the audit trail records as confirmed, and that no row confirms."""
    after = 0
    while events := audit_repository.list_events_named(session, {_CONFIRMED}, after, PAGE_ROWS):
        after = events[-1].seq
        recorded = {each.seq: _proposal_id(each) for each in events}
        found = proposal_repository.confirmed_ids(session, [each for each in recorded.values() if each])
        for seq, proposal_id in recorded.items():
            if proposal_id not in found:
                yield IntegrityFinding(f"proposal {proposal_id}", f"Audit event {seq} confirms it, but no row does.")
        session.expunge_all()


def _proposal_id(event: AuditEvent) -> UUID | None:
    try:
        return UUID(event.data.get("proposal"))
    except UNREADABLE:
        return None
