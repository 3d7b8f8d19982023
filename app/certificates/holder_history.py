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
from sqlalchemy.orm import Session

from app.certificates import holder_history_repository
from app.certificates.model import CertificateStatus, MatterOutcome, MatterState
from app.core.dates import baku_day
from app.organisations.model import Organisation


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


def load_holder_history(session: Session, organisation_id: UUID, owners: Iterable[str] = ()) -> HolderHistory:
    """Load all that C-12 evaluates, in five statements however many related holders there are.

    `owners`: VÖENs of companies with a share above the threshold in this company, or in which it has such a share.
    """
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        return HolderHistory((), ())
    related: dict[UUID, set[RelationGround]] = defaultdict(set)
    for other, ground in holder_history_repository.list_related_organisations(
        session,
        organisation_id,
        common_member=RelationGround.COMMON_MEMBER.value,
        same_plot=RelationGround.SAME_PLOT.value,
    ):
        related[other].add(RelationGround(ground))
    voens = frozenset(owners) - {organisation.voen}
    rows = holder_history_repository.list_ended_certificates(session, organisation, related, voens)
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
    """Investigations of one certificate: whether one is open, when they ended, which grounds were upheld."""

    is_open: bool = False
    ends: list[datetime] | None = None
    upheld: list[tuple[datetime, str]] | None = None


def _load_inquiries(session: Session, certificate_ids: list[UUID]) -> dict[UUID, _InquiryRecord]:
    inquiries: dict[UUID, _InquiryRecord] = defaultdict(_InquiryRecord)
    if not certificate_ids:
        return inquiries
    for row in holder_history_repository.list_matters(session, certificate_ids):
        record = inquiries[row.certificate_id]
        if row.state == MatterState.OPEN:
            record.is_open = True
            continue
        record.ends = [*(record.ends or ()), row.closed_at]
        if row.outcome == MatterOutcome.UPHELD and row.revocation_reason is not None:
            record.upheld = [*(record.upheld or ()), (row.closed_at, row.revocation_reason)]
    for certificate_id, ended_at in holder_history_repository.list_inquiries(session, certificate_ids):
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
