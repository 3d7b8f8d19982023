"""A product that passes every rule of both marks, and short ways to change one thing about it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from app.schemes.facts import (
    Applicant,
    CostByPlace,
    CostShares,
    Evidence,
    Facts,
    InputSummary,
    Item,
    Material,
    Place,
    ProductFacts,
    Production,
    RawWeight,
    Record,
    Residency,
    ResidencyState,
    SiteStage,
    Step,
    ValueStatement,
    Zone,
)

AS_OF = date(2026, 11, 22)
D = Decimal

WELD = Step(1, "Welding", "welding", "AZ", "Ağdam", "QARABAG", is_essential=True)
PACK = Step(2, "Packing", "Packing", "AZ", "Ağdam", "QARABAG")
ABROAD = Step(3, "Coating", "coating", "TR", is_essential=True)


def item(kind, issued_on=date(2026, 11, 1), valid_until=None, number=None, **values):
    return Item(kind, issued_on, valid_until, number, values)


ITEMS = {
    each.kind: each
    for each in (
        item("tax-status", taxpayer_status="active"),
        item("authority-to-sign", date(2025, 1, 10), basis="director"),
        item("conformity-document", date(2026, 2, 2), date(2029, 2, 1), "T-17"),
        item("background-check", sanctions_match=False, tax_debt=False, open_complaint=False),
        item("resident-project", approved_goods=("7306", "39")),
        item("volume-statement", claimed_volume=D(1000)),
        item("permit", date(2025, 3, 1), date(2027, 2, 28), "E-4"),
        item("ownership-statement", state_share_pct=D(10), state_controlled=False),
        item("origin-document", date(2026, 3, 1), number="AZ 12", form="CT1", hs4="7306"),
        item("municipality-letter", date(2026, 1, 5), number="B-2", municipality="URVA", relation="lives"),
        item("specification-check", result="all_met"),
        item("local-material", local_material_pct=D(90), main_material="wool"),
        item("trademark-search", match="none"),
        item("food-registration", date(2026, 1, 5), date(2030, 1, 4), "AQ-9"),
    )
}

GOOD = Facts(
    as_of=AS_OF,
    product=ProductFacts(hs6="730630", name_en="Welded tube", name_az="Qaynaqlı boru", annual_capacity=D(1000)),
    applicant=Applicant(voen="0010000101", name="Nümunə-Boru", legal_form="MMC"),
    place=Place("QARABAG", "Ağdam", "AGDAM-SP"),
    production=Production("AZ", date(2024, 5, 1)),
    residency=Residency(
        ResidencyState.RESIDENT,
        holder_voen="0010000101",
        registration_no="AGSP-R-2021-001",
        starts_on=date(2021, 11, 22),
        stage=SiteStage.OPERATING,
        confirmed_on=date(2026, 11, 20),
    ),
    value=ValueStatement(
        D(1450), (Material("Coil", "7208", "TR", False, D(830), D(1000)), Material("Wire", "7217", "AZ", True, D(40)))
    ),
    cost=CostByPlace(D(52), D(4), D(44)),
    steps=(WELD, PACK),
    raw_weight=RawWeight(None),
    evidence=Evidence(tuple(ITEMS.values())),
    record=Record(),
    zone=Zone("industrial_park"),
    other_brands=("Qusar bağı",),
)

WORK = Step(1, "Extracting and filtering", "extraction", "AZ", "Qusar", "QUBA-XACMAZ", is_essential=True)
HONEY = replace(
    GOOD,
    product=ProductFacts(
        hs6="040900", name_en="Mountain honey", name_az="Dağ balı", annual_capacity=D(1500), brand="Nümunələr"
    ),
    applicant=Applicant("0010003422", "Nümunə-Urva Balı", "fiziki şəxs"),
    place=Place("QUBA-XACMAZ", "Qusar"),
    residency=Residency(ResidencyState.NONE),
    value=ValueStatement(D(28), (Material("Honey", "0409", "AZ", True, D(10), D(1)),)),
    cost=CostByPlace(D(0), D(100), D(0)),
    steps=(WORK,),
    zone=Zone(None),
)
"""A product that passes every rule of Urva."""


def with_items(*items, facts=GOOD, awaiting=()):
    """The facts with these items in place of those of their kinds; a kind that is only awaited has none."""
    gone = {each.kind for each in items} | set(awaiting)
    rest = tuple(each for each in facts.evidence.confirmed if each.kind not in gone)
    return replace(facts, evidence=Evidence((*items, *rest), frozenset(awaiting)))


def without(*kinds, facts=GOOD):
    rest = tuple(each for each in facts.evidence.confirmed if each.kind not in kinds)
    return replace(facts, evidence=Evidence(rest))


def changed(kind, *, facts=GOOD, awaiting=(), **changes):
    """The facts with one item otherwise: its dates and number, or its values by name."""
    old = ITEMS[kind]
    own = {name: changes.pop(name) for name in ("issued_on", "valid_until", "number") if name in changes}
    new = replace(old, **own, values={**old.values, **changes})
    items = tuple(new if each.kind == kind else each for each in facts.evidence.confirmed)
    return replace(facts, evidence=Evidence(items, frozenset(awaiting)))


def unlooked(facts=GOOD):
    """What a call cannot carry: no evidence at all, no past, no zone, no brands."""
    return replace(facts, evidence=None, record=None, zone=None, other_brands=None)


def product(facts=GOOD, **changes):
    return replace(facts, product=replace(facts.product, **changes))


def residency(**changes):
    return replace(GOOD, residency=replace(GOOD.residency, **changes))


def inputs(ex_works, non_originating, *headings, hs6="730630"):
    summary = InputSummary(non_originating and D(non_originating), headings)
    return replace(product(hs6=hs6), value=ValueStatement(ex_works and D(ex_works), summary))


def shares(karabakh, azerbaijan=None):
    return replace(GOOD, cost=CostShares(karabakh and D(karabakh), azerbaijan and D(azerbaijan)))


def steps(*these):
    return replace(GOOD, steps=these)


def jam(local, hs6="200799"):
    """Food with a stated share of raw material, from a bill that is only summed up."""
    facts = inputs("3900", "700", "1701", hs6=hs6)
    return replace(facts, raw_weight=RawWeight(local and D(local)))


def jam_of(*materials):
    return replace(product(hs6="200799"), value=ValueStatement(D(3900), materials))
