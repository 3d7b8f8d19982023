"""The criterion of origin, from two figures or from a bill of materials, and what each line counts as."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.closed_lists import load_lists
from app.schemes.facts import Applicant, CostPlace, EvidenceSubjectKind, InputSummary, ValueBasis, ValueStatement
from app.schemes.material_origin import (
    OriginSettings,
    ProofState,
    classify_materials,
    cost_place_of,
    is_natural_person,
    is_same_supplier,
    is_small_producer,
)
from app.schemes.origin_calculation import (
    OriginCriterion,
    OriginResult,
    compute_value_content,
    determine_origin,
    exact_sum,
    format_arithmetic,
)
from app.schemes.percentages import to_fraction
from tests.schemes.factories import (
    CONTEXT,
    DAY,
    GOOD,
    SCHEMES,
    D,
    bill,
    costs,
    facts,
    finding,
    inputs,
    item,
    material,
    product,
    rule_of,
    step,
    steps,
    with_items,
)

pytestmark = pytest.mark.pure

SETTINGS = SCHEMES["MIK"].ruleset.origin
YEAR = {"period_from": date(2026, 6, 1), "period_until": date(2027, 5, 31)}
SEASON = {"season_from": date(2026, 1, 1), "season_until": date(2026, 9, 30)}


def origin(these, *, at=40, de_minimis=0, settings=SETTINGS):
    return determine_origin(these, settings, load_lists(), rvc_at_least=D(at), de_minimis_pct=D(de_minimis))


def read(these, settings=SETTINGS):
    return classify_materials(these, settings, load_lists())


def declaration(name="paper", issued_on=date(2026, 6, 1), **values):
    confirmed = values.pop("confirmed", True)
    known = {"supplier": "Nümunə-Metal", "hs4": "7208", "country": "AZ", **YEAR, **values}
    return item("supplier-declaration", issued_on, id=name, confirmed=confirmed, **known)


def record(name="record", issued_on=date(2026, 10, 1), kind="production-record", **changes):
    members = {key: changes.pop(key) for key in ("subject", "valid_until", "confirmed") if key in changes}
    values = {"headings": ("0409",), "district": "Ağdam", **SEASON, **changes}
    return item(kind, issued_on, id=name, **{"subject": EvidenceSubjectKind.SITE, **members}, **values)


def line(paper=None, settings=SETTINGS, **members):
    """The first line of a bill whose material lists this paper."""
    made = material(**{"hs4": "7208", "country": "AZ", "value": "830", **members}, proofs=("paper",) if paper else ())
    return read(bill(made, facts=with_items(paper) if paper else GOOD), settings).lines[0]


def honey(*papers, lines=(), size="small", district="Ağdam", region="QARABAG", **members):
    """Honey of the applicant's own hives."""
    these = bill(*lines, ex_works="28", facts=product(with_items(*papers) if papers else GOOD, hs6="040900"))
    owner = replace(GOOD.applicant, size_class=size)
    return replace(steps(step("beekeeping", "AZ", district, region), facts=these), applicant=owner, **members)


# Two figures


@pytest.mark.parametrize(
    ("these", "result"),
    [
        (inputs("100", "0", hs6="240120"), OriginResult.WO),
        (inputs("100", "0", "7306"), OriginResult.PE),
        (inputs("100", "0", "9998"), OriginResult.PE),
        (inputs("100", "99"), OriginResult.HEADING),
        (inputs("100", "10", "7208", "9998"), OriginResult.HEADING),
        (inputs("100", "120", "7208"), OriginResult.CTH),
        (inputs("100", "60", "7208", "7306"), OriginResult.RVC),
        (inputs("100", "60.0000000001", "7306"), OriginResult.FAIL),
        (inputs("100", "120", "7306"), OriginResult.FAIL),
        (inputs("0", "0"), OriginResult.VALUE),
        (inputs(None, "0"), OriginResult.VALUE),
        (inputs("NaN", "0"), OriginResult.VALUE),
        (inputs("100", None), OriginResult.VALUE),
        (inputs("100", "Infinity"), OriginResult.VALUE),
        (inputs("100", "-0.01", "7208"), OriginResult.NEGATIVE),
        (inputs("100", "10", "7208", hs6="73063"), OriginResult.HS_CODE),
        (inputs("100", "10", "7208", hs6="779999"), OriginResult.HS_CODE),
        (inputs("100", "10", "7208", hs6=None), OriginResult.HS_CODE),
    ],
)
def test_the_result_of_two_figures(these, result):
    assert origin(these).result is result


def test_the_arithmetic_is_shown():
    found = origin(inputs("1450.00", "830", "7208"))
    assert found.arithmetic == "(1450 − 830) / 1450 × 100 = 42.8 %"
    assert (found.rvc_pct, found.criterion) == (D("42.8"), OriginCriterion.CHANGE_OF_HEADING)
    assert (found.headings, found.same_heading, found.unlisted) == (("7208",), (), ())
    assert origin(inputs("100", "-1", "7208")).rvc_pct is None
    assert format_arithmetic(None, D(1), D(40)) is None
    assert origin(replace(GOOD, value=None)) is None


def test_a_result_is_never_shown_on_the_wrong_side():
    shown = finding("MIK", "C-06", inputs("100", "60.001", "7306")).reason
    assert "39.999 %, below the 40 % needed" in shown


# Bills of materials


@pytest.mark.parametrize(
    ("these", "result"),
    [
        (replace(GOOD, value=ValueStatement(D(100), None)), OriginResult.NO_MATERIALS),
        (bill(material("7208", "TR", "830")), OriginResult.CTH),
        (bill(material("7208", "TR", None)), OriginResult.CTH),
        (bill(material("7306", "TR", "870")), OriginResult.RVC),
        (bill(material("7306", "TR", "870.01")), OriginResult.FAIL),
        (bill(material("7306", "TR", "870"), ex_works=None), OriginResult.VALUE),
        (bill(material("7306", "TR", None)), OriginResult.VALUE),
        (bill(material("9998", "TR")), OriginResult.HEADING),
        (bill(material(None, "TR")), OriginResult.HEADING),
        (bill(material(), facts=product(hs6="730699")), OriginResult.HS_CODE),
    ],
)
def test_the_result_of_a_bill(these, result):
    assert origin(these).result is result


def test_de_minimis_passes_over_little_of_the_same_heading():
    these = bill(material("7306", "TR", "145"), material("7208", "TR", "1000"))
    assert origin(these).result is OriginResult.FAIL
    assert origin(these, de_minimis=10).result is OriginResult.CTH
    more = bill(material("7306", "TR", "145.01"), material("7208", "TR", "1000"))
    assert origin(more, de_minimis=10).result is OriginResult.FAIL
    unvalued = bill(material("7306", "TR", None), material("7208", "TR", "1000"))
    assert origin(unvalued, de_minimis=10).result is OriginResult.VALUE


def test_known_values_that_are_too_much_already_need_no_further_one():
    """A missing value only adds to them: a proof for its line then makes nothing worse."""
    these = bill(material("7306", "TR", None), material("7306", "TR", "1400"))
    judged = origin(these)
    assert (judged.result, judged.non_originating_value) == (OriginResult.FAIL, D(1400))
    assert judged.arithmetic == "(1450 − 1400) / 1450 × 100 = 3.4 %"
    enough = bill(material("7306", "TR", None), material("7306", "TR", "800"))
    assert origin(enough).result is OriginResult.VALUE
    assert finding("MIK", "C-07", enough).case == "incomplete"
    assert finding("MIK", "C-07", bill(material(value=None), material(value="1450.01"))).case == "fail"


def test_packing_is_passed_over_up_to_its_limit_of_a_known_price():
    coil = replace(material("7208", "AZ", "100"), proofs=("paper",))
    label = replace(material("4821", "TR", "145"), packing=True)
    with_paper = with_items(declaration())
    assert origin(bill(coil, label, facts=with_paper)).result is OriginResult.PE
    dear = replace(label, value=D("145.01"))
    assert origin(bill(coil, dear, facts=with_paper)).result is OriginResult.CTH
    assert origin(bill(coil, replace(label, value=None), facts=with_paper)).result is OriginResult.CTH


def test_only_the_papers_that_are_missing_are_asked_for():
    """Of own produce whose record waits, and bought honey without a paper, the bought honey is named."""
    own = replace(material("0409", "AZ", "5"), basis=ValueBasis.OWN, proofs=("record",))
    bought = material("0409", "AZ", "18")
    found = origin(honey(record(confirmed=False), lines=(own, bought)))
    assert found.result is OriginResult.PROOF
    assert [each.number for each in found.affected_lines] == [1]
    other = origin(honey(lines=(replace(own, proofs=()), bought)))
    assert (other.result, [each.number for each in other.affected_lines]) == (OriginResult.RECORD, [0])


def test_what_is_missing_beside_a_proof_is_said_first():
    unheaded = bill(material("7306", "AZ", "1400"), material(None, "TR", "1"))
    assert origin(unheaded).result is OriginResult.HEADING
    of_own = honey(lines=(material(None, "TR", "1"),))
    assert origin(of_own).result is OriginResult.HEADING
    nothing_helps = bill(material("7306", "AZ", "10"), material("7306", "TR", "1400"))
    assert origin(nothing_helps).result is OriginResult.FAIL


def test_a_slip_of_the_pen_refuses_nothing():
    coil = replace(material("7306", "TR", "1400"), proofs=("paper",))
    here = bill(coil, facts=with_items(declaration(hs4="7306")))
    assert origin(here).result is OriginResult.PROOF
    abroad = bill(coil, facts=with_items(declaration(hs4="7306", country="IR")))
    assert origin(abroad).result is OriginResult.FAIL
    other_heading = bill(coil, facts=with_items(declaration(hs4="7208", country="TR")))
    assert origin(other_heading).result is OriginResult.PROOF
    unread = bill(coil, facts=with_items(declaration(hs4=None, country="TR")))
    assert origin(unread).result is OriginResult.FAIL


def test_own_produce_beside_foreign_honey():
    bought = material("0409", "TR", "20")
    assert origin(honey(record(), lines=(bought,))).result is OriginResult.FAIL
    assert origin(honey(record(), lines=(material("0409", "TR", "10"),))).result is OriginResult.RVC
    assert origin(honey(lines=(bought,))).result is OriginResult.FAIL
    dear = honey(record(), lines=(material("7010", "TR", None, packing=True),))
    assert origin(dear).result is OriginResult.CTH
    assert origin(honey(record())).result is OriginResult.WO


# What a line counts as


@pytest.mark.parametrize(
    ("members", "paper", "state", "field"),
    [
        ({}, None, ProofState.UNPROVEN, None),
        ({"claim": True}, None, ProofState.UNPROVEN, None),
        ({"country": " az "}, declaration(), ProofState.PROVEN, None),
        ({}, declaration(confirmed=False), ProofState.AWAITING, None),
        ({"country": "TR"}, None, ProofState.FOREIGN, None),
        ({"country": None}, None, ProofState.FOREIGN, None),
        ({"country": "TR", "claim": False}, None, ProofState.FOREIGN, None),
        ({"country": "TR", "claim": True}, None, ProofState.FOREIGN, "origin_country"),
        ({"country": None, "claim": True}, None, ProofState.FOREIGN, "origin_country"),
        ({"claim": False}, declaration(), ProofState.FOREIGN, "originating"),
        ({}, declaration(country="TR"), ProofState.UNPROVEN, "origin_country"),
        ({"country": None}, declaration(), ProofState.UNPROVEN, "origin_country"),
        ({"country": "TR"}, declaration(), ProofState.FOREIGN, "origin_country"),
        ({}, declaration(hs4="7209"), ProofState.UNPROVEN, "hs4"),
        ({}, declaration(hs4="7209", confirmed=False), ProofState.UNPROVEN, None),
        ({}, declaration(country="TR", confirmed=False), ProofState.UNPROVEN, None),
        ({"packing": True}, declaration(), ProofState.PROVEN, "packing"),
        ({"hs4": "4821", "country": "TR", "packing": True}, None, ProofState.FOREIGN, None),
        ({"country": "TR", "basis": ValueBasis.OWN}, None, ProofState.FOREIGN, "basis"),
        ({"basis": ValueBasis.OWN}, declaration(), ProofState.UNPROVEN, None),
        ({}, replace(declaration(), subject=EvidenceSubjectKind.COMPANY), ProofState.UNPROVEN, None),
        ({}, replace(declaration(), kind="photo"), ProofState.UNPROVEN, None),
    ],
)
def test_what_a_line_counts_as(members, paper, state, field):
    found = line(paper, **members)
    assert found.state is state
    assert (found.contradiction and found.contradiction.field) == field


def certificate(**values):
    known = {"about": "material", "form": "CT1", "hs4": "7208", "country": "AZ", **values}
    return item("origin-document", date(2026, 6, 1), known.pop("valid_until", None), id="paper", **known)


@pytest.mark.parametrize(
    ("paper", "state"),
    [
        (declaration(period_from=date(2026, 12, 2)), ProofState.UNPROVEN),
        (declaration(period_until=date(2026, 11, 30)), ProofState.UNPROVEN),
        (declaration(period_until=DAY), ProofState.PROVEN),
        (declaration(issued_on=date(2026, 12, 2)), ProofState.UNPROVEN),
        (declaration(period_from=None), ProofState.UNPROVEN),
        (declaration(period_until="2027"), ProofState.UNPROVEN),
        (replace(declaration(), valid_until=date(2026, 11, 30)), ProofState.UNPROVEN),
        (certificate(), ProofState.PROVEN),
        (certificate(valid_until=date(2026, 11, 30)), ProofState.UNPROVEN),
        (certificate(about="product"), ProofState.UNPROVEN),
    ],
)
def test_when_a_proof_speaks_for_a_line(paper, state):
    assert line(paper).state is state


def test_a_paper_that_is_listed_and_not_here_proves_nothing():
    coil = replace(material("7208", "AZ"), proofs=("gone",))
    assert read(bill(coil)).lines[0].state is ProofState.UNPROVEN
    assert read(bill(coil, evidence=None)).lines[0].state is ProofState.UNPROVEN


@pytest.mark.parametrize(
    ("supplier", "values", "wanted"),
    [
        (None, {"supplier": "B"}, True),
        ("…", {"supplier": "B"}, True),
        (None, {}, False),  # nobody declares
        ("…", {"supplier": "…"}, False),
        ("NUMUNE METAL", {"supplier": "Nümunə-Metal"}, True),
        ("A", {"supplier": "B"}, False),
        ("0010000101", {"supplier_voen": "0010000101", "supplier": "B"}, True),
        ("0010000101", {"supplier": " 0010000101 "}, True),
        ("0010000102", {"supplier": "00 1000 0102"}, True),
        ("A", {"supplier": None}, False),
    ],
)
def test_the_supplier_of_line_and_declaration(supplier, values, wanted):
    assert is_same_supplier(supplier, item("supplier-declaration", **values)) is wanted
    assert (line(declaration(supplier="Nümunə-Metal"), supplier="B").state) is ProofState.UNPROVEN


@pytest.mark.parametrize(
    ("paper", "region", "claimed", "place", "proven"),
    [
        (None, "QARABAG", CostPlace.KARABAKH, CostPlace.ABROAD, CostPlace.KARABAKH),
        (None, None, CostPlace.AZ_OTHER, CostPlace.ABROAD, CostPlace.AZ_OTHER),
        (declaration(region="QARABAG"), "BAKI", CostPlace.AZ_OTHER, CostPlace.KARABAKH, CostPlace.KARABAKH),
        (declaration(), "QARABAG", CostPlace.KARABAKH, CostPlace.AZ_OTHER, CostPlace.AZ_OTHER),
        (
            declaration(region="QARABAG", confirmed=False),
            None,
            CostPlace.AZ_OTHER,
            CostPlace.ABROAD,
            CostPlace.KARABAKH,
        ),
    ],
)
def test_the_place_of_a_line(paper, region, claimed, place, proven):
    found = line(paper, origin_region=region)
    assert (found.claimed_place, found.counted_place, found.proven_place) == (claimed, place, proven)


def test_a_partner_counts_and_stays_abroad():
    partners = OriginSettings(cumulation=("KZ",))
    found = line(declaration(country="KZ"), partners, country="KZ")
    assert (found.state, found.counted_place, found.is_domestic) == (ProofState.PROVEN, CostPlace.ABROAD, False)
    assert line(country="KZ", claim=False, settings=partners).contradiction.field == "originating"
    assert cost_place_of("TR", "QARABAG", partners) is CostPlace.ABROAD
    assert cost_place_of("AZ", "SERQI-ZENGEZUR", partners) is CostPlace.KARABAKH


# Own produce


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, ProofState.PROVEN),
        ({"confirmed": False}, ProofState.AWAITING),
        ({"kind": "photo"}, ProofState.UNPROVEN),
        ({"subject": EvidenceSubjectKind.PRODUCT}, ProofState.UNPROVEN),
        ({"season_from": None}, ProofState.UNPROVEN),
        ({"season_until": "2026"}, ProofState.UNPROVEN),
        ({"season_until": date(2025, 12, 31)}, ProofState.UNPROVEN),
        ({"season_from": date(2025, 9, 1)}, ProofState.UNPROVEN),
        ({"issued_on": date(2026, 12, 2)}, ProofState.UNPROVEN),
        ({"issued_on": None}, ProofState.PROVEN),
        ({"season_from": date(2026, 12, 2), "season_until": date(2026, 12, 3)}, ProofState.UNPROVEN),
        ({"season_from": date(2025, 1, 1), "season_until": date(2025, 11, 30)}, ProofState.UNPROVEN),
        ({"season_from": date(2025, 1, 1), "season_until": date(2025, 12, 1)}, ProofState.PROVEN),
        ({"valid_until": date(2026, 11, 30)}, ProofState.UNPROVEN),
        ({"headings": ("0401",)}, ProofState.UNPROVEN),
        ({"headings": ("04",)}, ProofState.UNPROVEN),
        ({"headings": ("040900",)}, ProofState.PROVEN),
        ({"headings": "0409"}, ProofState.UNPROVEN),
        ({"district": "Qusar"}, ProofState.UNPROVEN),
        ({"district": "AGDAM"}, ProofState.PROVEN),
        ({"district": ""}, ProofState.UNPROVEN),
        ({"district": None}, ProofState.UNPROVEN),
        ({"kind": "grower-letter"}, ProofState.PROVEN),
    ],
)
def test_what_a_record_of_own_produce_needs(changes, state):
    own = read(honey(record(**changes))).own_produce
    assert (own.state, own.is_listed) == (state, False)


def test_a_step_without_a_district_takes_a_record_of_any():
    assert read(honey(record(district="Qusar"), district=None, region=None)).own_produce.state is ProofState.PROVEN


@pytest.mark.parametrize(
    ("applicant", "wanted"),
    [
        (None, False),
        (Applicant("0010000101", size_class="micro"), True),
        (Applicant("0010000101", size_class="medium"), False),
        (Applicant("0010003422"), True),
        (Applicant(None), False),
    ],
)
def test_who_may_bring_a_letter(applicant, wanted):
    these = replace(honey(record(kind="grower-letter")), applicant=applicant)
    assert is_small_producer(these) is wanted
    assert (read(these).own_produce.state is ProofState.PROVEN) is wanted
    assert is_natural_person(these) is (applicant is not None and applicant.voen == "0010003422")


def test_own_produce_that_is_listed_is_as_good_as_its_weakest_line():
    own = replace(material("0409", "AZ", "5"), basis=ValueBasis.OWN)
    these = honey(record(), lines=(replace(own, proofs=("record",)), own))
    found = read(these)
    assert (found.own_produce.state, found.own_produce.is_listed) == (ProofState.UNPROVEN, True)
    assert found.unlisted_own_produce is None
    assert [each.state for each in found.lines] == [ProofState.PROVEN, ProofState.UNPROVEN]


@pytest.mark.parametrize(
    ("hs6", "process"),
    [
        ("730630", step("mining")),
        ("040900", step("tube_welding")),
        ("040900", step("beekeeping", "TR")),
        ("040900", step("growing")),
        ("040900", step(None)),
        (None, step("beekeeping")),
        ("040900", None),
    ],
)
def test_other_steps_claim_no_own_produce(hs6, process):
    these = replace(product(hs6=hs6), steps=None if process is None else (process,))
    assert read(these).own_produce is None
    assert read(these).unlisted_own_produce is None


def test_own_produce_without_evidence_is_unproven():
    assert read(honey(evidence=None)).own_produce.state is ProofState.UNPROVEN


def test_own_grapes_of_a_wine_maker_are_shown_by_a_record():
    grapes = replace(material("0806", "AZ", "5"), basis=ValueBasis.OWN, proofs=("record",))
    wine = bill(grapes, facts=product(with_items(record(headings=("0806",))), hs6="220421"))
    assert read(wine).lines[0].state is ProofState.PROVEN
    foreign = bill(
        replace(grapes, origin_country="GE"), facts=product(with_items(record(headings=("0806",))), hs6="220421")
    )
    assert read(foreign).lines[0].state is ProofState.FOREIGN


def test_a_call_without_a_bill_has_none():
    assert read(replace(GOOD, value=None)) is None
    assert read(inputs("100", "1", "7208")) is None


# Shares by proof


def test_the_better_of_line_and_paper_is_asked_for():
    """A slip between line and paper never refuses: the share is judged once more with the better of the two."""
    coil = replace(material("7208", "TR", "830"), proofs=("paper",))
    these = bill(coil, facts=with_items(declaration()), cost=costs(KARABAKH="200"))
    assert finding("MIA", "A-05", these).case == "incomplete_proof"
    abroad = bill(coil, facts=with_items(declaration(country="IR")), cost=costs(KARABAKH="200"))
    assert finding("MIA", "A-05", abroad).case == "fail"
    own = replace(material("7208", "AZ", "830"), basis=ValueBasis.OWN)
    asked = finding("MIA", "A-05", bill(own, cost=costs(KARABAKH="200")))
    assert (asked.case, asked.remedy.evidence) == ("incomplete_proof", "production-record")
    jam = bill(replace(material("0809", "AZ", "1", "80"), basis=ValueBasis.OWN), facts=product(hs6="200799"))
    assert finding("MIK", "C-10", jam).case == "incomplete_record"


@pytest.mark.parametrize(
    ("stated", "case"),
    [
        (costs(KARABAKH="-1"), "incomplete_missing"),
        (costs(KARABAKH="NaN"), "incomplete_missing"),
        (costs(KARABAKH="0"), "incomplete_missing"),
        (costs(KARABAKH="900", ABROAD="10"), "pass"),
    ],
)
def test_costs_that_cannot_be_right(stated, case):
    assert finding("MIK", "K-06", replace(GOOD, cost=stated)).case == case
    assert finding("MIA", "A-05", replace(inputs("100", "1"), cost=stated)).case == "incomplete_missing"


def test_raw_material_that_the_country_does_not_have_is_left_out():
    rule = rule_of("MIK", "C-10")
    sugar_free = type(rule).model_validate(rule.model_dump() | {"unavailable": ["1801"]})
    cocoa = bill(material("1801", "CI", "1", "40"), material("1701", "BR", "1", "60"), facts=product(hs6="180690"))
    assert sugar_free.evaluate(cocoa, CONTEXT).values["share"] == "0.0"
    only = bill(material("1801", "CI", "1", "40"), facts=product(hs6="180690"))
    assert sugar_free.evaluate(only, CONTEXT).case == "incomplete_missing"


# Properties

VALUES = st.decimals("-5", "2000", places=3)
HEADINGS = st.sampled_from(["7208", "7306", "8501", "0409", "9998", "", "40"])
LINES = st.lists(
    st.builds(
        lambda hs4, country, value, proven: replace(
            material(hs4 or None, country, str(value)), proofs=("paper",) if proven else ()
        ),
        HEADINGS,
        st.sampled_from(["AZ", "TR", None]),
        VALUES,
        st.booleans(),
    ),
    max_size=4,
)


@given(LINES, st.decimals("1", "2000", places=2))
def test_one_more_proof_never_makes_the_origin_worse(lines, price):
    these = bill(*lines, ex_works=str(price), facts=with_items(declaration()))
    proven = bill(
        *(replace(each, proofs=("paper",)) for each in lines), ex_works=str(price), facts=with_items(declaration())
    )
    if any(each.contradiction for each in read(proven).lines):
        return
    met = (OriginResult.WO, OriginResult.PE, OriginResult.CTH, OriginResult.RVC)
    if origin(these).result in met:
        assert origin(proven).result in met


@given(st.lists(VALUES), st.randoms())
def test_sums_do_not_depend_on_the_order(values, chance):
    mixed = list(values)
    chance.shuffle(mixed)
    assert exact_sum(values) == exact_sum(mixed)
    assert exact_sum([*values, None]) is None
    assert exact_sum([*values, Decimal("NaN")]) is None


@given(VALUES, VALUES)
def test_the_value_content_is_exact_or_unknown(price, value):
    found = compute_value_content(price, value)
    if price <= 0 or value < 0:
        assert found is None
    else:
        assert found == (to_fraction(price) - to_fraction(value)) / to_fraction(price) * 100


def test_a_summary_is_trimmed():
    assert facts().product.hs6 == "730630"
    summary = ValueStatement(D(100), InputSummary(D(10), (" 7208", "7208 ")))
    assert origin(replace(GOOD, value=summary)).headings == ("7208",)
