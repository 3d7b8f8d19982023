"""Query and write certificate snapshots."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.certificates.model import Certificate, CertificateSnapshot
from app.core.database import PAGE_ROWS, page_of
from app.transparency.log_entry import LogEvent
from app.transparency.model import LogEntry

_UPSERT = sa.text(
    "INSERT INTO certificate_snapshots (number, signed_hash, content) VALUES (:number, :signed_hash, :content) "
    "ON CONFLICT (number) DO UPDATE SET signed_hash = excluded.signed_hash, content = excluded.content"
)


def upsert(session: Session, snapshots: Sequence[tuple[Certificate, bytes]]) -> None:
    """Insert snapshots, or replace those of the certificates."""
    rows = [
        {"number": certificate.number, "signed_hash": bytes.fromhex(certificate.token_sha256), "content": content}
        for certificate, content in snapshots
    ]
    if rows:
        session.execute(_UPSERT, rows)


def certificates_without_snapshot(session: Session) -> Iterator[Sequence[Certificate]]:
    """Return logged certificates without a snapshot, in pages of 1,000.

    Only certificates that were logged as they were signed can have one.
    """
    query = (
        sa.select(Certificate)
        .join(
            LogEntry,
            sa.and_(
                LogEntry.subject == Certificate.number,
                LogEntry.event == LogEvent.CERTIFICATE_ISSUED.value,
                LogEntry.sha256 == Certificate.token_sha256,
            ),
        )
        .where(~sa.exists().where(CertificateSnapshot.number == Certificate.number))
    )
    after = None
    while rows := page_of(session, query, Certificate.id, after, PAGE_ROWS):
        after = rows[-1].id
        yield rows


def by_number(session: Session, numbers: Sequence[str]) -> dict[str, CertificateSnapshot]:
    """Return snapshots by certificate number."""
    return {
        row.number: row
        for row in session.scalars(sa.select(CertificateSnapshot).where(CertificateSnapshot.number.in_(numbers)))
    }


def orphan_number(session: Session) -> str | None:
    """Return the first number of a snapshot without a certificate."""
    has_certificate = sa.exists().where(Certificate.number == CertificateSnapshot.number)
    return session.scalars(
        sa.select(CertificateSnapshot.number).where(~has_certificate).order_by(CertificateSnapshot.number).limit(1)
    ).one_or_none()
