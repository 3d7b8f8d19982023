"""Open matters about certificates when their evidence is withdrawn, found false, or ends.

A document supports a certificate if it is of its application or company and about its product, site or company.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications.evidence import certificate_evidence_repository
from app.applications.model import Evidence
from app.auth.permissions import require_role
from app.certificates import matter_repository, matters
from app.certificates.model import Certificate, MatterCause
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.schemes import publishing
from app.schemes.ruleset import Ruleset


def certificates_supported_by(session: Session, evidence: Evidence, today: date) -> Sequence[Certificate]:
    """Return certificates in force that the document may support."""
    return certificate_evidence_repository.certificates_supported_by(session, evidence, today)


def certificates_losing_support(session: Session, evidence: Evidence, today: date) -> Sequence[Certificate]:
    """Return certificates in force that lose support with the confirmed document.

    It supported them at issue, or it came later and no other document of its kind is valid today.
    """
    confirmed_at = evidence.confirmed_at
    return [
        certificate
        for certificate in certificate_evidence_repository.certificates_supported_by(session, evidence, today)
        if (confirmed_at is not None and confirmed_at <= certificate.issued_at)
        or not certificate_evidence_repository.has_other_support(session, evidence, certificate, today)
    ]


def open_matters_for_lost_document(
    session: Session,
    actor: Actor,
    evidence: Evidence,
    certificates: Sequence[Certificate],
    *,
    found_false: bool,
    now: datetime,
) -> Sequence[str]:
    """Open matters for a withdrawn or false document, which is locked. Return the numbers with a new matter."""
    cause = MatterCause.EVIDENCE_FALSE if found_false else MatterCause.EVIDENCE_WITHDRAWN
    opened = []
    for certificate in _lock_certificates(session, certificates):
        opened += _open_matter(session, actor, certificate, cause, evidence, now)
    return opened


def list_ended_documents(session: Session, today: date) -> Sequence[UUID]:
    """List documents past their last day that certificates in force depend on, without a matter so far."""
    found = {
        row.id
        for row, certificate in certificate_evidence_repository.list_ended_documents(session, today)
        if _is_required_by_rules(session, row, certificate)
    }
    return sorted(found)


def open_matters_for_ended_document(
    session: Session, actor: Actor, evidence_id: UUID, *, now: datetime
) -> Sequence[str]:
    """Open matters after a document's last day, checked again under its lock. Return the certificate numbers.

    Idempotent: a second run opens nothing.
    """
    require_role(actor, Role.SYSTEM)
    today = baku_day(now)
    row = certificate_evidence_repository.lock_document(session, evidence_id)
    if row is None:
        return []
    found = certificate_evidence_repository.list_ended_documents(session, today, evidence_id)
    due = [certificate for _, certificate in found if _is_required_by_rules(session, row, certificate)]
    opened = []
    for certificate in _lock_certificates(session, due):
        opened += _open_matter(session, actor, certificate, MatterCause.EVIDENCE_ENDED, row, now)
    return opened


def _lock_certificates(session: Session, certificates: Sequence[Certificate]) -> Sequence[Certificate]:
    return matter_repository.lock_certificates(session, [certificate.id for certificate in certificates])


def _open_matter(
    session: Session, actor: Actor, certificate: Certificate, cause: MatterCause, evidence: Evidence, now: datetime
) -> list[str]:
    details = {"evidence_kind": evidence.kind}
    if evidence.valid_until is not None:
        details["valid_until"] = evidence.valid_until.isoformat()
    matter = matters.open_matter(
        session,
        actor,
        certificate,
        cause,
        subject=certificate_evidence_repository.matter_subject(evidence),
        details=details,
        now=now,
    )
    return [certificate.number] if matter else []


def _is_required_by_rules(session: Session, evidence: Evidence, certificate: Certificate) -> bool:
    """Return whether the rules in force require such a document at all times, not on one day only."""
    return evidence.kind in continuously_required_kinds(
        publishing.current_scheme(session, certificate.scheme_code).ruleset
    )


def continuously_required_kinds(ruleset: Ruleset) -> frozenset[str]:
    """Return the kinds of evidence that rules require as of the day.

    An authority to sign is required only at the declaration and the submission.
    """
    signed = [rule for rule in ruleset.rules if rule.kind == "declaration" or getattr(rule, "on", "day") != "day"]
    lasting = [rule for rule in ruleset.rules if rule not in signed]
    return frozenset(kind for rule in lasting for kind in rule.evidence_kinds())
