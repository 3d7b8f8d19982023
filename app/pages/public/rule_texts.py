"""Explain the rules of a mark in sentences derived from its ruleset. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.pages.i18n import _
from app.schemes.evidence_kinds import EvidenceKind, Supplier, load_evidence_kinds
from app.schemes.outcome import Outcome
from app.schemes.rules import AnyRule
from app.schemes.rules.base import BilingualText, FactSource, Language, display_value, placeholder_names
from app.schemes.ruleset import Ruleset

VALUE_PLACEHOLDER: Final = "…"
"""Placeholder in a sentence for a value that only an assessment has."""


@dataclass(frozen=True, slots=True)
class OutcomeText:
    """`tone` and `icon` are names in `pages.css` and `parts.html`; the texts are keys of the catalogues."""

    word: str
    tone: str
    icon: str
    whole: str  # text for a whole assessment with this outcome


OUTCOME_TEXTS: Mapping[Outcome, OutcomeText] = MappingProxyType(
    {
        Outcome.FAIL: OutcomeText(_("Not met"), "bad", "cross", _("As described, the mark would be refused")),
        Outcome.INCOMPLETE: OutcomeText(_("Missing"), "wait", "pencil", _("Information is missing")),
        Outcome.MANUAL: OutcomeText(_("A reviewer decides"), "wait", "question", _("A reviewer would have to decide")),
        Outcome.PASS: OutcomeText(_("Met"), "good", "check", _("No obstacle in what was checked")),
        Outcome.NOT_APPLICABLE: OutcomeText(_("Does not apply"), "neutral", "next", _("No rule applies")),
        Outcome.NOT_ASSESSED: OutcomeText(_("Not checked"), "neutral", "clock", _("Nothing has been checked yet")),
    }
)
"""In the order in which a reader needs them."""


@dataclass(frozen=True, slots=True)
class ExplainedRule:
    """A rule in sentences with its thresholds: requirement, proof, evidence kinds, and every reason by outcome.

    `proof` is a key of the catalogues for facts that no document proves.
    """

    rule: AnyRule
    requirement: BilingualText | None
    proof: str | None
    sentences: Sequence[tuple[Outcome, BilingualText]]
    evidence: Sequence[EvidenceKind]


def explain_rules(ruleset: Ruleset) -> list[ExplainedRule]:
    return [
        ExplainedRule(
            rule,
            _fill_values(rule, rule.requirement) if rule.requirement else None,
            PROOF_TEXTS[rule.source] if rule.source else None,
            _sentences(rule),
            [load_evidence_kinds()[code] for code in rule.evidence_kinds()],
        )
        for rule in ruleset.rules
    ]


PROOF_TEXTS: Mapping[FactSource, str] = MappingProxyType(
    {
        FactSource.APPLICANT: _("what you enter in the application"),
        FactSource.REGISTER: _("the resident register, looked up by the registrar"),
        FactSource.OWN_RECORDS: _("our own records, looked up by us"),
    }
)
"""How a rule is proved apart from documents, by the source of its facts."""


def evidence_kinds_of(ruleset: Ruleset, supplier: Supplier) -> list[EvidenceKind]:
    """Return the evidence kinds that the rules of a mark use and `supplier` provides, each once."""
    found = dict.fromkeys(code for rule in ruleset.rules for code in rule.evidence_kinds())
    return [load_evidence_kinds()[code] for code in found if supplier in load_evidence_kinds()[code].supplied_by]


_DISPLAYED_OUTCOMES: Final = (Outcome.PASS, Outcome.MANUAL, Outcome.INCOMPLETE, Outcome.FAIL, Outcome.NOT_APPLICABLE)


def _sentences(rule: AnyRule) -> list[tuple[Outcome, BilingualText]]:
    """Return the reasons of a rule by outcome, without `not_assessed`, which states no requirement."""
    cases = rule.cases()
    displayed = [case for case in cases if cases[case] in _DISPLAYED_OUTCOMES]
    return [
        (cases[case], _fill_values(rule, rule.reasons[case]))
        for case in sorted(displayed, key=lambda case: _DISPLAYED_OUTCOMES.index(cases[case]))
    ]


def _fill_values(rule: AnyRule, text: BilingualText) -> BilingualText:
    parameters, named = rule.published_parameters, rule.code_groups()

    def with_thresholds(sentence: str, language: Language) -> str:
        words = {name: display_value(value, named.get(name), language) for name, value in parameters.items()}
        return sentence.format_map(dict.fromkeys(placeholder_names(sentence), VALUE_PLACEHOLDER) | words)

    return BilingualText(en=with_thresholds(text.en, "en"), az=with_thresholds(text.az, "az"))
