"""The cases of `rule_cases.toml`, each judged by its mark; and that none of those of the rules is left out.

A case with facts is judged as it stands. One without is written out in `test_cases_in_code.py`, or is a test of another
place, named below.
"""

import ast
import tomllib
from pathlib import Path

import pytest

from app.cli.rules.case_table import run_cases
from tests.schemes import test_cases_in_code
from tests.schemes.factories import CASES, SCHEMES, TABLE, mark_of

TESTS = Path(__file__).parents[1]
ELSEWHERE = {
    "C-06-12": "products/test_products_sheet.py::test_the_sample_comes_out_as_its_authors_expect",
    "C-12-08": "certificates/test_matter.py::test_a_surrender_while_suspended_for_cause_is_during_an_investigation",
    "lost-ground-01": "certificates/test_cascade.py::test_lost_by_hand_and_restored",
}
"""Case → the test that covers it, where it needs more than the rules."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_of_the_table(case):
    (result,) = run_cases(SCHEMES[mark_of(case)].ruleset, [case]).results
    assert result.wrong == ()


def test_no_case_of_the_rules_is_left_out():
    wanted = [case["id"] for case in tomllib.loads(TABLE)["case"] if case["issue"] == "rules"]
    assert len(wanted) == len(set(wanted)) == 186
    in_table = {case.id.split("/")[0] for case in CASES}
    in_code = {case_id.split("/")[0] for case_id in test_cases_in_code.IDS}
    assert sorted({*in_table, *in_code, *ELSEWHERE}) == sorted(wanted)
    assert not in_code & (in_table | ELSEWHERE.keys())


@pytest.mark.parametrize("case_id", sorted(ELSEWHERE))
def test_a_case_of_another_place_has_its_test(case_id):
    file, name = ELSEWHERE[case_id].split("::")
    defined = ast.walk(ast.parse((TESTS / file).read_text("utf-8")))
    assert name in {each.name for each in defined if isinstance(each, ast.FunctionDef)}
