"""Evidence that certificates rest on: what becomes of them when it is withdrawn, found false, or ends.

An item speaks for a certificate if it is of its application or of its company, and about its product, its site or its
company. Where one is gone, a matter opens about each certificate in force for which it spoke.
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
    """Certificates in force for which this item may speak."""
    return certificate_evidence_repository.certificates_supported_by(session, evidence, today)


def certificates_losing_support(session: Session, evidence: Evidence, today: date) -> Sequence[Certificate]:
    """Certificates in force that lose something with this confirmed item: it spoke at their issue, or it came later
    and no other of its kind holds today."""
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
    """The item, which is locked, was withdrawn or found false: open what follows for these; the numbers of those
    about which a matter is new."""
    cause = MatterCause.EVIDENCE_FALSE if found_false else MatterCause.EVIDENCE_WITHDRAWN
    opened = []
    for certificate in _lock_certificates(session, certificates):
        opened += _open_matter(session, actor, certificate, cause, evidence, now)
    return opened


def list_ended_documents(session: Session, today: date) -> Sequence[UUID]:
    """Items whose last day has passed under certificates in force that rest on them, without a matter so far."""
    found = {
        row.id
        for row, certificate in certificate_evidence_repository.list_ended_documents(session, today)
        if _is_required_by_rules(session, row, certificate)
    }
    return sorted(found)


def open_matters_for_ended_document(
    session: Session, actor: Actor, evidence_id: UUID, *, now: datetime
) -> Sequence[str]:
    """The last day of an item has passed: open what follows. Looked at again under its lock; the numbers of the
    certificates. Running it twice opens nothing twice."""
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
    """Whether the rules in force ask for such an item at all times, and not on one day only."""
    return evidence.kind in continuously_required_kinds(
        publishing.current_scheme(session, certificate.scheme_code).ruleset
    )


def continuously_required_kinds(ruleset: Ruleset) -> frozenset[str]:
    """Kinds of evidence that its rules read as of the day; an authority to sign is asked for at the declaration and
    the submission only."""
    signed = [rule for rule in ruleset.rules if rule.kind == "declaration" or getattr(rule, "on", "day") != "day"]
    lasting = [rule for rule in ruleset.rules if rule not in signed]
    return frozenset(kind for rule in lasting for kind in rule.evidence_kinds())
