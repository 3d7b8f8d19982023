"""Age and deadline of stored applications, and what ends when its time is over. The arithmetic is in `deadlines.py`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.application_repository import CaseFilter, Since
from app.applications.deadline_calculator import Counts, Step, Times, Timing, read_steps, surely_in_time_since, timing
from app.applications.model import Application, InformationRequest
from app.applications.workflow import Action, State
from app.auth.permissions import require
from app.core.actor import Actor, Role
from app.reference import holiday_calendar

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Lapsing:
    """An application whose applicant let a deadline pass."""

    application_id: UUID
    number: str
    step: str
    due_at: datetime


@cache
def steps() -> tuple[Step, ...]:
    """The deadlines that ship with the service."""
    return read_steps((files("app.applications") / "deadlines.toml").read_text("utf-8"))


def timings(session: Session, rows: Sequence[Application], now: datetime) -> Mapping[UUID, Timing]:
    """Age and next deadline of each application, by its id."""
    calendar = holiday_calendar.calendar(session)
    stops = application_repository.stops(session, [row.id for row in rows])
    return {
        row.id: timing(
            Times(State(row.state), row.state_since, row.submitted_at, stops.get(row.id, ())), steps(), calendar, now
        )
        for row in rows
    }


def timing_of(session: Session, row: Application, requests: Sequence[InformationRequest], now: datetime) -> Timing:
    """The same of one application whose questions are at hand, and whose row is."""
    stops = tuple(dict.fromkeys((each.asked_at, each.answered_at) for each in requests))
    times = Times(State(row.state), row.state_since, row.submitted_at, stops)
    return timing(times, steps(), holiday_calendar.calendar(session), now)


def overdue(
    session: Session, wanted: CaseFilter, after: UUID | None, limit: int, now: datetime
) -> Sequence[Application]:
    """The same page as `store.applications`, of those only whose deadline has passed.

    The query leaves out what cannot be late; what is late on the calendar is told here, page after page.
    """
    late = _possibly_late(session, wanted, _latest_starts(now), now, after)
    return list(islice((row for row, timed in late if timed.overdue), limit))


def lapsing(session: Session, now: datetime) -> Sequence[Lapsing]:
    """Drafts that nobody sent and questions that nobody answered in time, oldest first."""
    ending = frozenset(state for step in steps() if step.lapses for state in step.states)
    starts = [since for since in _latest_starts(now) if since.state in ending]
    return [
        Lapsing(row.id, row.number, timed.step, timed.due_at)
        for row, timed in _possibly_late(session, CaseFilter(with_drafts=True), starts, now)
        if timed.lapses and timed.step and timed.due_at
    ]


def lapse(session: Session, actor: Actor, application_id: UUID, now: datetime) -> bool:
    """End the application if its time is over; whether it did. Looked at again under the lock: an answer that came
    in between, or a second sweep at the same moment, leaves nothing to do."""
    require(actor, Role.SYSTEM)
    row = application_repository.application(session, application_id, lock=True)
    if row is None:
        return False
    each = timings(session, [row], now)[row.id]
    if not each.lapses:
        return False
    case_access.move(session, actor, row, Action.LAPSE, State.LAPSED, now, step=each.step)
    return True


def _possibly_late(
    session: Session, wanted: CaseFilter, starts: Sequence[Since], now: datetime, after: UUID | None = None
) -> Iterator[tuple[Application, Timing]]:
    """Every application that could be late, with its timing, in the order of the pages."""
    possible = replace(wanted, started_before=tuple(starts))
    while rows := application_repository.applications(session, possible, after, AT_ONCE):
        timed = timings(session, rows, now)
        yield from ((row, timed[row.id]) for row in rows)
        after = rows[-1].id


def _latest_starts(now: datetime) -> Sequence[Since]:
    return [
        Since(state, surely_in_time_since(step, now), submitted=step.counts is Counts.HOUSE)
        for step in steps()
        for state in sorted(step.states)
    ]
