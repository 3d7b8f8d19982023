"""Derive the status of a certificate from its entries in the public log alone. Pure.

Every act counts from its entry on (docs/decisions/0080): the entries that are there give the status of now.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from app.transparency.log_entry import Entry, LogEvent

ACTIVE_STATUS = "active"
STATUS_OF_EVENT: Mapping[LogEvent, str] = MappingProxyType(
    {
        LogEvent.CERTIFICATE_ISSUED: ACTIVE_STATUS,
        LogEvent.CERTIFICATE_SUSPENDED: "suspended",
        LogEvent.CERTIFICATE_REINSTATED: ACTIVE_STATUS,
        LogEvent.CERTIFICATE_REVOKED: "revoked",
        LogEvent.CERTIFICATE_SURRENDERED: "surrendered",
        LogEvent.CERTIFICATE_SUPERSEDED: "superseded",
    }
)
FINAL_STATUSES = frozenset({"revoked", "surrendered", "superseded"})
"""None of them ever ends; each sets the bit of the revocation list."""


class LoggedStatus(NamedTuple):
    """`since` and `reason` are those of the entries that the status comes from; None where no entry gives one."""

    status: str = ACTIVE_STATUS
    since: datetime | None = None
    reason: str | None = None
    during_investigation: bool = False  # surrendered while an inquiry was open


def status_after(entries: Iterable[Entry]) -> LoggedStatus:
    """Return the status by the entries of one certificate, oldest first; its issue may be missing.

    A final status never ends, but another final one may follow. A further entry of the same status names another
    reason, and does not begin it again.
    """
    found = LoggedStatus()
    for entry in entries:
        status = STATUS_OF_EVENT.get(entry.event)
        if status is None or (found.status in FINAL_STATUSES and status not in FINAL_STATUSES):
            continue
        is_same = status == found.status and found.since is not None
        found = LoggedStatus(
            status,
            found.since if is_same else entry.at,
            entry.reason if status != ACTIVE_STATUS else None,
            found.during_investigation or entry.during_investigation,
        )
    return found
