"""Build the documents of a case: proofs of materials, records of own production, and evidence that passes each rule."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from app.cli.rules.case_values import (
    DOCUMENT,
    PROOF_STATES,
    RECORD_KINDS,
    SUBJECTS,
    CaseBasis,
    Table,
    day,
    district,
    known,
    list_of,
    one,
    one_of,
    text,
)
from app.core.dates import add_months, subtract_months
from app.reference.territory import load_territory
from app.schemes.evidence_kinds import (
    FINDING_CLASSES,
    EvidenceKind,
    FieldRequirement,
    ValueSpec,
    ValueType,
    load_evidence_kinds,
    to_facts,
    to_stored_value,
)
from app.schemes.facts import EvidenceItem, EvidenceSubjectKind, EvidenceValue, Step
from app.schemes.rules import AnyRule
from app.schemes.rules.condition import ConditionRule
from app.schemes.rules.evidence import EvidenceRule
from app.schemes.rules.names import NamesRule
from app.schemes.rules.share import ShareRule
from app.schemes.rules.territory import TerritoryRule
from app.schemes.ruleset import Ruleset

MEMBER = "member-1"
REGISTRATION = "AGSP-R-2021-001"
SUPPLIER = "Sample Supplier (fictional)"


def proof(number: int, own: Table, base: CaseBasis, *, own_make: bool) -> EvidenceItem:
    confirmed = own["proof"] == "confirmed"
    heading = own.get("proof_hs4", own.get("hs4")) or ""
    kind = own.get("proof_kind", "production-record" if own_make else "supplier-declaration")
    name, until = f"proof-{number}", own.get("proof_until")
    if kind in RECORD_KINDS:
        where = own.get("proof_at", base.site)
        return season_record(name, heading, where, base.day, confirmed=confirmed, until=until, kind=kind)
    issued = own.get("proof_issued", subtract_months(base.day, 6))
    values: dict[str, EvidenceValue] = {"hs4": heading, "country": own.get("proof_from", own.get("from")) or "AZ"}
    if kind == "supplier-declaration":
        values["supplier"] = own.get("proof_supplier") or own.get("supplier") or SUPPLIER
        values["period_from"] = own.get("proof_begins", subtract_months(base.day, 6))
        values["period_until"] = until or add_months(base.day, 12)
    else:
        values |= {"about": "material", "form": "GENERAL"}
    if named := own.get("proof_at"):
        values |= {"district": named, "region": load_territory().region_of(named) or ""}
    ends = until if kind == "origin-document" else None
    return EvidenceItem(
        kind, issued, ends, "N-1", values, id=name, subject=EvidenceSubjectKind.PRODUCT, confirmed=confirmed
    )


def read_record(base: CaseBasis, steps: Sequence[Step]) -> list[EvidenceItem]:
    """Return the records of own production that no material lists."""
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
) -> EvidenceItem:
    end = until or subtract_months(on, 2)
    values: dict[str, EvidenceValue] = {
        "headings": (heading,),
        "district": where or "",
        "region": load_territory().region_of(where) or "",
        "season_from": subtract_months(end, 11),
        "season_until": end,
        "quantity": "1000 kg",
        "ground": "field",
    }
    return EvidenceItem(
        kind, min(end, on), values=values, id=name, subject=EvidenceSubjectKind.SITE, confirmed=confirmed
    )


def read_evidence(base: CaseBasis) -> Iterator[EvidenceItem]:
    """Yield a passing, confirmed document of each kind that a rule reads, and the documents that the case names."""
    entries = known(base.given.get("evidence", {}), load_evidence_kinds(), "facts.evidence")
    read = dict.fromkeys(kind for rule in base.ruleset.rules for kind in kinds_read(rule))
    for code in dict.fromkeys((*read, *entries)):
        entry = entries.get(code, {})
        if entry == "none":
            continue
        several = entry if isinstance(entry, list) else [entry]
        for number, each in enumerate(several):
            place = f"facts.evidence.{code}" + (f"[{number}]" if isinstance(entry, list) else "")
            yield read_document(load_evidence_kinds()[code], number, each, base, place)


def kinds_read(rule: AnyRule) -> tuple[str, ...]:
    return () if rule.kind == "origin" else rule.evidence_kinds()


def read_document(kind: EvidenceKind, number: int, entry: Any, base: CaseBasis, place: str) -> EvidenceItem:
    known(entry, (*DOCUMENT, *(name for name in kind.values if name not in DOCUMENT)), place)
    own = {name: one(DOCUMENT[name], value, f"{place}.{name}") for name, value in entry.items() if name in DOCUMENT}
    values = {name: passing_value(kind, name, base) for name in kind.values}
    for name, spec in kind.values.items():
        if name in entry and name not in DOCUMENT:
            values[name] = one(partial(value_of, kind, spec), entry[name], f"{place}.{name}")
    if values.get("district") and "region" not in values:
        values["region"] = load_territory().region_of(str(values["district"]))
    scope = SUBJECTS.get(own.get("subject", kind.scope.value), EvidenceSubjectKind.COMPANY)
    return EvidenceItem(
        kind.code,
        own.get("issued_on", base.day)
        if "issued_on" in own or kind.issued_on is not FieldRequirement.NONE
        else base.day,
        own.get("valid_until"),
        own.get("number", "N-1" if kind.number is not FieldRequirement.NONE else None),
        {name: value for name, value in values.items() if value is not None},
        id=own.get("id") or (f"{kind.code}-{number}" if number else kind.code),
        subject=None if own.get("subject") == "none" else scope,
        confirmed=own.get("confirmed", True),
    )


def value_of(kind: EvidenceKind, spec: ValueSpec, value: Any) -> EvidenceValue | None:
    """Return a document's value as rules read it; an empty text is a missing value."""
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
    return to_facts(kind, {name: to_stored_value(spec, value)})[name]


def passing_value(kind: EvidenceKind, name: str, base: CaseBasis) -> EvidenceValue | None:
    """Return a value that passes every rule of the ruleset."""
    spec = kind.values[name]
    for rule in base.ruleset.rules:
        if kind.code in rule.evidence_kinds() and (found := wanted_by(rule, base.ruleset, kind.code, name)) is not None:
            return found
    special = {"signer": MEMBER, "registration_no": REGISTRATION, "about": "product"}
    if name in special:
        return special[name]
    if kind.code == "cost-statement" and name.startswith(("materials_", "other_")):
        return None
    by_type: dict[ValueType, EvidenceValue | None] = {
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


def wanted_by(rule: AnyRule, ruleset: Ruleset, kind: str, name: str) -> EvidenceValue | None:  # noqa: PLR0911 (one return for each kind)
    """Return the value with which this rule passes; None where it does not read it, or accepts any."""
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


def passing(rule: ConditionRule, fact: str) -> EvidenceValue | None:
    """Return a value of the fact for its first branch that passes."""
    for branch in rule.branches:
        if (branch.fact or rule.fact) != fact or not branch.case.startswith("pass"):
            continue
        if branch.any_of:
            return branch.any_of[0]
        bounds = (branch.at_least, branch.at_most, branch.above and branch.above + 1, branch.below and branch.below - 1)
        return next((bound for bound in bounds if bound is not None), None)
    return None
