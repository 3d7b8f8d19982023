"""Join every certificate with its product, decision, recommendation, audit events and log entries; name what differs.

This module walks through the tables. What is compared: `application_decisions.py`, `grants.py` (certificates),
`status_history.py`, `signatures.py` (of persons), `proposals.py` (acts of two people).
The audit trail and the log are taken as they are: whoever calls this has verified both (`audit_chain.py`,
`transparency_log.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository
from app.applications.model import Decision
from app.audit import audit_repository
from app.auth import proposal_repository
from app.auth.model import Proposal
from app.certificates.model import Certificate
from app.certificates.status_decisions import status_decision_repository
from app.core.database import UNREADABLE, pages_of
from app.integrity import application_decisions, proposals
from app.integrity.grants import find_grant_errors, find_issue_errors
from app.integrity.reissued_tokens import find_reissue_errors, further_tokens
from app.integrity.signatures import RegisteredKeys, find_signature_errors
from app.integrity.status_history import ACT_OF_EVENT, find_status_errors
from app.integrity.transparency_log import IntegrityFinding
from app.transparency import log_repository
from app.transparency.log_entry import LogEvent, parse_entry
from app.transparency.verified_log import LoggedEntry

MAX_FINDINGS = 1_000
"""Findings that are named; further ones are counted."""
_UNREADABLE = "It, or a row that it rests on, cannot be read."
_ISSUED = "certificate.issued"


@dataclass(slots=True)
class DecisionReport:
    """Numbers of decisions, certificates and proposals that were compared, and what does not fit."""

    decisions: int = 0
    certificates: int = 0
    proposals: int = 0
    findings: list[IntegrityFinding] = field(default_factory=list)
    more: int = 0  # findings beyond `MAX_FINDINGS`

    def add(self, findings: Iterable[IntegrityFinding]) -> None:
        for each in findings:
            if len(self.findings) < MAX_FINDINGS:
                self.findings.append(each)
            else:
                self.more += 1


def check_decisions(session: Session) -> DecisionReport:
    """Compare all decisions, certificates and proposals, a page of each in memory at a time."""
    report = DecisionReport()
    keys = RegisteredKeys.load(session)
    bound_from = log_repository.find_first_entry_with_decision(session)

    def check_certificates(page: Sequence[Certificate]) -> Iterator[IntegrityFinding]:
        return _check_certificates(session, page, bound_from, keys)

    report.decisions = _walk(
        session, report, Decision, lambda page: application_decisions.check_page(session, page, keys)
    )
    report.add(application_decisions.find_missing(session))
    report.certificates = _walk(session, report, Certificate, check_certificates)
    report.proposals = _walk(session, report, Proposal, lambda page: proposals.check_page(session, page, keys))
    report.add(proposals.find_missing(session))
    return report


def certificate_errors(session: Session, certificates: Sequence[Certificate]) -> dict[str, list[str]]:
    """Return what does not fit of these certificates, by number; numbers without an error are left out."""
    bound_from = log_repository.find_first_entry_with_decision(session)
    found: dict[str, list[str]] = {}
    for each in _check_certificates(session, certificates, bound_from, RegisteredKeys.load(session)):
        found.setdefault(each.row.rpartition(" ")[2], []).append(each.detail)
    return found


def decision_errors(session: Session, decisions: Sequence[Decision]) -> dict[UUID, list[str]]:
    """Return what does not fit of these decisions and their recommendations, by the id of the decision."""
    keys = RegisteredKeys.load(session)
    found = {}
    for decision in decisions:
        if errors := [each.detail for each in application_decisions.check_page(session, [decision], keys)]:
            found[decision.id] = errors
    return found


def _walk(
    session: Session,
    report: DecisionReport,
    model: type[Any],
    check: Callable[[Sequence[Any]], Iterable[IntegrityFinding]],
) -> int:
    """Check a table by pages and return how many rows were read."""
    count = 0
    try:
        for page in pages_of(session, model, model.id):
            report.add(check(page))
            count += len(page)
            session.expunge_all()
    except UNREADABLE:
        report.add([IntegrityFinding(f"{model.__name__.lower()} after the first {count}", _UNREADABLE)])
    return count


def _check_certificates(
    session: Session, certificates: Sequence[Certificate], bound_from: int | None, keys: RegisteredKeys
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
    revocations = proposal_repository.confirmed_about(session, "revocation", numbers)
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
                *find_grant_errors(
                    certificate,
                    decision,
                    applications.get(decision.application_id),
                    decided.get(decision.id, {}).get(certificate.product_id),
                ),
                *find_issue_errors(
                    certificate, decision, [e for e in found if e.event == _ISSUED], entries, bound_from
                ),
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
        for act in status_decisions.get(certificate.id, []):
            row = f"status decision {act.id} on {certificate.number}"
            wrong = list(find_signature_errors(act, revocations.get(certificate.number, []), keys))
            yield from (IntegrityFinding(row, each) for each in wrong)
