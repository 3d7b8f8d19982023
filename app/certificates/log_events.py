"""Log the issue and every change of status of certificates.

A further cause of a suspension is not a change of status. Where one of several ends that the log named as the reason,
another entry names one that is still open.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from app.certificates import certificate_repository
from app.certificates.model import Certificate, CertificateStatus
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent

STATUS_EVENT: Mapping[CertificateStatus, LogEvent] = MappingProxyType(
    {
        CertificateStatus.ACTIVE: LogEvent.CERTIFICATE_REINSTATED,
        CertificateStatus.SUSPENDED: LogEvent.CERTIFICATE_SUSPENDED,
        CertificateStatus.REVOKED: LogEvent.CERTIFICATE_REVOKED,
        CertificateStatus.SURRENDERED: LogEvent.CERTIFICATE_SURRENDERED,
        CertificateStatus.SUPERSEDED: LogEvent.CERTIFICATE_SUPERSEDED,
    }
)
"""The log event of each status. An issued certificate is active without a further entry."""


def log_issued(session: Session, certificate: Certificate, at: datetime, *, decision: str | None = None) -> None:
    """Log the issue with the hash of its decision; None only of certificates that precede the log."""
    event, number = LogEvent.CERTIFICATE_ISSUED, certificate.number
    entry = Entry(event, at, number, sha256=certificate.token_sha256, key=certificate.kid, decision=decision)
    appender.add_entry(session, entry)


def log_status_change(
    session: Session, certificate: Certificate, at: datetime, *, decision: str | None = None, reason: str | None = None
) -> None:
    """Log the present status with the hash of its decision and the code of its cause or reason."""
    status = CertificateStatus(certificate.status)
    # The entry of a surrender names the inquiry; later entries do not repeat it.
    during_investigation = certificate.during_investigation and status is CertificateStatus.SURRENDERED
    appender.add_entry(
        session,
        Entry(
            STATUS_EVENT[status],
            at,
            certificate.number,
            during_investigation=during_investigation,
            decision=decision,
            reason=reason,
        ),
    )


def backfill(session: Session, now: datetime) -> int:
    """Log certificates issued before the log existed, with their status. Returns their count.

    Their time is `now`, and they name no decision: the log proves nothing about the time before an entry.
    """
    count = 0
    for certificate in certificate_repository.unlogged_certificates(session):
        log_issued(session, certificate, now)
        if certificate.status != CertificateStatus.ACTIVE:
            log_status_change(session, certificate, now)
        count += 1
    return count
