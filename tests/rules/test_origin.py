from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.facts import InputSummary, Material, ValueStatement
from app.schemes.origin import Criterion, Obstacle, determine, local_weight, summarise

D = Decimal

HEADINGS = st.sampled_from(["7208", "7306", "8501", "0409", "9998", "", "40"])
VALUES = st.decimals("-5", "2000", places=3)


def result(ex_works, value, headings=(), hs6="730630", at=40):
    summary = InputSummary(None if value is None else D(value), tuple(headings))
    return determine(ValueStatement(None if ex_works is None else D(ex_works), summary), hs6, rvc_at_least=D(at)).result


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("100", "0"), Criterion.WHOLLY_OBTAINED),
        (("100", "0", ["7306"]), Criterion.WHOLLY_OBTAINED),
        (("100", "0", ["9998"]), Criterion.WHOLLY_OBTAINED),
        (("100", "0", [], "40900"), Criterion.WHOLLY_OBTAINED),
        (("100", "99", []), Criterion.CHANGE_OF_HEADING),
        (("100", "120", ["7208"]), Criterion.CHANGE_OF_HEADING),
        (("100", "60", ["7208", "7306"]), Criterion.VALUE_CONTENT),
        (("100", "60.0000000001", ["7306"]), Criterion.NONE),
        (("100", "120", ["7306"]), Criterion.NONE),
        (("0", "0"), Obstacle.EX_WORKS),
        (("-1", "0"), Obstacle.EX_WORKS),
        ((None, "0"), Obstacle.EX_WORKS),
        (("NaN", "0"), Obstacle.EX_WORKS),
        (("100", None), Obstacle.INPUTS),
        (("100", "Infinity"), Obstacle.INPUTS),
        (("100", "-0.01", ["7208"]), Obstacle.NEGATIVE),
        (("100", "10", ["7208", "9998"]), Obstacle.HEADINGS),
        (("100", "10", ["730630"]), Obstacle.HEADINGS),
        (("100", "10", ["7208"], "73063"), Obstacle.HS_CODE),
        (("100", "10", ["7208"], "779999"), Obstacle.HS_CODE),
        (("100", "10", ["7208"], None), Obstacle.HS_CODE),
    ],
)
def test_the_criterion_or_what_keeps_it_from_being_known(arguments, expected):
    assert result(*arguments) is expected


def test_the_arithmetic_is_shown():
    value = ValueStatement(D("1450.00"), InputSummary(D(830), ("7208",)))
    origin = determine(value, "730630", rvc_at_least=D(40))
    assert origin.arithmetic == "(1450 − 830) / 1450 × 100 = 42.8 %"
    assert origin.rvc_pct == D("42.8")
    assert origin.criterion is Criterion.CHANGE_OF_HEADING
    assert (origin.headings, origin.same_heading, origin.unknown_headings) == (("7208",), (), ())


def test_nothing_is_shown_where_nothing_can_be_computed():
    origin = determine(ValueStatement(D(0), None), "730630", rvc_at_least=D(40))
    assert (origin.arithmetic, origin.rvc_pct, origin.criterion) == (None, None, None)


def line(hs4="7208", value="10", *, originating=False, country="TR", weight="1"):
    number = {"value": value and D(value), "weight_kg": weight and D(weight)}
    return Material("m", hs4, country, originating, **number)


def test_a_bill_of_materials_is_summed_up():
    bill = (line(value="0.1"), line("8501", "0.2"), line("7208", "0.3"), line("7306", None, originating=True))
    assert summarise(bill) == InputSummary(D("0.6"), ("7208", "8501"))


@pytest.mark.parametrize(
    ("bill", "value", "headings"),
    [
        (None, None, ()),
        ((), None, ()),
        ((line(originating=True),), D(0), ()),
        ((line(originating=None),), None, ("7208",)),
        ((line(value=None), line()), None, ("7208",)),
        ((line(value="NaN"), line()), None, ("7208",)),
        ((line(value="-1"), line(value="50")), D(-1), ("7208",)),
        ((line(hs4=None), line(hs4=" 7208 ")), D(20), ("", "7208")),
    ],
)
def test_a_bill_with_gaps_does_not_become_a_figure(bill, value, headings):
    assert summarise(bill) == InputSummary(value, headings)


BILLS = st.lists(st.tuples(HEADINGS, VALUES, st.booleans()), min_size=1, max_size=6).map(
    lambda lines: tuple(line(hs4, value, originating=own) for hs4, value, own in lines)
)


@given(BILLS, VALUES, st.randoms())
def test_a_bill_and_its_summary_agree_and_order_means_nothing(bill, ex_works, random):
    shuffled = list(bill)
    random.shuffle(shuffled)
    of_bill = determine(ValueStatement(ex_works, bill), "730630", rvc_at_least=D(40))
    assert determine(ValueStatement(ex_works, tuple(shuffled)), "730630", rvc_at_least=D(40)) == of_bill
    assert determine(ValueStatement(ex_works, summarise(bill)), "730630", rvc_at_least=D(40)) == of_bill


@given(st.decimals("0.01", "1000", places=2), st.decimals("0.01", "900", places=2), st.decimals("0", "90", places=2))
def test_more_foreign_value_never_helps(ex_works, value, more):
    order = [Criterion.NONE, Criterion.VALUE_CONTENT]
    assert order.index(result(ex_works, value + more, ["7306"])) <= order.index(result(ex_works, value, ["7306"]))


FRUIT = {"hs4": "0810", "originating": True, "country": "AZ"}


@pytest.mark.parametrize(
    ("bill", "share"),
    [
        ((line(**FRUIT, weight="80"), line("1701", weight="20")), 80),
        ((line(**FRUIT, weight="80"), line("1701", weight="20"), line("7010", weight=None)), 80),
        ((line(**FRUIT, weight="80"), line("1801", weight=None)), 100),
        ((line(**FRUIT | {"country": " az "}, weight="1"),), 100),
        ((line(**FRUIT, weight="0"),), None),
        ((line(**FRUIT, weight="-1"),), None),
        ((line(**FRUIT, weight=None),), None),
        ((line(**FRUIT | {"country": None}),), None),
        ((line(**FRUIT), line("9998")), None),
        ((line("7010"),), None),
        ((), None),
    ],
)
def test_raw_material_is_counted_by_weight(bill, share):
    assert local_weight(bill, "AZ", ("08", "17", "18"), ("1801",)) == share
