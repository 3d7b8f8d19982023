"""Query what rule C-12 evaluates of a company and its related holders."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from app.auth.model import User
from app.certificates.model import (
    INVESTIGATION_CAUSES,
    Certificate,
    CertificateStatus,
    Matter,
    MatterKind,
    MatterOutcome,
    Suspension,
)
from app.organisations.model import Organisation, Residency

_ROW = Certificate.__table__.c
_ID: sa.BindParameter[UUID] = sa.bindparam("id", type_=sa.Uuid())
_OWN_MEMBER, _OTHER_MEMBER = aliased(User), aliased(User)
_OWN_RESIDENCY, _OTHER_RESIDENCY = aliased(Residency), aliased(Residency)


def _organisations_with_common_member() -> sa.Select[Any, Any]:
    """Select other companies with a member of the same e-mail address, now or earlier.

    A person has one account for each company.
    """
    return (
        sa.select(_OTHER_MEMBER.organisation_id, sa.bindparam("common_member", type_=sa.Text).label("ground"))
        .join(_OWN_MEMBER, _email_address(_OTHER_MEMBER) == _email_address(_OWN_MEMBER))
        .where(
            _OWN_MEMBER.organisation_id == _ID,
            _OTHER_MEMBER.organisation_id.is_not(None),
            _OTHER_MEMBER.organisation_id != _ID,
        )
        .distinct()
    )


def _email_address(user: type[User]) -> sa.ColumnElement[str]:
    return sa.func.coalesce(user.former_email, user.email)


def _organisations_on_same_plot() -> sa.Select[Any, Any]:
    """Select other companies with a residency on a plot of this one, open or closed."""
    return (
        sa.select(_OTHER_RESIDENCY.organisation_id, sa.bindparam("same_plot", type_=sa.Text).label("ground"))
        .join(
            _OWN_RESIDENCY,
            sa.and_(
                _OWN_RESIDENCY.park_code == _OTHER_RESIDENCY.park_code,
                _OWN_RESIDENCY.plot_no == _OTHER_RESIDENCY.plot_no,
            ),
        )
        .where(_OWN_RESIDENCY.organisation_id == _ID, _OTHER_RESIDENCY.organisation_id != _ID)
        .distinct()
    )


def _ended_certificates() -> sa.Select[Any]:
    """Select revoked certificates, and those surrendered during an investigation, without their long tokens."""
    columns = (
        *(_ROW.id, _ROW.number, _ROW.scheme_code, _ROW.product_id, _ROW.gtin, _ROW.hs6, _ROW.site_id),
        *(_ROW.product_names, _ROW.organisation_id, _ROW.holder_voen, _ROW.holder_name),
        *(_ROW.status, _ROW.status_reason, _ROW.status_since, Organisation.voen),
    )
    is_ended_for_cause = sa.or_(
        _ROW.status == CertificateStatus.REVOKED.value,
        sa.and_(_ROW.status == CertificateStatus.SURRENDERED.value, _ROW.during_investigation),
    )
    of_related = sa.or_(
        _ROW.organisation_id.in_(sa.bindparam("organisations", expanding=True)),
        _ROW.holder_voen.in_(sa.bindparam("voens", expanding=True)),
        Organisation.voen.in_(sa.bindparam("owners", expanding=True)),
    )
    return (
        sa.select(*columns)
        .join(Organisation, Organisation.id == _ROW.organisation_id)
        .where(is_ended_for_cause, of_related)
        .order_by(_ROW.id)
    )


# Every assessment runs these queries. They are built once, because building takes half of their cost.
_RELATED_ORGANISATIONS = sa.union_all(_organisations_with_common_member(), _organisations_on_same_plot())
_ENDED_CERTIFICATES = _ended_certificates()


def list_related_organisations(
    session: Session, organisation_id: UUID, *, common_member: str, same_plot: str
) -> Iterator[tuple[UUID, str]]:
    """Yield the companies with a common member or on the same plot, each with the given name of that ground."""
    params = {"id": organisation_id, "common_member": common_member, "same_plot": same_plot}
    for row in session.execute(_RELATED_ORGANISATIONS, params):
        yield row[0], row[1]


def list_ended_certificates(
    session: Session, organisation: Organisation, related: Iterable[UUID], voens: frozenset[str]
) -> Sequence[Any]:
    """Return the certificates that ended for cause, of the company and of its related holders, in the order of issue.

    `voens` are those of related owners.
    """
    params = {
        "organisations": [organisation.id, *related],
        "voens": [organisation.voen, *voens],
        "owners": list(voens),
    }
    return session.execute(_ENDED_CERTIFICATES, params).all()


def list_matters(session: Session, certificate_ids: Sequence[UUID]) -> Sequence[Any]:
    """Return the inquiries into the certificates that are matters."""
    query = sa.select(
        Matter.certificate_id, Matter.state, Matter.outcome, Matter.revocation_reason, Matter.closed_at
    ).where(
        Matter.certificate_id.in_(certificate_ids),
        # A report by anyone counts only when it was examined and upheld.
        sa.or_(Matter.kind != MatterKind.REPORT.value, Matter.outcome == MatterOutcome.UPHELD.value),
    )
    return session.execute(query).all()


def list_inquiries(session: Session, certificate_ids: Sequence[UUID]) -> Iterator[tuple[UUID, datetime | None]]:
    """Yield the inquiries into the certificates that are suspensions, each with its end; None while it is open."""
    query = sa.select(Suspension.certificate_id, Suspension.ended_at).where(
        Suspension.certificate_id.in_(certificate_ids),
        Suspension.cause.in_([cause.value for cause in INVESTIGATION_CAUSES]),
    )
    for row in session.execute(query):
        yield row[0], row[1]
