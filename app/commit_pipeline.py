"""What is written last in every transaction that commits, in the lock order, and the database whose sessions do so."""

from app import (
    audit,
    schema,  # noqa: F401 (every table first: a column takes its type from the table that its foreign key names)
)
from app.certificates import extracts, status_list_service
from app.core.unit_of_work import CommitStep
from app.db import Database
from app.ledger import log

COMMIT_STEPS: tuple[CommitStep, ...] = (
    status_list_service.write_noted_bits,  # locks the lists concerned and sets their bits
    log.append_noted,  # locks the head of the log, then of the history; chains the events, adds and signs the entries
    audit.append_noted,  # locks the head of the history; has work only where nothing was logged
    extracts.write_noted,  # needs the entries of the log
)


def open_database(url: str) -> Database:
    """Return the database; each commit of its sessions runs `COMMIT_STEPS` first."""
    return Database(url, COMMIT_STEPS)
