"""Properties of the whole: no facts crash it, thresholds are monotone, equal facts give equal answers."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules_support import (
    ABROAD,
    AS_OF,
    GOOD,
    HONEY,
    PACK,
    WELD,
    changed,
    inputs,
    item,
    jam,
    product,
    shares,
    steps,
    with_items,
)
from rules_support import ITEMS as GOOD_ITEMS

from app.schemes import facts as f
from app.schemes.canonical import canonical_json, jsonable
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
RULES = [rule for scheme in SCHEMES.values() for rule in scheme.ruleset.rules]
KINDS = st.sampled_from(sorted({kind for rule in RULES for kind in rule.evidence_kinds()}))
VALUES = st.dictionaries(
    st.sampled_from(sorted({name for rule in RULES for name in rule.value_names()})),
    TEXTS.map(str)
    | st.booleans()
    | FIGURES.filter(lambda figure: figure is not None)
    | st.lists(CODES.map(str), max_size=3).map(tuple)
    | st.sampled_from(["active", "all_met", "none", "CT1", "URVA", "Şuşa"]),
    max_size=4,
)
ITEMS = st.builds(f.Item, KINDS, DAYS, DAYS, TEXTS, VALUES)
NAMES = TEXTS | st.sampled_from(["Şuşa", "Naftalan", "ш у ш а"])
ANY_FACTS = st.builds(
    f.Facts,
    as_of=st.dates(),
    product=st.builds(
        f.ProductFacts,
        CODES,
        NAMES,
        TEXTS,
        WORDS,
        st.lists(st.text()).map(tuple),
        FIGURES,
        st.lists(st.text(), max_size=2).map(tuple),
        NAMES,
    ),
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
        DAYS,
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
    submitted_on=DAYS,
    evidence=st.none() | st.builds(f.Evidence, st.lists(ITEMS, max_size=5).map(tuple), st.frozensets(KINDS)),
    record=st.none()
    | st.builds(
        f.Record, st.lists(st.builds(f.Revocation, st.text(), st.dates(), st.booleans()), max_size=3).map(tuple)
    ),
    zone=st.none() | st.builds(f.Zone, TEXTS),
    other_brands=st.none() | st.lists(st.text(), max_size=3).map(tuple),
)
GROUPS = (
    *("applicant", "place", "production", "residency", "value", "cost", "steps", "raw_weight"),
    *("evidence", "record", "zone", "other_brands"),
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
        **{name: getattr(facts, name) if getattr(facts, name) is not None else getattr(GOOD, name) for name in GROUPS},
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
        ("URVA", "U-04", lambda share: changed("local-material", local_material_pct=share, facts=HONEY)),
        ("MIA", "A-03", lambda share: changed("ownership-statement", state_share_pct=100 - share)),
        ("MIK", "K-10", lambda share: changed("volume-statement", claimed_volume=(200 - share) * 10)),
        ("URVA", "U-05", lambda share: changed("volume-statement", claimed_volume=(100 - share) * 30, facts=HONEY)),
    ],
)
@given(low=st.decimals("0", "99.99", places=3), more=st.decimals("0", "1", places=3))
def test_a_higher_share_is_never_judged_worse(mark, rule, facts_of, low, more):
    high = min(low + more, Decimal(100))
    better, worse = outcome(mark, rule, facts_of(high)), outcome(mark, rule, facts_of(low))
    assert SEVERITY.index(better) >= SEVERITY.index(worse)


DATED = [
    ("MIK", "C-02", "tax-status", "issued_on"),
    ("MIK", "C-03", "authority-to-sign", "valid_until"),
    ("MIK", "C-11", "conformity-document", "valid_until"),
    ("MIK", "K-11", "permit", "valid_until"),
    ("MIA", "A-06", "origin-document", "issued_on"),
]


@pytest.mark.parametrize(("mark", "rule", "kind", "member"), DATED)
@given(age=st.integers(0, 800), less=st.integers(0, 60))
def test_a_younger_document_is_never_judged_worse(mark, rule, kind, member, age, less):
    """By its day of issue, or by the day on which it ends, in the past or to come."""
    start = AS_OF if member == "issued_on" else AS_OF + timedelta(days=200)
    older, younger = (start - timedelta(days=max(days, 0)) for days in (age, age - less))
    judged = [outcome(mark, rule, changed(kind, **{member: day})) for day in (younger, older)]
    assert SEVERITY.index(judged[0]) >= SEVERITY.index(judged[1])


@given(ANY_FACTS)
def test_what_nobody_has_confirmed_never_lets_a_rule_pass(facts):
    """Items that wait may turn a refusal into waiting, and nothing into a pass or a person's judgement."""
    if facts.evidence is None:
        return
    blind = replace(facts, evidence=replace(facts.evidence, awaiting=frozenset()))
    for mark in MARKS:
        ruleset = SCHEMES[mark].ruleset
        for waiting, without in zip(assess(ruleset, facts).findings, assess(ruleset, blind).findings, strict=True):
            assert waiting.case in (without.case, "incomplete_unconfirmed")


@given(ANY_FACTS)
def test_only_the_newest_confirmed_item_of_a_kind_is_read(facts):
    """But for certificates of origin and consents, of which each is about other goods or names."""
    if facts.evidence is None:
        return
    kinds = [item.kind for item in facts.evidence.confirmed]
    newest = tuple(
        item
        for place, item in enumerate(facts.evidence.confirmed)
        if item.kind not in kinds[:place] or item.kind in {"origin-document", "name-consent"}
    )
    for mark in MARKS:
        fewer = replace(facts, evidence=replace(facts.evidence, confirmed=newest))
        assert assess(SCHEMES[mark].ruleset, fewer).findings == assess(SCHEMES[mark].ruleset, facts).findings


def test_a_certificate_would_end_with_what_it_rests_on():
    ruleset = SCHEMES["MIK"].ruleset
    assert assess(ruleset, GOOD).holds_until == GOOD_ITEMS["permit"].valid_until == date(2027, 2, 28)
    soon = changed("conformity-document", valid_until=date(2026, 12, 1))
    assert assess(ruleset, soon).holds_until == date(2026, 12, 1)
    assert assess(ruleset, soon).to_json()["holds_until"] == "2026-12-01"
    open_ended = changed("permit", valid_until=None, facts=changed("conformity-document", valid_until=None))
    assert assess(ruleset, open_ended).holds_until is None
    consent = item("name-consent", valid_until=date(2026, 12, 24), protected_name="Şuşa")
    named = with_items(consent, facts=product(name_en="Shusha tube"))
    assert assess(ruleset, named).holds_until == date(2026, 12, 24)
    signer = changed("authority-to-sign", valid_until=date(2026, 11, 30))
    assert assess(ruleset, signer).holds_until == date(2027, 2, 28)  # it is asked for on the day of submission only
    assert (
        assess(SCHEMES["URVA"].ruleset, changed("food-registration", valid_until=AS_OF, facts=HONEY)).holds_until
        == AS_OF
    )
    local = SCHEMES["URVA"].ruleset
    assert assess(local, changed("food-registration", valid_until=AS_OF, facts=HONEY)).holds_until == AS_OF
    assert assess(local, changed("food-registration", valid_until=AS_OF)).holds_until == date(2029, 2, 1)  # no food


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
    assert input_hash(facts) == "d694e84b0c4f714dd8f2b30e097b5de57430e4b7b5ad8d8609257a6044c798d7"
    assert canonical_json({"b": "ə", "a": [1]}) == '{"a":[1],"b":"\\u0259"}'
    assert jsonable({"b": 0.5, "a": ("x", 1, None)}) == {"b": 0.5, "a": ["x", 1, None]}


def test_an_assessment_says_by_what_it_judged():
    ruleset = SCHEMES["MIK"].ruleset
    assessment = assess(ruleset, GOOD)
    assert (assessment.scheme, assessment.ruleset_version) == ("MIK", "2026.2")
    assert assessment.ruleset_digest == ruleset.digest
    body = assessment.to_json()
    assert body["ruleset"] == {"version": "2026.2", "digest": ruleset.digest}
    assert body["origin"] == {"criterion": "CTH", "rvc_pct": "42.8", "arithmetic": "(1450 − 830) / 1450 × 100 = 42.8 %"}
    assert body["findings"][5]["values"]["headings"] == ["7208"]
    assert body["findings"][5]["clause"] == "criterion C-06"


def test_a_ruleset_without_an_origin_rule_says_no_origin():
    ruleset = SCHEMES["MIA"].ruleset
    bare = ruleset.model_copy(update={"rules": tuple(r for r in ruleset.rules if not isinstance(r, OriginRule))})
    assert assess(bare, GOOD).origin is None
    assert assess(bare, GOOD).to_json()["origin"] is None
    undetermined = assess(ruleset, replace(GOOD, value=f.ValueStatement(None, None))).to_json()["origin"]
    assert undetermined == {"criterion": None, "rvc_pct": None, "arithmetic": None}
