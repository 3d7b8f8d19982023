"""Write certificate snapshots at commit, and create missing ones."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.certificates.model import Certificate
from app.certificates.read_model import snapshot, snapshot_repository
from app.certificates.read_model.record import CertificateRecord
from app.core.unit_of_work import get_pending, take_pending
from app.transparency import log_repository

_PENDING_KEY = "extracts"


def mark_dirty(session: Session, certificate: Certificate) -> None:
    """Note a changed certificate: its snapshot is written at commit, after the log entries.

    A trigger deletes the old snapshot when the row changes.
    """
    get_pending(session, _PENDING_KEY, dict)[certificate.id] = certificate


def write_pending(session: Session) -> None:
    """Write the snapshots of changed certificates; the last commit step, after the log's."""
    changed: dict[object, Certificate] = take_pending(session, _PENDING_KEY, dict)
    if changed:
        session.flush()
        _write_snapshots(session, list(changed.values()))


def backfill(session: Session) -> int:
    """Create missing snapshots and return their number; unlogged certificates get none."""
    session.flush()
    count = 0
    for page in snapshot_repository.certificates_without_snapshot(session):
        count += _write_snapshots(session, page)
        session.expunge_all()
    return count


def _write_snapshots(session: Session, certificates: Sequence[Certificate]) -> int:
    issued = log_repository.find_issue_entries(session, [certificate.number for certificate in certificates])
    snapshots = []
    for certificate in certificates:
        text = snapshot.serialize(CertificateRecord.from_row(certificate, issued.get(certificate.number)))
        if text is not None:
            snapshots.append((certificate, text))
    snapshot_repository.upsert(session, snapshots)
    return len(snapshots)
