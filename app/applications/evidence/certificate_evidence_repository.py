"""Queries: which certificates in force rest on which items of evidence."""

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


def _is_of_same_case(item: type[Evidence]) -> sa.ColumnElement[bool]:
    """That an item is of the certificate's application or of its company."""
    return sa.and_(
        item.organisation_id == Certificate.organisation_id,
        sa.or_(item.application_id.is_(None), item.application_id == Certificate.application_id),
    )


def can_support(item: Evidence, certificate: Certificate) -> bool:
    """Whether an item near the certificate is about its product, its site or its company."""
    is_within, subject = resolve_subject(item.kind, document_subject(item), certificate.product_id, certificate.site_id)
    return is_within and subject is not None


def certificates_supported_by(session: Session, evidence: Evidence, today: date) -> Sequence[Certificate]:
    """Certificates in force for which this item may speak."""
    query = (
        sa.select(Certificate)
        .join(Evidence, _is_of_same_case(Evidence))
        .where(Evidence.id == evidence.id, *in_force_conditions(today))
        .order_by(Certificate.id)
    )
    return [certificate for certificate in session.scalars(query) if can_support(evidence, certificate)]


def has_other_support(session: Session, evidence: Evidence, certificate: Certificate, today: date) -> bool:
    """Whether another confirmed item of the kind that holds today may speak for this certificate."""
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
    """Confirmed items whose last day has passed, each with the certificates in force for which it may speak: where no
    other of its kind holds, and no matter was opened about this end."""
    query = (
        sa.select(Evidence, Certificate)
        .join(Certificate, _is_of_same_case(Evidence))
        .where(
            Evidence.confirmed_at.is_not(None),
            Evidence.valid_until < today,
            Evidence.valid_until >= Certificate.valid_from,  # one that had ended before never spoke for it
            *in_force_conditions(today),
        )
        .order_by(Evidence.id, Certificate.id)
    )
    if evidence_id is not None:
        query = query.where(Evidence.id == evidence_id)
    pairs = [(row[0], row[1]) for row in session.execute(query)]
    found = [
        (item, certificate)
        for item, certificate in pairs
        if can_support(item, certificate) and not has_other_support(session, item, certificate, today)
    ]
    known = _reported_ends(session, {certificate.id for _, certificate in found})
    return [(row, certificate) for row, certificate in found if (certificate.id, matter_subject(row)) not in known]


def _reported_ends(session: Session, certificate_ids: Collection[UUID]) -> set[tuple[UUID, str | None]]:
    """Certificate and subject of each matter about an end, open or closed."""
    known: set[tuple[UUID, str | None]] = set()
    for part in parts_of(sorted(certificate_ids)):
        query = sa.select(Matter.certificate_id, Matter.subject).where(
            Matter.certificate_id.in_(part), Matter.cause == MatterCause.EVIDENCE_ENDED.value
        )
        known |= {(row.certificate_id, row.subject) for row in session.execute(query)}
    return known


def matter_subject(evidence: Evidence) -> str:
    """How matters name it."""
    return f"evidence:{evidence.id}"


def lock_document(session: Session, evidence_id: UUID) -> Evidence | None:
    query = sa.select(Evidence).where(Evidence.id == evidence_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()
