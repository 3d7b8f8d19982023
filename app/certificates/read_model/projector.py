"""Extracts kept beside their certificates: renewed with every change, and made for what has none."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.certificates.model import Certificate
from app.certificates.read_model import snapshot, snapshot_repository
from app.certificates.read_model.record import CertificateRecord
from app.core.unit_of_work import noted, take
from app.transparency import log_repository

_CHANGED = "extracts"


def renew(session: Session, certificate: Certificate) -> None:
    """With the commit of this session, when the log has what was appended; the change itself drops the old one."""
    noted(session, _CHANGED, dict)[certificate.id] = certificate


def write_noted(session: Session) -> None:
    """Write the extracts of the certificates that changed; the last step of the commit, after the log's."""
    changed: dict[object, Certificate] = take(session, _CHANGED, dict)
    if changed:
        session.flush()
        _write(session, list(changed.values()))


def catch_up(session: Session) -> int:
    """Make the extracts that are missing; how many there were. What is not in the public log gets none."""
    session.flush()
    count = 0
    for page in snapshot_repository.without(session):
        count += _write(session, page)
        session.expunge_all()
    return count


def _write(session: Session, certificates: Sequence[Certificate]) -> int:
    issued = log_repository.issued_of(session, [certificate.number for certificate in certificates])
    made = []
    for certificate in certificates:
        text = snapshot.write(CertificateRecord.of(certificate, issued.get(certificate.number)))
        if text is not None:
            made.append((certificate, text))
    snapshot_repository.put(session, made)
    return len(made)
