"""The facts of one case of a table: what the case names, and everything else in order (see `rule_cases.py`).

Whatever cannot be right in a case raises `Wrong` with its place in the case and what may stand there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from typing import Any

from app.registry.geography import countries
from app.registry.territory import territory
from app.schemes import facts as f
from app.schemes.days import months_earlier, months_later
from app.schemes.evidence_kinds import FINDING_CLASSES, EvidenceKind, Need, ValueSpec, ValueType, as_facts, as_kept
from app.schemes.evidence_kinds import kinds as evidence_kinds
from app.schemes.facts import Basis, Cost, CostPlace, Evidence, Facts, Item, ItemValue, Material, Step, Subject
from app.schemes.figures import MAX_DIGITS, MAX_MAGNITUDE
from app.schemes.lists import OperationClass, lists
from app.schemes.rules import AnyRule
from app.schemes.rules.capacity import CapacityRule
from app.schemes.rules.condition import ConditionRule
from app.schemes.rules.evidence import EvidenceRule
from app.schemes.rules.names import NamesRule
from app.schemes.rules.share import ShareRule
from app.schemes.rules.territory import TerritoryRule
from app.schemes.ruleset import Ruleset

DAY = date(2026, 12, 1)
SITE = "Ağdam"
VOEN = "0010000101"
MEMBER = "member-1"
REGISTRATION = "AGSP-R-2021-001"
SUPPLIER = "Sample Supplier (fictional)"
SUBJECTS = {"company": Subject.COMPANY, "site": Subject.SITE, "product": Subject.PRODUCT, "lot": Subject.LOT}
PROOF_STATES = ("uploaded", "confirmed")
PROOF_KINDS = ("supplier-declaration", "origin-document", "production-record", "grower-letter")
RECORD_KINDS = ("production-record", "grower-letter")
SIZES = ("micro", "small", "medium", "large")
COST_KINDS = ("labour", "energy", "depreciation", "research", "quality", "other")
LEAST_OTHER_COST = Decimal("0.01")

Table = Mapping[str, Any]
Read = Callable[[Any], Any]


class Wrong(ValueError):
    """What cannot be right in a case, with its place: `facts.lines[0].value: …`."""


def at(place: str, detail: str) -> Wrong:
    return Wrong(f"{place}: {detail}")


# Reading single values. An empty text is a fact that is not known.


def text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise TypeError("this is text.")
    return value or None


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("this is true or false.")
    return value


def day(value: Any) -> date | None:
    if value == "":
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{str(value)!r} is no day such as 2026-12-01.") from None


def figure(value: Any) -> Decimal | None:
    if value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise TypeError(f"{value!r} is no figure such as 830 or “12.5”.")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no figure such as 830 or “12.5”.") from None
    if not number.is_finite():
        raise ValueError("this is no finite figure.")
    if len(number.as_tuple().digits) > MAX_DIGITS or (number and abs(number.adjusted()) > MAX_MAGNITUDE):
        raise ValueError("this figure is beyond all sense.")
    return number


def needed_figure(value: Any) -> Decimal:
    number = figure(value)
    if number is None:
        raise ValueError("a figure is needed here.")
    return number


def country(value: Any) -> str | None:
    name = text(value)
    if name is not None and name not in countries():
        raise ValueError(f"{name!r} is no country code of two capital letters (ISO 3166-1).")
    return name


def district(value: Any) -> str | None:
    name = text(value)
    if name is None:
        return None
    found = territory().district(name)
    if found is None:
        close = get_close_matches(name, [each.name for each in territory().districts], n=3)
        hint = f" Is {' or '.join(close)} meant?" if close else ""
        raise ValueError(f"{name!r} is no district of Azerbaijan.{hint}")
    return found.name


def one_of(*words: str) -> Read:
    def read(value: Any) -> str:
        if value not in words or not isinstance(value, str):
            raise ValueError(f"{value!r} is none of: {', '.join(words)}.")
        return value

    return read


def member_of(kind: type[StrEnum]) -> Read:
    def read(value: Any) -> StrEnum | None:
        if value == "":
            return None
        return kind(one_of(*(each.value for each in kind))(value))

    return read


def list_of(read: Read) -> Read:
    def each(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError("this is a list.")
        return tuple(read(entry) for entry in value)

    return each


def unit(value: Any) -> str | None:
    name = text(value)
    found = lists().unit(name)
    if name is not None and found is None:
        raise ValueError(f"{name!r} is no unit of the list: {', '.join(lists().units)}.")
    return found


def flag_word(value: Any) -> str:
    name = text(value) or ""
    if name not in lists().flags and not name.startswith("joint_production_"):
        raise ValueError(f"{name!r} is no flag of the list: {', '.join(lists().flags)}.")
    return name


COUNTRY_AND_DISTRICT = "a country code or a district"
LINE: Mapping[str, Read] = {
    "name": text,
    "hs4": text,
    "from": country,
    "value": figure,
    "kg": figure,
    "claim": flag,
    "packing": flag,
    "basis": member_of(Basis),
    "supplier": text,
    "at": district,
    "proofs": list_of(text),
    "proof": one_of(*PROOF_STATES),
    "proof_kind": one_of(*PROOF_KINDS),
    "proof_hs4": text,
    "proof_from": country,
    "proof_supplier": text,
    "proof_product": lambda value: value,
    "proof_at": district,
    "proof_issued": day,
    "proof_begins": day,
    "proof_until": day,
}
STEP: Mapping[str, Read] = {"op": text, "at": text, "essential": flag, "sub": lambda value: value, "seq": int}
APPLICANT: Mapping[str, Read] = {"voen": text, "name": text, "legal_form": text, "size_class": one_of("", *SIZES)}
PRODUCT: Mapping[str, Read] = {
    "name_en": text,
    "name_az": text,
    "other_names": list_of(text),
    "brand": text,
    "unit": unit,
    "flags": list_of(flag_word),
    "partner_countries": list_of(country),
}
RESIDENCY: Mapping[str, Read] = {
    "status": member_of(f.ResidencyState),
    "holder_voen": text,
    "registration_no": text,
    "starts_on": day,
    "ends_on": day,
    "cancelled_on": day,
    "stage": member_of(f.SiteStage),
    "confirmed_on": day,
}
SITE_MEMBERS: Mapping[str, Read] = {
    "district": district,
    "region": text,
    "park": text,
    "country": country,
    "zone": text,
    "started_on": day,
}
PAST: Mapping[str, Read] = {
    "on": day,
    "reason": text,
    "same_product": flag,
    "alike": flag,
    "company": text,
    "ground": text,
    "surrendered": flag,
}
CLAIM: Mapping[str, Read] = {"product": text, "volume": needed_figure, "unit": unit, "own": flag}
CAPACITY: Mapping[str, Read] = {"unit": unit, "per_year": needed_figure, "line": text}
VOLUMES: Mapping[str, Read] = {
    "claims": lambda value: value,
    "capacities": lambda value: value,
    "claim_awaits": flag,
    "capacity_awaits": flag,
}
DECLARATION: Mapping[str, Read] = {
    "declared_hash": text,
    "text_version": text,
    "made_hash": text,
    "made_text_version": text,
    "made_on": day,
    "made_by": text,
    "made_by_name": text,
}
VISIT: Mapping[str, Read] = {"certificate_in_force": text, "waived_because": text}
INPUTS: Mapping[str, Read] = {"value": figure, "headings": list_of(text)}
SHARES: Mapping[str, Read] = {"karabakh_pct": figure, "azerbaijan_pct": figure}
PAPER: Mapping[str, Read] = {
    "id": text,
    "issued_on": day,
    "valid_until": day,
    "number": text,
    "confirmed": flag,
    "subject": one_of("none", *SUBJECTS),
}
GROUPS = (
    "applicant",
    "place",
    "production",
    "residency",
    "value",
    "cost",
    "steps",
    "raw_weight",
    "evidence",
    "record",
    "zone",
    "other_brands",
    "volumes",
    "declaration",
    "visit",
)
FACTS = (
    "hs", "hs_each", "exw", "flags", "site", "day", "submitted_on", "scheme", "params", "lines", "record",
    "record_kind", "record_at", "record_until", "steps", "costs", "stated", "evidence", "applicant", "product",
    "residency", "past", "volumes", "declaration", "visit", "other_brands", "inputs", "shares", "raw_local_pct",
    "absent",
)  # fmt: skip


def known(entry: Any, members: Iterable[str], place: str) -> Table:
    """The table, once it has only members that are known."""
    if not isinstance(entry, Mapping):
        raise at(place, "this is a table.")
    names = tuple(members)
    if unknown := next((name for name in entry if name not in names), None):
        raise at(place, f"there is no {unknown!r}; there are: {', '.join(names)}.")
    return entry


def read_all(entry: Any, members: Mapping[str, Read], place: str) -> dict[str, Any]:
    """Every member of the table, read."""
    return {name: one(members[name], value, f"{place}.{name}") for name, value in known(entry, members, place).items()}


def one(read: Read, value: Any, place: str) -> Any:
    try:
        return read(value)
    except Wrong:
        raise
    except (TypeError, ValueError) as why:
        raise at(place, str(why)) from why


def tables(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise at(place, "this is a list of tables.")
    return value


def check_facts(entry: Any) -> Table:
    """That the facts are a table of known members; what they say is looked at when they are built."""
    return known(entry, FACTS, "facts")


@dataclass(frozen=True, slots=True)
class _Base:
    """What many of the facts follow from."""

    given: Table
    ruleset: Ruleset
    hs6: str | None
    day: date
    site: str | None


def build(given: Table, ruleset: Ruleset) -> Facts:
    """The facts of a case; raises `Wrong`."""
    on = one(day, given["day"], "facts.day") if "day" in given else DAY
    if on is None:
        raise at("facts.day", "a case has a day.")
    site = read_site(given)
    base = _Base(given, ruleset, one(text, given.get("hs", "730630"), "facts.hs"), on, site.get("district", SITE))
    exw = one(figure, given.get("exw", "1000"), "facts.exw")
    steps = read_steps(base)
    proofs: list[Item] = []
    applicant = f.Applicant(VOEN, "Sample (fictional)", "MMC", "small")
    applicant = replace(applicant, **read_all(given.get("applicant", {}), APPLICANT, "facts.applicant"))
    lines = tuple(read_line(number, entry, base, proofs) for number, entry in enumerate(entries_of_lines(base, exw)))
    papers = (*proofs, *read_record(base, steps), *read_evidence(base))
    made = Facts(
        as_of=on,
        product=read_product(base),
        applicant=applicant,
        place=f.Place(
            site.get("region", territory().region_of(base.site)),
            base.site,
            site.get("park", "AGDAM-SP" if base.site == SITE else None),
        ),
        production=f.Production(site.get("country", "AZ"), site.get("started_on", date(2024, 5, 1))),
        residency=read_residency(given, applicant, on),
        value=f.ValueStatement(exw, read_inputs(given, lines)),
        cost=read_cost(base, steps, lines, exw),
        steps=steps,
        raw_weight=f.RawWeight(one(figure, given.get("raw_local_pct", ""), "facts.raw_local_pct")),
        submitted_on=one(day, given.get("submitted_on", ""), "facts.submitted_on"),
        evidence=Evidence(papers),
        record=read_past(given),
        zone=f.Zone(site.get("zone", "industrial_park")),
        other_brands=one(list_of(text), given.get("other_brands", []), "facts.other_brands"),
        volumes=read_volumes(base),
        declaration=replace(
            f.DeclarationFacts("hash", "2026.1", "hash", "2026.1", on, MEMBER, "Aysel Nümunə"),
            **read_all(given.get("declaration", {}), DECLARATION, "facts.declaration"),
        ),
        visit=f.VisitFacts(**{"certificate_in_force": None} | read_all(given.get("visit", {}), VISIT, "facts.visit")),
    )
    absent = one(list_of(one_of(*GROUPS)), given.get("absent", []), "facts.absent")
    gone: dict[str, Any] = dict.fromkeys(absent)
    return replace(made, **gone)


def read_site(given: Table) -> dict[str, Any]:
    entry = given.get("site", SITE)
    if isinstance(entry, str):
        return {"district": one(district, entry, "facts.site")}
    return read_all(entry, SITE_MEMBERS, "facts.site")


def read_product(base: _Base) -> f.ProductFacts:
    own = read_all(base.given.get("product", {}), PRODUCT, "facts.product")
    flags = one(list_of(flag_word), base.given.get("flags", []), "facts.flags")
    made = f.ProductFacts(hs6=base.hs6, name_en="Sample product", name_az="Nümunə məhsul", unit="t")
    return replace(made, **own | {"flags": frozenset((*flags, *own.get("flags", ())))})


def read_residency(given: Table, applicant: f.Applicant, on: date) -> f.Residency:
    made = f.Residency(
        f.ResidencyState.RESIDENT,
        holder_voen=applicant.voen,
        registration_no=REGISTRATION,
        starts_on=date(2021, 11, 22),
        stage=f.SiteStage.OPERATING,
        confirmed_on=on,
    )
    return replace(made, **read_all(given.get("residency", {}), RESIDENCY, "facts.residency"))


def read_past(given: Table) -> f.Record:
    past = []
    for number, entry in enumerate(tables(given.get("past", []), "facts.past")):
        place = f"facts.past[{number}]"
        own = {"same_product": False, "reason": None} | read_all(entry, PAST, place)
        if own.get("on") is None:
            raise at(place, "`on` is needed: the day of the revocation or surrender.")
        past.append(f.PastCertificate(**own))
    return f.Record(tuple(past))


def read_volumes(base: _Base) -> f.Volumes:
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
        claims.append(f.VolumeClaim(**usual | own))
    for number, each in enumerate(tables(entry.pop("capacities", [{}]), "facts.volumes.capacities")):
        own = read_all(each, CAPACITY, f"facts.volumes.capacities[{number}]")
        most: dict[str, Any] = {"unit": "t", "per_year": Decimal(1000)}
        capacities.append(f.SiteCapacity(**most | own))
    return f.Volumes(tuple(claims), tuple(capacities), **entry)


def usual_volume(base: _Base) -> Decimal:
    caps = [cap for rule in base.ruleset.rules if isinstance(rule, CapacityRule) for cap in rule.caps]
    return next((cap.most for cap in caps if base.hs6 and base.hs6.startswith(cap.codes)), Decimal(1000))


# Materials and their proofs


def entries_of_lines(base: _Base, exw: Decimal | None) -> list[Any]:
    if "lines" in base.given:
        return tables(base.given["lines"], "facts.lines")
    # One foreign material of another heading: a change of heading.
    heading = "7208" if not (base.hs6 or "").startswith("7208") else "2601"
    value = (exw if exw is not None and exw > 0 else Decimal(1000)) * Decimal("0.4")
    return [{"hs4": heading, "from": "TR", "value": value, "kg": "1"}]


def read_inputs(given: Table, lines: tuple[Material, ...]) -> tuple[Material, ...] | f.InputSummary:
    if "inputs" not in given:
        return lines
    entry = read_all(given["inputs"], INPUTS, "facts.inputs")
    return f.InputSummary(entry.get("value"), entry.get("headings", ()))


def read_line(number: int, entry: Any, base: _Base, proofs: list[Item]) -> Material:
    own = read_all(entry, LINE, f"facts.lines[{number}]")
    basis = own.get("basis", Basis.DOMESTIC if own.get("from") == "AZ" else Basis.CIF)
    listed = tuple(name for name in own.get("proofs", ()) if name)
    if "proof" in own:
        paper = proof(number, own, base, own_make=basis is Basis.OWN)
        listed = (*listed, paper.id)
        if "proof_product" not in own:  # of another product: not within the scope of this one
            proofs.append(paper)
    return Material(
        name=own.get("name") or f"Material {number + 1}",
        hs4=own.get("hs4"),
        origin_country=own.get("from"),
        claim=own.get("claim"),
        value=own.get("value", Decimal(10) if "kg" in own else None),
        weight_kg=own.get("kg"),
        origin_district=own.get("at"),
        origin_region=territory().region_of(own.get("at")),
        basis=basis,
        packing=own.get("packing", False),
        supplier=own.get("supplier"),
        proofs=listed,
    )


def proof(number: int, own: Table, base: _Base, *, own_make: bool) -> Item:
    confirmed = own["proof"] == "confirmed"
    heading = own.get("proof_hs4", own.get("hs4")) or ""
    kind = own.get("proof_kind", "production-record" if own_make else "supplier-declaration")
    name, until = f"proof-{number}", own.get("proof_until")
    if kind in RECORD_KINDS:
        where = own.get("proof_at", base.site)
        return season_record(name, heading, where, base.day, confirmed=confirmed, until=until, kind=kind)
    issued = own.get("proof_issued", months_earlier(base.day, 6))
    values: dict[str, ItemValue] = {"hs4": heading, "country": own.get("proof_from", own.get("from")) or "AZ"}
    if kind == "supplier-declaration":
        values["supplier"] = own.get("proof_supplier") or own.get("supplier") or SUPPLIER
        values["period_from"] = own.get("proof_begins", months_earlier(base.day, 6))
        values["period_until"] = until or months_later(base.day, 12)
    else:
        values |= {"about": "material", "form": "GENERAL"}
    if named := own.get("proof_at"):
        values |= {"district": named, "region": territory().region_of(named) or ""}
    ends = until if kind == "origin-document" else None
    return Item(kind, issued, ends, "N-1", values, id=name, subject=Subject.PRODUCT, confirmed=confirmed)


def read_record(base: _Base, steps: Sequence[Step]) -> list[Item]:
    """The record of own produce that is not listed."""
    given = base.given
    if "record" not in given:
        return []
    state = one(one_of(*PROOF_STATES), given["record"], "facts.record")
    where = next((step.district for step in steps if step.district), base.site)
    where = one(district, given["record_at"], "facts.record_at") if "record_at" in given else where
    until = one(day, given.get("record_until", ""), "facts.record_until")
    kind = one(one_of(*RECORD_KINDS), given.get("record_kind", RECORD_KINDS[0]), "facts.record_kind")
    heading = (base.hs6 or "")[:4]
    return [season_record("record", heading, where, base.day, confirmed=state == "confirmed", until=until, kind=kind)]


def season_record(
    name: str, heading: str, where: str | None, on: date, *, confirmed: bool, until: date | None, kind: str
) -> Item:
    end = until or months_earlier(on, 2)
    values: dict[str, ItemValue] = {
        "headings": (heading,),
        "district": where or "",
        "region": territory().region_of(where) or "",
        "season_from": months_earlier(end, 11),
        "season_until": end,
        "quantity": "1000 kg",
        "ground": "field",
    }
    return Item(kind, min(end, on), values=values, id=name, subject=Subject.SITE, confirmed=confirmed)


# Steps and costs


def read_steps(base: _Base) -> tuple[Step, ...]:
    usual = [{"op": operation_for(base.hs6), "at": base.site or SITE}]
    entries = tables(base.given.get("steps", usual), "facts.steps")
    return tuple(read_step(number, entry) for number, entry in enumerate(entries))


def read_step(number: int, entry: Any) -> Step:
    place = f"facts.steps[{number}]"
    own = read_all(entry, STEP, place)
    where = own.get("at")
    abroad = where in countries()
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
        economic_region=territory().region_of(named),
        subcontractor="Sample Subcontractor (fictional)" if own.get("sub") else None,
        is_essential=own.get("essential", True),
    )


def operation_for(hs6: str | None) -> str:
    """An operation that is substantial for these goods and claims no own produce."""
    for operation in lists().operations.values():
        if operation.class_for(hs6, lists()) is OperationClass.SUBSTANTIAL and not operation.of_nature:
            return operation.code
    return "other processing"


def read_cost(
    base: _Base, steps: Sequence[Step], lines: Sequence[Material], exw: Decimal | None
) -> f.CostStatement | f.CostShares:
    given = base.given
    if "shares" in given:
        own = read_all(given["shares"], SHARES, "facts.shares")
        return f.CostShares(own.get("karabakh_pct"), own.get("azerbaijan_pct"))
    stated = [Cost("materials", place, each) for place, each in by_place(given.get("stated", {}), "facts.stated")]
    if "costs" in given:
        # Without steps a place is named for its cost alone: its step is in order.
        kind = "labour" if "steps" in given else "other"
        others = [Cost(kind, place, each) for place, each in by_place(given["costs"], "facts.costs")]
        return f.CostStatement((*others, *stated))
    spent = sum((line.value or Decimal(0) for line in lines), start=Decimal(0))
    rest = max((exw or Decimal(0)) - spent, Decimal(0)) * Decimal("0.9") or LEAST_OTHER_COST
    places = {place_of(step, base.ruleset) for step in steps} or {CostPlace.KARABAKH}
    return f.CostStatement((*(Cost("labour", place, rest / len(places)) for place in sorted(places)), *stated))


def by_place(entry: Any, place: str) -> list[tuple[CostPlace, Decimal | None]]:
    own = read_all(entry, dict.fromkeys((each.value for each in CostPlace), figure), place)
    return [(CostPlace(name), each) for name, each in own.items()]


def place_of(step: Step, ruleset: Ruleset) -> CostPlace:
    if step.country != "AZ":
        return CostPlace.ABROAD
    inside = step.economic_region is None or step.economic_region in ruleset.origin.karabakh_regions
    return CostPlace.KARABAKH if inside else CostPlace.AZ_OTHER


# Evidence


def read_evidence(base: _Base) -> Iterator[Item]:
    """One confirmed document of each kind that a rule reads, saying what passes; and those that the case names."""
    entries = known(base.given.get("evidence", {}), evidence_kinds(), "facts.evidence")
    read = dict.fromkeys(kind for rule in base.ruleset.rules for kind in kinds_read(rule))
    for code in dict.fromkeys((*read, *entries)):
        entry = entries.get(code, {})
        if entry == "none":
            continue
        several = entry if isinstance(entry, list) else [entry]
        for number, each in enumerate(several):
            place = f"facts.evidence.{code}" + (f"[{number}]" if isinstance(entry, list) else "")
            yield read_paper(evidence_kinds()[code], number, each, base, place)


def kinds_read(rule: AnyRule) -> tuple[str, ...]:
    return () if rule.kind == "origin" else rule.evidence_kinds()


def read_paper(kind: EvidenceKind, number: int, entry: Any, base: _Base, place: str) -> Item:
    known(entry, (*PAPER, *(name for name in kind.values if name not in PAPER)), place)
    own = {name: one(PAPER[name], value, f"{place}.{name}") for name, value in entry.items() if name in PAPER}
    values = {name: value_in_order(kind, name, base) for name in kind.values}
    for name, spec in kind.values.items():
        if name in entry and name not in PAPER:
            values[name] = one(partial(value_of, kind, spec), entry[name], f"{place}.{name}")
    if values.get("district") and "region" not in values:
        values["region"] = territory().region_of(str(values["district"]))
    scope = SUBJECTS.get(own.get("subject", kind.scope.value), Subject.COMPANY)
    return Item(
        kind.code,
        own.get("issued_on", base.day) if "issued_on" in own or kind.issued_on is not Need.NONE else base.day,
        own.get("valid_until"),
        own.get("number", "N-1" if kind.number is not Need.NONE else None),
        {name: value for name, value in values.items() if value is not None},
        id=own.get("id") or (f"{kind.code}-{number}" if number else kind.code),
        subject=None if own.get("subject") == "none" else scope,
        confirmed=own.get("confirmed", True),
    )


def value_of(kind: EvidenceKind, spec: ValueSpec, value: Any) -> ItemValue | None:
    """A value that a case gives a document, as rules see it; an empty text is one that the document lacks."""
    if value == "":
        return None
    if spec.type is ValueType.FINDINGS:
        return tuple(list_of(one_of(*FINDING_CLASSES))(value))
    if spec.type is ValueType.MEMBER:
        return text(value)
    if spec.type is ValueType.DISTRICT:
        return district(value)
    if spec.type is ValueType.DATE:
        return day(value)
    name = next(name for name, each in kind.values.items() if each is spec)
    return as_facts(kind, {name: as_kept(spec, value)})[name]


def value_in_order(kind: EvidenceKind, name: str, base: _Base) -> ItemValue | None:
    """A value that lets every rule of the ruleset pass."""
    spec = kind.values[name]
    for rule in base.ruleset.rules:
        if kind.code in rule.evidence_kinds() and (found := wanted_by(rule, base.ruleset, kind.code, name)) is not None:
            return found
    special = {"signer": MEMBER, "registration_no": REGISTRATION, "about": "product"}
    if name in special:
        return special[name]
    if kind.code == "cost-statement" and name.startswith(("materials_", "other_")):
        return None
    by_type: dict[ValueType, ItemValue | None] = {
        ValueType.FLAG: name == "signed",
        ValueType.PERCENTAGE: Decimal(0),
        ValueType.QUANTITY: Decimal(1000),
        ValueType.COUNT: Decimal(3),
        ValueType.GOODS: ((base.hs6 or "73")[:2],),
        ValueType.HEADING: (base.hs6 or "7306")[:4],
        ValueType.COUNTRY: "AZ",
        ValueType.DISTRICT: base.site,
        ValueType.DATE: base.day,
        ValueType.UNIT: "t",
        ValueType.VOEN: None,
        ValueType.FINDINGS: (),
        ValueType.CHOICE: next(iter(spec.choices), None),
    }
    return by_type.get(spec.type, "sample")


def wanted_by(rule: AnyRule, ruleset: Ruleset, kind: str, name: str) -> ItemValue | None:  # noqa: PLR0911 (one return for each kind)
    """The value of the document with which this rule passes; None where it does not read it, or takes any."""
    if isinstance(rule, EvidenceRule):
        if name == rule.value and rule.accepted:
            return rule.accepted[0]
        return next(iter(rule.where.get(name, ())), None)
    if isinstance(rule, ShareRule):
        if name == rule.value:
            return Decimal(100)
        return next(iter(rule.words.get(name, ())), None)
    if isinstance(rule, TerritoryRule) and name == rule.value:
        return next(iter(ruleset.territory_sets[rule.accepted[0]]), None)
    if isinstance(rule, NamesRule) and name == rule.value:
        return next(iter(rule.free), None)
    if isinstance(rule, ConditionRule):
        return passing(rule, f"evidence:{kind}.{name}")
    return None


def passing(rule: ConditionRule, fact: str) -> ItemValue | None:
    """What the fact has to be for the first branch on it that passes."""
    for branch in rule.branches:
        if (branch.fact or rule.fact) != fact or not branch.case.startswith("pass"):
            continue
        if branch.any_of:
            return branch.any_of[0]
        bounds = (branch.at_least, branch.at_most, branch.above and branch.above + 1, branch.below and branch.below - 1)
        return next((bound for bound in bounds if bound is not None), None)
    return None
