"""Define the states of an application, the actions between them, and the role of each action. Pure.

Every state determines who acts next; staff time stops while that is the applicant.
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
    INFORMATION_REQUESTED = "information_requested"  # the applicant acts next; staff time stops
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
"""States with at least one action."""

SECOND_FACTOR_ACTIONS = frozenset({Action.RECOMMEND, Action.APPROVE, Action.REJECT, Action.RETURN})
"""Actions that require a second factor, because certificates depend on them."""

EDITABLE_STATES = frozenset({State.DRAFT, State.INFORMATION_REQUESTED})
"""States in which the applicant may change products and evidence; all others freeze them."""


@dataclass(frozen=True, slots=True)
class Case:
    """Hold the members of an application that the transition table reads."""

    state: State
    assignee_id: UUID | None = None
    recommended_by: UUID | None = None


def role_for(action: Action) -> Role:
    """Return the one role that may perform the action, in any state."""
    return next(t.by for (_, a), t in TRANSITIONS.items() if a is action)


def allowed_actions(case: Case, actor: Actor) -> tuple[Action, ...]:
    """Return the actions that the actor may perform now, in the order of the enum."""
    return tuple(a for a in Action if _is_possible(case, a, actor))


def _is_possible(case: Case, action: Action, actor: Actor) -> bool:
    transition = TRANSITIONS.get((case.state, action))
    if transition is None or not actor.has_role(transition.by):
        return False
    if transition.holder_only and actor.id != case.assignee_id:
        return False
    return not (transition.four_eyes and actor.id == case.recommended_by)


def require_role(action: Action, actor: Actor) -> None:
    """Require the role of the action. Raises `Forbidden` before anything of the case is read."""
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
    """Require the case holder and four eyes. Raises `Forbidden` (`not-case-holder`) or `FourEyes`."""
    transition = TRANSITIONS.get((case.state, action))
    if transition is None:
        return  # `require_transition` reports it
    if transition.holder_only and actor.id != case.assignee_id:
        raise Forbidden("Another reviewer holds this case.", code="not-case-holder")
    if transition.four_eyes and actor.id == case.recommended_by:
        raise FourEyes("You recommended on this case; another person must decide.")


def require_transition(state: State, action: Action) -> None:
    """Require that the state allows the action. Raises `WrongState`; check role and person before."""
    if (state, action) not in TRANSITIONS:
        allowed = [a.value for a in Action if (state, a) in TRANSITIONS and a is not Action.LAPSE]
        raise WrongState("application", state=state, action=action, allowed=allowed)
