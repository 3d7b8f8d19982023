"""The form to try the rules: what was typed becomes facts, or is named with what is wrong with it."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.public import eligibility_form
from app.pages.public.rule_texts import OUTCOME_TEXTS, VALUE_PLACEHOLDER, evidence_kinds_of, explain_rules
from app.reference.territory import load_territory
from app.schemes.closed_lists import load_lists
from app.schemes.evaluator import evaluate
from app.schemes.evidence_kinds import Supplier
from app.schemes.facts import ParkResidencyStatus, Step
from app.schemes.outcome import Outcome
from app.schemes.scheme_loader import load_schemes

pytestmark = pytest.mark.pure

TODAY = date(2026, 11, 22)
TUBE = {
    "name": "Welded steel tube",
    "hs6": "7306.30",
    "ex_works": "1 450,50",
    "foreign": "830",
    "headings": "7208; 7209",
    "karabakh": "52 %",
    "azerbaijan": "56",
    "district": "Ağdam",
    "residence": "resident",
    "work": "tube_welding",
    "step": "here",
}


def read(**query):
    return eligibility_form.parse_form(query, load_territory(), load_lists(), TODAY, language="en")


def outcomes(code, **query):
    assessed = evaluate(load_schemes()[code].ruleset, read(**query).facts)
    return assessed, {finding.rule: finding.outcome for finding in assessed.findings}


def test_what_was_typed_becomes_facts():
    facts = read(**TUBE).facts
    assert facts.product.hs6 == "730630" and facts.product.name_en == "Welded steel tube"
    assert facts.value.ex_works == Decimal("1450.50")
    assert facts.value.inputs.non_originating_value == 830
    assert facts.value.inputs.non_originating_headings == ("7208", "7209")
    assert (facts.cost.karabakh_pct, facts.cost.azerbaijan_pct) == (52, 56)
    assert (facts.place.district, facts.place.economic_region) == ("Ağdam", "QARABAG")
    assert facts.residency.status is ParkResidencyStatus.RESIDENT
    assert facts.steps == (
        Step(1, "forming and welding of tubes", "tube_welding", "AZ", "Ağdam", "QARABAG", is_essential=True),
    )


def test_what_was_not_typed_is_not_carried():
    facts = read().facts
    assert (facts.place, facts.residency, facts.steps, facts.raw_weight) == (None, None, None, None)
    assert facts.value.ex_works is None and facts.cost.karabakh_pct is None
    assert read(raw="80").facts.raw_weight.local_pct == 80


def test_the_same_assessment_as_for_an_application():
    assessed, found = outcomes("MIK", **TUBE)
    assert assessed.outcome is Outcome.PASS
    assert assessed.origin.criterion == "CTH" and assessed.origin.arithmetic.startswith("(1450.5 − 830) / 1450.5")
    assert found["K-06"] is found["K-07"] is found["C-08"] is Outcome.PASS
    assert found["K-04"] is found["C-02"] is Outcome.NOT_ASSESSED  # what the form cannot carry is not held against it


@pytest.mark.parametrize(
    ("changed", "rule", "outcome"),
    [
        ({"headings": "7306"}, "C-06", Outcome.PASS),  # by value
        ({"headings": "7306", "foreign": "1400"}, "C-06", Outcome.FAIL),
        ({"karabakh": "35"}, "K-06", Outcome.MANUAL),
        ({"karabakh": "5"}, "K-06", Outcome.FAIL),
        ({"work": "packing"}, "C-08", Outcome.FAIL),
        ({"work": "simple_assembly"}, "C-08", Outcome.FAIL),
        ({"work": "assembly"}, "C-08", Outcome.MANUAL),
        ({"work": "galvanising"}, "C-08", Outcome.MANUAL),
        ({"work": "baking"}, "C-08", Outcome.MANUAL),  # substantial for other goods
        ({"step": "abroad"}, "C-09", Outcome.FAIL),
        ({"step": "abroad"}, "K-08", Outcome.FAIL),
        ({"step": "elsewhere"}, "K-07", Outcome.FAIL),
        ({"step": "elsewhere"}, "C-09", Outcome.PASS),
        ({"step": ""}, "C-09", Outcome.INCOMPLETE),
        ({"district": "Qusar"}, "K-01", Outcome.FAIL),
        ({"district": ""}, "K-01", Outcome.NOT_ASSESSED),
        ({"residence": "none"}, "K-02", Outcome.MANUAL),
        ({"hs6": "271019"}, "C-05", Outcome.FAIL),
        ({"ex_works": ""}, "C-06", Outcome.INCOMPLETE),
    ],
)
def test_each_field_counts(changed, rule, outcome):
    assert outcomes("MIK", **TUBE | changed)[1][rule] is outcome


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("hs6", "7306", eligibility_form.NOT_SIX_DIGITS),
        ("hs6", "٧٣٠٦٣٠", eligibility_form.NOT_SIX_DIGITS),
        *(
            ("ex_works", text, eligibility_form.NOT_A_NUMBER)
            for text in ("NaN", "-1", "1e5", "١٢", "1.2.3", "9" * 13, "1\x00")
        ),
        ("foreign", "none", eligibility_form.NOT_A_NUMBER),
        ("karabakh", "101", eligibility_form.NOT_A_SHARE),
        ("raw", "all", eligibility_form.NOT_A_SHARE),
        ("headings", "72", eligibility_form.NOT_HEADINGS),
        ("headings", " ".join(["7208"] * 51), eligibility_form.NOT_HEADINGS),
        ("district", "Berlin", eligibility_form.NOT_A_CHOICE),
        ("residence", "cancelled", eligibility_form.NOT_A_CHOICE),
        ("work", "<script>", eligibility_form.NOT_A_CHOICE),
        ("work", "manufacture", eligibility_form.NOT_A_CHOICE),
        ("step", "\u202e", eligibility_form.NOT_A_CHOICE),
        ("name", "x" * 201, eligibility_form.TOO_LONG),
    ],
)
def test_what_cannot_be_read_is_named(name, text, why):
    tried = read(**TUBE | {name: text})
    assert tried.wrong == {name: why} and tried.facts is None
    assert len(tried.given[name]) <= eligibility_form.MAX_CHARS + 1


@pytest.mark.parametrize("language", ["az", "en", "ru", "fa"])
def test_the_choice_of_work_is_the_closed_list(language):
    groups = eligibility_form.work_choices(load_lists(), language)
    assert [heading for heading, _ in groups] == list(eligibility_form.WORK_GROUPS.values())
    shown = dict(each for _, operations in groups for each in operations)
    assert shown.keys() == load_lists().operations.keys() and sum(len(each) for _, each in groups) == len(shown)
    for code, name in shown.items():
        names = load_lists().operations[code].names
        assert name == names.get(language, names["en"])


@given(st.dictionaries(st.sampled_from([*eligibility_form.FIELDS, "other"]), st.text()))
def test_whatever_was_typed(query):
    tried = read(**query)
    assert (tried.facts is None) == bool(tried.wrong)
    if tried.facts:
        for scheme in load_schemes().values():
            evaluate(scheme.ruleset, tried.facts)


def test_the_rules_are_told_with_their_own_thresholds():
    told = {each.rule.id: each for each in explain_rules(load_schemes()["MIK"].ruleset)}
    by_outcome = dict(told["K-06"].sentences)
    assert by_outcome[Outcome.PASS].en == (
        f"Karabakh share of manufacturing cost is {VALUE_PLACEHOLDER} %; at least 40 % is needed."
    )
    assert "40 %" in by_outcome[Outcome.PASS].az
    assert next(outcome for outcome, _text in told["K-06"].sentences) is Outcome.PASS
    assert [kind.code for kind in told["K-11"].evidence] == ["permit"]
    for scheme in load_schemes().values():
        for each in explain_rules(scheme.ruleset):
            assert each.sentences and "{" not in str(each.sentences)
            assert all(outcome in OUTCOME_TEXTS for outcome, _text in each.sentences)


def test_evidence_is_listed_by_who_supplies_it():
    ruleset = load_schemes()["MIK"].ruleset
    own, staff = (evidence_kinds_of(ruleset, supplier) for supplier in Supplier)
    assert "permit" in [kind.code for kind in own] and "permit" not in [kind.code for kind in staff]
    assert len({kind.code for kind in own}) == len(own)
