"""The rules of a mark in words, made from the ruleset itself: nothing is said here that does not judge. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.pages.i18n import _
from app.schemes.evidence_kinds import EvidenceKind, Supplier, kinds
from app.schemes.outcome import Outcome
from app.schemes.rules import AnyRule
from app.schemes.rules.base import Language, Source, Text, legible, placeholders
from app.schemes.ruleset import Ruleset

UNSEEN: Final = "…"
"""Stands in a sentence for what only an assessment sees."""


@dataclass(frozen=True, slots=True)
class OutcomeFace:
    """`tone` and `icon` are names in `pages.css` and `parts.html`; the texts are keys of the catalogues."""

    word: str
    tone: str
    icon: str
    whole: str  # what it says of the whole assessment


OUTCOMES: Mapping[Outcome, OutcomeFace] = MappingProxyType(
    {
        Outcome.FAIL: OutcomeFace(_("Not met"), "bad", "cross", _("As described, the mark would be refused")),
        Outcome.INCOMPLETE: OutcomeFace(_("Missing"), "wait", "pencil", _("Information is missing")),
        Outcome.MANUAL: OutcomeFace(_("A reviewer decides"), "wait", "question", _("A reviewer would have to decide")),
        Outcome.PASS: OutcomeFace(_("Met"), "good", "check", _("No obstacle in what was checked")),
        Outcome.NOT_APPLICABLE: OutcomeFace(_("Does not apply"), "neutral", "next", _("No rule applies")),
        Outcome.NOT_ASSESSED: OutcomeFace(_("Not checked"), "neutral", "clock", _("Nothing has been checked yet")),
    }
)
"""In the order in which a reader needs them."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule in words: what it asks for in one sentence, how that is proved, and by outcome everything that it can
    answer, with its own thresholds filled in. `proof` is a text of the catalogues for what no document proves."""

    rule: AnyRule
    requirement: Text | None
    proof: str | None
    sentences: Sequence[tuple[Outcome, Text]]
    evidence: Sequence[EvidenceKind]


def explain(ruleset: Ruleset) -> list[Explained]:
    return [
        Explained(
            rule,
            _filled(rule, rule.requirement) if rule.requirement else None,
            PROOFS[rule.source] if rule.source else None,
            _sentences(rule),
            [kinds()[code] for code in rule.evidence_kinds()],
        )
        for rule in ruleset.rules
    ]


PROOFS: Mapping[Source, str] = MappingProxyType(
    {
        Source.APPLICANT: _("what you enter in the application"),
        Source.REGISTER: _("the resident register, looked up by the registrar"),
        Source.OWN_RECORDS: _("our own records, looked up by us"),
    }
)
"""How a rule is proved apart from documents, by the source of its facts."""


def evidence_of(ruleset: Ruleset, supplier: Supplier) -> list[EvidenceKind]:
    """The kinds of evidence that the rules of a mark read and this side supplies, each once."""
    found = dict.fromkeys(code for rule in ruleset.rules for code in rule.evidence_kinds())
    return [kinds()[code] for code in found if supplier in kinds()[code].supplied_by]


_TOLD: Final = (Outcome.PASS, Outcome.MANUAL, Outcome.INCOMPLETE, Outcome.FAIL, Outcome.NOT_APPLICABLE)


def _sentences(rule: AnyRule) -> list[tuple[Outcome, Text]]:
    """What it answers when a fact cannot be carried is no rule, and is left out."""
    cases = rule.cases()
    told = [case for case in cases if cases[case] in _TOLD]
    return [
        (cases[case], _filled(rule, rule.reasons[case]))
        for case in sorted(told, key=lambda case: _TOLD.index(cases[case]))
    ]


def _filled(rule: AnyRule, text: Text) -> Text:
    parameters, named = rule.published_parameters, rule.named()

    def with_thresholds(sentence: str, language: Language) -> str:
        words = {name: legible(value, named.get(name), language) for name, value in parameters.items()}
        return sentence.format_map(dict.fromkeys(placeholders(sentence), UNSEEN) | words)

    return Text(en=with_thresholds(text.en, "en"), az=with_thresholds(text.az, "az"))
