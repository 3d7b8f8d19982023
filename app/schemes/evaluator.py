"""Evaluate the facts of one product against the rules of one mark, rule by rule. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.core import canonical_json
from app.schemes import hashing
from app.schemes.facts import Facts
from app.schemes.origin_calculation import Origin
from app.schemes.outcome import Outcome, most_severe
from app.schemes.rules import AnyRule
from app.schemes.rules.base import Remedy, RuleContext, Value
from app.schemes.ruleset import Ruleset


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one rule with its reason. `case` is a stable, language-independent code."""

    rule: str
    kind: str
    clause: str
    outcome: Outcome
    case: str
    reasons: Mapping[str, str]  # language → sentence
    values: Mapping[str, Value]
    parameters: Mapping[str, Any]
    remedy: Remedy | None  # for incomplete: the field or document to supply

    @property
    def reason(self) -> str:
        return self.reasons["en"]

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "kind": self.kind,
            "clause": self.clause,
            "outcome": self.outcome.value,
            "case": self.case,
            "reasons": dict(self.reasons),
            "values": hashing.to_jsonable(self.values),
            "parameters": dict(self.parameters),
            "remedy": self.remedy and self.remedy._asdict(),
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """All findings, including those after the first fail, and what is needed to repeat them."""

    scheme: str
    ruleset_version: str
    ruleset_digest: str
    as_of: date
    outcome: Outcome
    findings: tuple[Finding, ...]
    origin: Origin | None
    input_hash: str
    holds_until: date | None  # last day of the evidence that the grant depends on; None: open

    def findings_with(self, *outcomes: Outcome) -> tuple[Finding, ...]:
        """Return the findings with one of these outcomes, in the order of the ruleset."""
        return tuple(finding for finding in self.findings if finding.outcome in outcomes)

    def to_json(self) -> dict[str, Any]:
        """Return JSON values; decimals are text."""
        return {
            "scheme": self.scheme,
            "ruleset": {"version": self.ruleset_version, "digest": self.ruleset_digest},
            "as_of": self.as_of.isoformat(),
            "outcome": self.outcome.value,
            "findings": [finding.to_json() for finding in self.findings],
            "origin": origin_to_json(self.origin),
            "input_hash": self.input_hash,
            "holds_until": self.holds_until and self.holds_until.isoformat(),
        }


def evaluate(ruleset: Ruleset, facts: Facts) -> Assessment:
    """Evaluate the facts against every rule as of `facts.as_of`. Never raises."""
    context = ruleset.context
    findings = evaluate_rules(ruleset, facts)
    return Assessment(
        scheme=ruleset.scheme,
        ruleset_version=ruleset.version,
        ruleset_digest=ruleset.digest,
        as_of=facts.as_of,
        outcome=most_severe(finding.outcome for finding in findings),
        findings=findings,
        origin=determine_ruleset_origin(ruleset, facts),
        input_hash=compute_input_hash(facts),
        holds_until=min((end for rule in ruleset.rules if (end := rule.holds_until(facts, context))), default=None),
    )


def evaluate_rules(ruleset: Ruleset, facts: Facts) -> tuple[Finding, ...]:
    """Evaluate each rule, in the order of the ruleset."""
    context = ruleset.context
    return tuple(evaluate_rule(rule, facts, context) for rule in ruleset.rules)


def evaluate_rule(rule: AnyRule, facts: Facts, context: RuleContext) -> Finding:
    result = rule.evaluate(facts, context)
    outcome = rule.outcomes[result.case]
    return Finding(
        rule=rule.id,
        kind=rule.kind,
        clause=rule.clause.en,
        outcome=outcome,
        case=result.case,
        reasons={"en": rule.render_reason(result, "en"), "az": rule.render_reason(result, "az")},
        values=result.values,
        parameters=rule.published_parameters,
        remedy=(result.remedy or Remedy()) if outcome is Outcome.INCOMPLETE else None,
    )


def determine_ruleset_origin(ruleset: Ruleset, facts: Facts) -> Origin | None:
    """Determine the origin with the ruleset's origin rule; None without values."""
    rule = ruleset.origin_rule
    return rule.determine_origin(facts, ruleset.context) if rule else None


def origin_to_json(origin: Origin | None) -> dict[str, Any] | None:
    if origin is None:
        return None
    return {
        "criterion": origin.criterion and origin.criterion.value,
        "rvc_pct": None if origin.rvc_pct is None else str(origin.rvc_pct),
        "arithmetic": origin.arithmetic,
    }


def compute_input_hash(facts: Facts) -> str:
    """Hash the canonical JSON of the facts with SHA-256: equal facts give equal hashes."""
    return canonical_json.digest(hashing.to_jsonable(facts))
