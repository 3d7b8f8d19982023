"""Products that pass every rule of a mark, short ways to change one thing about them, and rules of any kind."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.cli.rules.case_table import RuleCase, facts_of, read_cases
from app.schemes.evaluator import evaluate
from app.schemes.facts import (
    Applicant,
    Cost,
    CostPlace,
    CostShares,
    CostStatement,
    Evidence,
    EvidenceItem,
    EvidenceSubjectKind,
    InputSummary,
    Material,
    RawWeight,
    Step,
    ValueStatement,
)
from app.schemes.rules import AnyRule
from app.schemes.scheme_loader import load_schemes

D = Decimal
DAY = date(2026, 12, 1)
SCHEMES = load_schemes()
MARKS = sorted(SCHEMES)
CONTEXT = SCHEMES["MIK"].ruleset.context
TABLE = (Path(__file__).parent / "rule_cases.toml").read_text("utf-8")
CASES = read_cases(TABLE)


def mark_of(case):
    """The mark that judges a case of the table: its own, else the one of the rules that it names."""
    return case.scheme or ("MIK" if any(rule.startswith("K-") for rule in case.want) else "MIA")


def facts(mark="MIK", /, hs="730630", **given):
    """Facts in order but for what is given, in the short form of `app/cli/rules/case_table.py`."""
    return facts_of(RuleCase("here", mark, {"hs": hs, **given}, {}), SCHEMES[mark].ruleset)


GOOD = facts()
"""Passes every rule of Made in Karabakh and Made in Azerbaijan."""
AZERBAIJAN = facts("MIA")
HONEY = replace(
    facts(
        "URVA",
        hs="040900",
        exw="28",
        site="Qusar",
        lines=[],
        steps=[{"op": "beekeeping", "at": "Qusar"}],
        record="confirmed",
        product={"brand": "Nümunə bağı"},
    ),
    applicant=Applicant("0010003422", "Nümunə-Urva Balı", "fiziki şəxs", "micro"),
)
"""Passes every rule of Urva: the honey of a natural person, without bought material."""
GOOD_OF = {"MIK": GOOD, "MIA": AZERBAIJAN, "URVA": HONEY}


def findings(mark, these):
    return {finding.rule: finding for finding in evaluate(SCHEMES[mark].ruleset, these).findings}


def finding(mark, rule, these):
    return findings(mark, these)[rule]


def case(mark, rule, these):
    return finding(mark, rule, these).case


@cache
def rule_of(mark, rule_id):
    return next(rule for rule in SCHEMES[mark].ruleset.rules if rule.id == rule_id)


_ANY_RULE = TypeAdapter(AnyRule)
_TEXT = {"en": "x", "az": "x"}


def made(kind, **parameters):
    """A rule of this kind with these parameters, and a reason for whatever it can answer."""
    raw = {"id": "X-01", "kind": kind, "clause": _TEXT, "title": _TEXT, **parameters}
    given = raw.setdefault("reasons", {})
    try:
        return _ANY_RULE.validate_python(raw)
    except ValidationError as error:
        wanted = re.search(r"no reason for ([a-z0-9_, ]+)", str(error))
        if wanted is None:
            raise
        reasons = {name: {"en": name, "az": name} for name in wanted[1].strip().split(", ")}
    return _ANY_RULE.validate_python(raw | {"reasons": reasons | given})


def answer(rule, these=GOOD, context=CONTEXT):
    """The case that the rule answers, with whatever else it has to hold to."""
    verdict = rule.evaluate(these, context)
    assert verdict.case in rule.cases()
    assert set(verdict.values) == rule.VALUE_KEYS
    assert rule.render_reason(verdict, "en")
    assert rule.render_reason(verdict, "az")
    return verdict.case


def with_items(*items, facts=GOOD):
    """The facts with these documents in place of those of their kinds."""
    gone = {each.kind for each in items}
    rest = tuple(each for each in facts.evidence.items if each.kind not in gone)
    return replace(facts, evidence=Evidence((*items, *rest)))


def without(*kinds, facts=GOOD):
    return replace(facts, evidence=Evidence(tuple(each for each in facts.evidence.items if each.kind not in kinds)))


def changed(kind, *, facts=GOOD, **changes):
    """The facts with one document otherwise: its members, or its values by name."""
    old = next(each for each in facts.evidence.items if each.kind == kind)
    members = ("issued_on", "valid_until", "number", "subject", "confirmed")
    own = {name: changes.pop(name) for name in members if name in changes}
    new = replace(old, **own, values={**old.values, **changes})
    return with_items(new, facts=facts)


def waiting(kind, *, facts=GOOD):
    """The facts with the document of this kind not confirmed yet."""
    return changed(kind, confirmed=False, facts=facts)


def item(kind, issued_on=date(2026, 11, 1), valid_until=None, *, subject=EvidenceSubjectKind.PRODUCT, **members):
    values = {name: members.pop(name) for name in list(members) if name not in ("number", "id", "confirmed")}
    return EvidenceItem(kind, issued_on, valid_until, values=values, subject=subject, **members)


def product(facts=GOOD, **changes):
    return replace(facts, product=replace(facts.product, **changes))


def residency(facts=GOOD, **changes):
    return replace(facts, residency=replace(facts.residency, **changes))


def bill(*materials, ex_works="1450", facts=GOOD, **changes):
    """The facts with these materials, in place of the one in order."""
    return replace(facts, value=ValueStatement(ex_works and D(ex_works), materials), **changes)


def material(hs4="7208", country="TR", value="100", kg=None, **members):
    return Material("Material", hs4, country, value=value and D(value), weight_kg=kg and D(kg), **members)


def inputs(ex_works, non_originating, *headings, hs6="730630"):
    """The bill of materials as a file carries it: two figures and the headings."""
    summary = InputSummary(non_originating and D(non_originating), headings)
    return replace(product(hs6=hs6), value=ValueStatement(ex_works and D(ex_works), summary))


def shares(karabakh, azerbaijan=None):
    return replace(GOOD, cost=CostShares(karabakh and D(karabakh), azerbaijan and D(azerbaijan)))


def costs(**amounts):
    """Costs other than materials by place, each amount as text."""
    return CostStatement(tuple(Cost("other", CostPlace(place), D(amount)) for place, amount in amounts.items()))


def jam(local, hs6="200799"):
    """Food with a stated share of raw material, as a file carries it."""
    return replace(inputs("3900", "700", "1701", hs6=hs6), raw_weight=RawWeight(local and D(local)))


def step(operation="tube_welding", country="AZ", district="Ağdam", region="QARABAG", *, seq=1, **members):
    name = members.pop("name", "A step")
    return Step(seq, name, operation, country, district, region, **{"is_essential": True, **members})


def steps(*these, facts=GOOD):
    return replace(facts, steps=tuple(replace(each, seq=seq) for seq, each in enumerate(these, start=1)))
