"""Decide which reminders are due on a day. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from app.events.catalogue import EventType

CATCH_UP_DAYS = 30
"""How long what is sent after a deadline is made up for; older ones would surprise nobody but the reader."""


@dataclass(frozen=True, slots=True)
class DatedDeadline:
    """Hold a last day, inclusive, Asia/Baku, of something that `type` reminds of."""

    type: str
    kind: str | None
    subject_id: str
    last_day: date


@dataclass(frozen=True, slots=True)
class DueReminder:
    """Hold a reminder: `days` before the last day, from the catalogue; the same for every run on the same days."""

    deadline: DatedDeadline
    days: int


def due_reminders(
    day: date, deadlines: Iterable[DatedDeadline], types: Mapping[str, EventType]
) -> Iterator[DueReminder]:
    """Yield the reminder that each deadline has on this day: of several whose day has come, the last one.

    A run that was missed is made up for; a reminder that a later one replaced is not. Whether it was sent already is
    for the caller to know.
    """
    for deadline in deadlines:
        days = types[deadline.type].days
        due = [
            before
            for before in days.get(deadline.kind, days.get(None, ()))
            if deadline.last_day - timedelta(before) <= day <= _last_day_of(deadline, before)
        ]
        if due:
            yield DueReminder(deadline, min(due))


def _last_day_of(deadline: DatedDeadline, before: int) -> date:
    return deadline.last_day if before >= 0 else deadline.last_day + timedelta(CATCH_UP_DAYS - before)
