"""Derive the status of a certificate from its entries in the public log and a moment alone. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from app.core.dates import baku_day
from app.transparency.log_entry import Entry, LogEvent

ACTIVE_STATUS = "active"
STATUS_OF_EVENT: Mapping[LogEvent, str] = MappingProxyType(
    {
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
    """A status with the moment of the entry that it comes from; None where no entry changed it."""

    status: str
    since: datetime | None


def status_at(entries: Iterable[Entry], now: datetime) -> LoggedStatus:
    """Return the status at a moment by the status entries of one number, oldest first. `now` is aware.

    An entry counts from its day `from`, and to its day `until`, both in Baku. A final status never ends.
    """
    today = baku_day(now)
    found = LoggedStatus(ACTIVE_STATUS, None)
    for entry in entries:
        status = STATUS_OF_EVENT.get(entry.event)
        if status is None or (entry.takes_effect is not None and entry.takes_effect > today):
            continue
        if entry.ends_after is not None and entry.ends_after < today:
            status = ACTIVE_STATUS
        if status == found.status:
            continue  # another reason of the same status
        if found.status not in FINAL_STATUSES or status in FINAL_STATUSES:
            found = LoggedStatus(status, entry.at)
    return found
