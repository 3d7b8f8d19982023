"""Tables of cases for the rules of a mark: facts in short form, and what each rule has to answer.

A case names only what differs; what it does not name is in order. Its facts (all optional):

- `hs`, `exw` (ex-works price), `flags`, `site` (district, else Ağdam), `day` (else 2026-12-01), `scheme`.
- `lines`: hs4, from (country; none = not known), value, kg, claim, packing, basis, supplier, at (district), proof
  (`uploaded` or `confirmed`: a paper that the line lists) with proof_hs4, proof_from, proof_supplier, proof_product,
  proof_at where these are not the line's.
- `record`: own produce that is not listed (`uploaded` or `confirmed`), with record_kind, record_at, record_until.
- `steps` in order: op, at (district or country; none = not known), essential (else true), sub (by a subcontractor).
- `costs` by place without materials; `stated` materials by place; `params` of the rules.
- `hs_each`: the same case for each of these codes.
- `evidence`: documents by kind that differ: `{ kind = { values… , issued_on, valid_until, number, confirmed } }`, or
  `{ kind = "none" }`; `applicant`, `product`, `residency`: fields of these facts.

`want` names the outcome or the case by rule, and `criterion`, `rvc`, `share`, `field` where they matter.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.errors import Invalid
from app.registry.geography import countries
from app.registry.territory import territory
from app.schemes import facts as f
from app.schemes.days import months_earlier
from app.schemes.eligibility import Assessment, Finding, assess
from app.schemes.evidence_kinds import EvidenceKind, Need, ValueType, kinds
from app.schemes.facts import Basis, Cost, CostPlace, Evidence, Facts, Item, Material, Step, Subject
from app.schemes.lists import OperationClass, lists
from app.schemes.outcome import Outcome
from app.schemes.rules import AnyRule
from app.schemes.ruleset import Ruleset

DAY = date(2026, 12, 1)
SITE = "Ağdam"
VOEN = "0010000101"
MEMBER = "member-1"
SPECIAL = frozenset({"criterion", "rvc", "share", "field"})
SUBJECTS = {"company": Subject.COMPANY, "site": Subject.SITE, "product": Subject.PRODUCT, "lot": Subject.LOT}


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    scheme: str | None
    facts: Mapping[str, Any]
    want: Mapping[str, str]
    given: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    case: Case
    wrong: tuple[str, ...]  # what differs, in words; empty: as wanted
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Report:
    results: tuple[CaseResult, ...]
    unreached: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # rule → cases that no case of the table met

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        return tuple(result for result in self.results if result.wrong)


def read_cases(text: str, name: str = "cases") -> tuple[Case, ...]:
    """The cases of a TOML file that have facts and a wanted answer; raises Invalid where it cannot be read."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{name} is not TOML: {error}") from error
    cases = []
    for entry in raw.get("case", []):
        if "facts" not in entry or "want" not in entry:
            continue
        given = entry["facts"]
        for code in given.get("hs_each", [given.get("hs", "730630")]):
            suffix = f"/{code}" if "hs_each" in given else ""
            want = {key: str(value) for key, value in entry["want"].items()}
            cases.append(
                Case(entry["id"] + suffix, given.get("scheme"), {**given, "hs": code}, want, entry.get("given", ""))
            )
    return tuple(cases)


def run_cases(ruleset: Ruleset, cases: Iterable[Case]) -> Report:
    """Judge each case by the ruleset and compare; a rule that the ruleset does not have is wrong too."""
    results: list[CaseResult] = []
    reached: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        adjusted = with_params(ruleset, case.facts.get("params", {}))
        assessment = assess(adjusted, facts_of(case, adjusted))
        for finding in assessment.findings:
            reached[finding.rule].add(finding.case)
        results.append(CaseResult(case, tuple(differences(case, assessment)), assessment.findings))
    unreached = {
        rule.id: missing for rule in ruleset.rules if (missing := tuple(sorted(set(rule.cases()) - reached[rule.id])))
    }
    return Report(tuple(results), unreached)


def differences(case: Case, assessment: Assessment) -> Iterator[str]:
    found = {finding.rule: finding for finding in assessment.findings}
    first: Finding | None = None
    for key, wanted in case.want.items():
        if key in SPECIAL:
            continue
        finding = found.get(key)
        if finding is None:
            yield f"{key}: the ruleset has no such rule"
            continue
        first = first or finding
        if wanted not in (finding.case, finding.outcome.value):
            yield f"{key}: {finding.case}, wanted {wanted}. {finding.reason}"
    yield from special_differences(case, assessment, first)


def special_differences(case: Case, assessment: Assessment, first: Finding | None) -> Iterator[str]:
    origin = assessment.origin
    if wanted := case.want.get("criterion"):
        criterion = origin.criterion.value if origin and origin.criterion else None
        if criterion != wanted:
            yield f"criterion: {criterion}, wanted {wanted}"
    if wanted := case.want.get("rvc"):
        rvc = str(origin.rvc_pct) if origin else None
        if rvc != wanted:
            yield f"rvc: {rvc}, wanted {wanted}"
    if wanted := case.want.get("share"):
        shares = [finding.values.get("share") for finding in assessment.findings if finding.rule in case.want]
        if wanted not in [str(share) for share in shares if share is not None]:
            yield f"share: {', '.join(map(str, shares))}, wanted {wanted}"
    if wanted := case.want.get("field"):
        named = first.remedy.field if first and first.remedy else None
        if named != wanted:
            yield f"field: {named}, wanted {wanted}"


def with_params(ruleset: Ruleset, params: Mapping[str, Any]) -> Ruleset:
    """The ruleset with some parameters changed, of the shared settings of origin or of whichever rule has them."""
    if not params:
        return ruleset
    content = ruleset.model_dump(mode="json")
    for name, value in params.items():
        plain = str(value) if isinstance(value, Decimal) else value
        if name in content["origin"]:
            content["origin"][name] = plain
            continue
        holders = [rule for rule in content["rules"] if name in rule]
        if not holders:
            raise Invalid(f"There is no parameter {name} in {ruleset.scheme} {ruleset.version}.")
        for rule in holders:
            rule[name] = plain
    return Ruleset.model_validate(content)


# Facts in order


def facts_of(case: Case, ruleset: Ruleset) -> Facts:
    """The facts of a case: what it names, and everything else in order."""
    given = case.facts
    hs6 = str(given["hs"])
    day = date.fromisoformat(given["day"]) if "day" in given else DAY
    site = _district(given.get("site", SITE))
    exw = Decimal(str(given.get("exw", "1000")))
    proofs: list[Item] = []
    lines = tuple(
        _line(number, entry, site, day, proofs)
        for number, entry in enumerate(given.get("lines", _lines_in_order(hs6, exw)))
    )
    steps = _steps(given.get("steps", [{"op": _operation_for(hs6), "at": site}]))
    items = [*proofs, *_record(given, steps, site, hs6, day), *_evidence_in_order(ruleset, given, hs6, site, day)]
    made = Facts(
        as_of=day,
        product=f.ProductFacts(
            hs6=hs6,
            name_en="Sample product",
            name_az="Nümunə məhsul",
            flags=frozenset(given.get("flags", ())),
            unit="t",
        ),
        applicant=f.Applicant(VOEN, "Sample (fictional)", "MMC", "small"),
        place=f.Place(territory().region_of(site), site, "AGDAM-SP" if site == SITE else None),
        production=f.Production("AZ", date(2024, 5, 1)),
        residency=f.Residency(
            f.ResidencyState.RESIDENT,
            holder_voen=VOEN,
            registration_no="AGSP-R-2021-001",
            starts_on=date(2021, 11, 22),
            stage=f.SiteStage.OPERATING,
            confirmed_on=day,
        ),
        value=f.ValueStatement(exw, lines),
        cost=f.CostStatement(_costs(given, steps, lines, exw)),
        steps=steps,
        raw_weight=f.RawWeight(None),
        evidence=Evidence(tuple(items)),
        record=f.Record(),
        zone=f.Zone("industrial_park"),
        other_brands=(),
        volumes=f.Volumes(
            (f.VolumeClaim("product-1", Decimal(1000), "t", own=True),), (f.SiteCapacity("t", Decimal(1000)),)
        ),
        declaration=f.DeclarationFacts("hash", "2026.1", "hash", "2026.1", day, MEMBER, "Aysel Nümunə"),
        visit=f.VisitFacts(),
    )
    return _changed(made, given)


def _changed(made: Facts, given: Mapping[str, Any]) -> Facts:
    """With the fields that a case names for applicant, product or residency."""
    for group in ("applicant", "product", "residency"):
        if changes := given.get(group):
            made = replace(made, **{group: replace(getattr(made, group), **changes)})
    return made


def _line(number: int, entry: Mapping[str, Any], site: str, day: date, proofs: list[Item]) -> Material:
    heading, country = entry.get("hs4"), entry.get("from")
    district = _district(entry["at"]) if "at" in entry else None
    basis = Basis(entry["basis"]) if "basis" in entry else (Basis.DOMESTIC if country == "AZ" else Basis.CIF)
    listed: tuple[str, ...] = ()
    if "proof" in entry:
        is_other = "proof_product" in entry
        paper = _proof(number, entry, site, day, own=basis is Basis.OWN)
        listed = (paper.id,)
        if not is_other:
            proofs.append(paper)
    return Material(
        name=f"Material {number + 1}",
        hs4=heading,
        origin_country=country,
        claim=entry.get("claim"),
        value=_figure(entry.get("value", None if "kg" not in entry else "10")),
        weight_kg=_figure(entry.get("kg")),
        origin_district=district,
        origin_region=territory().region_of(district),
        basis=basis,
        packing=entry.get("packing", False),
        supplier=entry.get("supplier"),
        proofs=listed,
    )


def _proof(number: int, entry: Mapping[str, Any], site: str, day: date, *, own: bool) -> Item:
    confirmed = entry["proof"] == "confirmed"
    heading = entry.get("proof_hs4", entry.get("hs4", ""))
    if own:
        district = _district(entry.get("proof_at", site))
        return _production_record(f"proof-{number}", [heading], district, day, confirmed=confirmed)
    named = _district(entry["proof_at"]) if "proof_at" in entry else None
    values: dict[str, Any] = {
        "supplier": entry.get("proof_supplier", entry.get("supplier", "Sample Supplier (fictional)")),
        "hs4": heading,
        "country": entry.get("proof_from", entry.get("from", "AZ")),
        "period_from": months_earlier(day, 6),
        "period_until": date(day.year + 1, day.month, day.day),
    }
    if named:
        values |= {"district": named, "region": territory().region_of(named)}
    issued = months_earlier(day, 6)
    return Item(
        "supplier-declaration",
        issued,
        values=values,
        id=f"proof-{number}",
        subject=Subject.PRODUCT,
        confirmed=confirmed,
    )


def _record(given: Mapping[str, Any], steps: Sequence[Step], site: str, hs6: str, day: date) -> list[Item]:
    """The record of own produce that is not listed."""
    if "record" not in given:
        return []
    district = _district(given.get("record_at", next((step.district for step in steps if step.district), site)))
    until = date.fromisoformat(given["record_until"]) if "record_until" in given else months_earlier(day, 2)
    kind = given.get("record_kind", "production-record")
    is_confirmed = given["record"] == "confirmed"
    return [_production_record("record", [hs6[:4]], district, day, confirmed=is_confirmed, until=until, kind=kind)]


def _production_record(
    name: str,
    headings: list[str],
    district: str,
    day: date,
    *,
    confirmed: bool,
    until: date | None = None,
    kind: str = "production-record",
) -> Item:
    end = until or months_earlier(day, 2)
    values: dict[str, Any] = {
        "headings": tuple(headings),
        "district": district,
        "region": territory().region_of(district),
        "season_from": months_earlier(end, 11),
        "season_until": end,
        "quantity": "1000 kg",
        "ground": "field",
    }
    return Item(kind, min(end, day), values=values, id=name, subject=Subject.SITE, confirmed=confirmed)


def _steps(entries: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    steps = []
    for seq, entry in enumerate(entries, start=1):
        at = entry.get("at")
        abroad = at in countries()
        district = None if at is None or abroad else _district(at)
        steps.append(
            Step(
                seq=seq,
                name=str(entry["op"]),
                operation=entry["op"],
                country=at if abroad else ("AZ" if at else None),
                district=district,
                economic_region=territory().region_of(district),
                subcontractor="Sample Subcontractor (fictional)" if entry.get("sub") else None,
                is_essential=entry.get("essential", True),
            )
        )
    return tuple(steps)


def _costs(
    given: Mapping[str, Any], steps: Sequence[Step], lines: Sequence[Material], exw: Decimal
) -> tuple[Cost, ...]:
    stated = [Cost("materials", CostPlace(place), _figure(each)) for place, each in given.get("stated", {}).items()]
    if "costs" in given:
        others = [Cost("labour", CostPlace(place), _figure(each)) for place, each in given["costs"].items()]
        if "steps" not in given:  # a place is named for its cost alone: its step is in order
            others = [replace(cost, kind="other") for cost in others]
        return (*others, *stated)
    spent = sum((line.value or Decimal(0) for line in lines), start=Decimal(0))
    rest = max(exw - spent, Decimal(0)) * Decimal("0.9") or Decimal("0.01")
    places = {_place(step) for step in steps} or {CostPlace.KARABAKH}
    return (*(Cost("labour", place, rest / len(places)) for place in sorted(places)), *stated)


def _place(step: Step) -> CostPlace:
    if step.country != "AZ":
        return CostPlace.ABROAD
    return CostPlace.KARABAKH if step.economic_region in ("QARABAG", "SERQI-ZENGEZUR", None) else CostPlace.AZ_OTHER


def _lines_in_order(hs6: str, exw: Decimal) -> list[dict[str, Any]]:
    """One foreign material of another heading: a change of heading."""
    heading = "7208" if not hs6.startswith("7208") else "2601"
    return [{"hs4": heading, "from": "TR", "value": str(exw * Decimal("0.4")), "kg": "1"}]


def _operation_for(hs6: str) -> str:
    """An operation that is substantial for these goods and claims no own produce."""
    known = lists()
    for operation in known.operations.values():
        if operation.class_for(hs6, known) is OperationClass.SUBSTANTIAL and not operation.of_nature:
            return operation.code
    return "other processing"


def _evidence_in_order(ruleset: Ruleset, given: Mapping[str, Any], hs6: str, site: str, day: date) -> Iterator[Item]:
    """One confirmed document of each kind that a rule reads, saying what passes; proofs of origin are the lines' own."""
    changed = given.get("evidence", {})
    for code in dict.fromkeys(kind for rule in ruleset.rules for kind in _kinds_read(rule)):
        entry = changed.get(code, {})
        if entry == "none":
            continue
        kind = kinds()[code]
        values = {name: _value_in_order(ruleset, kind, name, hs6, site, day) for name in kind.values}
        values |= {name: _typed(value) for name, value in entry.items() if name in kind.values}
        ends = date.fromisoformat(entry["valid_until"]) if "valid_until" in entry else None
        yield Item(
            code,
            date.fromisoformat(entry["issued_on"]) if "issued_on" in entry else months_earlier(day, 0),
            ends,
            entry.get("number", "N-1" if kind.number is not Need.NONE else None),
            {name: value for name, value in values.items() if value is not None},
            id=code,
            subject=None if entry.get("subject") == "none" else SUBJECTS.get(kind.scope.value, Subject.COMPANY),
            confirmed=entry.get("confirmed", True),
        )


def _kinds_read(rule: AnyRule) -> tuple[str, ...]:
    return () if rule.kind == "origin" else rule.evidence_kinds()


def _value_in_order(ruleset: Ruleset, kind: EvidenceKind, name: str, hs6: str, site: str, day: date) -> Any:
    """A value that lets every rule of the ruleset pass."""
    spec = kind.values[name]
    for rule in ruleset.rules:
        if (found := _wanted_by(rule, kind.code, name)) is not None:
            return found
    special = {"signer": MEMBER, "registration_no": "AGSP-R-2021-001", "municipality": None, "about": "product"}
    if name in special and special[name] is not None:
        return special[name]
    if name.startswith(("materials_", "other_")) and kind.code == "cost-statement":
        return None
    by_type: dict[ValueType, Any] = {
        ValueType.FLAG: name == "signed",
        ValueType.PERCENTAGE: Decimal(100) if name.startswith("local") else Decimal(0),
        ValueType.QUANTITY: Decimal(1000),
        ValueType.COUNT: Decimal(3),
        ValueType.GOODS: (hs6[:2],),
        ValueType.HEADING: hs6[:4],
        ValueType.COUNTRY: "AZ",
        ValueType.DISTRICT: site,
        ValueType.DATE: day,
        ValueType.FINDINGS: (),
        ValueType.CHOICE: next(iter(spec.choices), None),
    }
    return by_type.get(spec.type, "sample")


def _wanted_by(rule: AnyRule, kind: str, name: str) -> Any:
    """The value of the document with which this rule passes; None where it does not read it, or takes any."""
    if kind not in rule.evidence_kinds() or name != getattr(rule, "value", None):
        return None
    if accepted := getattr(rule, "accepted", ()):
        return accepted[0] if rule.kind == "evidence" else _municipality(accepted)
    if free := getattr(rule, "free", ()):
        return free[0]
    return None


def _municipality(accepted: tuple[str, ...]) -> str | None:
    codes = sorted(territory().municipality_sets.get(accepted[0], frozenset({accepted[0].split("_")[0]})))
    return codes[0] if codes else None


def _typed(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _district(name: str) -> str:
    found = territory().district(name)
    return found.name if found else name


def _figure(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def outcome_counts(report: Report) -> Mapping[Outcome, int]:
    """How often each outcome was given, over all rules and cases."""
    counts: dict[Outcome, int] = defaultdict(int)
    for result in report.results:
        for finding in result.findings:
            counts[finding.outcome] += 1
    return counts
