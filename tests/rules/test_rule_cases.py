"""Every case of every rule, with the reason as a person reads it: `reasons.txt` has one line for each row below, and
`reasons_evidence.txt` for each of `evidence_cases.py`."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import evidence_cases
import pytest
from rules_support import ABROAD, GOOD, HONEY, PACK, WELD, D, inputs, jam, jam_of, product, residency, shares, steps

from app.schemes.eligibility import assess
from app.schemes.facts import (
    Applicant,
    CostByPlace,
    Material,
    Place,
    Production,
    ResidencyState,
    SiteStage,
    ValueStatement,
)
from app.schemes.scheme_file import load_schemes

SCHEMES = load_schemes()
HERE = Path(__file__).parent
REASONS = [
    line for name in ("reasons.txt", "reasons_evidence.txt") for line in (HERE / name).read_text("utf-8").splitlines()
]

# mark, rule, case, facts
CASES = [
    ("MIK", "C-01", "pass", GOOD),
    ("MIK", "C-01", "manual", replace(GOOD, applicant=Applicant("0010000111"))),
    ("MIK", "C-01", "fail_form", replace(GOOD, applicant=Applicant("010000101"))),
    ("MIK", "C-01", "fail_form", replace(GOOD, applicant=Applicant("001 000010"))),
    ("MIK", "C-01", "fail_ending", replace(GOOD, applicant=Applicant("0010000103"))),
    ("MIK", "C-01", "incomplete", replace(GOOD, applicant=Applicant(None))),
    ("MIK", "C-01", "incomplete", replace(GOOD, applicant=Applicant(" "))),
    ("MIK", "C-01", "not_assessed", replace(GOOD, applicant=None)),
    ("MIK", "C-04", "pass", GOOD),
    ("MIK", "C-04", "manual", product(flags=frozenset({"hs_ambiguous", "food"}))),
    ("MIK", "C-04", "fail", product(hs6="730699")),
    ("MIK", "C-04", "fail", product(hs6="999999")),
    ("MIK", "C-04", "fail_form", product(hs6="7306.30")),
    ("MIK", "C-04", "fail_form", product(hs6="٧٣٠٦٣٠")),
    ("MIK", "C-04", "fail_zero_lost", product(hs6="40900")),
    ("MIK", "C-04", "incomplete", product(hs6=None)),
    ("MIK", "C-05", "pass", GOOD),
    ("MIK", "C-05", "fail", product(hs6="271019")),
    ("MIK", "C-05", "fail", product(hs6="930200")),
    ("MIK", "C-05", "incomplete", product(hs6="27101")),
    ("MIK", "C-06", "pass_wo", inputs("9800", "0", "2401", hs6="240120")),
    ("MIK", "C-06", "pass_cth", GOOD),
    ("MIK", "C-06", "pass_cth_unlisted", inputs("110", "4", hs6="681011")),
    ("MIK", "C-06", "pass_rvc", inputs("100", "60", "7306")),
    ("MIK", "C-06", "fail", inputs("100", "60.001", "7306", "7208")),
    ("MIK", "C-06", "incomplete_ex_works", inputs("0", "0", "7208")),
    ("MIK", "C-06", "incomplete_ex_works", inputs(None, "1", "7208")),
    ("MIK", "C-06", "incomplete_inputs", inputs("100", None, "7208")),
    ("MIK", "C-06", "incomplete_inputs", replace(GOOD, value=ValueStatement(D(100), ()))),
    ("MIK", "C-06", "incomplete_inputs", replace(GOOD, value=ValueStatement(D(100), None))),
    ("MIK", "C-06", "incomplete_negative", inputs("100", "-1", "7208")),
    ("MIK", "C-06", "incomplete_headings", inputs("100", "10", "9998", "7208")),
    ("MIK", "C-06", "incomplete_hs6", inputs("100", "10", "7208", hs6="73063")),
    ("MIK", "C-06", "not_assessed", replace(GOOD, value=None)),
    ("MIK", "C-07", "pass", GOOD),
    ("MIK", "C-07", "pass", inputs("100", "100", "7208")),
    ("MIK", "C-07", "fail", inputs("100", "100.01", "7208")),
    ("MIK", "C-07", "incomplete_ex_works", inputs("-5", "1", "7208")),
    ("MIK", "C-07", "incomplete_inputs", inputs("100", None, "7208")),
    ("MIK", "C-07", "incomplete_negative", inputs("100", "-0.01", "7208")),
    ("MIK", "C-07", "not_assessed", replace(GOOD, value=None)),
    ("MIK", "C-08", "pass", GOOD),
    ("MIK", "C-08", "pass_declared", replace(GOOD, steps=None)),
    ("MIK", "C-08", "manual", replace(product(flags=frozenset({"assembly_only"})), steps=None)),
    ("MIK", "C-08", "manual", product(flags=frozenset({"assembly_only"}))),
    ("MIK", "C-08", "fail", steps(PACK, replace(WELD, operation="Simple assembly"))),
    ("MIK", "C-08", "fail_nothing", steps(replace(WELD, economic_region="BAKI"))),
    ("MIK", "C-08", "fail_nothing", steps(replace(WELD, country="TR"))),
    ("MIK", "C-08", "incomplete_no_steps", steps()),
    ("MIK", "C-08", "incomplete_step", steps(PACK, replace(WELD, operation=None))),
    ("MIK", "C-08", "incomplete_step", steps(PACK, replace(WELD, economic_region=None))),
    ("MIA", "C-08", "pass", steps(replace(WELD, economic_region=None))),
    ("MIK", "C-09", "pass", GOOD),
    ("MIK", "C-09", "fail", steps(WELD, ABROAD)),
    ("MIK", "C-09", "manual_subcontractor", steps(replace(WELD, subcontractor="Nümunə-Qaynaq"))),
    ("MIK", "C-09", "not_assessed", replace(product(partner_countries=("TR",)), steps=None)),
    ("MIA", "C-09", "manual_partner", replace(product(partner_countries=("tr", "IR")), steps=None)),
    ("MIA", "C-09", "manual_partner", product(partner_countries=("IR",))),
    ("MIK", "C-09", "incomplete_no_steps", steps()),
    ("MIK", "C-09", "incomplete_no_essential", steps(PACK)),
    ("MIK", "C-09", "incomplete_country", steps(replace(WELD, country=" "))),
    ("MIK", "C-09", "not_assessed", replace(GOOD, steps=None)),
    ("MIK", "C-10", "not_applicable", GOOD),
    ("MIK", "C-10", "pass", jam("80")),
    ("MIK", "C-10", "manual", jam("79.99")),
    ("MIK", "C-10", "manual", jam("60")),
    ("MIK", "C-10", "fail", jam("59.9")),
    ("MIK", "C-10", "incomplete_missing", jam(None)),
    ("MIK", "C-10", "incomplete_range", jam("100.1")),
    ("MIK", "C-10", "incomplete_hs6", jam("80", hs6="20079")),
    ("MIK", "C-10", "pass", jam("80", hs6="230910")),
    ("MIK", "C-10", "pass", jam("80", hs6="010121")),
    ("MIK", "C-10", "not_applicable", jam("80", hs6="240110")),
    (
        "MIK",
        "C-10",
        "pass",
        jam_of(
            Material("Fruit", "0810", "AZ", True, None, D(82)),
            Material("Sugar", "1701", "BR", False, D(700), D(18)),
            Material("Jar", "7010", "RU", False, D(1), D(500)),
        ),
    ),
    ("MIK", "C-10", "incomplete_missing", jam_of(Material("Fruit", "0810", "AZ", True, None, None))),
    ("MIK", "C-10", "incomplete_missing", replace(jam_of(), value=ValueStatement(D(1), None), raw_weight=None)),
    ("MIK", "C-10", "not_assessed", replace(jam("80"), raw_weight=None)),
    ("MIK", "C-14", "pass", GOOD),
    ("MIK", "C-14", "manual_code", product(hs6="240120")),
    ("MIK", "C-14", "manual_code", product(hs6="220421")),
    ("MIK", "C-14", "pass", product(hs6="220900")),
    ("MIK", "C-14", "manual_flag", product(flags=frozenset({"advertising_ban", "excise"}))),
    ("MIK", "C-14", "incomplete", product(hs6="2401")),
    ("MIK", "K-01", "pass", GOOD),
    ("MIK", "K-01", "manual", replace(GOOD, place=Place("SERQI-ZENGEZUR", "Cəbrayıl"))),
    ("MIK", "K-01", "fail", replace(GOOD, place=Place("BAKI", "Bakı"))),
    ("MIK", "K-01", "incomplete", replace(GOOD, place=Place(None, "Ağdam"))),
    ("MIK", "K-01", "not_assessed", replace(GOOD, place=None)),
    ("MIK", "K-02", "pass", GOOD),
    ("MIK", "K-02", "manual_non_resident", residency(status=ResidencyState.NON_RESIDENT)),
    ("MIK", "K-02", "manual_none", residency(status=ResidencyState.NONE)),
    ("MIK", "K-02", "fail_cancelled", residency(status=ResidencyState.CANCELLED)),
    ("MIK", "K-02", "fail_cancelled", residency(cancelled_on=date(2026, 11, 22))),
    ("MIK", "K-02", "pass", residency(cancelled_on=date(2026, 11, 23))),
    ("MIK", "K-02", "fail_ended", residency(ends_on=date(2026, 11, 21))),
    ("MIK", "K-02", "pass", residency(ends_on=date(2026, 11, 22))),
    ("MIK", "K-02", "incomplete_not_begun", residency(starts_on=date(2026, 11, 23))),
    ("MIK", "K-02", "pass", residency(starts_on=date(2026, 11, 22))),
    ("MIK", "K-02", "incomplete", residency(status=None)),
    ("MIK", "K-02", "not_assessed", replace(GOOD, residency=None)),
    ("MIK", "K-03", "pass", GOOD),
    ("MIK", "K-03", "fail", residency(holder_voen="0010000231")),
    ("MIK", "K-03", "incomplete_applicant", replace(GOOD, applicant=Applicant(None))),
    ("MIK", "K-03", "incomplete_holder", residency(holder_voen=None)),
    ("MIK", "K-03", "not_applicable", residency(status=ResidencyState.NONE)),
    ("MIK", "K-03", "not_assessed", replace(GOOD, applicant=None)),
    ("MIK", "K-05", "pass", GOOD),
    ("MIK", "K-05", "incomplete_not_operating", residency(stage=SiteStage.CONSTRUCTION)),
    ("MIK", "K-05", "pass", residency(stage=None)),
    ("MIK", "K-05", "incomplete_no_start", replace(GOOD, production=Production("AZ", None))),
    ("MIK", "K-05", "incomplete_future", replace(GOOD, production=Production("AZ", date(2026, 11, 23)))),
    ("MIK", "K-05", "pass", replace(GOOD, production=Production("AZ", date(2026, 11, 22)))),
    ("MIK", "K-05", "not_assessed", replace(GOOD, production=None)),
    ("MIK", "K-05", "not_assessed", replace(GOOD, residency=None)),
    ("MIK", "K-06", "pass", GOOD),
    ("MIK", "K-06", "pass", shares("40")),
    ("MIK", "K-06", "manual", shares("39.999")),
    ("MIK", "K-06", "manual", shares("30")),
    ("MIK", "K-06", "fail", shares("29.99")),
    ("MIK", "K-06", "incomplete_missing", shares(None, "50")),
    ("MIK", "K-06", "incomplete_range", shares("100.5")),
    ("MIK", "K-06", "incomplete_range", shares("-1")),
    ("MIK", "K-06", "incomplete_range", replace(GOOD, cost=CostByPlace(D(0), D(0), D(0)))),
    ("MIK", "K-06", "incomplete_range", replace(GOOD, cost=CostByPlace(D(9), D(-1), D(2)))),
    ("MIK", "K-06", "incomplete_missing", replace(GOOD, cost=CostByPlace(D(9), None, D(2)))),
    ("MIK", "K-06", "not_assessed", replace(GOOD, cost=None)),
    ("MIK", "K-08", "pass", GOOD),
    ("MIK", "K-08", "pass_declared", replace(GOOD, steps=None)),
    ("MIK", "K-08", "manual_partner", replace(product(partner_countries=("IR",)), steps=None)),
    ("MIK", "K-08", "manual_partner", product(partner_countries=("IR",))),
    ("MIK", "K-08", "manual_step", steps(replace(ABROAD, seq=0), WELD, PACK)),
    ("MIK", "K-08", "fail", steps(ABROAD, WELD, PACK)),
    ("MIK", "K-08", "fail", steps(WELD, ABROAD, replace(WELD, seq=4, economic_region="BAKI"))),
    ("MIK", "K-08", "pass", steps(replace(PACK, country="TR"), WELD)),
    ("MIK", "K-08", "incomplete_no_steps", steps()),
    ("MIK", "K-08", "incomplete_step", steps(replace(WELD, country=None))),
    ("MIK", "K-08", "incomplete_step", steps(ABROAD, replace(WELD, seq=4, economic_region=None))),
    ("MIA", "A-01", "pass", GOOD),
    ("MIA", "A-01", "fail", replace(GOOD, production=Production("TR", None))),
    ("MIA", "A-01", "incomplete", replace(GOOD, production=Production(None, None))),
    ("MIA", "A-01", "not_assessed", replace(GOOD, production=None)),
    ("MIA", "A-04", "pass", GOOD),
    ("MIA", "A-04", "fail", product(hs6="271019")),
    ("MIA", "A-04", "pass", product(hs6="930200")),
    ("MIA", "A-04", "incomplete", product(hs6="")),
    ("MIA", "A-05", "pass", GOOD),
    ("MIA", "A-05", "pass", shares(None, "40")),
    ("MIA", "A-05", "manual", shares("0", "30")),
    ("MIA", "A-05", "fail", shares("99", "29.9999999999")),
    ("MIA", "A-05", "incomplete_missing", shares("99")),
    ("MIA", "A-05", "incomplete_range", replace(GOOD, cost=CostByPlace(D(0), D(-1), D(5)))),
    ("MIA", "A-05", "not_assessed", replace(GOOD, cost=None)),
]

ALL_CASES = CASES + evidence_cases.CASES


@pytest.mark.parametrize(
    ("mark", "rule", "case", "facts", "reason"),
    [(*case, reason) for case, reason in zip(ALL_CASES, REASONS, strict=True)],
    ids=[f"{mark}-{rule}-{case}-{row}" for row, (mark, rule, case, _) in enumerate(ALL_CASES)],
)
def test_a_rule_says_what_it_saw_and_what_is_needed(mark, rule, case, facts, reason):
    found = next(each for each in assess(SCHEMES[mark].ruleset, facts).findings if each.rule == rule)
    kind = next(each for each in SCHEMES[mark].ruleset.rules if each.id == rule)
    assert f"{mark} {rule} {found.case}: {found.reason}" == f"{reason} ({kind.clause.en})"
    assert found.case == case
    assert found.outcome is kind.cases()[case]
    assert case.startswith(found.outcome.value)
    assert set(found.values) == set(kind.VALUES)
    assert found.reasons["az"] != found.reasons["en"]
    assert found.reasons["az"].endswith(f"({kind.clause.az})")
    assert found.parameters == kind.parameters()


def test_no_case_of_any_rule_is_left_out():
    shown = {(rule, case) for _, rule, case, _ in ALL_CASES}
    every = {(rule.id, case) for scheme in SCHEMES.values() for rule in scheme.ruleset.rules for case in rule.cases()}
    assert every == shown


@pytest.mark.parametrize(("mark", "facts"), [("MIK", GOOD), ("MIA", GOOD), ("URVA", HONEY)])
def test_a_good_product_passes_each_mark(mark, facts):
    assert assess(SCHEMES[mark].ruleset, facts).outcome.value == "pass"
