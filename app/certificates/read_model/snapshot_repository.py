"""Queries over extracts from the register."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.certificates.model import Certificate, Extract
from app.core.database import PAGE_ROWS, page_of
from app.transparency.log_entry import LogEvent
from app.transparency.model import LogEntry

_PUT = sa.text(
    "INSERT INTO extracts (number, signed_hash, text) VALUES (:number, :signed_hash, :text) ON CONFLICT (number) "
    "DO UPDATE SET signed_hash = excluded.signed_hash, text = excluded.text"
)


def put(session: Session, made: Sequence[tuple[Certificate, bytes]]) -> None:
    """In place of what they had."""
    rows = [
        {"number": certificate.number, "signed_hash": bytes.fromhex(certificate.token_sha256), "text": text}
        for certificate, text in made
    ]
    if rows:
        session.execute(_PUT, rows)


def without(session: Session) -> Iterator[Sequence[Certificate]]:
    """Certificates that have none though their issue is in the public log as it was signed, a thousand at a time."""
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
        .where(~sa.exists().where(Extract.number == Certificate.number))
    )
    after = None
    while rows := page_of(session, query, Certificate.id, after, PAGE_ROWS):
        after = rows[-1].id
        yield rows


def of(session: Session, numbers: Sequence[str]) -> dict[str, Extract]:
    """By number."""
    return {row.number: row for row in session.scalars(sa.select(Extract).where(Extract.number.in_(numbers)))}


def without_certificate(session: Session) -> str | None:
    """The first number of an extract that is of no certificate."""
    has_one = sa.exists().where(Certificate.number == Extract.number)
    return session.scalars(sa.select(Extract.number).where(~has_one).order_by(Extract.number).limit(1)).one_or_none()
