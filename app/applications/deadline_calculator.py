"""Compute the age and the deadlines of an application from its timestamps. Pure; nothing is stored.

Staff time runs while staff must act and stops while the applicant must act. The day on which a period starts is not
counted; the day on which it ends is. A deadline ends with its last day, Asia/Baku.
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
"""Working days within which a registrar decides a claim."""
OBJECTION_DAYS = 10
"""Calendar days within which members of a confirmed company can object to a competing claim."""
STAFF_STATES = OPEN_STATES - EDITABLE_STATES


class ClockState(StrEnum):
    RUNNING = "running"  # staff act next
    STOPPED = "stopped"  # the applicant acts next, or the application has ended


class CountingMode(StrEnum):
    STATE_TIME = "state"  # counted from the day on which the state was entered
    STAFF_TIME = "staff"  # counted as staff time, across states


@dataclass(frozen=True, slots=True)
class DeadlineStep:
    """Define a step that must be completed within a time in certain states."""

    name: str
    states: frozenset[State]
    working_days: int
    counting_mode: CountingMode
    lapses: bool  # the application ends when the deadline passes


@dataclass(frozen=True, slots=True)
class ApplicationTimes:
    """Hold the timestamps of one application. `pauses`: (asked, answered) of its questions, in any order."""

    state: State
    state_since: datetime
    submitted_at: datetime | None = None
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    clock: ClockState
    age_working_days: int | None  # staff time; None before submission
    due_at: datetime | None  # end of the current deadline; None when nothing is due
    step: str | None  # the step that is due
    overdue: bool
    lapses: bool  # the deadline has passed and ends the application


def compute_timing(times: ApplicationTimes, steps: Iterable[DeadlineStep], calendar: Calendar, now: datetime) -> Timing:
    """Compute the age and next deadline of an application as of now."""
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
    """Return the end of the day in Asia/Baku, as UTC."""
    return day_start(day + ONE_DAY).astimezone(UTC)


def claim_due_at(made_at: datetime, calendar: Calendar) -> datetime:
    """Return the end of the registrar's deadline for a claim."""
    return end_of_day(calendar.add_working_days(baku_day(made_at), CLAIM_WORKING_DAYS))


def objections_until(told_at: datetime) -> datetime:
    """Return the moment before which a competing claim cannot be confirmed."""
    return end_of_day(baku_day(told_at) + OBJECTION_DAYS * ONE_DAY)


def latest_start_not_overdue(step: DeadlineStep, now: datetime) -> datetime:
    """Return the latest start that can be overdue now, for queries: a working day is at least one calendar day."""
    return now - timedelta(days=step.working_days)


def _due_day(
    step: DeadlineStep, times: ApplicationTimes, runs: tuple[tuple[date, date], ...], calendar: Calendar
) -> date | None:
    """Return the last day of a step; None when the step counts staff time and there was none."""
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
    """Yield the periods of staff time as (day before the first counted day, last counted day)."""
    start = times.submitted_at
    for asked, answered in sorted(times.pauses, key=lambda stop: stop[0]):
        if start is None:
            return
        yield baku_day(start), baku_day(asked)
        start = answered
    if start is not None:
        yield baku_day(start), baku_day(now if times.state in OPEN_STATES else times.state_since)


def parse_steps(text: str) -> tuple[DeadlineStep, ...]:
    """Parse steps from TOML. The file ships with the service, so an error in it is an ordinary exception."""
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
