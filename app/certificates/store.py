"""Queries over certificates, suspensions and counters."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import audit
from app.certificates.model import Certificate, CertificateStatus, Suspension, SuspensionCause
from app.ledger.entry import LogEvent
from app.ledger.model import LogEntry
from app.registry.model import Residency

AT_ONCE = 1_000


def by_number(session: Session, number: str, *, lock: bool = False) -> Certificate | None:
    query = sa.select(Certificate).where(Certificate.number == number)
    return session.scalars(_locked(query) if lock else query).one_or_none()


def resting_on(session: Session, residency_ids: Sequence[UUID]) -> Sequence[Certificate]:
    """Certificates granted on these residencies, locked, always in the same order."""
    query = sa.select(Certificate).where(Certificate.residency_id.in_(residency_ids)).order_by(Certificate.id)
    return session.scalars(_locked(query)).all()


def _locked(query: sa.Select[Certificate]) -> sa.Select[Certificate]:
    """As the row is now, not as this session read it before. A key-share lock does not stop foreign keys."""
    return query.with_for_update(key_share=True).execution_options(populate_existing=True)


def residencies_run_out(session: Session, today: date) -> Sequence[UUID]:
    """Residencies whose known last day has passed while certificates in force still rest on them."""
    suspended_for_it = sa.exists().where(
        Suspension.certificate_id == Certificate.id,
        Suspension.cause == SuspensionCause.RESIDENCY,
        Suspension.ended_at.is_(None),
    )
    query = (
        sa.select(Residency.id)
        .join(Certificate, Certificate.residency_id == Residency.id)
        .where(
            Residency.ends_on < today,
            Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
            Certificate.valid_until >= today,
            ~suspended_for_it,
        )
        .distinct()
        .order_by(Residency.id)
    )
    return session.scalars(query).all()


def of_application(session: Session, application_id: UUID) -> Sequence[Certificate]:
    query = sa.select(Certificate).where(Certificate.application_id == application_id).order_by(Certificate.serial)
    return session.scalars(query).all()


def in_force_for(session: Session, scheme_code: str, product_ids: Sequence[UUID], today: date) -> Sequence[Certificate]:
    """Certificates of this mark that these products still hold."""
    query = sa.select(Certificate).where(
        Certificate.scheme_code == scheme_code,
        Certificate.product_id.in_(product_ids),
        Certificate.status.in_([CertificateStatus.ACTIVE, CertificateStatus.SUSPENDED]),
        Certificate.valid_until >= today,
    )
    return session.scalars(query).all()


def open_suspensions(session: Session, certificate_id: UUID) -> dict[SuspensionCause, Suspension]:
    query = sa.select(Suspension).where(Suspension.certificate_id == certificate_id, Suspension.ended_at.is_(None))
    return {SuspensionCause(row.cause): row for row in session.scalars(query)}


def end_suspension(suspension: Suspension, now: datetime) -> None:
    suspension.ended_at = now


def next_number(session: Session, counter: str) -> int:
    """The next value of a counter, without gaps: the row stays locked until the transaction ends."""
    session.execute(
        sa.text("INSERT INTO counters (name, value) VALUES (:name, 0) ON CONFLICT (name) DO NOTHING"),
        {"name": counter},
    )
    value: int = session.execute(
        sa.text("UPDATE counters SET value = value + 1 WHERE name = :name RETURNING value"), {"name": counter}
    ).scalar_one()
    return value


def index_is_taken(session: Session, list_id: int, index: int) -> bool:
    query = sa.select(sa.exists().where(Certificate.status_list_id == list_id, Certificate.status_index == index))
    return bool(session.scalar(query))


def count_by_key(session: Session) -> dict[str, int]:
    """How many certificates each key signed, by `kid`."""
    query = sa.select(Certificate.kid, sa.func.count().label("count")).group_by(Certificate.kid)
    return {row.kid: int(row[1]) for row in session.execute(query)}


def signed_by(session: Session, kid: str) -> Iterator[str]:
    """The numbers of all that a key signed, in the order of issue."""
    query = sa.select(Certificate.number).where(Certificate.kid == kid).order_by(Certificate.id)
    yield from session.scalars(query.execution_options(yield_per=AT_ONCE))


def pages(session: Session) -> Iterator[Sequence[Certificate]]:
    """Every certificate in the order of issue, a thousand at a time, and the last ones before one that cannot be read
    by themselves. At that one raises one of `audit.UNREADABLE`."""
    after: UUID | None = None
    limit = AT_ONCE
    while True:
        query = sa.select(Certificate).order_by(Certificate.id).limit(limit)
        try:
            rows = session.scalars(query if after is None else query.where(Certificate.id > after)).all()
        except audit.UNREADABLE:
            if limit == 1:
                raise
            limit = 1
            continue
        if not rows:
            return
        yield rows
        after = rows[-1].id


def unlogged(session: Session) -> Sequence[Certificate]:
    """Certificates whose issue is not in the public log, in the order of issue."""
    is_logged = sa.exists().where(
        LogEntry.subject == Certificate.number, LogEntry.event == LogEvent.CERTIFICATE_ISSUED.value
    )
    return session.scalars(sa.select(Certificate).where(~is_logged).order_by(Certificate.id)).all()


def logged_without_row(session: Session) -> tuple[int, str] | None:
    """The first certificate that was issued by the public log and is not here: number of the entry, its own number."""
    query = (
        sa.select(LogEntry.seq, LogEntry.subject)
        .outerjoin(Certificate, Certificate.number == LogEntry.subject)
        .where(LogEntry.event == LogEvent.CERTIFICATE_ISSUED.value, Certificate.id.is_(None))
        .order_by(LogEntry.seq)
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else (row.seq, row.subject or "")


def revoked(session: Session, organisation_id: UUID) -> Sequence[Certificate]:
    """Certificates of this holder that were revoked, under any mark."""
    query = sa.select(Certificate).where(
        Certificate.organisation_id == organisation_id, Certificate.status == CertificateStatus.REVOKED
    )
    return session.scalars(query.order_by(Certificate.id)).all()
