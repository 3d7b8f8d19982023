"""One door to a case: who may see it, and every refusal in the order of the map (404, 403, 428, 412, 409)."""

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
"""The customs desk checks certificates; what a company laid before the house is not for it."""


def get_visible(session: Session, actor: Actor, application_id: UUID, *, lock: bool = False) -> Application:
    """The application, if this actor may know of it: staff every one, everybody else their company's."""
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
    """The same for those who read cases: another company's is absent, the company's own is not for its eyes here."""
    application = get_visible(session, actor, application_id)
    require_role(actor, *CASE_READERS)
    return application


def open_recommendation(session: Session, application: Application) -> Recommendation | None:
    """The recommendation that an approver has before them; in every other state there is none."""
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
    """The application, locked, if this action of this actor is possible now; every other case is a refusal."""
    return _begin(session, actor, application_id, action, version)[0]


def begin_decision(
    session: Session, actor: Actor, application_id: UUID, action: Action, version: ExpectedVersion
) -> tuple[Application, Recommendation]:
    """The same for what is done with a recommendation."""
    application, recommendation = _begin(session, actor, application_id, action, version)
    assert recommendation is not None  # the state `recommended` is entered with one, and left by voiding it
    return application, recommendation


def _begin(
    session: Session, actor: Actor, application_id: UUID, action: Action, version: ExpectedVersion
) -> tuple[Application, Recommendation | None]:
    application = get_visible(session, actor, application_id, lock=True)
    workflow.require_role(action, actor)
    if action in workflow.SECOND_FACTOR_ACTIONS:
        require_second_factor(actor)
    if isinstance(version, VersionPrecondition):
        version.before_check()  # a retried hand-over comes from somebody who no longer holds the case
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
    """Enter the next state, and say so in the history. The caller has checked that the action is possible (`admit`);
    the transition table has the last word on where it may lead."""
    was = application.state
    if to not in workflow.TRANSITIONS[State(was), action].to:
        raise ValueError(f"{action} does not lead to {to}")
    if was != to:
        application.state, application.state_since = to.value, now
    application.version += 1
    recorder.record(
        session,
        actor,
        f"application.{ACTION_EVENT[action]}",
        ("application", application.id),
        now,
        case_id=application.id,
        was=was,
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
"""A note of the staff for the staff: the applicant's timeline does not know of it."""

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
