"""A product that passes every rule of both marks, and short ways to change one thing about it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from app.schemes.facts import (
    Applicant,
    CostByPlace,
    CostShares,
    Facts,
    InputSummary,
    Material,
    Place,
    ProductFacts,
    Production,
    RawWeight,
    Residency,
    ResidencyState,
    SiteStage,
    Step,
    ValueStatement,
)

AS_OF = date(2026, 11, 22)
D = Decimal

WELD = Step(1, "Welding", "welding", "AZ", "Ağdam", "QARABAG", is_essential=True)
PACK = Step(2, "Packing", "Packing", "AZ", "Ağdam", "QARABAG")
ABROAD = Step(3, "Coating", "coating", "TR", is_essential=True)

GOOD = Facts(
    as_of=AS_OF,
    product=ProductFacts(hs6="730630", name_en="Welded tube", name_az="Qaynaqlı boru"),
    applicant=Applicant(voen="0010000101", name="Nümunə-Boru", legal_form="MMC"),
    place=Place("QARABAG", "Ağdam", "AGDAM-SP"),
    production=Production("AZ", date(2024, 5, 1)),
    residency=Residency(
        ResidencyState.RESIDENT,
        holder_voen="0010000101",
        registration_no="AGSP-R-2021-001",
        starts_on=date(2021, 11, 22),
        stage=SiteStage.OPERATING,
    ),
    value=ValueStatement(
        D(1450), (Material("Coil", "7208", "TR", False, D(830), D(1000)), Material("Wire", "7217", "AZ", True, D(40)))
    ),
    cost=CostByPlace(D(52), D(4), D(44)),
    steps=(WELD, PACK),
    raw_weight=RawWeight(None),
)


def product(**changes):
    return replace(GOOD, product=replace(GOOD.product, **changes))


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
