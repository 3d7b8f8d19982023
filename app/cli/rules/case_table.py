"""Read and run tables of cases for the rules of a mark: facts in short form, and the expected answers.

A case has an `id`, `facts` and `want`; a case without the last two is skipped. It names only what differs: what it
does not name is in order. `[defaults]` at the top of a table are facts of all its cases. An empty text is a fact that
is not known. The facts, all optional (`case_facts.py` builds them):

- `hs`, or `hs_each`: the same case for each of these codes; `exw` (ex-works price), `flags`, `day` (else 2026-12-01),
  `submitted_on`, `params` of the rules; `scheme`: the mark that the case is for. A table in which no case names a mark
  is for any; in a table for several marks a case without one is for MIK where it wants a K rule, else for MIA.
- `site`: a district (else Ağdam), or a table of district, region, park, country, zone (its kind) and started_on.
- `lines`: name, hs4, from (country; none = not known), value, kg, claim, packing, basis, supplier, at (district),
  proofs (ids of documents of `evidence`), proof (`uploaded` or `confirmed`: a document that the line lists) with
  proof_kind, proof_hs4, proof_from, proof_supplier, proof_product, proof_at, proof_issued, proof_begins, proof_until
  where these are not the line's or not in order. Or `inputs`, as in a file: value and headings.
- `record`: own produce that is not listed (`uploaded` or `confirmed`), with record_kind, record_at, record_until.
- `steps`: op, at (district or country; none = not known), essential (else true), sub (by a subcontractor), seq.
- `costs` by place without materials; `stated` materials by place. Or `shares`, as in a file: karabakh_pct and
  azerbaijan_pct; `raw_local_pct`.
- `evidence`: documents by kind that differ, one or a list: `{ kind = { values…, id, issued_on, valid_until, number,
  confirmed, subject } }`, or `{ kind = "none" }`.
- `applicant`, `product`, `residency`, `declaration`, `visit`: fields of these facts; `past`: certificates that ended;
  `volumes`: claims and capacities; `other_brands`; `absent`: groups of facts that the call does not carry.

`want` names the outcome or the case by rule; `outcome` of the whole, `criterion`, `rvc`, `share`, `field` where they
matter. Whatever is wrong in a table raises `Invalid` and names the case.
"""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from app.cli.rules.case_facts import build
from app.cli.rules.case_values import Wrong, check_facts
from app.core.errors import Invalid
from app.schemes.evaluator import Assessment, Finding, evaluate
from app.schemes.facts import Facts
from app.schemes.origin_calculation import OriginCriterion
from app.schemes.outcome import Outcome
from app.schemes.ruleset import Ruleset

SPECIAL = ("outcome", "criterion", "rvc", "share", "field")
KARABAKH, AZERBAIJAN = "MIK", "MIA"
MEMBERS = ("id", "rule", "issue", "given", "expect", "facts", "want")
TOP = ("case", "defaults")


@dataclass(frozen=True, slots=True)
class RuleCase:
    id: str
    scheme: str | None
    facts: Mapping[str, Any]
    want: Mapping[str, str]
    given: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    case: RuleCase
    wrong: tuple[str, ...]  # the differences; empty: as expected
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Report:
    results: tuple[CaseResult, ...]
    unreached: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # rule → branches that no case of the table reached

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        return tuple(result for result in self.results if result.wrong)


# Reading


def read_cases(text: str, name: str = "cases") -> tuple[RuleCase, ...]:
    """Read the cases of a TOML file that have facts and expected answers. Raises `Invalid`."""
    raw = parse(text, name)
    if unknown := next((key for key in raw if key not in TOP), None):
        raise Invalid(f"{name}: there is no {unknown!r} in a table of cases; there are: {', '.join(TOP)}.")
    entries = raw.get("case", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Invalid(f"{name}: `case` is a list of tables, each written as [[case]].")
    try:
        defaults = check_facts(raw.get("defaults", {}))
    except Wrong as why:
        raise Invalid(f"{name}: in [defaults], {why}") from why
    cases = [case for number, entry in enumerate(entries) for case in read_entry(entry, number, defaults, name)]
    ids = [case.id for case in cases]
    if twice := next((each for each in ids if ids.count(each) > 1), None):
        raise Invalid(f"{name}: the case {twice} is there twice; an id names one case.")
    return tuple(cases)


def parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except (
        ValueError,
        RecursionError,
    ) as error:  # endless numbers and nesting are ordinary errors here
        raise Invalid(f"{name} is not TOML that can be read: {error}") from error


def read_entry(entry: dict[str, Any], number: int, defaults: Mapping[str, Any], name: str) -> Iterator[RuleCase]:
    identifier = entry.get("id")
    if not isinstance(identifier, str) or not identifier:
        raise Invalid(f"{name}: the case number {number + 1} has no `id`, or one that is no text.")
    if unknown := next((key for key in entry if key not in MEMBERS), None):
        raise wrong(identifier, f"there is no {unknown!r} in a case; there are: {', '.join(MEMBERS)}.")
    if "facts" not in entry or "want" not in entry:
        return
    try:
        own = check_facts(entry["facts"])
    except Wrong as why:
        raise wrong(identifier, str(why)) from why
    given = {**defaults, **own}
    want = read_want(entry["want"], identifier)
    scheme, codes = given.get("scheme"), given.get("hs_each")
    if scheme is not None and not isinstance(scheme, str):
        raise wrong(identifier, "facts.scheme: this is the code of a mark.")
    if codes is not None and not (isinstance(codes, list) and codes and all(isinstance(code, str) for code in codes)):
        raise wrong(identifier, "facts.hs_each: this is a list of HS codes as text.")
    for code in codes or [given.get("hs", "730630")]:
        suffix = f"/{code}" if codes else ""
        yield RuleCase(identifier + suffix, scheme, {**given, "hs": code}, want, str(entry.get("given", "")))


def read_want(entry: Any, identifier: str) -> dict[str, str]:
    if not isinstance(entry, dict) or not entry:
        raise wrong(identifier, "want: this is a table that names at least one rule.")
    for key, value in entry.items():
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise wrong(identifier, f"want.{key}: this is an outcome, a case or a figure.")
    return {key: str(value) for key, value in entry.items()}


def wrong(identifier: str, detail: str) -> Invalid:
    return Invalid(f"Case {identifier}: {detail}")


# Running


def meant_for(cases: Sequence[RuleCase], scheme: str) -> tuple[RuleCase, ...]:
    """Return the cases of the table for this mark."""
    if all(case.scheme is None for case in cases):
        return tuple(cases)
    return tuple(case for case in cases if (case.scheme or usual_mark(case)) == scheme)


def usual_mark(case: RuleCase) -> str:
    return KARABAKH if any(key.startswith("K-") for key in case.want) else AZERBAIJAN


def run_cases(ruleset: Ruleset, cases: Iterable[RuleCase]) -> Report:
    """Evaluate each case under the ruleset and compare. Raises `Invalid` for a case that names something unknown."""
    results: list[CaseResult] = []
    reached: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        adjusted = adjusted_for(case, ruleset)
        check_want(case, adjusted)
        assessment = evaluate(adjusted, facts_of(case, adjusted))
        for finding in assessment.findings:
            reached[finding.rule].add(finding.case)
        results.append(CaseResult(case, tuple(differences(case, assessment)), assessment.findings))
    unreached = {
        rule.id: missing for rule in ruleset.rules if (missing := tuple(sorted(set(rule.cases()) - reached[rule.id])))
    }
    return Report(tuple(results), unreached)


def facts_of(case: RuleCase, ruleset: Ruleset) -> Facts:
    """Build the facts of a case: what it names, and passing values for everything else."""
    try:
        return build(case.facts, ruleset)
    except Wrong as why:
        raise wrong(case.id, str(why)) from why


def adjusted_for(case: RuleCase, ruleset: Ruleset) -> Ruleset:
    params = case.facts.get("params", {})
    if not isinstance(params, dict):
        raise wrong(case.id, "facts.params: this is a table of parameters.")
    try:
        return with_params(ruleset, params)
    except ValidationError as why:
        faults = dict.fromkeys(f"{fault['loc'][-1]}: {fault['msg']}" for fault in why.errors() if fault["loc"])
        raise wrong(case.id, f"facts.params: {'; '.join(faults) or why.errors()[0]['msg']}") from why
    except Invalid as why:
        raise wrong(case.id, why.message) from why


def check_want(case: RuleCase, ruleset: Ruleset) -> None:
    rules = {rule.id: rule for rule in ruleset.rules}
    for key, expected in case.want.items():
        if key == "criterion" and expected not in (*OriginCriterion, "none"):
            raise wrong(case.id, f"want.criterion: {expected!r} is none of: {', '.join(OriginCriterion)}, none.")
        if key == "outcome" and expected not in tuple(Outcome):
            raise wrong(case.id, f"want.outcome: {expected!r} is none of: {', '.join(Outcome)}.")
        if key in SPECIAL:
            continue
        if key not in rules:
            listed = ", ".join((*rules, *SPECIAL))
            raise wrong(case.id, f"want: {ruleset.scheme} has no rule {key!r}; there are: {listed}.")
        answers = rules[key].cases()
        if expected not in answers and expected not in {outcome.value for outcome in answers.values()}:
            raise wrong(case.id, f"want.{key}: the rule never answers {expected!r}; its cases: {', '.join(answers)}.")


def differences(case: RuleCase, assessment: Assessment) -> Iterator[str]:
    found = {finding.rule: finding for finding in assessment.findings}
    first: Finding | None = None
    for key, expected in case.want.items():
        if key in SPECIAL:
            continue
        finding = found[key]
        first = first or finding
        if expected not in (finding.case, finding.outcome.value):
            yield f"{key}: {finding.case}, expected {expected}. {finding.reason}"
    yield from special_differences(case, assessment, first)


def special_differences(case: RuleCase, assessment: Assessment, first: Finding | None) -> Iterator[str]:
    origin = assessment.origin
    if (expected := case.want.get("outcome")) and assessment.outcome.value != expected:
        open_rules = ", ".join(
            f"{finding.rule} {finding.case}"
            for finding in assessment.findings_with(Outcome.FAIL, Outcome.INCOMPLETE, Outcome.MANUAL)
        )
        yield f"outcome: {assessment.outcome.value}, expected {expected} ({open_rules or 'nothing is open'})"
    if expected := case.want.get("criterion"):
        criterion = origin.criterion.value if origin and origin.criterion else "none"
        if criterion != expected:
            yield f"criterion: {criterion}, expected {expected}"
    if expected := case.want.get("rvc"):
        rvc = str(origin.rvc_pct) if origin else None
        if rvc != expected:
            yield f"rvc: {rvc}, expected {expected}"
    if expected := case.want.get("share"):
        shares = [finding.values.get("share") for finding in assessment.findings if finding.rule in case.want]
        if expected not in [str(share) for share in shares if share is not None]:
            yield f"share: {', '.join(map(str, shares))}, expected {expected}"
    if expected := case.want.get("field"):
        named = first.remedy.field if first and first.remedy else None
        if named != expected:
            yield f"field: {named}, expected {expected}"


def with_params(ruleset: Ruleset, params: Mapping[str, Any]) -> Ruleset:
    """Return the ruleset with changed parameters, of the shared origin settings or of any rule that has them."""
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
            raise Invalid(f"There is no parameter {name!r} in {ruleset.scheme} {ruleset.version}.")
        for rule in holders:
            rule[name] = plain
    return Ruleset.model_validate(content)


def outcome_counts(report: Report) -> Mapping[Outcome, int]:
    """Count each outcome over all rules and cases."""
    counts: dict[Outcome, int] = defaultdict(int)
    for result in report.results:
        for finding in result.findings:
            counts[finding.outcome] += 1
    return counts
