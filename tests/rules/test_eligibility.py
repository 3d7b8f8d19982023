"""Properties of the whole: no facts crash it, thresholds are monotone, equal facts give equal answers."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules_support import ABROAD, GOOD, PACK, WELD, inputs, jam, product, shares, steps

from app.schemes import facts as f
from app.schemes.canonical import canonical_json
from app.schemes.eligibility import assess, input_hash
from app.schemes.outcome import Outcome, worst
from app.schemes.rules.substance import OriginRule
from app.schemes.scheme_file import load_schemes

SCHEMES = load_schemes()
MARKS = sorted(SCHEMES)

TEXTS = (
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(["", " ", "\0", "\ud800", "730630", "40900", "AZ", "QARABAG", "pack"])
)
CODES = TEXTS | st.text("0123456789", max_size=12)
FIGURES = (
    st.none()
    | st.decimals()
    | st.sampled_from([Decimal("sNaN"), Decimal("1e999999"), Decimal("-1e-999999"), Decimal(40)])
)
DAYS = st.none() | st.dates()
MATERIALS = st.builds(f.Material, st.text(), CODES, TEXTS, st.none() | st.booleans(), FIGURES, FIGURES)
STEPS = st.builds(f.Step, st.integers(), st.text(), TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.booleans())
WORDS = st.frozensets(st.text() | st.sampled_from(["excise", "assembly_only", "hs_ambiguous"]))
ANY_FACTS = st.builds(
    f.Facts,
    as_of=st.dates(),
    product=st.builds(f.ProductFacts, CODES, TEXTS, TEXTS, WORDS, st.lists(st.text()).map(tuple), FIGURES),
    applicant=st.none() | st.builds(f.Applicant, CODES, TEXTS, TEXTS),
    place=st.none() | st.builds(f.Place, TEXTS, TEXTS, TEXTS),
    production=st.none() | st.builds(f.Production, TEXTS, DAYS),
    residency=st.none()
    | st.builds(
        f.Residency,
        st.none() | st.sampled_from(f.ResidencyState),
        CODES,
        TEXTS,
        DAYS,
        DAYS,
        DAYS,
        st.none() | st.sampled_from(f.SiteStage),
    ),
    value=st.none()
    | st.builds(
        f.ValueStatement,
        FIGURES,
        st.none()
        | st.lists(MATERIALS, max_size=4).map(tuple)
        | st.builds(f.InputSummary, FIGURES, st.lists(CODES.map(str), max_size=4).map(tuple)),
    ),
    cost=st.none() | st.builds(f.CostByPlace, FIGURES, FIGURES, FIGURES) | st.builds(f.CostShares, FIGURES, FIGURES),
    steps=st.none() | st.lists(STEPS, max_size=4).map(tuple),
    raw_weight=st.none() | st.builds(f.RawWeight, FIGURES),
)


@pytest.mark.parametrize("mark", MARKS)
@given(facts=ANY_FACTS)
def test_no_facts_crash_it_and_every_answer_can_be_stored(mark, facts):
    assessment = assess(SCHEMES[mark].ruleset, facts)
    assert [finding.rule for finding in assessment.findings] == [rule.id for rule in SCHEMES[mark].ruleset.rules]
    assert assessment.outcome is worst(finding.outcome for finding in assessment.findings)
    stored = json.dumps(assessment.to_json(), ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in stored  # PostgreSQL could not keep it
    stored.encode("utf-8")
    assert len(assessment.input_hash) == 64
    for finding, rule in zip(assessment.findings, SCHEMES[mark].ruleset.rules, strict=True):
        assert set(finding.values) == rule.VALUES


@given(ANY_FACTS)
def test_where_every_group_is_carried_every_rule_is_assessed(facts):
    carried = replace(
        facts,
        **{
            name: getattr(facts, name) if getattr(facts, name) is not None else getattr(GOOD, name)
            for name in ("applicant", "place", "production", "residency", "value", "cost", "steps", "raw_weight")
        },
    )
    for mark in MARKS:
        assert not assess(SCHEMES[mark].ruleset, carried).of(Outcome.NOT_ASSESSED)


SEVERITY = [Outcome.FAIL, Outcome.INCOMPLETE, Outcome.MANUAL, Outcome.PASS]


def outcome(mark, rule, facts):
    return next(each.outcome for each in assess(SCHEMES[mark].ruleset, facts).findings if each.rule == rule)


@pytest.mark.parametrize(
    ("mark", "rule", "facts_of"),
    [
        ("MIK", "K-06", lambda share: shares(str(share))),
        ("MIA", "A-05", lambda share: shares("0", str(share))),
        ("MIK", "C-10", lambda share: jam(str(share))),
        ("MIK", "C-06", lambda share: inputs("100", str(100 - share), "7306")),
    ],
)
@given(low=st.decimals("0", "99.99", places=3), more=st.decimals("0", "1", places=3))
def test_a_higher_share_is_never_judged_worse(mark, rule, facts_of, low, more):
    high = min(low + more, Decimal(100))
    better, worse = outcome(mark, rule, facts_of(high)), outcome(mark, rule, facts_of(low))
    assert SEVERITY.index(better) >= SEVERITY.index(worse)


PARTS = st.decimals("0", "50", places=3)


@given(PARTS, PARTS, st.decimals("0.01", "1000", places=2))
def test_amounts_and_the_percentages_they_make_agree(karabakh, az_other, scale):
    parts = (karabakh, az_other, 100 - karabakh - az_other)
    by_place = replace(GOOD, cost=f.CostByPlace(*(part * scale for part in parts)))
    as_shares = shares(str(karabakh), str(karabakh + az_other))
    for mark, rule in (("MIK", "K-06"), ("MIA", "A-05")):
        assert outcome(mark, rule, by_place) is outcome(mark, rule, as_shares)


def test_the_order_of_materials_and_steps_means_nothing():
    second = f.Material("Wire", "7217", "TR", False, Decimal(5), Decimal(1))
    bill = (*GOOD.value.inputs, second)
    one = replace(GOOD, value=replace(GOOD.value, inputs=bill))
    other = replace(GOOD, value=replace(GOOD.value, inputs=tuple(reversed(bill))))
    for mark in MARKS:
        assert assess(SCHEMES[mark].ruleset, one) == assess(SCHEMES[mark].ruleset, other)
        mixed = assess(SCHEMES[mark].ruleset, steps(PACK, ABROAD, WELD)).findings
        assert mixed == assess(SCHEMES[mark].ruleset, steps(WELD, PACK, ABROAD)).findings


def test_equal_facts_have_equal_hashes_however_they_were_typed():
    assert input_hash(shares("40")) == input_hash(shares("40.00")) == input_hash(shares("4E+1"))
    flagged = product(flags=frozenset({"b", "a"}))
    assert input_hash(flagged) == input_hash(product(flags=frozenset(["a", "b"])))


@pytest.mark.parametrize(
    "changed",
    [
        shares("40.01"),
        product(hs6="730640"),
        steps(WELD),
        replace(GOOD, as_of=date(2026, 11, 23)),
        replace(GOOD, steps=None),
        replace(GOOD, steps=()),
        replace(GOOD, applicant=None),
    ],
)
def test_any_other_fact_has_another_hash(changed):
    assert input_hash(changed) != input_hash(GOOD)


def test_the_hash_is_over_a_text_that_stays_the_same():
    facts = f.Facts(
        date(2026, 11, 22), f.ProductFacts("730630", flags=frozenset({"food"})), raw_weight=f.RawWeight(Decimal("8.20"))
    )
    assert input_hash(facts) == "8a005c769747f72278d8ff8f0198b7b5f013b5565995e84dd536a6c43d74f3b9"
    assert canonical_json({"b": "ə", "a": [1]}) == '{"a":[1],"b":"\\u0259"}'


def test_an_assessment_says_by_what_it_judged():
    ruleset = SCHEMES["MIK"].ruleset
    assessment = assess(ruleset, GOOD)
    assert (assessment.scheme, assessment.ruleset_version) == ("MIK", "2026.1")
    assert assessment.ruleset_digest == ruleset.digest
    body = assessment.to_json()
    assert body["ruleset"] == {"version": "2026.1", "digest": ruleset.digest}
    assert body["origin"] == {"criterion": "CTH", "rvc_pct": "42.8", "arithmetic": "(1450 − 830) / 1450 × 100 = 42.8 %"}
    assert body["findings"][3]["values"]["headings"] == ["7208"]
    assert body["findings"][3]["clause"] == "criterion C-06"


def test_a_ruleset_without_an_origin_rule_says_no_origin():
    ruleset = SCHEMES["MIA"].ruleset
    bare = ruleset.model_copy(update={"rules": tuple(r for r in ruleset.rules if not isinstance(r, OriginRule))})
    assert assess(bare, GOOD).origin is None
    assert assess(bare, GOOD).to_json()["origin"] is None
    undetermined = assess(ruleset, replace(GOOD, value=f.ValueStatement(None, None))).to_json()["origin"]
    assert undetermined == {"criterion": None, "rvc_pct": None, "arithmetic": None}
