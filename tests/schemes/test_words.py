"""No code stands in a sentence: every reason of every mark in both languages, and the names of everything they show."""

import re
from enum import Enum

import pytest

from app.certificates.model import RevocationReason
from app.cli.rules.case_table import facts_of
from app.reference.territory import ParkKind, load_territory
from app.schemes.closed_lists import OperationClass, country_name, load_lists
from app.schemes.evaluator import evaluate
from app.schemes.evidence_kinds import ValueType, load_evidence_kinds
from app.schemes.facts import CostPlace, ParkResidencyStatus, SiteStage, ValueBasis, VisitFacts
from app.schemes.origin_calculation import OriginCriterion
from app.schemes.rules.base import RuleResult, code_name, display_value, placeholder_names
from tests.schemes.factories import (
    CASES,
    GOOD,
    MARKS,
    SCHEMES,
    bill,
    changed,
    finding,
    made,
    mark_of,
    material,
    replace,
)
from tests.schemes.test_cases_in_code import ROWS as IN_CODE
from tests.schemes.test_marks import ROWS

pytestmark = pytest.mark.pure

LANGUAGES = ("en", "az")
GROUPS = {
    "residency_status": ParkResidencyStatus,
    "stage": SiteStage,
    "place": CostPlace,
    "operation_class": OperationClass,
    "origin_criterion": OriginCriterion,
    "value_basis": ValueBasis,
    "zone_kind": ParkKind,
    "revocation_reason": RevocationReason,
    "region": load_territory().regions,
    "municipality": load_territory().municipalities,
    "unit": load_lists().units,
    "flag": load_lists().flags,
    "matter_found": ("sanctions_match", "tax_debt", "open_complaint"),
    "related_ground": ("same_taxpayer", "common_member", "common_signer", "ownership", "same_plot", "successor"),
    "person": ("natural", "legal"),
    "answer": ("true", "false"),
    "field": ("origin_country", "hs4", "originating", "packing", "basis", "proof"),
}
"""Group of names → every code that it has to name."""


def codes_of(group):
    return [str(each.value if isinstance(each, Enum) else each) for each in GROUPS[group]]


def codes_shown(rule):
    """Group → codes of it that a reason of the rule can show."""
    for name, group in rule.code_groups().items():
        if group == "country":
            yield name, group, ("AZ", "TR", "IR")
        elif group == "operation":
            yield name, group, tuple(load_lists().operations)
        elif group in GROUPS:
            yield name, group, tuple(codes_of(group))
        elif group in load_lists().names:
            yield name, group, tuple(load_lists().names[group])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_code_has_a_name(group, language):
    for code in codes_of(group):
        assert load_lists().names[group][code][language], code


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_regions_are_those_of_the_territory(language):
    named = {code: load_lists().names["region"][code][language] for code in load_territory().regions}
    assert named == {code: region.names[language] for code, region in load_territory().regions.items()}


def test_every_operation_has_its_names():
    for code, operation in load_lists().operations.items():
        assert set(operation.names) >= {"az", "en", "ru"}
        assert all(name != code or "_" not in code for name in operation.names.values())


def test_words_of_documents_that_a_reason_shows_have_names():
    for mark in MARKS:
        for rule in SCHEMES[mark].ruleset.rules:
            shown = {name for text in rule.reasons.values() for name in placeholder_names(text.en)}
            for value in rule.value_names():
                choices = {word for kind in rule.evidence_kinds() for word in choices_of(kind, value)}
                group = rule.code_groups().get("stated" if rule.kind == "evidence" else "search")
                if choices and group and shown & {"stated", "search"}:
                    assert choices <= set(load_lists().names[group]), rule.id
            for words in getattr(rule, "words", {}).values():
                assert set(words) <= set(load_lists().names["word"])


def choices_of(kind, value):
    spec = load_evidence_kinds()[kind].values.get(value)
    return spec.choices if spec and spec.type is ValueType.CHOICE else ()


LOOKS_LIKE_A_CODE = re.compile(r"\b[A-Z]{2,}(?:[_-][A-Z]+)*\b|\b[a-z0-9]+_[a-z0-9_]+\b")
NO_CODES = {"HS", "VÖEN", "MN", "EXW"}  # XİF MN, EXW: words of the field
TYPED = re.compile(r"“[^”]*”|[A-Z]+(?:-[A-Z])?-\d{4}-\d+|criterion [A-Z]-\d+|[A-Z]-\d+ meyarı")
"""What was entered by hand stands between quotation marks; numbers of papers and rules are no codes."""


def codes_in(sentence):
    return set(LOOKS_LIKE_A_CODE.findall(TYPED.sub("", sentence))) - NO_CODES


@pytest.mark.parametrize("mark", MARKS)
def test_every_reason_names_what_it_shows(mark):
    """Each reason with each code that its rule can show."""
    for rule in SCHEMES[mark].ruleset.rules:
        shown = tuple(codes_shown(rule))
        longest = max((len(codes) for _, _, codes in shown), default=1)
        for key in rule.reasons:
            for number in range(longest):
                codes = {name: each[number % len(each)] for name, _, each in shown if name in rule.VALUE_KEYS}
                verdict = RuleResult(next(iter(rule.cases())), dict.fromkeys(rule.VALUE_KEYS) | codes, text=key)
                for language in LANGUAGES:
                    words = rule.placeholder_values(rule.reason_templates[key, language], verdict.values, language)
                    for name, group, _ in shown:
                        if name in words and name in codes:
                            assert words[name] == code_name(codes[name], group, language)
                    assert codes_in(rule.render_reason(verdict, language)) == set(), (rule.id, key)


def judged():
    for mark, _, _, these in ROWS:
        yield mark, these
    for _, mark, _, these, _ in IN_CODE:
        yield mark, these
    for each in CASES:
        mark = mark_of(each)
        yield mark, facts_of(each, SCHEMES[mark].ruleset)


def test_no_code_stands_in_a_reason_that_was_given():
    """Of all facts of the other tests: what is entered by hand stands between quotation marks or is no code."""
    wrong = {}
    typed = {"tube_welding", "powder_coating", "metal_casting", "water_abstraction", "cooking_preserving"}
    typed |= {"tobacco_fermenting", "QABLASDIRMA", "ＱＡＢＬ"}  # names of steps in the table are those of operations
    for mark, these in judged():
        for found in evaluate(SCHEMES[mark].ruleset, these).findings:
            for sentence in found.reasons.values():
                if odd := codes_in(sentence) - typed:
                    wrong[f"{found.rule} {found.case}"] = (odd, sentence)
    assert wrong == {}


def test_the_two_sides_of_a_contradiction_are_named():
    abroad = finding("MIK", "C-15", bill(material("7208", "TR", claim=True)))
    assert abroad.reasons["en"].startswith(
        "Material 1: country of origin says Türkiye, but originating says yes. Correct one of them."
    )
    assert "mənşə ölkəsi – Türkiyə, yerli mənşəli – bəli" in abroad.reasons["az"]
    own = finding("MIK", "C-15", bill(material("7208", "TR", basis=ValueBasis.OWN)))
    assert "basis of value says own production cost, but country of origin says Türkiye" in own.reason
    denied = finding("MIK", "C-15", bill(material("7208", "AZ", claim=False)))
    assert "originating says no, but country of origin says Azerbaijan" in denied.reason
    unknown = finding("MIK", "C-15", bill(material("7208", None, claim=True)))
    assert "country of origin says –" in unknown.reason


def test_a_waiver_of_the_mark_is_told_in_both_languages():
    why = {"en": "Households are known to their municipality.", "az": "Ailələri bələdiyyəsi tanıyır."}
    told = {"pass_waived": {"en": "{reason}", "az": "{reason}"}}
    rule = made("visit", site_visit="waived", waived_because=why, reasons=told)
    verdict = rule.evaluate(GOOD, None)
    assert [rule.render_reason(verdict, language) for language in LANGUAGES] == [f"{why['en']} (x)", f"{why['az']} (x)"]
    single = made("visit", reasons=told)
    asked = replace(GOOD, visit=VisitFacts(waived_because="seen last week"))
    assert single.render_reason(single.evaluate(asked, None), "az") == "seen last week (x)"
    assert made("visit", site_visit="waived").evaluate(GOOD, None).values["reason"] == "–"


def test_a_search_is_named_by_what_it_found():
    found = finding("URVA", "U-06", changed("trademark-search", match="same", facts=_honey()))
    assert "“the same mark”" in found.reasons["en"]
    assert "“eyni nişan”" in found.reasons["az"]


def _honey():
    return next(these for mark, rule, case, these in ROWS if (mark, rule, case) == ("URVA", "U-06", "pass"))


@pytest.mark.parametrize(
    ("value", "group", "language", "shown"),
    [
        (None, None, "en", "–"),
        ((), None, "en", "–"),
        ("", "country", "az", "–"),
        (("TR", "IR"), "country", "az", "Türkiyə, İran"),
        (["x", 1], None, "en", "x, 1"),
        ("tube_welding", "operation", "en", "welding of pipes and profiles"),
        ("my own way", "operation", "en", "my own way"),
        ("QARABAG", "region", "az", "Qarabağ"),
        ("unheard-of", "region", "az", "unheard-of"),
        (True, None, "en", "True"),
    ],
)
def test_a_value_as_a_person_reads_it(value, group, language, shown):
    if value == "tube_welding":
        shown = load_lists().operations[value].names["en"]
    assert display_value(value, group, language) == shown


def test_a_country_that_nobody_knows_is_its_code():
    assert country_name("XQ", "az") == "XQ"
    assert load_lists().find_name("flag", None, "az") == ""
    assert load_lists().find_name("flag", "food", "de") == "food"
    assert load_lists().operations["packing"].name("de") == load_lists().operations["packing"].names["en"]
