"""Marks written from prose alone: one scheme file each, no Python, and a table of cases that reaches every branch."""

from importlib.resources import files
from pathlib import Path

import pytest

from app.cli.rules.case_runner import unknown_places
from app.cli.rules.case_table import RuleCase, facts_of, read_cases, run_cases
from app.schemes.evaluator import evaluate
from app.schemes.rules import AnyRule
from app.schemes.ruleset import Ruleset
from app.schemes.scheme_loader import parse_common, parse_scheme

pytestmark = pytest.mark.pure

MARKS = Path(__file__).parent / "marks"
COMMON = parse_common((files("app.schemes") / "marks" / "common.toml").read_text("utf-8"))
NEVER = {("SHEKI", "S-05"): ("incomplete", "not_assessed")}
"""Declared partners are a fact that every call carries."""


def scheme(name):
    return parse_scheme((MARKS / f"{name}.toml").read_text("utf-8"), COMMON, name)


def table(name):
    return read_cases((MARKS / f"{name}_cases.toml").read_text("utf-8"), name)


@pytest.mark.parametrize("name", ["GUBA", "SHEKI"])
def test_its_cases_are_answered_as_wanted_and_reach_every_branch(name):
    report = run_cases(scheme(name).ruleset, table(name))
    assert {result.case.id: result.wrong for result in report.failed} == {}
    unreached = {(name, rule): cases for rule, cases in report.unreached.items()}
    assert unreached == {key: cases for key, cases in NEVER.items() if key[0] == name}


@pytest.mark.parametrize("name", ["GUBA", "SHEKI"])
def test_it_is_stored_and_read_back(name):
    ruleset = scheme(name).ruleset
    again = Ruleset.model_validate(ruleset.content())
    assert again == ruleset
    assert again.digest == ruleset.digest
    assert not list(unknown_places(ruleset))


def change(name, old, new):
    text = (MARKS / f"{name}.toml").read_text("utf-8")
    assert old in text
    return parse_scheme(text.replace(old, new, 1), COMMON, name).ruleset


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("GUBA", '"growing", "drying"', '"growing", "peeling_apples"', "not on the list of operations: peeling_apples"),
        ("GUBA", 'sources = ["GUBA", ', 'sources = ["GABALA", ', "unknown territory set GABALA"),
        ("GUBA", 'criteria = ["WO", "PE", "CTH"]', "criteria = []", "at least 1 item"),
        ("GUBA", 'criteria = ["WO", "PE", "CTH"]', 'criteria = ["XX"]', "WO"),
        ("SHEKI", 'of = "cost"', 'of = "cost"\nsources = ["SHEKI"]', "sources are for a share of weight"),
    ],
)
def test_parameters_that_cannot_be_are_named(name, old, new, told):
    with pytest.raises(Exception, match=told):
        change(name, old, new)


def test_a_heading_of_a_file_that_is_no_text_is_shown_safely():
    ruleset = scheme("SHEKI").ruleset
    case = RuleCase("odd", None, {"inputs": {"value": 1, "headings": ["\ud800\x00"]}}, {})
    (found,) = (each for each in evaluate(ruleset, facts_of(case, ruleset)).findings if each.rule == "C-06")
    assert found.case == "incomplete_heading"
    assert found.values["materials"] == ("\ufffd\ufffd",)


def test_every_kind_has_room_for_prose():
    """Fifteen kinds, as ever: what was added are parameters."""
    assert len(AnyRule.__origin__.__args__) == 15
