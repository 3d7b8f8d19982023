"""Properties of the whole: no facts crash it, thresholds are monotone, equal facts give equal answers."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.canonical_json import canonical_json
from app.schemes import facts as f
from app.schemes.closed_lists import load_lists
from app.schemes.evaluator import compute_input_hash, evaluate
from app.schemes.hashing import to_jsonable
from app.schemes.outcome import SEVERITY, Outcome, most_severe
from app.schemes.rules.origin import OriginRule
from tests.schemes.factories import (
    AZERBAIJAN,
    DAY,
    GOOD,
    HONEY,
    MARKS,
    SCHEMES,
    bill,
    case,
    changed,
    inputs,
    item,
    jam,
    material,
    product,
    residency,
    shares,
    step,
    steps,
    with_items,
)

pytestmark = pytest.mark.pure

TEXTS = (
    st.none()
    | st.text(max_size=12)
    | st.sampled_from(["", " ", "\0", "\ud800", "730630", "40900", "AZ", "QARABAG", "pack"])
)
CODES = (
    TEXTS | st.text("0123456789", max_size=12) | st.sampled_from(["040900", "220421", "0409", "7306", "4821", "2201"])
)
FIGURES = (
    st.none()
    | st.decimals()
    | st.sampled_from([Decimal("sNaN"), Decimal("1e999999"), Decimal("-1e-999999"), Decimal(40), Decimal(1)])
)
AMOUNTS = FIGURES.filter(lambda figure: figure is not None)
DAYS = st.none() | st.dates()
COUNTRIES = TEXTS | st.sampled_from(["AZ", "TR", "az"])
DISTRICTS = TEXTS | st.sampled_from(["Ağdam", "Qusar"])
REGIONS = TEXTS | st.sampled_from(["QARABAG", "BAKI"])
PROOFS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2).map(tuple)
MATERIALS = st.builds(
    f.Material,
    st.text(),
    CODES,
    COUNTRIES,
    st.none() | st.booleans(),
    FIGURES,
    FIGURES,
    DISTRICTS,
    REGIONS,
    st.none() | st.sampled_from(f.ValueBasis),
    st.booleans(),
    TEXTS,
    PROOFS,
)
OPERATIONS = TEXTS | st.sampled_from(["beekeeping", "tube_welding", "packing", "assembly", "mining", "drying"])
STEPS = st.builds(f.Step, st.integers(), st.text(), OPERATIONS, COUNTRIES, DISTRICTS, REGIONS, TEXTS, st.booleans())
RULES = [rule for scheme in SCHEMES.values() for rule in scheme.ruleset.rules]
KINDS = st.sampled_from(sorted({kind for rule in RULES for kind in rule.evidence_kinds()}))
NAMES_OF_VALUES = sorted(
    {name for rule in RULES for name in rule.value_names()}
    | {"hs4", "country", "about", "headings", "district", "season_from", "season_until", "period_from", "period_until"}
)
VALUES = st.dictionaries(
    st.sampled_from(NAMES_OF_VALUES),
    TEXTS.map(str)
    | st.booleans()
    | st.dates()
    | AMOUNTS
    | st.lists(CODES.map(str), max_size=3).map(tuple)
    | st.sampled_from(["active", "all_met", "none", "CT1", "URVA", "Şuşa", "AZ", "material", "critical"]),
    max_size=5,
)
ITEMS = st.builds(
    f.EvidenceItem,
    KINDS,
    DAYS,
    DAYS,
    TEXTS,
    VALUES,
    st.sampled_from(["", "a", "b", "c"]),
    st.none() | st.sampled_from(f.EvidenceSubjectKind),
    st.booleans(),
)
COSTS = st.builds(
    f.Cost,
    st.sampled_from(["materials", "labour", "energy", "depreciation", "research", "quality", "other"]),
    st.sampled_from(f.CostPlace),
    FIGURES,
)
PAST = st.builds(
    f.PastCertificate,
    st.dates(),
    st.none() | st.sampled_from(["false-documents", "bankruptcy"]),
    st.booleans(),
    st.booleans(),
    TEXTS,
    st.none() | st.sampled_from(["same_plot", "ownership"]),
    st.booleans(),
)
NAMES = TEXTS | st.sampled_from(["Şuşa", "Naftalan", "ш у ш а"])
UNITS = st.none() | st.sampled_from(["t", "pcs"])
CLAIMS = st.builds(f.VolumeClaim, st.sampled_from(["a", "b"]), AMOUNTS, UNITS, st.booleans())
CAPACITIES = st.builds(f.SiteCapacity, UNITS, AMOUNTS)
ANY_FACTS = st.builds(
    f.Facts,
    as_of=st.dates(),
    product=st.builds(
        f.ProductFacts,
        CODES,
        NAMES,
        TEXTS,
        st.frozensets(st.text() | st.sampled_from(load_lists().flags)),
        st.lists(st.text()).map(tuple),
        UNITS,
        st.lists(st.text(), max_size=2).map(tuple),
        NAMES,
    ),
    applicant=st.none() | st.builds(f.Applicant, CODES, TEXTS, TEXTS, st.none() | st.sampled_from(["micro", "large"])),
    place=st.none() | st.builds(f.Place, REGIONS, DISTRICTS, TEXTS),
    production=st.none() | st.builds(f.ProductionFacts, COUNTRIES, DAYS),
    residency=st.none()
    | st.builds(
        f.Residency,
        st.none() | st.sampled_from(f.ParkResidencyStatus),
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
    cost=st.none()
    | st.builds(f.CostStatement, st.lists(COSTS, max_size=4).map(tuple))
    | st.builds(f.CostShares, FIGURES, FIGURES),
    steps=st.none() | st.lists(STEPS, max_size=4).map(tuple),
    raw_weight=st.none() | st.builds(f.RawWeight, FIGURES),
    submitted_on=DAYS,
    evidence=st.none() | st.builds(f.Evidence, st.lists(ITEMS, max_size=5).map(tuple)),
    record=st.none() | st.builds(f.HistoryFacts, st.lists(PAST, max_size=3).map(tuple)),
    zone=st.none() | st.builds(f.ZoneFacts, TEXTS),
    other_brands=st.none() | st.lists(st.text(), max_size=3).map(tuple),
    volumes=st.none()
    | st.builds(
        f.VolumeFacts,
        st.lists(CLAIMS, max_size=3).map(tuple),
        st.lists(CAPACITIES, max_size=2).map(tuple),
        st.booleans(),
        st.booleans(),
    ),
    declaration=st.none() | st.builds(f.DeclarationFacts, TEXTS, TEXTS, TEXTS, TEXTS, DAYS, TEXTS, TEXTS),
    visit=st.none() | st.builds(f.VisitFacts, TEXTS, TEXTS),
)
GROUPS = (
    *("applicant", "place", "production", "residency", "value", "cost", "steps", "raw_weight"),
    *("evidence", "record", "zone", "other_brands", "volumes", "declaration", "visit"),
)


@pytest.mark.parametrize("mark", MARKS)
@given(facts=ANY_FACTS)
def test_no_facts_crash_it_and_every_answer_can_be_stored(mark, facts):
    assessment = evaluate(SCHEMES[mark].ruleset, facts)
    assert [finding.rule for finding in assessment.findings] == [rule.id for rule in SCHEMES[mark].ruleset.rules]
    assert assessment.outcome is most_severe(finding.outcome for finding in assessment.findings)
    stored = json.dumps(assessment.to_json(), ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in stored  # PostgreSQL could not keep it
    stored.encode("utf-8")
    assert len(assessment.input_hash) == 64
    for finding, rule in zip(assessment.findings, SCHEMES[mark].ruleset.rules, strict=True):
        assert set(finding.values) == rule.VALUE_KEYS
        assert (finding.remedy is not None) == (finding.outcome is Outcome.INCOMPLETE)


@given(ANY_FACTS)
def test_where_every_group_is_carried_every_rule_is_assessed(facts):
    carried = replace(
        facts,
        **{name: getattr(facts, name) if getattr(facts, name) is not None else getattr(GOOD, name) for name in GROUPS},
    )
    if isinstance(carried.cost, f.CostShares) or (carried.value and isinstance(carried.value.inputs, f.InputSummary)):
        carried = replace(carried, cost=GOOD.cost, value=GOOD.value)  # only a file sums them up
    for mark in MARKS:
        assert not evaluate(SCHEMES[mark].ruleset, carried).findings_with(Outcome.NOT_ASSESSED)


@pytest.mark.parametrize(
    ("mark", "rule", "facts_of"),
    [
        ("MIK", "K-06", lambda share: shares(str(share))),
        ("MIA", "A-05", lambda share: shares("0", str(share))),
        ("MIK", "C-10", lambda share: jam(str(share))),
        ("MIK", "C-06", lambda share: inputs("100", str(100 - share), "7306")),
        ("URVA", "U-04", lambda share: changed("local-material", local_material_pct=share, facts=HONEY)),
        ("MIA", "A-03", lambda share: changed("ownership-statement", state_share_pct=100 - share, facts=AZERBAIJAN)),
        ("MIK", "K-10", lambda share: volume(GOOD, (200 - share) * 10)),
        ("URVA", "U-05", lambda share: volume(HONEY, (100 - share) * 30)),
    ],
)
@given(low=st.decimals("0", "99.99", places=3), more=st.decimals("0", "1", places=3))
def test_a_higher_share_is_never_judged_worse(mark, rule, facts_of, low, more):
    high = min(low + more, Decimal(100))
    better, worse = outcome(mark, rule, facts_of(high)), outcome(mark, rule, facts_of(low))
    assert SEVERITY.index(better) >= SEVERITY.index(worse)


def outcome(mark, rule, facts):
    return next(each.outcome for each in evaluate(SCHEMES[mark].ruleset, facts).findings if each.rule == rule)


def volume(facts, amount):
    claims = (f.VolumeClaim("own", amount, "t", own=True),)
    return replace(facts, volumes=replace(facts.volumes, claims=claims))


DATED = [
    ("MIK", "C-02", "tax-status", "issued_on"),
    ("MIK", "C-03", "authority-to-sign", "valid_until"),
    ("MIK", "C-11", "conformity-document", "valid_until"),
    ("MIK", "C-12", "background-check", "issued_on"),
    ("MIK", "C-17", "inspection-record", "issued_on"),
    ("MIK", "K-11", "permit", "valid_until"),
]


@pytest.mark.parametrize(("mark", "rule", "kind", "member"), DATED)
@given(age=st.integers(0, 800), less=st.integers(0, 60))
def test_a_younger_document_is_never_judged_worse(mark, rule, kind, member, age, less):
    """By its day of issue, or by the day on which it ends, in the past or to come."""
    start = DAY if member == "issued_on" else DAY + timedelta(days=200)
    older, younger = (start - timedelta(days=max(days, 0)) for days in (age, age - less))
    judged = [outcome(mark, rule, changed(kind, **{member: day})) for day in (younger, older)]
    assert SEVERITY.index(judged[0]) >= SEVERITY.index(judged[1])


@given(ANY_FACTS)
def test_what_nobody_has_confirmed_never_lets_a_rule_pass(facts):
    """Documents that wait may turn a refusal or a missing document into waiting, and nothing into a pass."""
    if facts.evidence is None:
        return
    confirmed = tuple(each for each in facts.evidence.items if each.confirmed)
    blind = replace(facts, evidence=f.Evidence(confirmed))
    for mark in MARKS:
        ruleset = SCHEMES[mark].ruleset
        for waiting, without in zip(evaluate(ruleset, facts).findings, evaluate(ruleset, blind).findings, strict=True):
            if waiting.outcome is Outcome.PASS:
                assert without.outcome is Outcome.PASS


@given(ANY_FACTS, st.randoms())
def test_the_order_of_documents_means_nothing(facts, chance):
    if facts.evidence is None:
        return
    distinct = tuple(replace(each, id=f"{number}") for number, each in enumerate(facts.evidence.items))
    mixed = list(distinct)
    chance.shuffle(mixed)
    for mark in MARKS:
        one, other = (
            evaluate(SCHEMES[mark].ruleset, replace(facts, evidence=f.Evidence(tuple(items))))
            for items in (distinct, mixed)
        )
        assert (one.findings, one.holds_until) == (other.findings, other.holds_until)


def test_how_long_what_a_mark_rests_on_still_holds():
    ruleset = SCHEMES["MIK"].ruleset
    assert evaluate(ruleset, GOOD).holds_until is None
    soon = changed("permit", valid_until=date(2027, 3, 1), facts=residency(ends_on=date(2027, 6, 1)))
    assert evaluate(ruleset, soon).to_json()["holds_until"] == "2027-03-01"
    assert evaluate(SCHEMES["MIA"].ruleset, soon).holds_until is None  # no permit, no residency
    consent = item("name-consent", valid_until=date(2026, 12, 24), protected_name="Şuşa")
    named = with_items(consent, facts=product(name_en="Shusha tube"))
    assert evaluate(ruleset, named).holds_until == date(2026, 12, 24)
    signer = changed("authority-to-sign", valid_until=date(2026, 12, 30))
    assert evaluate(ruleset, signer).holds_until is None  # it is asked for on the day of submission only
    local = SCHEMES["URVA"].ruleset
    food = changed("food-registration", valid_until=DAY, facts=HONEY)
    assert evaluate(local, food).holds_until == DAY
    assert evaluate(local, product(food, hs6="570110")).holds_until is None


PARTS = st.decimals("0.01", "50", places=3)


@given(PARTS, PARTS, st.decimals("0.01", "1000", places=2))
def test_amounts_and_the_percentages_they_make_agree(karabakh, az_other, scale):
    amounts = dict(zip(f.CostPlace, (karabakh, az_other, 100 - karabakh - az_other), strict=True))
    spent = f.CostStatement(tuple(f.Cost("other", place, part * scale) for place, part in amounts.items()))
    by_place = bill(cost=spent)
    as_shares = shares(str(karabakh), str(karabakh + az_other))
    for mark, rule in (("MIK", "K-06"), ("MIA", "A-05")):
        assert case(mark, rule, by_place) == case(mark, rule, as_shares)


def test_the_order_of_materials_and_steps_means_nothing():
    lines = (material("7208", "TR", "400"), material("7217", "TR", "5"))
    weld, pack, abroad = step(seq=1), step("packing", seq=2), step("galvanising", "TR", None, None, seq=3)
    for mark in MARKS:
        ruleset = SCHEMES[mark].ruleset
        one, other = (evaluate(ruleset, bill(*these)) for these in (lines, lines[::-1]))
        assert one.input_hash == other.input_hash
        assert [each.case for each in one.findings] == [each.case for each in other.findings]
        mixed = evaluate(ruleset, replace(GOOD, steps=(pack, abroad, weld))).findings
        assert mixed == evaluate(ruleset, replace(GOOD, steps=(weld, pack, abroad))).findings


def test_equal_facts_have_equal_hashes_however_they_were_typed():
    assert compute_input_hash(shares("40")) == compute_input_hash(shares("40.00")) == compute_input_hash(shares("4E+1"))
    flagged = product(flags=frozenset({"b", "a"}))
    assert compute_input_hash(flagged) == compute_input_hash(product(flags=frozenset(["a", "b"])))


@pytest.mark.parametrize(
    "other",
    [
        shares("40.01"),
        product(hs6="730640"),
        steps(step(), step()),
        replace(GOOD, as_of=date(2026, 11, 23)),
        replace(GOOD, steps=None),
        replace(GOOD, steps=()),
        replace(GOOD, applicant=None),
        replace(GOOD, visit=f.VisitFacts("MIK-2026-000001")),
    ],
)
def test_any_other_fact_has_another_hash(other):
    assert compute_input_hash(other) != compute_input_hash(GOOD)


def test_the_canonical_text_stays_the_same():
    assert canonical_json({"b": "ə", "a": [1]}) == '{"a":[1],"b":"\\u0259"}'
    assert to_jsonable({"b": 0.5, "a": ("x", 1, None)}) == {"b": 0.5, "a": ["x", 1, None]}


def test_an_assessment_says_by_what_it_judged():
    ruleset = SCHEMES["MIK"].ruleset
    assessment = evaluate(ruleset, bill(material("7208", "TR", "830")))
    assert (assessment.scheme, assessment.ruleset_version) == ("MIK", ruleset.version)
    body = assessment.to_json()
    assert body["ruleset"] == {"version": ruleset.version, "digest": ruleset.digest}
    assert body["origin"] == {"criterion": "CTH", "rvc_pct": "42.8", "arithmetic": "(1450 − 830) / 1450 × 100 = 42.8 %"}
    assert body["findings"][5]["values"]["headings"] == ["7208"]
    assert body["findings"][5]["clause"].startswith("criterion C-06; ")
    missing = evaluate(ruleset, replace(GOOD, evidence=f.Evidence())).to_json()["findings"][10]
    assert (missing["remedy"]["evidence"], missing["remedy"]["by_staff"]) == ("conformity-document", False)


def test_a_ruleset_without_an_origin_rule_says_no_origin():
    ruleset = SCHEMES["MIA"].ruleset
    bare = ruleset.model_copy(update={"rules": tuple(r for r in ruleset.rules if not isinstance(r, OriginRule))})
    assert evaluate(bare, GOOD).to_json()["origin"] is None
    undetermined = evaluate(ruleset, replace(GOOD, value=f.ValueStatement(None, None))).to_json()["origin"]
    assert undetermined == {"criterion": None, "rvc_pct": None, "arithmetic": None}
