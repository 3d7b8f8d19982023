"""Build the facts of one case: what the case names, and passing values for everything else (`case_table.py`).

Raises `Wrong` for impossible values (see `case_values.py`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.cli.rules.case_evidence import MEMBER, REGISTRATION, proof, read_evidence, read_record
from app.cli.rules.case_values import (
    APPLICANT,
    CAPACITY,
    CLAIM,
    COUNTRY_AND_DISTRICT,
    DECLARATION,
    GROUPS,
    INPUTS,
    LINE,
    PAST,
    PRODUCT,
    RESIDENCY,
    SHARES,
    SITE,
    SITE_MEMBERS,
    STEP,
    VISIT,
    VOLUMES,
    CaseBasis,
    Table,
    at,
    day,
    district,
    figure,
    flag_word,
    list_of,
    one,
    one_of,
    read_all,
    tables,
    text,
)
from app.reference.territory import country_codes, load_territory
from app.schemes import facts
from app.schemes.closed_lists import OperationClass, load_lists
from app.schemes.facts import Cost, CostPlace, Evidence, EvidenceItem, Facts, Material, Step, ValueBasis
from app.schemes.rules.capacity import CapacityRule
from app.schemes.ruleset import Ruleset

DAY = date(2026, 12, 1)
VOEN = "0010000101"
LEAST_OTHER_COST = Decimal("0.01")


def build(given: Table, ruleset: Ruleset) -> Facts:
    """Build the facts of a case. Raises `Wrong`."""
    on = one(day, given["day"], "facts.day") if "day" in given else DAY
    if on is None:
        raise at("facts.day", "a case has a day.")
    site = read_site(given)
    base = CaseBasis(given, ruleset, one(text, given.get("hs", "730630"), "facts.hs"), on, site.get("district", SITE))
    exw = one(figure, given.get("exw", "1000"), "facts.exw")
    steps = read_steps(base)
    proofs: list[EvidenceItem] = []
    applicant = facts.Applicant(VOEN, "Sample (fictional)", "MMC", "small")
    applicant = replace(applicant, **read_all(given.get("applicant", {}), APPLICANT, "facts.applicant"))
    lines = tuple(read_line(number, entry, base, proofs) for number, entry in enumerate(entries_of_lines(base, exw)))
    documents = (*proofs, *read_record(base, steps), *read_evidence(base))
    made = Facts(
        as_of=on,
        product=read_product(base),
        applicant=applicant,
        place=facts.Place(
            site.get("region", load_territory().region_of(base.site)),
            base.site,
            site.get("park", "AGDAM-SP" if base.site == SITE else None),
        ),
        production=facts.ProductionFacts(site.get("country", "AZ"), site.get("started_on", date(2024, 5, 1))),
        residency=read_residency(given, applicant, on),
        value=facts.ValueStatement(exw, read_inputs(given, lines)),
        cost=read_cost(base, steps, lines, exw),
        steps=steps,
        raw_weight=facts.RawWeight(one(figure, given.get("raw_local_pct", ""), "facts.raw_local_pct")),
        submitted_on=one(day, given.get("submitted_on", ""), "facts.submitted_on"),
        evidence=Evidence(documents),
        record=read_past(given),
        zone=facts.ZoneFacts(site.get("zone", "industrial_park")),
        other_brands=one(list_of(text), given.get("other_brands", []), "facts.other_brands"),
        volumes=read_volumes(base),
        declaration=replace(
            facts.DeclarationFacts("hash", "2026.1", "hash", "2026.1", on, MEMBER, "Aysel Nümunə"),
            **read_all(given.get("declaration", {}), DECLARATION, "facts.declaration"),
        ),
        visit=facts.VisitFacts(
            **{"certificate_in_force": None} | read_all(given.get("visit", {}), VISIT, "facts.visit")
        ),
    )
    absent = one(list_of(one_of(*GROUPS)), given.get("absent", []), "facts.absent")
    gone: dict[str, Any] = dict.fromkeys(absent)
    return replace(made, **gone)


def read_site(given: Table) -> dict[str, Any]:
    entry = given.get("site", SITE)
    if isinstance(entry, str):
        return {"district": one(district, entry, "facts.site")}
    return read_all(entry, SITE_MEMBERS, "facts.site")


def read_product(base: CaseBasis) -> facts.ProductFacts:
    own = read_all(base.given.get("product", {}), PRODUCT, "facts.product")
    flags = one(list_of(flag_word), base.given.get("flags", []), "facts.flags")
    made = facts.ProductFacts(hs6=base.hs6, name_en="Sample product", name_az="Nümunə məhsul", unit="t")
    return replace(made, **own | {"flags": frozenset((*flags, *own.get("flags", ())))})


def read_residency(given: Table, applicant: facts.Applicant, on: date) -> facts.Residency:
    made = facts.Residency(
        facts.ParkResidencyStatus.RESIDENT,
        holder_voen=applicant.voen,
        registration_no=REGISTRATION,
        starts_on=date(2021, 11, 22),
        stage=facts.SiteStage.OPERATING,
        confirmed_on=on,
    )
    return replace(made, **read_all(given.get("residency", {}), RESIDENCY, "facts.residency"))


def read_past(given: Table) -> facts.HistoryFacts:
    past = []
    for number, entry in enumerate(tables(given.get("past", []), "facts.past")):
        place = f"facts.past[{number}]"
        own = {"same_product": False, "reason": None} | read_all(entry, PAST, place)
        if own.get("on") is None:
            raise at(place, "`on` is needed: the day of the revocation or surrender.")
        past.append(facts.PastCertificate(**own))
    return facts.HistoryFacts(tuple(past))


def read_volumes(base: CaseBasis) -> facts.VolumeFacts:
    entry = read_all(base.given.get("volumes", {}), VOLUMES, "facts.volumes")
    claims, capacities = [], []
    for number, each in enumerate(tables(entry.pop("claims", [{}]), "facts.volumes.claims")):
        own = read_all(each, CLAIM, f"facts.volumes.claims[{number}]")
        usual: dict[str, Any] = {
            "product": f"product-{number + 1}",
            "volume": usual_volume(base),
            "unit": "t",
            "own": number == 0,
        }
        claims.append(facts.VolumeClaim(**usual | own))
    for number, each in enumerate(tables(entry.pop("capacities", [{}]), "facts.volumes.capacities")):
        own = read_all(each, CAPACITY, f"facts.volumes.capacities[{number}]")
        most: dict[str, Any] = {"unit": "t", "per_year": Decimal(1000)}
        capacities.append(facts.SiteCapacity(**most | own))
    return facts.VolumeFacts(tuple(claims), tuple(capacities), **entry)


def usual_volume(base: CaseBasis) -> Decimal:
    caps = [cap for rule in base.ruleset.rules if isinstance(rule, CapacityRule) for cap in rule.caps]
    return next((cap.most for cap in caps if base.hs6 and base.hs6.startswith(cap.codes)), Decimal(1000))


# Materials and their proofs


def entries_of_lines(base: CaseBasis, exw: Decimal | None) -> list[Any]:
    if "lines" in base.given:
        return tables(base.given["lines"], "facts.lines")
    # One foreign material of another heading: a change of heading.
    heading = "7208" if not (base.hs6 or "").startswith("7208") else "2601"
    value = (exw if exw is not None and exw > 0 else Decimal(1000)) * Decimal("0.4")
    return [{"hs4": heading, "from": "TR", "value": value, "kg": "1"}]


def read_inputs(given: Table, lines: tuple[Material, ...]) -> tuple[Material, ...] | facts.InputSummary:
    if "inputs" not in given:
        return lines
    entry = read_all(given["inputs"], INPUTS, "facts.inputs")
    return facts.InputSummary(entry.get("value"), entry.get("headings", ()))


def read_line(number: int, entry: Any, base: CaseBasis, proofs: list[EvidenceItem]) -> Material:
    own = read_all(entry, LINE, f"facts.lines[{number}]")
    basis = own.get("basis", ValueBasis.DOMESTIC if own.get("from") == "AZ" else ValueBasis.CIF)
    listed = tuple(name for name in own.get("proofs", ()) if name)
    if "proof" in own:
        document = proof(number, own, base, own_make=basis is ValueBasis.OWN)
        listed = (*listed, document.id)
        if "proof_product" not in own:  # a proof of another product is not within the scope of this one
            proofs.append(document)
    return Material(
        name=own.get("name") or f"Material {number + 1}",
        hs4=own.get("hs4"),
        origin_country=own.get("from"),
        claim=own.get("claim"),
        value=own.get("value", Decimal(10) if "kg" in own else None),
        weight_kg=own.get("kg"),
        origin_district=own.get("at"),
        origin_region=load_territory().region_of(own.get("at")),
        basis=basis,
        packing=own.get("packing", False),
        supplier=own.get("supplier"),
        proofs=listed,
    )


# Steps and costs


def read_steps(base: CaseBasis) -> tuple[Step, ...]:
    usual = [{"op": operation_for(base.hs6), "at": base.site or SITE}]
    entries = tables(base.given.get("steps", usual), "facts.steps")
    return tuple(read_step(number, entry) for number, entry in enumerate(entries))


def read_step(number: int, entry: Any) -> Step:
    place = f"facts.steps[{number}]"
    own = read_all(entry, STEP, place)
    where = own.get("at")
    abroad = where in country_codes()
    try:
        named = None if abroad else district(where or "")
    except ValueError as why:
        raise at(f"{place}.at", f"{why} A step is at {COUNTRY_AND_DISTRICT}.") from why
    home = "AZ" if where else None
    return Step(
        seq=own.get("seq", number + 1),
        name=own.get("op") or "?",
        operation=own.get("op"),
        country=where if abroad else home,
        district=named,
        economic_region=load_territory().region_of(named),
        subcontractor="Sample Subcontractor (fictional)" if own.get("sub") else None,
        is_essential=own.get("essential", True),
    )


def operation_for(hs6: str | None) -> str:
    """Return an operation that is substantial for these goods and claims no own production."""
    for operation in load_lists().operations.values():
        if operation.class_for_code(hs6, load_lists()) is OperationClass.SUBSTANTIAL and not operation.is_of_nature:
            return operation.code
    return "other processing"


def read_cost(
    base: CaseBasis, steps: Sequence[Step], lines: Sequence[Material], exw: Decimal | None
) -> facts.CostStatement | facts.CostShares:
    given = base.given
    if "shares" in given:
        own = read_all(given["shares"], SHARES, "facts.shares")
        return facts.CostShares(own.get("karabakh_pct"), own.get("azerbaijan_pct"))
    stated = [Cost("materials", place, each) for place, each in by_place(given.get("stated", {}), "facts.stated")]
    if "costs" in given:
        # Without steps, a place is named for its cost alone: its step passes.
        kind = "labour" if "steps" in given else "other"
        others = [Cost(kind, place, each) for place, each in by_place(given["costs"], "facts.costs")]
        return facts.CostStatement((*others, *stated))
    spent = sum((line.value or Decimal(0) for line in lines), start=Decimal(0))
    rest = max((exw or Decimal(0)) - spent, Decimal(0)) * Decimal("0.9") or LEAST_OTHER_COST
    places = {place_of(step, base.ruleset) for step in steps} or {CostPlace.KARABAKH}
    return facts.CostStatement((*(Cost("labour", place, rest / len(places)) for place in sorted(places)), *stated))


def by_place(entry: Any, place: str) -> list[tuple[CostPlace, Decimal | None]]:
    own = read_all(entry, dict.fromkeys((each.value for each in CostPlace), figure), place)
    return [(CostPlace(name), each) for name, each in own.items()]


def place_of(step: Step, ruleset: Ruleset) -> CostPlace:
    if step.country != "AZ":
        return CostPlace.ABROAD
    inside = step.economic_region is None or step.economic_region in ruleset.origin.karabakh_regions
    return CostPlace.KARABAKH if inside else CostPlace.AZ_OTHER
