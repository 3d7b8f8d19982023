"""Log the issue and every change of status of certificates.

A further cause of a suspension is not a change of status. Where one of several ends that the log named as the reason,
another entry names one that is still open.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from app.certificates import certificate_repository
from app.certificates.credential.reader import CredentialUnreadable, parse_credential
from app.certificates.model import Certificate, CertificateStatus
from app.certificates.status_list import StatusListRejected
from app.core.crypto import jws
from app.core.crypto.jws import PublicKey, TokenRejected
from app.transparency import appender
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.logged_status import STATUS_OF_EVENT

logger = logging.getLogger(__name__)

STATUS_EVENT: Mapping[CertificateStatus, LogEvent] = MappingProxyType(
    {
        CertificateStatus(status): event
        for event, status in STATUS_OF_EVENT.items()
        if event is not LogEvent.CERTIFICATE_ISSUED
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


def backfill(session: Session, keys: Mapping[str, PublicKey], now: datetime) -> int:
    """Log certificates issued before the log existed, with their status. Returns their count.

    Their time is `now`, and they name no decision: the log proves nothing about the time before an entry. `keys` are
    those of the key files: a row whose token none of them signed, or that names another number or hash, is left out.
    """
    count = 0
    for certificate in certificate_repository.unlogged_certificates(session):
        if not _is_signed(certificate, keys):
            logger.warning("%s is not logged: no key file of this installation signed its token.", certificate.number)
            continue
        log_issued(session, certificate, now)
        if certificate.status != CertificateStatus.ACTIVE:
            log_status_change(session, certificate, now)
        count += 1
    return count


def _is_signed(certificate: Certificate, keys: Mapping[str, PublicKey]) -> bool:
    try:
        verified = jws.verify(certificate.token, typ=jws.TYP_CREDENTIAL, keys=keys)
        number = parse_credential(verified.payload).number
    except (TokenRejected, CredentialUnreadable, StatusListRejected):
        return False
    signed = (number, verified.signed_hash, verified.kid)
    return signed == (certificate.number, certificate.token_sha256, certificate.kid)
