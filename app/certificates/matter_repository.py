"""Query matters, reports of misuse and certified descriptions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from app.certificates.model import (
    Certificate,
    CertificateStatus,
    CertifiedDescription,
    Matter,
    MatterCause,
    MatterKind,
    MatterState,
    MisuseReport,
)
from app.core.database import locked, page_of

IN_FORCE_STATUSES = (CertificateStatus.ACTIVE.value, CertificateStatus.SUSPENDED.value)
_HAS_OPEN_INQUIRY = sa.select(
    sa.exists().where(
        Matter.certificate_id == sa.bindparam("id"),
        Matter.state == MatterState.OPEN.value,
        Matter.kind != MatterKind.REPORT.value,
    )
)


@dataclass(frozen=True, slots=True)
class MatterFilter:
    state: MatterState | None = None
    kind: MatterKind | None = None
    number: str | None = None  # of the certificate
    changed_from: datetime | None = None  # opened or closed, inclusive


def get_matter(session: Session, matter_id: UUID, *, lock: bool = False) -> Matter | None:
    query = sa.select(Matter).where(Matter.id == matter_id)
    return session.scalars(locked(query, lock)).one_or_none()


def list_matters(
    session: Session, matter_filter: MatterFilter, *, after: UUID | None, limit: int
) -> Sequence[tuple[Matter, Certificate]]:
    """Return matters with their certificates, oldest first."""
    query = (
        sa.select(Matter, Certificate)
        .join(Certificate, Certificate.id == Matter.certificate_id)
        .order_by(Matter.id)
        .limit(limit)
    )
    if matter_filter.state is not None:
        query = query.where(Matter.state == matter_filter.state.value)
    if matter_filter.kind is not None:
        query = query.where(Matter.kind == matter_filter.kind.value)
    if matter_filter.number is not None:
        query = query.where(Certificate.number == matter_filter.number)
    if (since := matter_filter.changed_from) is not None:
        query = query.where(sa.or_(Matter.opened_at >= since, Matter.closed_at >= since))
    if after is not None:
        query = query.where(Matter.id > after)
    return [(row[0], row[1]) for row in session.execute(query)]


def has_open_inquiry(session: Session, certificate_id: UUID) -> bool:
    """Check whether an inquiry is open. An unexamined public report is not an inquiry."""
    return bool(session.execute(_HAS_OPEN_INQUIRY, {"id": certificate_id}).scalar_one())


def count_open_matters(session: Session, certificate_id: UUID, kind: MatterKind) -> int:
    query = sa.select(sa.func.count()).where(
        Matter.certificate_id == certificate_id, Matter.kind == kind.value, Matter.state == MatterState.OPEN.value
    )
    return session.execute(query).scalar_one()


def has_open_matter_about(session: Session, certificate_id: UUID, cause: MatterCause, subject: str) -> bool:
    query = sa.select(
        sa.exists().where(
            Matter.certificate_id == certificate_id,
            Matter.cause == cause.value,
            Matter.subject == subject,
            Matter.state == MatterState.OPEN.value,
        )
    )
    return bool(session.execute(query).scalar_one())


def numbers_without_reported_change(
    session: Session, today: date, *, product_id: UUID | None = None, site_id: UUID | None = None
) -> Sequence[str]:
    """Return numbers of certificates in force without a reported change.

    They are certificates of this product, or of products of this site. The matters found are locked for share until the
    transaction ends, so that none is closed while the product or site changes.
    """
    query = sa.select(Certificate.id, Certificate.number).where(*in_force_conditions(today))
    query = query.where(Certificate.product_id == product_id if product_id else Certificate.site_id == site_id)
    rows = session.execute(query.order_by(Certificate.number)).all()
    if not rows:
        return ()
    changes = (
        sa.select(Matter.certificate_id)
        .where(
            Matter.certificate_id.in_([row.id for row in rows]),
            Matter.kind == MatterKind.CHANGE.value,
            Matter.state == MatterState.OPEN.value,
        )
        .order_by(Matter.id)
        .with_for_update(read=True)
    )
    reported = set(session.scalars(changes))
    return [row.number for row in rows if row.id not in reported]


def in_force_conditions(today: date) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions of a certificate in force: active or suspended, term not ended."""
    return Certificate.status.in_(IN_FORCE_STATUSES), Certificate.valid_until >= today


def lock_certificates(session: Session, certificate_ids: Collection[UUID]) -> Sequence[Certificate]:
    """Lock these certificates, always in the same order, and return their current rows."""
    query = sa.select(Certificate).where(Certificate.id.in_(certificate_ids)).order_by(Certificate.id)
    return session.scalars(locked(query)).all()


def get_description(session: Session, certificate_id: UUID) -> CertifiedDescription | None:
    return session.get(CertifiedDescription, certificate_id)


def lock_described_certificates(
    session: Session, today: date, *, organisation_ids: Collection[UUID], site_ids: Collection[UUID]
) -> Sequence[tuple[Certificate, CertifiedDescription]]:
    """Lock certificates in force of these companies or sites; returns them with descriptions."""
    query = (
        sa.select(Certificate, CertifiedDescription)
        .join(CertifiedDescription, CertifiedDescription.certificate_id == Certificate.id)
        .where(
            *in_force_conditions(today),
            sa.or_(Certificate.organisation_id.in_(organisation_ids), Certificate.site_id.in_(site_ids)),
        )
        .order_by(Certificate.id)
    )
    locked = query.with_for_update(key_share=True, of=Certificate).execution_options(populate_existing=True)
    return [(row[0], row[1]) for row in session.execute(locked)]


def list_reports(session: Session, *, after: UUID | None, limit: int) -> Sequence[MisuseReport]:
    """Return reports oldest first, without their photos."""
    query = sa.select(MisuseReport).options(defer(MisuseReport.photo, raiseload=True))
    return page_of(session, query, MisuseReport.id, after, limit)


def get_report(session: Session, report_id: UUID) -> MisuseReport | None:
    return session.get(MisuseReport, report_id)
