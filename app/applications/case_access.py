"""One door to a case: who may see it, and every refusal in the order of the map (404, 403, 428, 412, 409)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.applications import application_repository, workflow
from app.applications.model import Application, CaseNote, Recommendation
from app.applications.workflow import Action, Case, State
from app.audit import recorder
from app.auth.permissions import require, require_second_factor
from app.core.actor import Actor, Role
from app.core.database import new_id
from app.core.errors import Expected, NotFound, Version, check_version

CASE_READERS = (Role.REVIEWER, Role.APPROVER, Role.REGISTRAR, Role.OWNER, Role.AUDITOR)
"""The customs desk checks certificates; what a company laid before the house is not for it."""


def visible(session: Session, actor: Actor, application_id: UUID, *, lock: bool = False) -> Application:
    """The application, if this actor may know of it: staff every one, everybody else their company's."""
    if actor.is_staff:
        require(actor, *CASE_READERS, Role.SYSTEM)
    elif actor.organisation_id is None:
        raise NotFound.of("application")
    application = application_repository.application(
        session, application_id, None if actor.is_staff else actor.organisation_id, lock=lock
    )
    if application is None:
        raise NotFound.of("application")
    return application


def on_the_desk(session: Session, actor: Actor, application_id: UUID) -> Application:
    """The same for those who read cases: another company's is absent, the company's own is not for its eyes here."""
    application = visible(session, actor, application_id)
    require(actor, *CASE_READERS)
    return application


def standing_recommendation(session: Session, application: Application) -> Recommendation | None:
    """The recommendation that an approver has before them; in every other state there is none."""
    return (
        application_repository.open_recommendation(session, application.id)
        if application.state == State.RECOMMENDED
        else None
    )


def as_case(application: Application, recommendation: Recommendation | None) -> Case:
    return Case(
        State(application.state), application.assignee_id, recommendation.recommended_by if recommendation else None
    )


def moves(session: Session, actor: Actor, application: Application) -> tuple[Action, ...]:
    return workflow.moves(as_case(application, standing_recommendation(session, application)), actor)


def admit(session: Session, actor: Actor, application_id: UUID, action: Action, version: Version) -> Application:
    """The application, locked, if this action of this actor is possible now; every other case is a refusal."""
    return _admit(session, actor, application_id, action, version)[0]


def admit_decision(
    session: Session, actor: Actor, application_id: UUID, action: Action, version: Version
) -> tuple[Application, Recommendation]:
    """The same for what is done with a recommendation."""
    application, recommendation = _admit(session, actor, application_id, action, version)
    assert recommendation is not None  # the state `recommended` is entered with one, and left by voiding it
    return application, recommendation


def _admit(
    session: Session, actor: Actor, application_id: UUID, action: Action, version: Version
) -> tuple[Application, Recommendation | None]:
    application = visible(session, actor, application_id, lock=True)
    workflow.permit(action, actor)
    if action in workflow.NEED_SECOND_FACTOR:
        require_second_factor(actor)
    if isinstance(version, Expected):
        version.ask_first()  # a retried hand-over comes from somebody who no longer holds the case
    recommendation = standing_recommendation(session, application)
    case = as_case(application, recommendation)
    workflow.permit_person(case, action, actor)
    check_version(version, application.version)
    workflow.require_transition(case.state, action)
    return application, recommendation


def move(
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
        f"application.{_PAST[action]}",
        ("application", application.id),
        now,
        case_id=application.id,
        was=was,
        state=to.value,
        **({"note": note.id} if note else {}),
        **data,
    )


def say(
    session: Session, actor: Actor, application: Application, text: str, *, internal: bool, now: datetime
) -> CaseNote:
    note = CaseNote(
        id=new_id(), application_id=application.id, author_id=actor.id, text=text, internal=internal, created_at=now
    )
    session.add(note)
    return note


NOTED = "case.noted"
"""A note of the staff for the staff: the applicant's timeline does not know of it."""

_PAST = {
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
