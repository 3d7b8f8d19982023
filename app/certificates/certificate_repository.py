"""Query certificates, suspensions and counters."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, defer

from app.certificates.model import (
    Certificate,
    CertificateStatus,
    CertifiedDescription,
    ReissuedToken,
    Suspension,
    SuspensionCause,
)
from app.core.database import PAGE_ROWS, core_table, locked, page_of, parts_of
from app.organisations.model import Residency
from app.organisations.organisation_repository import in_force_conditions
from app.transparency.log_entry import LogEvent
from app.transparency.model import LogEntry

# Every issuance and every change of status executes these: built once. A foreign key has the type of what it names only
# after that table was defined, so parameters compared with one state their type.
_ROW = core_table(Certificate).c
_BY_NUMBER = sa.select(Certificate).where(Certificate.number == sa.bindparam("number"))
_TOKENS = sa.select(_ROW.number, _ROW.token, _ROW.status_reason).where(
    _ROW.number.in_(sa.bindparam("numbers", expanding=True))
)
_BY_NUMBER_LOCKED = locked(_BY_NUMBER)
_NUMBERS_OF_APPLICATION = (
    sa.select(_ROW.product_id, _ROW.number)
    .where(_ROW.application_id == sa.bindparam("id", type_=_ROW.id.type))
    .order_by(_ROW.serial)
)
_NUMBERS_OF_PRODUCTS = (
    sa.select(_ROW.product_id, _ROW.number)
    .where(_ROW.product_id.in_(sa.bindparam("ids", expanding=True, type_=sa.Uuid())))
    .order_by(_ROW.id)
)
_USED_INDEXES = sa.select(_ROW.status_index).where(
    _ROW.status_list_id == sa.bindparam("list_id"), _ROW.status_index.in_(sa.bindparam("candidates", expanding=True))
)
_OPEN_SUSPENSIONS = sa.select(Suspension).where(
    Suspension.certificate_id == sa.bindparam("id"), Suspension.ended_at.is_(None)
)


def by_number(session: Session, number: str, *, lock: bool = False) -> Certificate | None:
    return session.scalars(_BY_NUMBER_LOCKED if lock else _BY_NUMBER, {"number": number}).one_or_none()


class StoredToken(NamedTuple):
    """What a row says of its certificate before anything is proven. `status_reason`: see `record_of`."""

    token: str
    status_reason: str | None


def stored_tokens(session: Session, numbers: Sequence[str]) -> dict[str, StoredToken]:
    """Return token and reason by number."""
    found = {}
    for part in parts_of(numbers):
        for number, token, reason in session.execute(_TOKENS, {"numbers": part}):
            found[number] = StoredToken(token, reason)
    return found


def reissued_tokens(session: Session, numbers: Sequence[str]) -> dict[str, list[str]]:
    """Return the further tokens of certificates that were signed anew, by number, oldest first."""
    found: dict[str, list[str]] = {}
    for row in reissue_rows(session, numbers):
        found.setdefault(row.number, []).append(row.token)
    return found


def reissue_rows(session: Session, numbers: Sequence[str]) -> Iterator[ReissuedToken]:
    """Yield the further tokens of these certificates, oldest first."""
    for part in parts_of(numbers):
        query = sa.select(ReissuedToken).where(ReissuedToken.number.in_(part))
        yield from session.scalars(query.order_by(ReissuedToken.reissued_at, ReissuedToken.kid))


@dataclass(frozen=True, slots=True)
class DependentCertificate:
    """A certificate, the residency with which it was granted, and its open suspension causes."""

    certificate: Certificate
    granted_on: Residency
    causes: set[SuspensionCause]


def lock_certificates_of_parties(
    session: Session, parties: Collection[tuple[UUID, str]]
) -> dict[tuple[UUID, str], list[DependentCertificate]]:
    """Lock the certificates that depend on these parties (company, park), in a fixed order.

    The residency period with which they were granted does not matter. Final ones are left out.
    """
    result: dict[tuple[UUID, str], list[DependentCertificate]] = {}
    party = sa.tuple_(Residency.organisation_id, Residency.park_code)
    for part in parts_of(sorted(parties)):
        query = (
            sa.select(Certificate, Residency)
            .join(Residency, Certificate.residency_id == Residency.id)
            .where(
                party.in_(part),
                Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
            )
            .order_by(Certificate.id)
            .with_for_update(key_share=True, of=Certificate)
            .execution_options(populate_existing=True)
        )
        rows = session.execute(query).all()
        causes = open_suspension_causes(session, [certificate.id for certificate, _ in rows])
        for certificate, period in rows:
            dependent = DependentCertificate(certificate, period, causes.get(certificate.id, set()))
            result.setdefault((period.organisation_id, period.park_code), []).append(dependent)
    return result


def open_suspension_causes(session: Session, certificate_ids: Sequence[UUID]) -> dict[UUID, set[SuspensionCause]]:
    """Return the open suspension causes of these certificates; one without causes is left out."""
    result: dict[UUID, set[SuspensionCause]] = {}
    for part in parts_of(certificate_ids):
        query = sa.select(Suspension.certificate_id, Suspension.cause).where(
            Suspension.certificate_id.in_(part), Suspension.ended_at.is_(None)
        )
        for row in session.execute(query):
            result.setdefault(row.certificate_id, set()).add(SuspensionCause(row.cause))
    return result


_IS_SUSPENDED_FOR_RESIDENCY = sa.exists().where(
    Suspension.certificate_id == Certificate.id,
    Suspension.cause == SuspensionCause.RESIDENCY,
    Suspension.ended_at.is_(None),
)


def expired_residency_ids(session: Session, today: date) -> Sequence[UUID]:
    """Return residencies of certificates in force whose company has none in that park any more."""
    period = aliased(Residency)
    has_another = sa.exists().where(
        Residency.organisation_id == period.organisation_id,
        Residency.park_code == period.park_code,
        *in_force_conditions(today),
    )
    query = (
        sa.select(period.id)
        .join(Certificate, Certificate.residency_id == period.id)
        .where(
            Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
            Certificate.valid_until >= today,
            ~has_another,
            ~_IS_SUSPENDED_FOR_RESIDENCY,
        )
        .distinct()
        .order_by(period.id)
    )
    return session.scalars(query).all()


def returned_residency_ids(session: Session, today: date) -> Sequence[UUID]:
    """Return residencies in force of companies with certificates suspended for a lost residency."""
    period = aliased(Residency)
    query = (
        sa.select(Residency.id)
        .join(
            period,
            sa.and_(period.organisation_id == Residency.organisation_id, period.park_code == Residency.park_code),
        )
        .join(Certificate, Certificate.residency_id == period.id)
        .where(
            *in_force_conditions(today),
            Certificate.status == CertificateStatus.SUSPENDED,
            Certificate.valid_until >= today,
            _IS_SUSPENDED_FOR_RESIDENCY,
        )
        .distinct()
        .order_by(Residency.id)
    )
    return session.scalars(query).all()


def list_in_force(
    session: Session, scheme_code: str, today: date, after: UUID | None, limit: int
) -> Sequence[Certificate]:
    """Return active and suspended certificates of a mark that have not expired, oldest first."""
    query = (
        sa.select(Certificate)
        .options(defer(Certificate.token, raiseload=True))
        .where(
            Certificate.scheme_code == scheme_code,
            Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
            Certificate.valid_until >= today,
        )
    )
    return page_of(session, query, Certificate.id, after, limit)


def numbers_of_application(session: Session, application_id: UUID) -> dict[UUID, str]:
    """Return product → certificate number of an application, in the order of issue."""
    return {row.product_id: row.number for row in session.execute(_NUMBERS_OF_APPLICATION, {"id": application_id})}


def numbers_of_products(session: Session, product_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return all certificate numbers of each product, oldest first; a product without any is left out."""
    numbers: dict[UUID, list[str]] = {}
    for part in parts_of(product_ids):
        for row in session.execute(_NUMBERS_OF_PRODUCTS, {"ids": part}):
            numbers.setdefault(row.product_id, []).append(row.number)
    return numbers


def lock_in_force_of_holder(session: Session, organisation_id: UUID, today: date) -> Sequence[Certificate]:
    """Lock the certificates in force of a holder, in a fixed order."""
    query = sa.select(Certificate).where(
        Certificate.organisation_id == organisation_id,
        Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
        Certificate.valid_until >= today,
    )
    return session.scalars(locked(query.order_by(Certificate.id))).all()


def list_holders_in_force(session: Session, today: date) -> Sequence[UUID]:
    """Return the companies that hold a certificate in force."""
    query = sa.select(Certificate.organisation_id).where(
        Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
        Certificate.valid_until >= today,
    )
    return session.scalars(query.distinct().order_by(Certificate.organisation_id)).all()


def in_force_for_products(
    session: Session, scheme_code: str, product_ids: Sequence[UUID], today: date
) -> Sequence[Certificate]:
    """Return the certificates in force of these products under this mark."""
    query = sa.select(Certificate).where(
        Certificate.scheme_code == scheme_code,
        Certificate.product_id.in_(product_ids),
        Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
        Certificate.valid_until >= today,
    )
    return session.scalars(query).all()


def open_suspensions(session: Session, certificate_id: UUID) -> dict[SuspensionCause, Suspension]:
    return {SuspensionCause(row.cause): row for row in session.scalars(_OPEN_SUSPENSIONS, {"id": certificate_id})}


def end_suspension(suspension: Suspension, now: datetime) -> None:
    suspension.ended_at = now


def used_indexes(session: Session, list_id: int, candidates: Sequence[int]) -> frozenset[int]:
    """Return which of these indexes of a status list belong to a certificate already."""
    return frozenset(session.execute(_USED_INDEXES, {"list_id": list_id, "candidates": list(candidates)}).scalars())


def count_by_key(session: Session) -> dict[str, int]:
    """Count the certificates that each key signed, first or anew, by `kid`."""
    counts: dict[str, int] = {}
    for column in (Certificate.kid, ReissuedToken.kid):
        for kid, count in session.execute(sa.select(column, sa.func.count()).group_by(column)):
            counts[kid] = counts.get(kid, 0) + count
    return counts


def numbers_signed_by(session: Session, kid: str) -> Iterator[str]:
    """Return the numbers of all certificates that a key signed, first or anew, in the order of issue."""
    query = sa.select(Certificate.number).where(_was_signed_by(kid)).order_by(Certificate.id)
    yield from session.scalars(query.execution_options(yield_per=PAGE_ROWS))


def _was_signed_by(kid: str) -> sa.ColumnElement[bool]:
    anew = sa.exists().where(ReissuedToken.number == Certificate.number, ReissuedToken.kid == kid)
    return sa.or_(Certificate.kid == kid, anew)


def list_signed_by(
    session: Session, kid: str, without: str, after: UUID | None, limit: int, *, lock: bool
) -> Sequence[Certificate]:
    """Return the next certificates that a key signed and the key `without` did not sign anew, oldest first."""
    anew = sa.exists().where(ReissuedToken.number == Certificate.number, ReissuedToken.kid == without)
    query = sa.select(Certificate).where(_was_signed_by(kid), ~anew)
    return page_of(session, locked(query) if lock else query, Certificate.id, after, limit)


def certified_products_of(session: Session, application_ids: Sequence[UUID]) -> set[tuple[UUID, UUID]]:
    """Return application and product of every certificate of these applications."""
    query = sa.select(_ROW.application_id, _ROW.product_id).where(_ROW.application_id.in_(application_ids))
    return {(row.application_id, row.product_id) for row in session.execute(query)}


def unlogged_certificates(session: Session) -> Sequence[Certificate]:
    """Return certificates whose issue is not in the transparency log, in the order of issue."""
    is_logged = sa.exists().where(
        LogEntry.subject == Certificate.number, LogEntry.event == LogEvent.CERTIFICATE_ISSUED.value
    )
    return session.scalars(sa.select(Certificate).where(~is_logged).order_by(Certificate.id)).all()


def log_entry_without_certificate(session: Session) -> tuple[int, str] | None:
    """Find the first logged certificate without a row: sequence of its log entry, its number."""
    query = (
        sa.select(LogEntry.seq, LogEntry.subject)
        .outerjoin(Certificate, Certificate.number == LogEntry.subject)
        .where(LogEntry.event == LogEvent.CERTIFICATE_ISSUED.value, Certificate.id.is_(None))
        .order_by(LogEntry.seq)
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row.seq, row.subject or "")


def descriptions_of(session: Session, certificate_ids: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return the certified description of each certificate, as frozen on the day of issue."""
    query = sa.select(CertifiedDescription.certificate_id, CertifiedDescription.content)
    rows = session.execute(query.where(CertifiedDescription.certificate_id.in_(certificate_ids)))
    return {row.certificate_id: row.content for row in rows}
