"""How old a case is and what is due when: a pure function over its timestamps, nothing is counted by jobs.

The clock of the house runs while it is the house's turn and stands still while it is the applicant's. The day on which
a clock starts is not counted, the day on which it stops is; a deadline ends with its last day, in Baku.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from app.applications.workflow import EDITABLE_STATES, OPEN_STATES, State
from app.core.dates import baku_day, day_start
from app.reference.working_days import ONE_DAY, Calendar

CLAIM_WORKING_DAYS = 5
"""Working days in which a registrar decides about a claim."""
OBJECTION_DAYS = 10
"""Calendar days in which the members of a confirmed company can speak up against a claim beside them."""
STAFF_STATES = OPEN_STATES - EDITABLE_STATES


class ClockState(StrEnum):
    RUNNING = "running"  # the house acts next
    STOPPED = "stopped"  # the applicant acts next, or it is over


class CountingMode(StrEnum):
    STATE_TIME = "state"  # from the day on which the state was entered
    STAFF_TIME = "house"  # the time in the hands of the house, whatever states it went through


@dataclass(frozen=True, slots=True)
class DeadlineStep:
    """Something that has to be done within a time, in certain states."""

    name: str
    states: frozenset[State]
    working_days: int  # working days
    counting_mode: CountingMode
    lapses: bool  # the application ends when the time is over


@dataclass(frozen=True, slots=True)
class ApplicationTimes:
    """What is known of one application. `stops` are (asked, answered) of its questions, in any order."""

    state: State
    state_since: datetime
    submitted_at: datetime | None = None
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    clock: ClockState
    age_working_days: int | None  # in the hands of the house; None before it was submitted
    due_at: datetime | None  # when the time of whoever acts next is over; None where nothing is due
    step: str | None  # what is due then
    overdue: bool
    lapses: bool  # overdue, and this ends the application


def compute_timing(times: ApplicationTimes, steps: Iterable[DeadlineStep], calendar: Calendar, now: datetime) -> Timing:
    """Age and next deadline of an application as of now."""
    runs = tuple(_staff_periods(times, now))
    age = sum(calendar.count_working_days(start, end) for start, end in runs) if times.submitted_at else None
    due = [
        (end_of_day(day), step.name, step)
        for step in steps
        if times.state in step.states and (day := _due_day(step, times, runs, calendar)) is not None
    ]
    clock = ClockState.RUNNING if times.state in STAFF_STATES else ClockState.STOPPED
    if not due:
        return Timing(clock, age, None, None, overdue=False, lapses=False)
    due_at, name, step = min(due, key=lambda each: each[:2])
    overdue = now >= due_at
    return Timing(clock, age, due_at, name, overdue=overdue, lapses=overdue and step.lapses)


def end_of_day(day: date) -> datetime:
    """The moment at which this day is over in Baku, in UTC."""
    return day_start(day + ONE_DAY).astimezone(UTC)


def claim_due_at(made_at: datetime, calendar: Calendar) -> datetime:
    """When the time of the registrar for a claim is over."""
    return end_of_day(calendar.add_working_days(baku_day(made_at), CLAIM_WORKING_DAYS))


def objections_until(told_at: datetime) -> datetime:
    """Before this moment no claim beside a confirmed company is confirmed."""
    return end_of_day(baku_day(told_at) + OBJECTION_DAYS * ONE_DAY)


def latest_start_not_overdue(step: DeadlineStep, now: datetime) -> datetime:
    """What began at this moment or later cannot be overdue: a working day is no shorter than a day. For queries."""
    return now - timedelta(days=step.working_days)


def _due_day(
    step: DeadlineStep, times: ApplicationTimes, runs: tuple[tuple[date, date], ...], calendar: Calendar
) -> date | None:
    """The last day of a step; None where it counts the time of the house and the house never had it."""
    if step.counting_mode is CountingMode.STATE_TIME:
        return calendar.add_working_days(baku_day(times.state_since), step.working_days)
    left = step.working_days
    for start, end in runs[:-1]:
        in_this_run = calendar.count_working_days(start, end)
        if in_this_run >= left:
            return calendar.add_working_days(start, left)
        left -= in_this_run
    return calendar.add_working_days(runs[-1][0], left) if runs else None


def _staff_periods(times: ApplicationTimes, now: datetime) -> Iterator[tuple[date, date]]:
    """The times in the hands of the house, as (day before the first counted one, last counted one)."""
    start = times.submitted_at
    for asked, answered in sorted(times.pauses, key=lambda stop: stop[0]):
        if start is None:
            return
        yield baku_day(start), baku_day(asked)
        start = answered
    if start is not None:
        yield baku_day(start), baku_day(now if times.state in OPEN_STATES else times.state_since)


def parse_steps(text: str) -> tuple[DeadlineStep, ...]:
    """The steps as a TOML file says; the file is part of the service, so a fault in it is an ordinary exception."""
    return tuple(
        DeadlineStep(
            name,
            frozenset(State(state) for state in entry["states"]),
            int(entry["within"]),
            CountingMode(entry["counts"]),
            bool(entry["lapses"]),
        )
        for name, entry in tomllib.loads(text).items()
    )
