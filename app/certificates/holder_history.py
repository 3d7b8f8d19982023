"""Load what rule C-12 evaluates: ended certificates of a company and of its related holders.

These are revocations, and surrenders during an investigation, under every mark. A related holder has the same VÖEN, a
common member, an owner's share, or the same plot of a park. Shares are values of evidence documents, which this package
must not import: `applications/history.py` passes the owners.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
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
    MatterState,
    Suspension,
)
from app.core.dates import baku_day
from app.organisations.model import Organisation, Residency


class RelationGround(StrEnum):
    """Why a holder counts as related; the company itself has no ground."""

    SAME_TAXPAYER = "same_taxpayer"
    COMMON_MEMBER = "common_member"
    OWNERSHIP = "ownership"
    SAME_PLOT = "same_plot"


class InquiryState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"
    NOT_UPHELD = "not_upheld"


@dataclass(frozen=True, slots=True)
class EndedCertificate:
    """A certificate that ended, with all that identifies its product. Names may be missing."""

    number: str
    scheme_code: str
    product_id: UUID
    gtin: str | None
    hs6: str
    site_id: UUID
    name_az: str | None
    name_en: str | None
    organisation_id: UUID
    voen: str
    holder_name: str
    grounds: frozenset[RelationGround]  # empty: the company's own


@dataclass(frozen=True, slots=True)
class Revocation:
    certificate: EndedCertificate
    reason: str  # of the closed list
    day: date  # in Baku


@dataclass(frozen=True, slots=True)
class Surrender:
    """A surrender during an investigation.

    If the inquiry was upheld, it counts as a revocation for `reason` on `decided_on`.
    """

    certificate: EndedCertificate
    day: date  # in Baku
    inquiry: InquiryState
    reason: str | None  # for which it was upheld, of the list of revocations
    decided_on: date | None  # None while it is open


@dataclass(frozen=True, slots=True)
class HolderHistory:
    """Revocations and surrenders, both in the order of issue."""

    revocations: tuple[Revocation, ...]
    surrenders: tuple[Surrender, ...]


_ROW = Certificate.__table__.c
_OWN_MEMBER, _OTHER_MEMBER = aliased(User), aliased(User)
_OWN_RESIDENCY, _OTHER_RESIDENCY = aliased(Residency), aliased(Residency)


def load_holder_history(session: Session, organisation_id: UUID, owners: Iterable[str] = ()) -> HolderHistory:
    """Load all that C-12 evaluates, in five statements however many related holders there are.

    `owners`: VÖENs of companies with a share above the threshold in this company, or in which it has such a share.
    """
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        return HolderHistory((), ())
    related: dict[UUID, set[RelationGround]] = defaultdict(set)
    grounds = sa.union_all(
        _organisations_with_common_member(organisation_id), _organisations_on_same_plot(organisation_id)
    )
    for other, ground in session.execute(grounds):
        related[other].add(RelationGround(ground))
    voens = frozenset(owners) - {organisation.voen}
    rows = session.execute(_ended_certificates(organisation, related, voens)).all()
    inquiries = _load_inquiries(session, [row.id for row in rows if row.status == CertificateStatus.SURRENDERED])
    revocations, surrenders = [], []
    for row in rows:
        certificate = _to_ended_certificate(row, organisation, related, voens)
        day = baku_day(row.status_since)
        if row.status == CertificateStatus.REVOKED:
            revocations.append(Revocation(certificate, row.status_reason or "", day))
        else:
            surrenders.append(_to_surrender(certificate, row.status_since, inquiries[row.id]))
    return HolderHistory(tuple(revocations), tuple(surrenders))


def _organisations_with_common_member(organisation_id: UUID) -> sa.Select[Any, str]:
    """Select other companies with a member of the same e-mail address, now or earlier.

    A person has one account for each company.
    """
    return (
        sa.select(_OTHER_MEMBER.organisation_id, sa.literal(RelationGround.COMMON_MEMBER.value).label("ground"))
        .join(_OWN_MEMBER, _email_address(_OTHER_MEMBER) == _email_address(_OWN_MEMBER))
        .where(
            _OWN_MEMBER.organisation_id == organisation_id,
            _OTHER_MEMBER.organisation_id.is_not(None),
            _OTHER_MEMBER.organisation_id != organisation_id,
        )
        .distinct()
    )


def _email_address(user: type[User]) -> sa.ColumnElement[str]:
    return sa.func.coalesce(user.former_email, user.email)


def _organisations_on_same_plot(organisation_id: UUID) -> sa.Select[Any, str]:
    """Select other companies with a residency on a plot of this one, open or closed."""
    return (
        sa.select(_OTHER_RESIDENCY.organisation_id, sa.literal(RelationGround.SAME_PLOT.value).label("ground"))
        .join(
            _OWN_RESIDENCY,
            sa.and_(
                _OWN_RESIDENCY.park_code == _OTHER_RESIDENCY.park_code,
                _OWN_RESIDENCY.plot_no == _OTHER_RESIDENCY.plot_no,
            ),
        )
        .where(_OWN_RESIDENCY.organisation_id == organisation_id, _OTHER_RESIDENCY.organisation_id != organisation_id)
        .distinct()
    )


def _ended_certificates(
    organisation: Organisation, related: Mapping[UUID, set[RelationGround]], voens: frozenset[str]
) -> sa.Select[Any]:
    """Select the certificates without their tokens, which are long."""
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
        _ROW.organisation_id.in_([organisation.id, *related]),
        _ROW.holder_voen.in_([organisation.voen, *voens]),
        Organisation.voen.in_(voens),
    )
    return (
        sa.select(*columns)
        .join(Organisation, Organisation.id == _ROW.organisation_id)
        .where(is_ended_for_cause, of_related)
        .order_by(_ROW.id)
    )


def _to_ended_certificate(
    row: sa.Row[Any],
    organisation: Organisation,
    related: Mapping[UUID, set[RelationGround]],
    voens: frozenset[str],
) -> EndedCertificate:
    grounds = set(related.get(row.organisation_id, ()))
    if row.organisation_id != organisation.id:
        if organisation.voen in (row.holder_voen, row.voen):
            grounds.add(RelationGround.SAME_TAXPAYER)
        if voens & {row.holder_voen, row.voen}:
            grounds.add(RelationGround.OWNERSHIP)
    return EndedCertificate(
        number=row.number,
        scheme_code=row.scheme_code,
        product_id=row.product_id,
        gtin=row.gtin,
        hs6=row.hs6,
        site_id=row.site_id,
        name_az=row.product_names.get("az"),
        name_en=row.product_names.get("en"),
        organisation_id=row.organisation_id,
        voen=row.holder_voen,
        holder_name=row.holder_name,
        grounds=frozenset(grounds),
    )


@dataclass(slots=True)
class _InquiryRecord:
    """Inquiries into one certificate: whether one is open, when they ended, what was upheld."""

    is_open: bool = False
    ends: list[datetime] | None = None
    upheld: list[tuple[datetime, str]] | None = None


def _load_inquiries(session: Session, certificate_ids: list[UUID]) -> dict[UUID, _InquiryRecord]:
    inquiries: dict[UUID, _InquiryRecord] = defaultdict(_InquiryRecord)
    if not certificate_ids:
        return inquiries
    matters = sa.select(
        Matter.certificate_id, Matter.state, Matter.outcome, Matter.revocation_reason, Matter.closed_at
    ).where(
        Matter.certificate_id.in_(certificate_ids),
        # A report by anyone counts only when it was examined and upheld.
        sa.or_(Matter.kind != MatterKind.REPORT.value, Matter.outcome == MatterOutcome.UPHELD.value),
    )
    for row in session.execute(matters):
        record = inquiries[row.certificate_id]
        if row.state == MatterState.OPEN:
            record.is_open = True
            continue
        record.ends = [*(record.ends or ()), row.closed_at]
        if row.outcome == MatterOutcome.UPHELD and row.revocation_reason is not None:
            record.upheld = [*(record.upheld or ()), (row.closed_at, row.revocation_reason)]
    causes = sa.select(Suspension.certificate_id, Suspension.ended_at).where(
        Suspension.certificate_id.in_(certificate_ids),
        Suspension.cause.in_([cause.value for cause in INVESTIGATION_CAUSES]),
    )
    for certificate_id, ended_at in session.execute(causes):
        record = inquiries[certificate_id]
        if ended_at is None:
            record.is_open = True
        else:
            record.ends = [*(record.ends or ()), ended_at]
    return inquiries


def _to_surrender(certificate: EndedCertificate, surrendered_at: datetime, inquiry: _InquiryRecord) -> Surrender:
    """Build the surrender; only inquiries that closed after it count."""
    day = baku_day(surrendered_at)
    upheld = sorted(each for each in inquiry.upheld or () if each[0] >= surrendered_at)
    if upheld:  # the first one: others may still be open, but the bar has begun
        return Surrender(certificate, day, InquiryState.UPHELD, upheld[0][1], baku_day(upheld[0][0]))
    if inquiry.is_open:
        return Surrender(certificate, day, InquiryState.OPEN, None, None)
    ended = max((each for each in inquiry.ends or () if each >= surrendered_at), default=surrendered_at)
    return Surrender(certificate, day, InquiryState.NOT_UPHELD, None, baku_day(ended))
