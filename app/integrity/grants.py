"""Compare certificates with the decision that grants them, the audit trail and the log. No SQL."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.applications.model import Application, DecidedProduct, Decision
from app.audit.model import AuditEvent
from app.certificates.model import Certificate
from app.integrity.application_decisions import APPROVED
from app.integrity.status_history import differing_members
from app.transparency.log_entry import LogEvent
from app.transparency.verified_log import LoggedEntry


def find_grant_errors(
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


def find_issue_errors(
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
