"""Join every certificate with its product, decision, recommendation, audit events and log entries; name what differs.

Every document is built again from the rows and compared with the stored one, its hash, the audit trail and the log.
The audit trail and the log are taken as they are: whoever calls this has verified both (`audit_chain.py`,
`transparency_log.py`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.decision_document import DecisionAct, build_decision_document
from app.applications.model import Application, DecidedProduct, Decision, Recommendation
from app.applications.review import RecommendedOutcome
from app.audit import audit_repository
from app.audit.model import AuditEvent
from app.auth.credentials.confirmations import verify_record
from app.auth.credentials.relying_party import WebAuthnRejected
from app.certificates import certificate_repository
from app.certificates.model import Certificate
from app.certificates.status_decisions import status_decision_repository
from app.core import canonical_json
from app.core.database import PAGE_ROWS, UNREADABLE, pages_of
from app.integrity.reissued_tokens import find_reissue_errors, further_tokens
from app.integrity.status_history import (
    ACT_OF_EVENT,
    differing_members,
    find_status_errors,
    is_of_the_migration,
    without_unknown,
)
from app.integrity.transparency_log import IntegrityFinding
from app.transparency import log_repository
from app.transparency.log_entry import Entry, LogEvent, parse_entry
from app.transparency.verified_log import LoggedEntry

MAX_FINDINGS = 1_000
"""Findings that are named; further ones are counted."""
APPROVED, REJECTED = "approved", "rejected"
_UNREADABLE = "It, or a row that it rests on, cannot be read."
_DECIDED_EVENTS = {"application.approved": DecisionAct.APPROVE, "application.rejected": DecisionAct.REJECT}
_RECOMMENDED, _ISSUED = "application.recommended", "certificate.issued"


@dataclass(slots=True)
class DecisionReport:
    """Numbers of decisions and certificates that were compared, and what does not fit."""

    decisions: int = 0
    certificates: int = 0
    findings: list[IntegrityFinding] = field(default_factory=list)
    more: int = 0  # findings beyond `MAX_FINDINGS`

    def add(self, findings: Iterable[IntegrityFinding]) -> None:
        for each in findings:
            if len(self.findings) < MAX_FINDINGS:
                self.findings.append(each)
            else:
                self.more += 1


def check_decisions(session: Session) -> DecisionReport:
    """Compare all decisions and certificates, a page of each in memory at a time."""
    report = DecisionReport()
    keys = _registered_keys(session)
    try:
        for decided in pages_of(session, Decision, Decision.id):
            report.add(_check_decisions(session, decided, keys))
            report.decisions += len(decided)
            session.expunge_all()
    except UNREADABLE:
        report.add([IntegrityFinding(f"decision after the first {report.decisions}", _UNREADABLE)])
    report.add(_missing_decisions(session))
    bound_from = log_repository.find_first_entry_with_decision(session)
    try:
        for issued in pages_of(session, Certificate, Certificate.id):
            report.add(_check_certificates(session, issued, bound_from))
            report.certificates += len(issued)
            session.expunge_all()
    except UNREADABLE:
        report.add([IntegrityFinding(f"certificate after the first {report.certificates}", _UNREADABLE)])
    return report


def certificate_errors(session: Session, certificates: Sequence[Certificate]) -> dict[str, list[str]]:
    """Return what does not fit of these certificates, by number; numbers without an error are left out."""
    bound_from = log_repository.find_first_entry_with_decision(session)
    found: dict[str, list[str]] = {}
    for each in _check_certificates(session, certificates, bound_from):
        found.setdefault(each.row.rpartition(" ")[2], []).append(each.detail)
    return found


def decision_errors(session: Session, decisions: Sequence[Decision]) -> dict[UUID, list[str]]:
    """Return what does not fit of these decisions and their recommendations, by the id of the decision."""
    keys = _registered_keys(session)
    found = {}
    for decision in decisions:
        if errors := [each.detail for each in _check_decisions(session, [decision], keys)]:
            found[decision.id] = errors
    return found


def confirming_key(decision: Decision) -> str | None:
    """Return the hash of the authenticator that signed a decision; None where none did."""
    if decision.confirmation is None:
        return None
    try:
        return verify_record(decision.confirmation, decision.document or {}, user_id=decision.decided_by)
    except WebAuthnRejected:
        return None


def _registered_keys(session: Session) -> Mapping[str, Entry]:
    """Return hash → entry of every authenticator that the log ever registered."""
    entries = map(parse_entry, log_repository.list_entries_of(session, LogEvent.CREDENTIAL_REGISTERED))
    return {entry.subject: entry for entry in entries if entry.subject}


def _check_decisions(
    session: Session, decisions: Sequence[Decision], keys: Mapping[str, Entry]
) -> Iterator[IntegrityFinding]:
    application_ids = [each.application_id for each in decisions]
    applications = application_repository.applications_by_id(session, application_ids)
    recommendations = application_repository.recommendations_by_id(
        session, [each.recommendation_id for each in decisions]
    )
    decided = application_repository.decided_products_of(session, [each.id for each in decisions])
    certified = certificate_repository.certified_products_of(session, application_ids)
    names = {_RECOMMENDED, *_DECIDED_EVENTS}
    events = audit_repository.events_about(session, "application", [str(each) for each in application_ids], names)
    for decision in decisions:
        application = applications.get(decision.application_id)
        recommendation = recommendations.get(decision.recommendation_id)
        number = application.number if application else decision.application_id
        row = f"decision {decision.id} on {number}"
        if application is None or recommendation is None:
            yield IntegrityFinding(row, "Its application or its recommendation is missing.")
            continue
        found = events.get(str(application.id), [])
        recommended_in = _event_with(found, {_RECOMMENDED}, "recommendation", recommendation.id)
        decided_in = _event_with(found, _DECIDED_EVENTS, "decision", decision.id)
        errors = [
            *_document_errors(decision, application, recommendation),
            *_decision_errors(decision, application, decided_in),
            *_outcome_errors(decision, recommendation),
            *_product_errors(decision, application, decided.get(decision.id, {}), certified),
            *_confirmation_errors(decision, keys),
        ]
        yield from (IntegrityFinding(row, each) for each in errors)
        row = f"recommendation {recommendation.id} on {number}"
        yield from (
            IntegrityFinding(row, each) for each in _recommendation_errors(decision, recommendation, recommended_in)
        )


def _confirmation_errors(decision: Decision, keys: Mapping[str, Entry]) -> Iterator[str]:
    """Yield what is wrong with the signature of the person who decided.

    Who had an authenticator by then signed the decision; those before there were authenticators signed none.
    """
    user = str(decision.decided_by)
    if decision.confirmation is None:
        if any(entry.user == user and entry.at <= decision.decided_at for entry in keys.values()):
            yield "It lacks the confirmation of the person who decided it."
        return
    try:
        sha256 = verify_record(decision.confirmation, decision.document or {}, user_id=decision.decided_by)
    except WebAuthnRejected:
        yield "Its confirmation does not fit its document."
        return
    entry = keys.get(sha256)
    if entry is None or entry.user != user:
        yield "The key of its confirmation is not one that the log registers for the person who decided it."


def _event_with(events: Sequence[AuditEvent], names: Iterable[str], member: str, value: UUID) -> AuditEvent | None:
    """Return the event of one of these names whose data holds this id."""
    return next((each for each in events if each.event in names and each.data.get(member) == str(value)), None)


def _act(decision: Decision) -> DecisionAct:
    return DecisionAct.APPROVE if decision.reason is None else DecisionAct.REJECT


def _document_errors(decision: Decision, application: Application, recommendation: Recommendation) -> Iterator[str]:
    expected = build_decision_document(
        _act(decision),
        application=application.number,
        version=application.version - 1,  # the decision is the last change of an application
        recommendation=decision.recommendation_id,
        recommended=recommendation.products,
        recommended_by=decision.recommended_by,
        decided_by=decision.decided_by,
        ruleset=f"{application.scheme_code}/{decision.ruleset_version}",
        dossier=decision.dossier_hash,
        products=decision.products,
        reason=decision.reason,
    )
    if canonical_json.digest(decision.document) != decision.sha256:
        yield "Its document is not the one of its hash."
    if names := differing_members(decision.document, without_unknown(expected, decision.document)):
        yield f"Its document differs from its rows: {names}."


def _decision_errors(decision: Decision, application: Application, event: AuditEvent | None) -> Iterator[str]:
    if decision.recommended_by == decision.decided_by:
        yield "One person recommended and decided it."
    if application.state != decision.outcome:
        yield f"Its outcome is {decision.outcome}, but its application is {application.state}."
    if event is None:
        yield "No event of the audit trail records it."
        return
    logged = event.data.get("decision_sha256")
    if logged != decision.sha256 and not (logged is None and is_of_the_migration(decision.document)):
        yield f"Its hash is not the one of audit event {event.seq}."
    if _DECIDED_EVENTS[event.event] is not _act(decision) or event.data.get("state") != decision.outcome:
        yield f"Its outcome is not the one of audit event {event.seq}."
    if event.actor_id != decision.decided_by:
        yield f"The person of audit event {event.seq} is another than decided it."
    if event.at != decision.decided_at:
        yield f"Its moment is not the one of audit event {event.seq}."


def _outcome_errors(decision: Decision, recommendation: Recommendation) -> Iterator[str]:
    """Compare the outcome of every product with the recommendation, or with the reason that overruled it."""
    by_product = {each["product_id"]: each for each in recommendation.products}
    outcomes = {each["product_id"]: each["outcome"] for each in decision.products}
    for each in decision.products:
        recommended = by_product.get(each["product_id"])
        if recommended is None:
            yield f"It decides on product {each['product_id']}, which was not recommended on."
        elif _act(decision) is DecisionAct.REJECT:
            if (each["outcome"], each["reasons"]) != (REJECTED, [decision.reason]):
                yield f"Product {each['product_id']} was rejected for another reason."
        else:
            granted = recommended["outcome"] == RecommendedOutcome.APPROVE
            if (each["outcome"], each["reasons"]) != (APPROVED if granted else REJECTED, recommended["reasons"]):
                yield f"The outcome of product {each['product_id']} is not the recommended one."
    if decision.outcome != (APPROVED if APPROVED in outcomes.values() else REJECTED):
        yield f"Its outcome is {decision.outcome}, but those of its products make it another."
    if outcomes.keys() != by_product.keys():
        yield "It does not decide on the products of its recommendation."


def _recommendation_errors(
    decision: Decision, recommendation: Recommendation, event: AuditEvent | None
) -> Iterator[str]:
    if recommendation.recommended_by != decision.recommended_by:
        yield "Its person is not the one whom the decision names."
    if recommendation.application_id != decision.application_id:
        yield "It is on another application than its decision."
    if recommendation.voided_at is not None:
        yield "It was voided, but a decision confirms it."
    if _act(decision) is DecisionAct.APPROVE and recommendation.dossier_hash != decision.dossier_hash:
        yield "Its dossier is not the one of the decision."
    if event is None:
        yield "No event of the audit trail records it."
        return
    if event.actor_id != recommendation.recommended_by:
        yield f"The person of audit event {event.seq} is another than recommended it."
    if event.at != recommendation.recommended_at:
        yield f"Its moment is not the one of audit event {event.seq}."
    if event.data.get("dossier") != recommendation.dossier_hash:
        yield f"Its dossier is not the one of audit event {event.seq}."
    logged = event.data.get("sha256")  # missing in events of before
    if logged is not None and logged != canonical_json.digest(recommendation.products):
        yield f"Its outcomes, reasons or resolutions are not those of audit event {event.seq}."


def _product_errors(
    decision: Decision,
    application: Application,
    decided: Mapping[UUID, DecidedProduct],
    certified: set[tuple[UUID, UUID]],
) -> Iterator[str]:
    outcomes = {UUID(each["product_id"]): each["outcome"] for each in decision.products}
    if outcomes != {product_id: row.outcome for product_id, row in decided.items()}:
        yield "The rows of its decided products have other outcomes."
    for product_id, row in decided.items():
        if (row.scheme_code, row.organisation_id) != (application.scheme_code, application.organisation_id):
            yield f"The row of decided product {product_id} names another mark or company."
    for product_id, outcome in outcomes.items():
        if outcome == APPROVED and (application.id, product_id) not in certified:
            yield f"It approved product {product_id}, but there is no certificate of it."


def _missing_decisions(session: Session) -> Iterator[IntegrityFinding]:
    """Yield the decisions that the audit trail records and that have no row."""
    after = 0
    while events := audit_repository.list_events_named(session, _DECIDED_EVENTS, after, PAGE_ROWS):
        after = events[-1].seq
        recorded = {each.seq: _decision_id(each) for each in events}
        found = application_repository.existing_decision_ids(session, [each for each in recorded.values() if each])
        for seq, decision_id in recorded.items():
            if decision_id not in found:
                yield IntegrityFinding(f"decision {decision_id}", f"Audit event {seq} records it, but it is missing.")
        session.expunge_all()


def _decision_id(event: AuditEvent) -> UUID | None:
    try:
        return UUID(event.data.get("decision"))
    except UNREADABLE:
        return None


def _check_certificates(
    session: Session, certificates: Sequence[Certificate], bound_from: int | None
) -> Iterator[IntegrityFinding]:
    ids, numbers = [each.id for each in certificates], [each.number for each in certificates]
    decision_ids = list({each.decision_id for each in certificates})
    decisions = application_repository.decisions_by_id(session, decision_ids)
    decided = application_repository.decided_products_of(session, decision_ids)
    applications = application_repository.applications_by_id(
        session, list({d.application_id for d in decisions.values()})
    )
    status_decisions = status_decision_repository.status_decisions_of(session, ids)
    suspensions = status_decision_repository.suspensions_of(session, ids)
    names = {_ISSUED, LogEvent.CERTIFICATE_REISSUED.value, *ACT_OF_EVENT}
    events = audit_repository.events_about(session, "certificate", numbers, names)
    further = further_tokens(session, numbers)
    logged = log_repository.list_entries_about(session, numbers)
    for certificate in certificates:
        row = f"certificate {certificate.number}"
        try:
            entries = [LoggedEntry(seq, parse_entry(content)) for seq, content in logged.get(certificate.number, [])]
        except ValueError:
            yield IntegrityFinding(row, "An entry of the log about it cannot be read.")
            continue
        found = events.get(certificate.number, [])
        decision = decisions.get(certificate.decision_id)
        if decision is None:
            yield IntegrityFinding(row, f"Its decision {certificate.decision_id} is missing.")
        else:
            errors = [
                *_grant_errors(
                    certificate,
                    decision,
                    applications.get(decision.application_id),
                    decided.get(decision.id, {}).get(certificate.product_id),
                ),
                *_issue_errors(certificate, decision, [e for e in found if e.event == _ISSUED], entries, bound_from),
            ]
            yield from (IntegrityFinding(row, each) for each in errors)
        issue = next((each for each in entries if each.entry.event is LogEvent.CERTIFICATE_ISSUED), None)
        again = [each for each in entries if each.entry.event is LogEvent.CERTIFICATE_REISSUED]
        told = [each for each in found if each.event == LogEvent.CERTIFICATE_REISSUED]
        for error in find_reissue_errors(certificate, issue, again, told, further.get(certificate.number, ())):
            yield IntegrityFinding(row, error)
        yield from find_status_errors(
            certificate,
            [each for each in found if each.event in ACT_OF_EVENT],
            status_decisions.get(certificate.id, []),
            suspensions.get(certificate.id, []),
            [each for each in entries if each not in again and each is not issue],
            bound_from,
        )


def _grant_errors(
    certificate: Certificate,
    decision: Decision,
    application: Application | None,
    decided: DecidedProduct | None,
) -> Iterator[str]:
    """Compare a certificate with the decision that its row names."""
    if application is None or certificate.application_id != application.id:
        yield f"Its decision {decision.id} is on another application."
    elif (certificate.scheme_code, certificate.organisation_id) != (
        application.scheme_code,
        application.organisation_id,
    ):
        yield "Its mark or its company is not the one of its application."
    if certificate.ruleset_version != decision.ruleset_version:
        yield f"Its decision {decision.id} was made by other rules."
    if decision.outcome != APPROVED:
        yield f"Its decision {decision.id} is a rejection."
    elif decided is None:
        yield f"Its decision {decision.id} does not decide on its product."
    elif decided.outcome != APPROVED:
        yield f"Its decision {decision.id} rejected its product."


def _issue_errors(
    certificate: Certificate,
    decision: Decision,
    events: Sequence[AuditEvent],
    entries: Sequence[LoggedEntry],
    bound_from: int | None,
) -> Iterator[str]:
    """Compare the issue with the audit trail and the log.

    An entry names the decision from the first one on that does (`bound_from`); before, and of certificates older than
    the log, only the audit trail has moment and application of the issue.
    """
    issue = next((each for each in entries if each.entry.event is LogEvent.CERTIFICATE_ISSUED), None)
    if issue is None:
        yield "Its issue is not in the log."
    elif issue.entry.decision is None:
        if bound_from is not None and issue.seq >= bound_from:
            yield f"Entry {issue.seq} of the log names no decision, although entries before it do."
    else:
        if issue.entry.decision != decision.sha256:
            yield f"Its decision {decision.id} is not the one of entry {issue.seq} of the log."
        if issue.entry.at != certificate.issued_at:
            yield f"The moment of its issue is not the one of entry {issue.seq} of the log."
    if not events:
        yield "No event of the audit trail records its issue."
    for event in events:
        yield from _issue_event_errors(certificate, decision, event, issue)


def _issue_event_errors(
    certificate: Certificate, decision: Decision, event: AuditEvent, issue: LoggedEntry | None
) -> Iterator[str]:
    expected: dict[str, Any] = {
        "application": certificate.application_id,
        "moment": certificate.issued_at,
        "person": decision.decided_by,
        "token": certificate.token_sha256,
    }
    recorded: dict[str, Any] = {
        "application": event.case_id,
        "moment": event.at,
        "person": event.actor_id,
        "token": event.data.get("sha256"),
    }
    if issue is not None and issue.entry.decision is not None:
        expected["decision"], recorded["decision"] = decision.sha256, event.data.get("decision_sha256")
    if names := differing_members(recorded, expected):
        yield f"Its issue differs from audit event {event.seq}: {names}."
