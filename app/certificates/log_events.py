"""What the public log says of certificates: their issue, and every change of status.

A further cause of a suspension, or one cause less, is no change of status.
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
"""The entry with which a certificate came into its status; an issued one is active without a further entry."""


def log_issued(session: Session, certificate: Certificate, at: datetime) -> None:
    event, number = LogEvent.CERTIFICATE_ISSUED, certificate.number
    appender.add_entry(session, Entry(event, at, number, sha256=certificate.token_sha256, key=certificate.kid))


def log_status_change(session: Session, certificate: Certificate, at: datetime) -> None:
    status = CertificateStatus(certificate.status)
    # What the entry of a surrender says of the inquiry, a later entry does not say again.
    asked = certificate.during_investigation and status is CertificateStatus.SURRENDERED
    appender.add_entry(session, Entry(STATUS_EVENT[status], at, certificate.number, during_investigation=asked))


def backfill(session: Session, now: datetime) -> int:
    """Enter certificates that were issued before there was a log, with the status that they have; how many there were.

    Their `at` is now: the log says when it learned of something, and proves nothing about the time before.
    """
    count = 0
    for certificate in certificate_repository.unlogged_certificates(session):
        log_issued(session, certificate, now)
        if certificate.status != CertificateStatus.ACTIVE:
            log_status_change(session, certificate, now)
        count += 1
    return count
