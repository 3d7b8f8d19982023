"""Extracts kept beside their certificates: renewed with every change, and made for what has none."""

from collections.abc import Sequence

from sqlalchemy import event
from sqlalchemy.orm import Session

from app.certificates import extract, extract_store
from app.certificates.model import Certificate
from app.certificates.record import CertificateRecord
from app.ledger import store as ledger

_CHANGED = "extracts.changed"


def renew(session: Session, certificate: Certificate) -> None:
    """With the commit of this session, when the log has what was appended; the change itself drops the old one."""
    session.info.setdefault(_CHANGED, {})[certificate.id] = certificate


@event.listens_for(Session, "before_commit")  # behind the log, which puts itself before all others
def _write_changed(session: Session) -> None:
    changed: dict[object, Certificate] = session.info.pop(_CHANGED, {})
    if changed:
        session.flush()
        _write(session, list(changed.values()))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_CHANGED, None)


def catch_up(session: Session) -> int:
    """Make the extracts that are missing; how many there were. What is not in the public log gets none."""
    session.flush()
    count = 0
    for page in extract_store.without(session):
        count += _write(session, page)
        session.expunge_all()
    return count


def _write(session: Session, certificates: Sequence[Certificate]) -> int:
    issued = ledger.issued_of(session, [certificate.number for certificate in certificates])
    made = []
    for certificate in certificates:
        text = extract.write(CertificateRecord.of(certificate, issued.get(certificate.number)))
        if text is not None:
            made.append((certificate, text))
    extract_store.put(session, made)
    return len(made)
