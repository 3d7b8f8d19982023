"""Enter the giving and taking of staff roles into the public log; only what the log gives counts.

A row of a role that was taken can be put back into the database with the code that it once had. So a row counts only
while the last entry about it gives the role. An entry holds a hash, no name; a person has a random id.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.auth.model import StaffRole
from app.core.actor import Role
from app.core.canonical_json import digest
from app.core.crypto.row_macs import is_authentic
from app.transparency import appender, log_repository
from app.transparency.log_entry import Entry, LogEvent
from app.transparency.verified_log import LoggedEntry

_KIND = "role"
_MAX_CACHED = 4_096


class RoleLog(Protocol):
    """The verified public log (`transparency/verified_log.py`)."""

    def entries_about(self, kind: str, subject: str) -> tuple[LoggedEntry, ...]: ...

    def refresh(self, *, force: bool = False) -> None: ...

    def require_current(self) -> None: ...


@lru_cache(_MAX_CACHED)
def role_sha256(user_id: UUID, role: str) -> str:
    """Return the hash that names this role of this person in the log."""
    return digest({"role": role, "user": str(user_id)})


def log_granted(session: Session, user_id: UUID, role: Role, now: datetime) -> None:
    """Log that a role was given. Before the log begins nothing is: the first start enters the roles that it finds."""
    _add(session, LogEvent.ROLE_GRANTED, user_id, role, now)


def log_taken(session: Session, user_id: UUID, role: Role, now: datetime) -> None:
    _add(session, LogEvent.ROLE_TAKEN, user_id, role, now)


def log_present_roles(session: Session, roles: Iterable[StaffRole], now: datetime) -> None:
    """Log the roles of before, once: when the log names no role yet. Rows without the right MAC are left out."""
    if not log_repository.list_entries_of(session, LogEvent.ROLE_GRANTED):
        for row in filter(is_authentic, roles):
            appender.add_entry(session, Entry(LogEvent.ROLE_GRANTED, now, role_sha256(row.user_id, row.role)))


def is_granted(session: Session, user_id: UUID, role: str) -> bool:
    """Whether the last entry of the verified log about this role of this person gives it.

    Another process may have given the role a moment ago, so before this answers no it reads what was added.

    Raises `LogDamaged` where this process cannot verify the log: it does not know then who has which role.
    """
    log: RoleLog | None = session.info.get(appender.GUARD_KEY)
    if log is None:
        return False
    subject = role_sha256(user_id, role)
    granted = _gives(log.entries_about(_KIND, subject))
    if not granted:
        log.refresh(force=True)
        granted = _gives(log.entries_about(_KIND, subject))
    log.require_current()
    return granted


def _gives(entries: tuple[LoggedEntry, ...]) -> bool:
    return bool(entries) and entries[-1].entry.event is LogEvent.ROLE_GRANTED


def _add(session: Session, event: LogEvent, user_id: UUID, role: Role, now: datetime) -> None:
    if not log_repository.is_unused(session):
        appender.add_entry(session, Entry(event, now, role_sha256(user_id, role.value)))
