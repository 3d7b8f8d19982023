"""Write the snapshots of changed certificates at commit, by the writer of the session (`app/verification`)."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from app.certificates.model import Certificate
from app.certificates.read_model import snapshot_repository
from app.core.unit_of_work import get_pending, take_pending
from app.transparency import appender
from app.transparency.log_entry import Entry

WRITER_KEY = "snapshots.writer"
"""Key in `Session.info` of the `Writer`."""
_PENDING_KEY = "snapshots"


class Writer(Protocol):
    def write(self, session: Session, certificates: Sequence[Certificate], logged: Sequence[tuple[int, Entry]]) -> None:
        """Write the snapshots of changed certificates; `logged` is what this transaction has logged."""


def mark_dirty(session: Session, certificate: Certificate) -> None:
    """Note a changed certificate: its snapshot is written at commit, after the log entries."""
    get_pending(session, _PENDING_KEY, dict)[certificate.id] = certificate


def write_pending(session: Session) -> None:
    """Write the snapshots of changed certificates; the last commit step, after the log's.

    Without a writer they are deleted: verifications then evaluate token and log.
    """
    changed: dict[object, Certificate] = take_pending(session, _PENDING_KEY, dict)
    logged = appender.take_written(session)
    if not changed:
        return
    session.flush()
    writer: Writer | None = session.info.get(WRITER_KEY)
    if writer is None:
        snapshot_repository.delete(session, [each.number for each in changed.values()])
    else:
        writer.write(session, list(changed.values()), logged)
