"""The life of an application as one table: state, action → next state, and who may. Pure.

Every state says who acts next; the clock of the service stands still while that is the applicant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from app.core.actor import Actor, Role
from app.core.errors import Forbidden, FourEyes, WrongState
from app.core.messages import Message, to_value_message


class State(StrEnum):
    DRAFT = "draft"  # the applicant acts next
    SUBMITTED = "submitted"  # a reviewer acts next (claim)
    IN_REVIEW = "in_review"  # the reviewer who holds it acts next
    INFORMATION_REQUESTED = "information_requested"  # the applicant acts next; the clock stands still
    RECOMMENDED = "recommended"  # an approver acts next, another person than the recommender
    APPROVED = "approved"  # final: at least one product was granted the mark
    REJECTED = "rejected"  # final
    WITHDRAWN = "withdrawn"  # final
    LAPSED = "lapsed"  # final: the applicant's deadline passed


class Action(StrEnum):
    SUBMIT = "submit"
    CLAIM = "claim"
    ASSIGN = "assign"
    HAND_OVER = "hand-over"
    RELEASE = "release"
    REQUEST_INFORMATION = "request-information"
    RESPOND = "respond"
    RECOMMEND = "recommend"
    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"


@dataclass(frozen=True, slots=True)
class Transition:
    to: frozenset[State]  # the decision chooses where there are two
    by: Role
    holder_only: bool = False  # only the reviewer who holds the case
    four_eyes: bool = False  # never the person who recommended


def _to(*states: State) -> frozenset[State]:
    return frozenset(states)


_S, _A, _R = State, Action, Role
_HOLDER_ONLY = {"holder_only": True}
_FOUR_EYES = {"four_eyes": True}

TRANSITIONS: Mapping[tuple[State, Action], Transition] = MappingProxyType(
    {
        (_S.DRAFT, _A.SUBMIT): Transition(_to(_S.SUBMITTED), _R.APPLICANT),
        (_S.SUBMITTED, _A.CLAIM): Transition(_to(_S.IN_REVIEW), _R.REVIEWER),
        (_S.SUBMITTED, _A.ASSIGN): Transition(_to(_S.IN_REVIEW), _R.REVIEWER),
        (_S.IN_REVIEW, _A.HAND_OVER): Transition(_to(_S.IN_REVIEW), _R.REVIEWER, **_HOLDER_ONLY),
        (_S.IN_REVIEW, _A.RELEASE): Transition(_to(_S.SUBMITTED), _R.REVIEWER, **_HOLDER_ONLY),
        (_S.IN_REVIEW, _A.REQUEST_INFORMATION): Transition(_to(_S.INFORMATION_REQUESTED), _R.REVIEWER, **_HOLDER_ONLY),
        (_S.INFORMATION_REQUESTED, _A.RESPOND): Transition(_to(_S.IN_REVIEW), _R.APPLICANT),
        (_S.IN_REVIEW, _A.RECOMMEND): Transition(_to(_S.RECOMMENDED), _R.REVIEWER, **_HOLDER_ONLY),
        (_S.RECOMMENDED, _A.APPROVE): Transition(_to(_S.APPROVED, _S.REJECTED), _R.APPROVER, **_FOUR_EYES),
        (_S.RECOMMENDED, _A.REJECT): Transition(_to(_S.REJECTED), _R.APPROVER, **_FOUR_EYES),
        (_S.RECOMMENDED, _A.RETURN): Transition(_to(_S.IN_REVIEW), _R.APPROVER, **_FOUR_EYES),
        **{
            (state, _A.WITHDRAW): Transition(_to(_S.WITHDRAWN), _R.APPLICANT)
            for state in (_S.DRAFT, _S.SUBMITTED, _S.IN_REVIEW, _S.INFORMATION_REQUESTED, _S.RECOMMENDED)
        },
        **{(state, _A.LAPSE): Transition(_to(_S.LAPSED), _R.SYSTEM) for state in (_S.DRAFT, _S.INFORMATION_REQUESTED)},
    }
)

OPEN_STATES = frozenset(state for state, _ in TRANSITIONS)
"""States in which something can still happen."""

SECOND_FACTOR_ACTIONS = frozenset({Action.RECOMMEND, Action.APPROVE, Action.REJECT, Action.RETURN})
"""What is certified rests on these: they take more than a password."""

EDITABLE_STATES = frozenset({State.DRAFT, State.INFORMATION_REQUESTED})
"""Products and evidence are frozen while the house is looking at them."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the table needs to know of an application."""

    state: State
    assignee_id: UUID | None = None
    recommended_by: UUID | None = None


def role_for(action: Action) -> Role:
    """The one role an action belongs to, whatever the state."""
    return next(t.by for (_, a), t in TRANSITIONS.items() if a is action)


def allowed_actions(case: Case, actor: Actor) -> tuple[Action, ...]:
    """What this actor can do with the case now, in the order of the enum."""
    return tuple(a for a in Action if _is_possible(case, a, actor))


def _is_possible(case: Case, action: Action, actor: Actor) -> bool:
    transition = TRANSITIONS.get((case.state, action))
    if transition is None or not actor.has_role(transition.by):
        return False
    if transition.holder_only and actor.id != case.assignee_id:
        return False
    return not (transition.four_eyes and actor.id == case.recommended_by)


def require_role(action: Action, actor: Actor) -> None:
    """Refuse a role that never may do this (403), before anything of the case is looked at."""
    if not actor.has_role(role_for(action)):
        raise Forbidden(
            Message(
                "“%(action)s” is for the role %(role)s.",
                action=to_value_message(action),
                role=to_value_message(role_for(action)),
            ),
            data={"role": role_for(action).value},
        )


def require_person(case: Case, action: Action, actor: Actor) -> None:
    """Refuse the wrong person of the right role (403): another holds the case, or these eyes have seen it before."""
    transition = TRANSITIONS.get((case.state, action))
    if transition is None:
        return  # nobody can do it now: `require_transition` says so
    if transition.holder_only and actor.id != case.assignee_id:
        raise Forbidden("Another reviewer holds this case.", code="not-case-holder")
    if transition.four_eyes and actor.id == case.recommended_by:
        raise FourEyes("You recommended on this case; another person must decide.")


def require_transition(state: State, action: Action) -> None:
    """Refuse what nobody can do in this state (409). Role and person come before: `permit`, `permit_person`."""
    if (state, action) not in TRANSITIONS:
        allowed = [a.value for a in Action if (state, a) in TRANSITIONS and a is not Action.LAPSE]
        raise WrongState("application", state=state, action=action, allowed=allowed)
