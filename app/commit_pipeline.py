"""List the commit steps of every write transaction in lock order, and open the database whose sessions run them."""

from app.audit import recorder
from app.auth.credentials import confirmations
from app.certificates import status_list_publisher
from app.certificates.read_model import projector
from app.core.database import Database
from app.core.unit_of_work import CommitStep
from app.transparency import appender

COMMIT_STEPS: tuple[CommitStep, ...] = (
    status_list_publisher.flush_bit_updates,  # locks the affected status lists and sets their bits
    appender.write_pending,  # locks log head, audit head; chains events, adds entries, signs
    recorder.write_pending,  # locks the audit head; has work only when nothing was logged
    projector.write_pending,  # needs the log entries
    confirmations.remember_used,  # after the commit, in a file
)


def open_database(url: str) -> Database:
    """Return the database; each commit of its sessions runs `COMMIT_STEPS` first."""
    return Database(url, COMMIT_STEPS)
