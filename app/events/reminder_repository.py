"""Query what has a last day, and the reminders that were recorded."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.applications.model import Application, Evidence
from app.applications.workflow import EDITABLE_STATES
from app.certificates.matter_repository import IN_FORCE_STATUSES
from app.certificates.model import Certificate
from app.events.model import Reminder

ReminderKey = tuple[str, str, date, int]
"""Audit event, id of the subject, last day, days before it."""
_ADD = sa.text(
    "INSERT INTO reminders (event, subject_id, last_day, days, recorded_at) "
    "VALUES (:event, :subject_id, :last_day, :days, :recorded_at) ON CONFLICT DO NOTHING"
).bindparams(
    *(sa.bindparam(name, type_=Reminder.__table__.c[name].type) for name in ("last_day", "recorded_at")),
)


def add_reminder(session: Session, key: ReminderKey, now: datetime) -> bool:
    """Store the reminder and return whether it is new; a concurrent call with the same key waits and returns False."""
    event, subject_id, last_day, days = key
    values = {"event": event, "subject_id": subject_id, "last_day": last_day, "days": days, "recorded_at": now}
    return session.connection().execute(_ADD, values).rowcount == 1


def list_recorded(session: Session, oldest: date) -> Collection[ReminderKey]:
    """Return the reminders of last days from `oldest` on."""
    query = sa.select(Reminder.event, Reminder.subject_id, Reminder.last_day, Reminder.days)
    return {(row[0], row[1], row[2], row[3]) for row in session.execute(query.where(Reminder.last_day >= oldest))}


def list_certificates_ending(session: Session, first: date, last: date) -> Sequence[tuple[str, date, str, UUID]]:
    """Return number, last day, status and application of certificates in force whose last day is in the period."""
    query = sa.select(Certificate.number, Certificate.valid_until, Certificate.status, Certificate.application_id)
    query = query.where(Certificate.status.in_(IN_FORCE_STATUSES), Certificate.valid_until.between(first, last))
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query.order_by(Certificate.id))]


def list_documents_ending(session: Session, first: date, last: date) -> Sequence[Evidence]:
    """Return confirmed documents whose last day is in the period."""
    query = sa.select(Evidence).where(
        Evidence.confirmed_at.is_not(None),
        Evidence.withdrawn_at.is_(None),
        Evidence.erased_at.is_(None),
        Evidence.valid_until.between(first, last),
    )
    return session.scalars(query.order_by(Evidence.id)).all()


def list_waiting_for_applicant(session: Session, after: UUID | None, limit: int) -> Sequence[Application]:
    """Return applications whose applicant acts next, in the order of ids."""
    query = sa.select(Application).where(Application.state.in_([state.value for state in EDITABLE_STATES]))
    if after is not None:
        query = query.where(Application.id > after)
    return session.scalars(query.order_by(Application.id).limit(limit)).all()
