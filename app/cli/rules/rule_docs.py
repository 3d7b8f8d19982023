"""Render the rules as a page from the scheme files: `python -m app.cli.rules.rule_docs > docs/rules.md`."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.schemes.closed_lists import load_lists
from app.schemes.evidence_kinds import EvidenceKind, EvidenceScope, FieldRequirement, Supplier, load_evidence_kinds
from app.schemes.outcome import Outcome
from app.schemes.rules import AnyRule
from app.schemes.rules.base import FactSource, display_value
from app.schemes.ruleset import Scheme
from app.schemes.scheme_loader import load_schemes

PAGE_HEAD = """# The rules of the marks

Made from the scheme files by `python -m app.cli.rules.rule_docs > docs/rules.md`, kept in step by a test: do not edit.

Each product of an application is assessed by every rule of its mark. A rule answers in one of these ways, and the most
severe answer is the outcome of the whole: fail, then incomplete, then manual, then pass.

| Outcome | What it does |
|---|---|
| pass | the rule is met |
| manual | a person decides, with a reason, bound to the observed values |
| incomplete | a fact is missing: your own are needed to submit, those that staff look up or confirm to be approved |
| fail | the mark is refused; nobody can override it, and a person confirms the refusal |
| not applicable | the rule is about other goods or companies; it does not count |
| not assessed | only when trying the rules with files: they cannot contain these facts; it does not count |

## How value is counted

Build-down value content: RVC = (EXW − VNM) / EXW × 100.

- EXW: the ex-works price, without VAT and excise.
- VNM: the value of the non-originating materials. An imported material counts at its CIF value at importation, customs
  duty left out; one bought in Azerbaijan at the price paid, without VAT; one of own make at its cost. Freight after
  import is not in VNM. Material that is lent or given free of charge counts at its market price.
- All figures are AZN for one unit of the product, averages over the period of the cost statement (at most 12 months).
  Foreign invoices count at the Central Bank's rate of their day.
- Unrounded figures are compared; what is shown has one decimal.

A material is originating only with a confirmed proof that its line lists and that speaks for it: a supplier's
declaration or a certificate of origin of its heading, country and supplier; for own produce the production record of
the site, or the letter of a small producer's municipality or park. What the applicant ticks never decides.

## Which document counts

A rule reads documents that a member of staff has read and confirmed. Each speaks for the whole company, for one site,
for the products that it names, or for one lot; a document that names no subject, though its kind asks for one, speaks
for nothing. Of several that hold on the day the one that holds longest counts, and of equals the newest. Where none
holds, the one that ended last is named. Of documents on a state of things the newest counts, whatever an older one
said: these are marked “newest” in the table of kinds at the end.
"""

SOURCE_LABELS = {
    FactSource.APPLICANT: "the applicant's description of company, site and product",
    FactSource.REGISTER: "the resident register, kept by the registrar",
    FactSource.OWN_RECORDS: "the service's own register of certificates",
}
SUPPLIER_LABELS = {Supplier.APPLICANT: "the applicant", Supplier.STAFF: "staff"}
OUTCOME_ORDER = (
    *(Outcome.PASS, Outcome.MANUAL, Outcome.INCOMPLETE, Outcome.FAIL),
    Outcome.NOT_APPLICABLE,
    Outcome.NOT_ASSESSED,
)
SCOPE_LABELS = {
    EvidenceScope.COMPANY: "the company",
    EvidenceScope.SITE: "a site",
    EvidenceScope.PRODUCT: "products",
    EvidenceScope.LOT: "a lot",
    EvidenceScope.ANY: "anything",
}
REQUIREMENT_LABELS = {
    FieldRequirement.REQUIRED: "needed",
    FieldRequirement.OPTIONAL: "optional",
    FieldRequirement.NONE: "–",
}


def render_page(schemes: Iterable[Scheme]) -> str:
    """Render Markdown, ending with a line break."""
    parts = [PAGE_HEAD]
    for scheme in schemes:
        parts += ["\n".join(_render_scheme(scheme)), *("\n".join(_render_rule(rule)) for rule in scheme.ruleset.rules)]
    parts.append("\n".join(_render_evidence(load_evidence_kinds().values())))
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _render_scheme(scheme: Scheme) -> Iterator[str]:
    ruleset = scheme.ruleset
    yield f"## {scheme.code}: {scheme.names['en']}"
    yield ""
    yield f"*{scheme.names['az']}*"
    yield ""
    confirmation = "confirmed by the owner" if ruleset.confirmed else "a proposal that the owner has not confirmed"
    yield (
        f"Owner: {scheme.owner}. Rules {ruleset.version}, {ruleset.status.value.replace('_', ' ')} from "
        f"{ruleset.in_force_from.isoformat()}: {confirmation}. "
        f"Term: {scheme.term_months} months. {len(ruleset.rules)} rules."
    )
    yield ""
    yield from (f"- territory set `{name}`: {', '.join(codes)}" for name, codes in ruleset.territory_sets.items())
    for name, value in ruleset.origin.model_dump(mode="json").items():
        yield f"- `{name}`: {'none' if _is_empty(value) else _format_value(value)}"


def _render_rule(rule: AnyRule) -> Iterator[str]:
    yield f"### {rule.id} {rule.title.en}"
    yield ""
    yield f"*{rule.title.az}* · {rule.clause.en} · kind `{rule.kind}`"
    yield ""
    if rule.requirement is not None:
        parameters = {name: display_value(value) for name, value in rule.published_parameters.items()}
        yield rule.requirement.en.format_map(parameters)
        yield ""
    yield f"- Facts: {'; '.join(_render_facts(rule))}."
    for name, value in rule.parameters().items():
        if name == "branches":
            yield from (f"- {_format_branch(branch)}" for branch in value)
        elif not _is_empty(value):
            yield f"- `{name}`: {_format_value(value)}"
    yield ""
    yield "| Outcome | Reason |"
    yield "|---|---|"
    cases = dict(rule.cases())
    cases |= {text: Outcome(text.split("_")[0]) for text in sorted(rule.reason_keys() - cases.keys())}
    for case in sorted(cases, key=lambda case: OUTCOME_ORDER.index(cases[case])):
        remark = ""
        if cases[case] is Outcome.INCOMPLETE:
            later = rule.can_be_submitted_with(case)
            remark = " *(does not stop a submission)*" if later else " *(stops a submission)*"
        yield f"| {cases[case].value.replace('_', ' ')} | {_escape_cell(rule.reasons[case].en)}{remark} |"


def _render_facts(rule: AnyRule) -> Iterator[str]:
    if rule.source is not None:
        yield SOURCE_LABELS[rule.source]
    for code in rule.evidence_kinds():
        kind = load_evidence_kinds()[code]
        yield f"evidence `{code}` ({kind.name.en}), supplied by {_format_suppliers(kind)}"


def _format_suppliers(kind: EvidenceKind) -> str:
    return " or ".join(SUPPLIER_LABELS[each] for each in kind.supplied_by)


def _render_evidence(all_kinds: Iterable[EvidenceKind]) -> Iterator[str]:
    yield "## Kinds of evidence"
    yield ""
    yield "| Kind | Name | About | Supplied by | Issued on | Valid until | Number | Values |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind in all_kinds:
        dates = " | ".join(REQUIREMENT_LABELS[need] for need in (kind.issued_on, kind.valid_until, kind.number))
        values = "; ".join(
            f"`{name}`: {spec.name.en}" + (f" ({', '.join(spec.choices)})" if spec.choices else "")
            for name, spec in kind.values.items()
        )
        name = f"{kind.name.en} · *{kind.name.az}*"
        about = SCOPE_LABELS[kind.scope] + (", newest" if kind.code in load_lists().newest_counts else "")
        suppliers, values = _format_suppliers(kind), _escape_cell(values) or "–"
        yield f"| `{kind.code}` | {name} | {about} | {suppliers} | {dates} | {values} |"


TEST_TEMPLATES = {
    "any_of": "is {}",
    "none_of": "is not {}",
    "begins_with": "begins with {}",
    "at_least": "is at least {}",
    "above": "is above {}",
    "at_most": "is at most {}",
    "below": "is below {}",
}


def _format_branch(branch: Mapping[str, Any]) -> str:
    """Render one branch of a condition as a sentence: “manual, where it is above 50”."""
    subject = f"`{branch['fact']}`" if "fact" in branch else "it"
    tests = [
        words.format(_format_alternatives(branch[name])) for name, words in TEST_TEMPLATES.items() if name in branch
    ]
    tests += ["is not after the day"] if branch.get("by_the_day") else []
    return f"`{branch['case']}`, where {subject} {' and '.join(tests)}"


def _format_alternatives(value: Any) -> str:
    return " or ".join(_format_value(each) for each in value) if isinstance(value, list) else _format_value(value)


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ([], {}, "")


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_format_value(each)}" for name, each in value.items() if not _is_empty(each))
    if isinstance(value, list):
        return ("; " if any(isinstance(each, dict) for each in value) else ", ").join(
            _format_value(each) for each in value
        )
    return str(value)


def _escape_cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # typeshed: may be replaced by a test
    sys.stdout.write(render_page(load_schemes().values()))


if __name__ == "__main__":
    main()
