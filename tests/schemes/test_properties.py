"""What holds for the rules whatever the facts. More examples with MIK_TEST_WHOLE, as in `make test-long`."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from app.schemes import facts as f
from app.schemes.closed_lists import load_lists
from app.schemes.evaluator import evaluate
from app.schemes.evidence_kinds import load_evidence_kinds
from app.schemes.material_origin import classify_materials
from app.schemes.outcome import SEVERITY, Outcome
from app.schemes.percentages import to_fraction
from app.schemes.rules.share import sum_other_costs
from app.schemes.scheme_loader import load_schemes
from tests.helpers import WHOLE

pytestmark = pytest.mark.pure

SCHEMES = load_schemes()
MARKS = sorted(SCHEMES)
DAY = date(2026, 12, 1)
D = Decimal
TIMES = 20 if WHOLE else 1


def many(examples):
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


# Anything that the types allow

ODD = ["", " ", "AZ", "az", "TR", "ＡＺ", "7306", "0702", "730630", "070200", "040900", "٧٣", "\u200b", "\u202eAZ",
       "\x00", "\ud800", "{0}", "%s", "Ağdam", "AĞDAM", "a" * 300, "Şuşa", "ß", "ı", "İ", "none", "NaN",
       "proof-0"]  # fmt: skip
texts = st.one_of(st.sampled_from(ODD), st.text(max_size=6))
maybe_text = st.none() | texts
words = st.one_of(st.sampled_from([*load_lists().operations][::7]), texts)
figures = st.one_of(
    st.none(),
    st.sampled_from(
        [D(0), D("-0"), D("NaN"), D("sNaN"), D("Infinity"), D("-Infinity"), D("1e999"), D("1e-999"), D("0.01")]
    ),
    st.decimals(-10, 10**7, allow_nan=False, places=3),
    st.decimals(),
)
sure_figures = figures.filter(lambda figure: figure is not None)
days = st.one_of(st.just(DAY), st.dates(), st.dates(date(2024, 1, 1), date(2028, 1, 1)))
maybe_day = st.none() | days
NAMES = sorted({name for kind in load_evidence_kinds().values() for name in kind.values} | {"region"})
values = st.one_of(texts, st.booleans(), sure_figures, days, st.lists(texts, max_size=3).map(tuple))
ids = st.sampled_from(["proof-0", "proof-1", "x", ""])

materials = st.builds(
    f.Material, texts, maybe_text, maybe_text, st.none() | st.booleans(), figures, figures, maybe_text,
    st.none() | st.sampled_from(["QARABAG", "BAKI", "?"]), st.none() | st.sampled_from(list(f.ValueBasis)),
    st.booleans(),
    maybe_text, st.lists(ids, max_size=3).map(tuple),
)  # fmt: skip
items = st.builds(
    f.EvidenceItem, st.sampled_from([*load_evidence_kinds(), "?"]), maybe_day, maybe_day, maybe_text,
    st.dictionaries(st.sampled_from(NAMES), values, max_size=8), ids,
    st.none() | st.sampled_from(list(f.EvidenceSubjectKind)),
    st.booleans(),
)  # fmt: skip
steps = st.builds(
    f.Step, st.integers(-5, 5), texts, st.none() | words, maybe_text, maybe_text,
    st.none() | st.sampled_from(["QARABAG", "BAKI", ""]), maybe_text, st.booleans(),
)  # fmt: skip
costs = st.builds(
    f.Cost,
    st.sampled_from(["materials", "labour", "other", "?"]),
    st.sampled_from(list(f.CostPlace)),
    figures,
)
tuples = lambda each, most=4: st.lists(each, max_size=most).map(tuple)  # noqa: E731 (a strategy, like the others here)
products = st.builds(
    f.ProductFacts, maybe_text, maybe_text, maybe_text, st.frozensets(texts, max_size=3), tuples(texts), maybe_text,
    tuples(texts), maybe_text,
)  # fmt: skip
past = st.builds(
    f.PastCertificate, days, st.none() | st.sampled_from(["false-documents", "bankruptcy", "?"]), st.booleans(),
    st.booleans(), maybe_text, maybe_text, st.booleans(),
)  # fmt: skip
anything = st.builds(
    f.Facts,
    as_of=days,
    product=products,
    applicant=st.none() | st.builds(f.Applicant, maybe_text, maybe_text, maybe_text, maybe_text),
    place=st.none() | st.builds(f.Place, maybe_text, maybe_text, maybe_text),
    production=st.none() | st.builds(f.ProductionFacts, maybe_text, maybe_day),
    residency=st.none()
    | st.builds(
        f.Residency, st.none() | st.sampled_from(list(f.ParkResidencyStatus)), maybe_text, maybe_text, maybe_day,
        maybe_day,
        maybe_day, st.none() | st.sampled_from(list(f.SiteStage)), maybe_day,
    ),
    value=st.none()
    | st.builds(
        f.ValueStatement,
        figures,
        st.one_of(tuples(materials), st.none(), st.builds(f.InputSummary, figures, tuples(texts))),
    ),
    cost=st.none() | st.builds(f.CostStatement, tuples(costs)) | st.builds(f.CostShares, figures, figures),
    steps=st.none() | tuples(steps),
    raw_weight=st.none() | st.builds(f.RawWeight, figures),
    submitted_on=maybe_day,
    evidence=st.none() | st.builds(f.Evidence, tuples(items, 8)),
    record=st.none() | st.builds(f.HistoryFacts, tuples(past)),
    zone=st.none() | st.builds(f.ZoneFacts, maybe_text),
    other_brands=st.none() | tuples(texts),
    volumes=st.none()
    | st.builds(
        f.VolumeFacts, tuples(st.builds(f.VolumeClaim, texts, sure_figures, maybe_text, st.booleans())),
        tuples(st.builds(f.SiteCapacity, maybe_text, sure_figures, maybe_text)), st.booleans(), st.booleans(),
    ),
    declaration=st.none()
    | st.builds(f.DeclarationFacts, maybe_text, maybe_text, maybe_text, maybe_text, maybe_day, maybe_text, maybe_text),
    visit=st.none() | st.builds(f.VisitFacts, maybe_text, maybe_text),
)  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
@many(60)
@given(facts=anything)
def test_no_facts_break_a_rule(mark, facts):
    ruleset = SCHEMES[mark].ruleset
    assessment = evaluate(ruleset, facts)
    assert len(assessment.findings) == len(ruleset.rules)
    for finding in assessment.findings:
        assert all(finding.reasons[language].strip() for language in ("en", "az"))
        assert not any(f"{{{name}}}" in finding.reason for name in (*finding.values, *finding.parameters))
    stored = json.dumps(assessment.to_json(), ensure_ascii=False, allow_nan=False)
    stored.encode("utf-8")
    assert "\\u0000" not in stored  # PostgreSQL could not keep it


# Facts as people enter them

COUNTRIES = st.sampled_from(["AZ", "AZ", "TR", "KZ", None])
HEADINGS = st.sampled_from(["7208", "7306", "0702", "0810", "1701", "2007", "2501", "7010", "3923", "1209", None])
PRODUCTS = st.sampled_from(["730630", "070200", "200799", "040900", "392330", "680221"])
REGIONS = {"Ağdam": "QARABAG", "Cəbrayıl": "SERQI-ZENGEZUR", "Bakı": "BAKI", "Quba": "QUBA-XACMAZ", None: None}
DISTRICTS = st.sampled_from(list(REGIONS))
AMOUNTS = st.integers(0, 40000).map(lambda cents: D(cents) / 100)
SUPPLIERS = st.sampled_from([None, "Təchizatçı A", "Təchizatçı B"])


@st.composite
def lines(draw):
    country, district = draw(COUNTRIES), draw(DISTRICTS)
    district = district if country == "AZ" else None
    return f.Material(
        "Material", draw(HEADINGS), country, draw(st.sampled_from([None, None, True, False])), draw(AMOUNTS),
        draw(AMOUNTS), district, REGIONS[district], draw(st.sampled_from(list(f.ValueBasis))), draw(st.booleans()),
        draw(SUPPLIERS), draw(st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True).map(tuple)),
    )  # fmt: skip


def paper(name, heading, country, district, supplier, confirmed, begins=date(2026, 1, 1)):
    said = {"supplier": supplier or "Təchizatçı A", "hs4": heading, "country": country}
    said |= {"district": district, "region": REGIONS[district]} if district else {}
    said |= {"period_from": begins, "period_until": begins + timedelta(days=500)}
    said = {key: value for key, value in said.items() if value is not None}
    return f.EvidenceItem(
        "supplier-declaration", begins, None, None, said, name, f.EvidenceSubjectKind.PRODUCT, confirmed
    )


def season(name, heading, district, confirmed):
    said = {"headings": (heading,), "district": district or "Ağdam", "region": REGIONS[district or "Ağdam"]}
    said |= {"season_from": date(2025, 11, 1), "season_until": date(2026, 10, 31)}
    return f.EvidenceItem(
        "production-record", date(2026, 11, 1), None, None, said, name, f.EvidenceSubjectKind.SITE, confirmed
    )


@st.composite
def papers(draw, name):
    confirmed = draw(st.booleans())
    if draw(st.booleans()):
        return season(name, draw(HEADINGS) or "0702", draw(DISTRICTS), confirmed)
    return paper(name, draw(HEADINGS), draw(COUNTRIES), draw(DISTRICTS), draw(SUPPLIERS), confirmed)


@st.composite
def sane(draw):
    own = draw(st.lists(lines(), max_size=4).map(tuple))
    exw = draw(st.integers(200, 100000).map(lambda cents: D(cents) / 100))
    made = []
    for number in range(draw(st.integers(1, 3))):
        country, district = draw(st.sampled_from(["AZ", "AZ", "AZ", "TR", None])), draw(DISTRICTS)
        district = district if country == "AZ" else None
        operation = draw(
            st.sampled_from(["tube_welding", "growing", "beekeeping", "packing", "cooking_preserving", "x"])
        )
        made.append(
            f.Step(number, operation, operation, country, district, REGIONS[district], None, draw(st.booleans()))
        )
    spent = tuple(
        f.Cost(draw(st.sampled_from(["labour", "other"])), place, draw(AMOUNTS))
        for place in draw(st.lists(st.sampled_from(list(f.CostPlace)), max_size=3))
    )
    return f.Facts(
        as_of=DAY,
        product=f.ProductFacts(draw(PRODUCTS), "Product", unit="t"),
        applicant=f.Applicant("0010000101", "Nümunə", "MMC", draw(st.sampled_from(["micro", "medium"]))),
        place=f.Place("QARABAG", "Ağdam"),
        production=f.ProductionFacts("AZ", date(2024, 1, 1)),
        value=f.ValueStatement(exw, own),
        cost=f.CostStatement(spent),
        steps=tuple(made),
        evidence=f.Evidence(tuple(draw(papers(name)) for name in draw(st.sets(st.sampled_from(["a", "b", "c"]))))),
    )


def outcomes(mark, facts):
    assessment = evaluate(SCHEMES[mark].ruleset, facts)
    return {"whole": assessment.outcome} | {finding.rule: finding.outcome for finding in assessment.findings}


def worse(after, before):
    """Rules whose answer got worse; answers that say nothing about the product do not count."""
    rank = {outcome: number for number, outcome in enumerate(SEVERITY)}
    return {
        rule: (before[rule], after[rule])
        for rule in before
        if after[rule] in rank and before[rule] in rank and rank[after[rule]] < rank[before[rule]]
    }


@pytest.mark.parametrize("mark", MARKS)
@many(60)
@given(facts=sane(), data=st.data())
def test_a_proof_that_agrees_with_its_line_never_makes_it_worse(mark, facts, data):
    own = facts.value.inputs
    assume(own)
    number = data.draw(st.integers(0, len(own) - 1))
    line = own[number]
    assume(line.hs4 is not None and line.origin_country is not None)
    confirmed, first = data.draw(st.booleans()), data.draw(st.booleans())
    if line.basis is f.ValueBasis.OWN:
        more = season("new", line.hs4, line.origin_district, confirmed)
    else:
        more = paper("new", line.hs4, line.origin_country, line.origin_district, line.supplier, confirmed)
    listed = replace(line, proofs=("new", *line.proofs) if first else (*line.proofs, "new"))
    changed = replace(
        facts,
        value=replace(facts.value, inputs=(*own[:number], listed, *own[number + 1 :])),
        evidence=f.Evidence((*facts.evidence.items, more)),
    )
    assert worse(outcomes(mark, changed), outcomes(mark, facts)) == {}


@pytest.mark.parametrize("mark", MARKS)
@many(60)
@given(facts=sane())
def test_confirming_the_papers_that_agree_never_makes_it_worse(mark, facts):
    """Each listed paper that agrees with every line that lists it, confirmed at last."""

    def agrees(each):
        return all(
            (each.values.get("hs4"), each.values.get("country")) == (line.hs4, line.origin_country)
            for line in facts.value.inputs
            if each.id in line.proofs
        )

    done = tuple(
        replace(each, confirmed=True) if each.kind == "production-record" or agrees(each) else each
        for each in facts.evidence.items
    )
    changed = replace(facts, evidence=f.Evidence(done))
    assert worse(outcomes(mark, changed), outcomes(mark, facts)) == {}


def scaled(facts, factor):
    own = tuple(replace(line, value=line.value * factor) for line in facts.value.inputs)
    spent = tuple(replace(cost, amount=cost.amount * factor) for cost in facts.cost.costs)
    return replace(
        facts,
        value=f.ValueStatement(facts.value.ex_works * factor, own),
        cost=f.CostStatement(spent),
    )


@pytest.mark.parametrize("mark", MARKS)
@many(60)
@given(facts=sane(), factor=st.sampled_from(["1.7", "1000", "0.5", "0.37", "3", "123.456", "0.013"]))
def test_scaling_all_figures_changes_nothing(mark, facts, factor):
    """From an ex-works price of 2 AZN on; below, the tolerance of 0.01 is more than 0.5 %."""
    assume(facts.value.ex_works * D(factor) >= 2)
    assert outcomes(mark, scaled(facts, D(factor))) == outcomes(mark, facts)


@st.composite
def agreeing(draw):
    """Facts whose figures agree: what is left of the price goes to costs where the steps are."""
    facts = draw(sane())
    own = tuple(
        replace(line, claim=None, packing=False, value=max(line.value, D("0.01")), proofs=line.proofs[:1],
                basis=f.ValueBasis.DOMESTIC if line.origin_country != "AZ" else line.basis)
        for line in facts.value.inputs
    )  # fmt: skip
    facts = replace(facts, steps=tuple(replace(each, country=each.country or "AZ") for each in facts.steps))
    materials = sum((line.value for line in own), D(0))
    t = max(facts.value.ex_works * D("0.005"), D("0.01"))
    rest = facts.value.ex_works - materials + draw(st.sampled_from([D(0), D(1), D("0.5"), D("-0.3")])) * t
    places = {
        f.CostPlace.ABROAD
        if each.country != "AZ"
        else (f.CostPlace.KARABAKH if each.economic_region in ("QARABAG", "SERQI-ZENGEZUR") else f.CostPlace.AZ_OTHER)
        for each in facts.steps
    }
    assume(rest > 0)
    spent = tuple(f.Cost("labour", place, rest / len(places)) for place in sorted(places))
    return replace(facts, value=replace(facts.value, inputs=own), cost=f.CostStatement(spent))


@many(120)
@given(facts=agreeing())
def test_the_azerbaijan_share_is_at_most_the_value_content(facts):
    """For facts that pass C-15: share ≤ value content + 100 t / EXW points."""
    ruleset = SCHEMES["MIA"].ruleset
    assessment = evaluate(ruleset, facts)
    found = {finding.rule: finding for finding in assessment.findings}
    assume(found["C-15"].outcome is Outcome.PASS)
    bill = classify_materials(facts, ruleset.context.origin, ruleset.context.lists)
    sums = sum_other_costs(facts.cost)
    for line in bill.lines:
        sums[line.counted_place] += to_fraction(line.material.value)
    share = (sums[f.CostPlace.KARABAKH] + sums[f.CostPlace.AZ_OTHER]) / sum(sums.values()) * 100
    price = to_fraction(facts.value.ex_works)
    t = max(price * Fraction(5, 1000), Fraction(1, 100))
    assert share <= assessment.origin.rvc + 100 * t / price


@pytest.mark.parametrize("mark", MARKS)
@many(60)
@given(facts=sane(), data=st.data())
def test_the_order_of_materials_evidence_and_steps_means_nothing(mark, facts, data):
    shuffled = replace(
        facts,
        value=replace(facts.value, inputs=tuple(data.draw(st.permutations(facts.value.inputs)))),
        evidence=f.Evidence(tuple(data.draw(st.permutations(facts.evidence.items)))),
        steps=tuple(data.draw(st.permutations(facts.steps))),
        cost=f.CostStatement(tuple(data.draw(st.permutations(facts.cost.costs)))),
    )
    turned = tuple(replace(line, proofs=line.proofs[::-1]) for line in shuffled.value.inputs)
    shuffled = replace(shuffled, value=replace(shuffled.value, inputs=turned))
    assert outcomes(mark, shuffled) == outcomes(mark, facts)
