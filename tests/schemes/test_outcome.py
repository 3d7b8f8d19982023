import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.outcome import Outcome, most_severe

pytestmark = pytest.mark.pure

FAIL, INCOMPLETE, MANUAL, PASS = Outcome.FAIL, Outcome.INCOMPLETE, Outcome.MANUAL, Outcome.PASS
SILENT = (Outcome.NOT_APPLICABLE, Outcome.NOT_ASSESSED)


@pytest.mark.parametrize(
    ("outcomes", "whole"),
    [
        ((PASS, MANUAL, INCOMPLETE, FAIL), FAIL),
        ((PASS, MANUAL, INCOMPLETE), INCOMPLETE),
        ((PASS, MANUAL), MANUAL),
        ((PASS, *SILENT), PASS),
        (SILENT, Outcome.NOT_ASSESSED),
        ((Outcome.NOT_APPLICABLE,), Outcome.NOT_ASSESSED),
        ((), Outcome.NOT_ASSESSED),
    ],
)
def test_the_worst_outcome_that_counts_is_the_whole(outcomes, whole):
    assert most_severe(outcomes) is whole


@given(st.lists(st.sampled_from(Outcome)), st.sampled_from(Outcome))
def test_one_more_rule_never_makes_the_whole_better(outcomes, more):
    order = [FAIL, INCOMPLETE, MANUAL, PASS, Outcome.NOT_ASSESSED]
    assert order.index(most_severe([*outcomes, more])) <= order.index(most_severe(outcomes))


@given(st.lists(st.sampled_from(Outcome)))
def test_order_and_silent_rules_change_nothing(outcomes):
    assert most_severe(outcomes) is most_severe([*reversed(outcomes), *SILENT])
