"""Load a case and check what the actor may do with it, in one fixed order of errors.

The order is 404, 403, 428, 412, 409 (docs/decisions).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, workflow
from app.applications.model import Application, CaseNote, Recommendation
from app.applications.workflow import Action, Case, State
from app.audit import recorder
from app.auth.permissions import require_role, require_second_factor
from app.core.actor import Actor, Role
from app.core.database import new_id
from app.core.errors import ExpectedVersion, NotFound, VersionPrecondition, require_version

CASE_READERS = (Role.REVIEWER, Role.APPROVER, Role.REGISTRAR, Role.OWNER, Role.AUDITOR)
"""Staff roles that read cases. Inspectors verify certificates and do not read what companies uploaded."""


def get_visible(session: Session, actor: Actor, application_id: UUID, *, lock: bool = False) -> Application:
    """Load the application if the actor may read it: case readers any, others their company's.

    Raises `NotFound`, or `Forbidden` for staff who do not read cases.
    """
    if actor.is_staff:
        require_role(actor, *CASE_READERS, Role.SYSTEM)
    elif actor.organisation_id is None:
        raise NotFound.of("application")
    application = application_repository.get_application(
        session, application_id, None if actor.is_staff else actor.organisation_id, lock=lock
    )
    if application is None:
        raise NotFound.of("application")
    return application


def get_for_staff(session: Session, actor: Actor, application_id: UUID) -> Application:
    """Load the application for case readers. Raises `NotFound` for another company's, `Forbidden` for members."""
    application = get_visible(session, actor, application_id)
    require_role(actor, *CASE_READERS)
    return application


def open_recommendation(session: Session, application: Application) -> Recommendation | None:
    """Return the open recommendation of an application in the state `recommended`; None in any other state."""
    return (
        application_repository.get_open_recommendation(session, application.id)
        if application.state == State.RECOMMENDED
        else None
    )


def to_case(application: Application, recommendation: Recommendation | None) -> Case:
    return Case(
        State(application.state), application.assignee_id, recommendation.recommended_by if recommendation else None
    )


def allowed_actions(session: Session, actor: Actor, application: Application) -> tuple[Action, ...]:
    return workflow.allowed_actions(to_case(application, open_recommendation(session, application)), actor)


def begin_action(
    session: Session, actor: Actor, application_id: UUID, action: Action, version: ExpectedVersion
) -> Application:
    """Lock the application and check that `actor` may perform `action` now.

    Raises, in this order: `NotFound`, `Forbidden` (role, second factor), `Forbidden` (case holder, four eyes),
    `VersionRequired`, `StaleVersion`, `WrongState`. Replays a stored idempotent response before the person is checked.
    """
    return _begin(session, actor, application_id, action, version)[0]


def begin_decision(
    session: Session, actor: Actor, application_id: UUID, action: Action, version: ExpectedVersion
) -> tuple[Application, Recommendation]:
    """Run `begin_action` for an action on the open recommendation, and return both."""
    application, recommendation = _begin(session, actor, application_id, action, version)
    assert recommendation is not None  # entering `recommended` creates one; leaving the state voids it
    return application, recommendation


def _begin(
    session: Session, actor: Actor, application_id: UUID, action: Action, version: ExpectedVersion
) -> tuple[Application, Recommendation | None]:
    application = get_visible(session, actor, application_id, lock=True)
    workflow.require_role(action, actor)
    if action in workflow.SECOND_FACTOR_ACTIONS:
        require_second_factor(actor)
    if isinstance(version, VersionPrecondition):
        version.before_check()  # a retried hand-over is sent by a reviewer who no longer holds the case
    recommendation = open_recommendation(session, application)
    case = to_case(application, recommendation)
    workflow.require_person(case, action, actor)
    require_version(version, application.version)
    workflow.require_transition(case.state, action)
    return application, recommendation


def transition(
    session: Session,
    actor: Actor,
    application: Application,
    action: Action,
    to: State,
    now: datetime,
    *,
    note: CaseNote | None = None,
    **data: object,
) -> None:
    """Enter the next state and record the audit event. The caller has checked the action with `begin_action`.

    Raises `ValueError` when the transition table does not lead to `to`.
    """
    previous_state = application.state
    if to not in workflow.TRANSITIONS[State(previous_state), action].to:
        raise ValueError(f"{action} does not lead to {to}")
    if previous_state != to:
        application.state, application.state_since = to.value, now
    application.version += 1
    recorder.record(
        session,
        actor,
        f"application.{ACTION_EVENT[action]}",
        ("application", application.id),
        now,
        case_id=application.id,
        was=previous_state,
        state=to.value,
        **({"note": note.id} if note else {}),
        **data,
    )


def add_note(
    session: Session, actor: Actor, application: Application, text: str, *, internal: bool, now: datetime
) -> CaseNote:
    note = CaseNote(
        id=new_id(), application_id=application.id, author_id=actor.id, text=text, internal=internal, created_at=now
    )
    session.add(note)
    return note


NOTE_EVENT = "case.noted"
"""Event of an internal note; the applicant's timeline does not show it."""

ACTION_EVENT = {
    Action.SUBMIT: "submitted",
    Action.CLAIM: "claimed",
    Action.ASSIGN: "assigned",
    Action.HAND_OVER: "handed_over",
    Action.RELEASE: "released",
    Action.REQUEST_INFORMATION: "information_requested",
    Action.RESPOND: "answered",
    Action.RECOMMEND: "recommended",
    Action.APPROVE: "approved",
    Action.REJECT: "rejected",
    Action.RETURN: "returned",
    Action.WITHDRAW: "withdrawn",
    Action.LAPSE: "lapsed",
}
