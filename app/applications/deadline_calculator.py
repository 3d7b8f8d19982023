"""How old a case is and what is due when: a pure function over its timestamps, nothing is counted by jobs.

The clock of the house runs while it is the house's turn and stands still while it is the applicant's. The day on which
a clock starts is not counted, the day on which it stops is; a deadline ends with its last day, in Baku.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from app.applications.workflow import APPLICANT_MAY_EDIT, OPEN, State
from app.core.dates import baku_day, day_start
from app.reference.working_days import ONE_DAY, Calendar

CLAIM_WITHIN = 5
"""Working days in which a registrar decides about a claim."""
OBJECTIONS_WITHIN = 10
"""Calendar days in which the members of a confirmed company can speak up against a claim beside them."""
HOUSE_ACTS = OPEN - APPLICANT_MAY_EDIT


class Clock(StrEnum):
    RUNNING = "running"  # the house acts next
    STOPPED = "stopped"  # the applicant acts next, or it is over


class Counts(StrEnum):
    STATE = "state"  # from the day on which the state was entered
    HOUSE = "house"  # the time in the hands of the house, whatever states it went through


@dataclass(frozen=True, slots=True)
class Step:
    """Something that has to be done within a time, in certain states."""

    name: str
    states: frozenset[State]
    within: int  # working days
    counts: Counts
    lapses: bool  # the application ends when the time is over


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of one application. `stops` are (asked, answered) of its questions, in any order."""

    state: State
    state_since: datetime
    submitted_at: datetime | None = None
    stops: tuple[tuple[datetime, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    clock: Clock
    age_working_days: int | None  # in the hands of the house; None before it was submitted
    due_at: datetime | None  # when the time of whoever acts next is over; None where nothing is due
    step: str | None  # what is due then
    overdue: bool
    lapses: bool  # overdue, and this ends the application


def timing(times: Times, steps: Iterable[Step], calendar: Calendar, now: datetime) -> Timing:
    """Age and next deadline of an application as of now."""
    runs = tuple(_runs(times, now))
    age = sum(calendar.between(start, end) for start, end in runs) if times.submitted_at else None
    due = [
        (end_of(day), step.name, step)
        for step in steps
        if times.state in step.states and (day := _due_on(step, times, runs, calendar)) is not None
    ]
    clock = Clock.RUNNING if times.state in HOUSE_ACTS else Clock.STOPPED
    if not due:
        return Timing(clock, age, None, None, overdue=False, lapses=False)
    due_at, name, step = min(due, key=lambda each: each[:2])
    overdue = now >= due_at
    return Timing(clock, age, due_at, name, overdue=overdue, lapses=overdue and step.lapses)


def end_of(day: date) -> datetime:
    """The moment at which this day is over in Baku, in UTC."""
    return day_start(day + ONE_DAY).astimezone(UTC)


def claim_due(made_at: datetime, calendar: Calendar) -> datetime:
    """When the time of the registrar for a claim is over."""
    return end_of(calendar.after(baku_day(made_at), CLAIM_WITHIN))


def objections_until(told_at: datetime) -> datetime:
    """Before this moment no claim beside a confirmed company is confirmed."""
    return end_of(baku_day(told_at) + OBJECTIONS_WITHIN * ONE_DAY)


def surely_in_time_since(step: Step, now: datetime) -> datetime:
    """What began at this moment or later cannot be overdue: a working day is no shorter than a day. For queries."""
    return now - timedelta(days=step.within)


def _due_on(step: Step, times: Times, runs: tuple[tuple[date, date], ...], calendar: Calendar) -> date | None:
    """The last day of a step; None where it counts the time of the house and the house never had it."""
    if step.counts is Counts.STATE:
        return calendar.after(baku_day(times.state_since), step.within)
    left = step.within
    for start, end in runs[:-1]:
        in_this_run = calendar.between(start, end)
        if in_this_run >= left:
            return calendar.after(start, left)
        left -= in_this_run
    return calendar.after(runs[-1][0], left) if runs else None


def _runs(times: Times, now: datetime) -> Iterator[tuple[date, date]]:
    """The times in the hands of the house, as (day before the first counted one, last counted one)."""
    start = times.submitted_at
    for asked, answered in sorted(times.stops, key=lambda stop: stop[0]):
        if start is None:
            return
        yield baku_day(start), baku_day(asked)
        start = answered
    if start is not None:
        yield baku_day(start), baku_day(now if times.state in OPEN else times.state_since)


def read_steps(text: str) -> tuple[Step, ...]:
    """The steps as a TOML file says; the file is part of the service, so a fault in it is an ordinary exception."""
    return tuple(
        Step(
            name,
            frozenset(State(state) for state in entry["states"]),
            int(entry["within"]),
            Counts(entry["counts"]),
            bool(entry["lapses"]),
        )
        for name, entry in tomllib.loads(text).items()
    )
