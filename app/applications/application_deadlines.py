"""Load ages and deadlines of applications, and end those whose deadline passed (see `deadline_calculator`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access
from app.applications.application_repository import CaseFilter, StartedBefore
from app.applications.deadline_calculator import (
    ApplicationTimes,
    CountingMode,
    DeadlineStep,
    Timing,
    compute_timing,
    latest_start_not_overdue,
    parse_steps,
)
from app.applications.model import Application, InformationRequest
from app.applications.workflow import Action, State
from app.auth.permissions import require_role
from app.core.actor import Actor, Role
from app.reference import holiday_calendar

BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class ExpiringApplication:
    """Hold an application whose applicant missed a deadline that ends it."""

    application_id: UUID
    number: str
    step: str
    due_at: datetime


@cache
def load_deadline_steps() -> tuple[DeadlineStep, ...]:
    """Return the deadlines that ship with the service."""
    return parse_steps((files("app.applications") / "deadlines.toml").read_text("utf-8"))


def timings_by_id(session: Session, rows: Sequence[Application], now: datetime) -> Mapping[UUID, Timing]:
    """Return age and next deadline by application id."""
    calendar = holiday_calendar.load_calendar(session)
    stops = application_repository.list_pauses(session, [row.id for row in rows])
    return {
        row.id: compute_timing(
            ApplicationTimes(State(row.state), row.state_since, row.submitted_at, stops.get(row.id, ())),
            load_deadline_steps(),
            calendar,
            now,
        )
        for row in rows
    }


def timing_of(session: Session, row: Application, requests: Sequence[InformationRequest], now: datetime) -> Timing:
    """Return age and next deadline of an application whose information requests are loaded."""
    stops = tuple(dict.fromkeys((each.asked_at, each.answered_at) for each in requests))
    times = ApplicationTimes(State(row.state), row.state_since, row.submitted_at, stops)
    return compute_timing(times, load_deadline_steps(), holiday_calendar.load_calendar(session), now)


def list_overdue(
    session: Session, case_filter: CaseFilter, after: UUID | None, limit: int, now: datetime
) -> Sequence[Application]:
    """List a page of overdue applications, as `list_applications` does.

    The query excludes applications that cannot be overdue; the calendar is applied page by page.
    """
    late = _possibly_overdue(session, case_filter, _latest_starts(now), now, after)
    return list(islice((row for row, timed in late if timed.overdue), limit))


def list_expiring(session: Session, now: datetime) -> Sequence[ExpiringApplication]:
    """List drafts not submitted and questions not answered in time, oldest first."""
    ending = frozenset(state for step in load_deadline_steps() if step.lapses for state in step.states)
    starts = [since for since in _latest_starts(now) if since.state in ending]
    return [
        ExpiringApplication(row.id, row.number, timed.step, timed.due_at)
        for row, timed in _possibly_overdue(session, CaseFilter(with_drafts=True), starts, now)
        if timed.lapses and timed.step and timed.due_at
    ]


def lapse_application(session: Session, actor: Actor, application_id: UUID, now: datetime) -> bool:
    """End the application if its deadline has passed, and return whether it did.

    The deadline is checked again under the lock, because an answer or another sweep may have come first.
    """
    require_role(actor, Role.SYSTEM)
    row = application_repository.get_application(session, application_id, lock=True)
    if row is None:
        return False
    each = timings_by_id(session, [row], now)[row.id]
    if not each.lapses:
        return False
    case_access.transition(session, actor, row, Action.LAPSE, State.LAPSED, now, step=each.step)
    return True


def _possibly_overdue(
    session: Session, case_filter: CaseFilter, starts: Sequence[StartedBefore], now: datetime, after: UUID | None = None
) -> Iterator[tuple[Application, Timing]]:
    """Yield every application that could be overdue with its timing, in page order."""
    possible = replace(case_filter, started_before=tuple(starts))
    while rows := application_repository.list_applications(session, possible, after, BATCH_SIZE):
        timed = timings_by_id(session, rows, now)
        yield from ((row, timed[row.id]) for row in rows)
        after = rows[-1].id


def _latest_starts(now: datetime) -> Sequence[StartedBefore]:
    return [
        StartedBefore(
            state,
            latest_start_not_overdue(step, now),
            counts_from_submission=step.counting_mode is CountingMode.STAFF_TIME,
        )
        for step in load_deadline_steps()
        for state in sorted(step.states)
    ]
