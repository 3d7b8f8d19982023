"""Who may move a case: the law itself, without a service around it."""

from uuid import uuid4

import pytest

from app.applications.workflow import Action, Case, State, require_person, require_transition
from app.core.actor import Actor, ActorKind, Role
from app.core.errors import Forbidden, WrongState

pytestmark = pytest.mark.pure

ONE, OTHER = uuid4(), uuid4()
REVIEWER = Actor(ActorKind.USER, ONE, frozenset({Role.REVIEWER}))
APPROVER = Actor(ActorKind.USER, ONE, frozenset({Role.APPROVER}))


def test_what_nobody_can_do_now_is_no_question_of_persons():
    closed = Case(State.APPROVED, assignee_id=OTHER, recommended_by=ONE)
    require_person(closed, Action.RECOMMEND, REVIEWER)
    with pytest.raises(WrongState):
        require_transition(closed.state, Action.RECOMMEND)


def test_only_the_holder_of_the_case_recommends():
    require_person(Case(State.IN_REVIEW, assignee_id=ONE), Action.RECOMMEND, REVIEWER)
    with pytest.raises(Forbidden) as refused:
        require_person(Case(State.IN_REVIEW, assignee_id=OTHER), Action.RECOMMEND, REVIEWER)
    assert refused.value.refusal_code == "not-case-holder"


def test_another_person_decides_than_the_one_who_recommended():
    require_person(Case(State.RECOMMENDED, recommended_by=OTHER), Action.APPROVE, APPROVER)
    with pytest.raises(Forbidden):
        require_person(Case(State.RECOMMENDED, recommended_by=ONE), Action.APPROVE, APPROVER)
