"""Record reminders of deadlines in the audit chain, each once; `mik admin sweep` calls it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_deadlines
from app.applications.deadline_calculator import end_of_day
from app.audit import recorder
from app.auth.permissions import require_role
from app.core.actor import Actor, Role
from app.core.dates import baku_day
from app.events import reminder_repository
from app.events.catalogue import load_catalogue
from app.events.reminders import CATCH_UP_DAYS, DatedDeadline, due_reminders

MAX_IN_TRANSACTION = 500
BATCH_SIZE = 200


@dataclass(frozen=True, slots=True)
class DatedAudit:
    """Hold a deadline with the audit event that reminds of it."""

    deadline: DatedDeadline
    event: str
    subject_type: str
    case_id: UUID | None
    data: Mapping[str, Any]


def count_due(session: Session, now: datetime) -> int:
    """Count the reminders that are due and not recorded."""
    return sum(1 for _ in _list_due(session, now))


def record_due(session: Session, actor: Actor, now: datetime, limit: int = MAX_IN_TRANSACTION) -> int:
    """Record what is due, at most `limit`, and return how many. Two calls at once record each reminder once."""
    require_role(actor, Role.SYSTEM)
    count = 0
    for found, days in _list_due(session, now):
        if count == limit:
            break
        deadline = found.deadline
        key = (found.event, deadline.subject_id, deadline.last_day, days)
        if not reminder_repository.add_reminder(session, key, now):
            continue  # another run was first
        recorder.record(
            session,
            actor,
            found.event,
            (found.subject_type, deadline.subject_id),
            now,
            case_id=found.case_id,
            deadline=end_of_day(deadline.last_day).isoformat(),
            days=days,
            **found.data,
        )
        count += 1
    return count


def _list_due(session: Session, now: datetime) -> Iterator[tuple[DatedAudit, int]]:
    """Yield what is due and not recorded, with the days before the deadline, in a fixed order."""
    today = baku_day(now)
    oldest = today - timedelta(CATCH_UP_DAYS + 1)
    found = {each.deadline: each for each in _deadlines(session, oldest, today, now)}
    recorded = reminder_repository.list_recorded(session, oldest)
    for due in list(due_reminders(today, found, load_catalogue().types)):
        source = found[due.deadline]
        if (source.event, due.deadline.subject_id, due.deadline.last_day, due.days) not in recorded:
            yield source, due.days


def _deadlines(session: Session, oldest: date, today: date, now: datetime) -> Iterator[DatedAudit]:
    """Yield every deadline that could have a reminder today."""
    last = today + timedelta(_longest("certificate.expiring"))
    for number, day, status, case_id in reminder_repository.list_certificates_ending(session, oldest, last):
        for name in ("certificate.expiring", "certificate.expired"):
            yield DatedAudit(DatedDeadline(name, None, number, day), name, "certificate", case_id, {"state": status})
    last = today + timedelta(_longest("evidence.expiring"))
    for row in reminder_repository.list_documents_ending(session, oldest, last):
        assert row.valid_until is not None  # by the query
        data = {"organisation": row.organisation_id, "kind": row.kind}
        for name, kind, event in (
            ("evidence.expiring", None, "evidence.expiring"),
            ("evidence.changed", "expired", "evidence.expired"),
        ):
            deadline = DatedDeadline(name, kind, str(row.id), row.valid_until)
            yield DatedAudit(deadline, event, "evidence", row.application_id, data)
    yield from _applications(session, now)


def _applications(session: Session, now: datetime) -> Iterator[DatedAudit]:
    """Yield applications that end unless the applicant acts."""
    name, after = "application.answer_due", None
    while rows := reminder_repository.list_waiting_for_applicant(session, after, BATCH_SIZE):
        timed = application_deadlines.timings_by_id(session, rows, now)
        for row in rows:
            due_at = timed[row.id].due_at
            assert due_at is not None  # every state of the applicant has a deadline
            last_day = baku_day(due_at - timedelta(microseconds=1))
            deadline = DatedDeadline(name, None, str(row.id), last_day)
            yield DatedAudit(deadline, name, "application", row.id, {"state": row.state})
        after = rows[-1].id


def _longest(event_type: str) -> int:
    return max(day for days in load_catalogue().types[event_type].days.values() for day in days)
