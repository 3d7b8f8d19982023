"""Query which certificates in force depend on which evidence documents."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.evidence.details import document_subject, resolve_subject
from app.applications.model import Evidence
from app.certificates.matter_repository import in_force_conditions
from app.certificates.model import Certificate, Matter, MatterCause
from app.core.database import parts_of


def _is_of_same_case(document: type[Evidence]) -> sa.ColumnElement[bool]:
    """Build the condition that the document is of the certificate's application or company."""
    return sa.and_(
        document.organisation_id == Certificate.organisation_id,
        sa.or_(document.application_id.is_(None), document.application_id == Certificate.application_id),
    )


def can_support(document: Evidence, certificate: Certificate) -> bool:
    """Return whether the document is about the certificate's product, site or company."""
    is_within, subject = resolve_subject(
        document.kind, document_subject(document), certificate.product_id, certificate.site_id
    )
    return is_within and subject is not None


def certificates_supported_by(session: Session, evidence: Evidence, today: date) -> Sequence[Certificate]:
    """Return certificates in force that the document may support."""
    query = (
        sa.select(Certificate)
        .join(Evidence, _is_of_same_case(Evidence))
        .where(Evidence.id == evidence.id, *in_force_conditions(today))
        .order_by(Certificate.id)
    )
    return [certificate for certificate in session.scalars(query) if can_support(evidence, certificate)]


def has_other_support(session: Session, evidence: Evidence, certificate: Certificate, today: date) -> bool:
    """Return whether another confirmed, valid document of the kind may support the certificate."""
    query = (
        sa.select(Evidence)
        .join(Certificate, _is_of_same_case(Evidence))
        .where(
            Certificate.id == certificate.id,
            Evidence.id != evidence.id,
            Evidence.kind == evidence.kind,
            Evidence.confirmed_at.is_not(None),
            sa.or_(Evidence.valid_until.is_(None), Evidence.valid_until >= today),
        )
    )
    return any(can_support(other, certificate) for other in session.scalars(query))


def list_ended_documents(
    session: Session, today: date, evidence_id: UUID | None = None
) -> Sequence[tuple[Evidence, Certificate]]:
    """List confirmed documents past their last day with the certificates in force that they supported.

    Pairs with another valid document of the kind, or with a matter about this end, are left out.
    """
    query = (
        sa.select(Evidence, Certificate)
        .join(Certificate, _is_of_same_case(Evidence))
        .where(
            Evidence.confirmed_at.is_not(None),
            Evidence.valid_until < today,
            Evidence.valid_until >= Certificate.valid_from,  # one that ended before the issue never supported it
            *in_force_conditions(today),
        )
        .order_by(Evidence.id, Certificate.id)
    )
    if evidence_id is not None:
        query = query.where(Evidence.id == evidence_id)
    pairs = [(row[0], row[1]) for row in session.execute(query)]
    found = [
        (document, certificate)
        for document, certificate in pairs
        if can_support(document, certificate) and not has_other_support(session, document, certificate, today)
    ]
    known = _reported_ends(session, {certificate.id for _, certificate in found})
    return [(row, certificate) for row, certificate in found if (certificate.id, matter_subject(row)) not in known]


def _reported_ends(session: Session, certificate_ids: Collection[UUID]) -> set[tuple[UUID, str | None]]:
    """Return (certificate, subject) of each matter about an ended document, open or closed."""
    known: set[tuple[UUID, str | None]] = set()
    for part in parts_of(sorted(certificate_ids)):
        query = sa.select(Matter.certificate_id, Matter.subject).where(
            Matter.certificate_id.in_(part), Matter.cause == MatterCause.EVIDENCE_ENDED.value
        )
        known |= {(row.certificate_id, row.subject) for row in session.execute(query)}
    return known


def matter_subject(evidence: Evidence) -> str:
    """Return the subject under which matters name the document."""
    return f"evidence:{evidence.id}"


def lock_document(session: Session, evidence_id: UUID) -> Evidence | None:
    query = sa.select(Evidence).where(Evidence.id == evidence_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()
