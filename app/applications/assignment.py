"""Assign cases to reviewers, hand them over, and add internal notes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, case_access, workflow
from app.applications.model import Application, CaseNote
from app.applications.workflow import Action, State
from app.audit import recorder
from app.auth import user_repository
from app.auth.permissions import require_role
from app.core.actor import Actor, Role
from app.core.errors import Conflict, ExpectedVersion, Invalid
from app.core.messages import Message, to_value_message

NOTE_WRITERS = (Role.REVIEWER, Role.APPROVER, Role.REGISTRAR, Role.OWNER)


def hand_over(
    session: Session, actor: Actor, application_id: UUID, *, to: UUID, version: ExpectedVersion, now: datetime
) -> Application:
    """Hand a case over to another reviewer. Raises `Invalid` when `to` is not an active reviewer."""
    application = case_access.begin_action(session, actor, application_id, Action.HAND_OVER, version)
    if to == actor.id:
        raise Invalid.at("/to", Message("You hold this case already.", code="case-held"))
    _require_reviewer(session, to)
    case_access.transition(session, actor, application, Action.HAND_OVER, State.IN_REVIEW, now, assignee=to)
    application.assignee_id = to
    return application


def assign_cases(
    session: Session, actor: Actor, application_ids: Sequence[UUID], *, to: UUID, now: datetime
) -> Sequence[Application]:
    """Assign submitted, unassigned cases to a reviewer: all of them, or none with a reason for each.

    No version is required: a case that was claimed or withdrawn meanwhile is no longer submitted, and is refused.
    """
    workflow.require_role(Action.ASSIGN, actor)
    rows = {row.id: row for row in application_repository.lock_applications(session, application_ids)}
    if refused := [why for each in application_ids if (why := _assignment_problem(each, rows.get(each)))]:
        raise Conflict(
            "Some of these cases cannot be assigned, so none was.",
            code="not-assignable",
            data={"applications": refused},
        )
    if len(rows) != len(application_ids):
        raise Invalid.at("/application_ids", Message("Name each case once.", code="duplicate"))
    _require_reviewer(session, to)
    assigned = [rows[each] for each in application_ids]
    for application in assigned:
        application.assignee_id = to
        case_access.transition(session, actor, application, Action.ASSIGN, State.IN_REVIEW, now, assignee=to)
    return assigned


def require_can_add_note(session: Session, actor: Actor, application_id: UUID) -> Application:
    application = case_access.get_for_staff(session, actor, application_id)
    require_role(actor, *NOTE_WRITERS)
    return application


def add_note(session: Session, actor: Actor, application_id: UUID, *, text: str, now: datetime) -> CaseNote:
    """Add an internal note. It is not part of the dossier, so the version of the case does not change."""
    application = require_can_add_note(session, actor, application_id)
    row = case_access.add_note(session, actor, application, text, internal=True, now=now)
    session.flush()
    recorder.record(
        session,
        actor,
        case_access.NOTE_EVENT,
        ("application", application.id),
        now,
        case_id=application.id,
        note=row.id,
    )
    return row


def _require_reviewer(session: Session, user_id: UUID) -> None:
    user = user_repository.find_user(session, user_id)
    if user is None or not user.active or Role.REVIEWER not in user_repository.get_roles(session, user_id):
        raise Invalid.at("/to", Message("There is no active reviewer of this id.", code="unknown-user"))


def _assignment_problem(application_id: UUID, row: Application | None) -> dict[str, str] | None:
    """Return why the case cannot be assigned; None when it can."""
    if row is None:
        return {"application_id": str(application_id), "code": "not-found", "detail": Message("There is no such case.")}
    case = {"application_id": str(application_id), "number": row.number, "state": row.state}
    if (State(row.state), Action.ASSIGN) not in workflow.TRANSITIONS:
        detail = Message(
            "It is %(state)s; only submitted cases without a holder can be assigned.", state=to_value_message(row.state)
        )
        return {**case, "code": "case-held" if row.assignee_id else "wrong-state", "detail": detail}
    return None
