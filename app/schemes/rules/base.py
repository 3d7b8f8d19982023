"""What every kind of rule has in common: parameters and reasons as data, one pure `judge`.

A kind names its cases: every way in which it can answer, each with its outcome. A rule in a scheme file gives a reason
in English and Azerbaijani for every case, with placeholders for values seen and for parameters. Both are checked when
the file is read, so that no assessment can meet a reason that is missing or cannot be filled in.
"""

import string
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemes.closed_lists import ClosedLists, country_name, load_lists
from app.schemes.facts import Facts
from app.schemes.material_origin import BillOfMaterials, OriginSettings, classify_materials
from app.schemes.outcome import Outcome
from app.schemes.percentages import format_decimal

Value = str | int | bool | None | tuple[str, ...]
"""A value seen: decimals as text, dates in ISO form."""

T = TypeVar("T")

Language = Literal["en", "az"]

HsPrefix = Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})$", description="HS chapter, heading or code")]
Heading = Annotated[str, Field(pattern=r"^[0-9]{4}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")]
SetName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$", description="a territory set of the ruleset")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
KindCode = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$", description="kind of evidence document")]
ValueName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", description="a structured value of that kind")
]
Percentage = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]
Amount = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What all rules of a ruleset share."""

    territory_sets: Mapping[str, frozenset[str]]  # name → economic regions, folded districts or municipalities
    origin: OriginSettings
    lists: ClosedLists
    _cache: dict[object, tuple[Facts, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def compute_once(self, what: object, facts: Facts, compute: Callable[[], T]) -> T:
        """What several rules ask of the same facts, computed for the first of them; facts never change."""
        kept = self._cache.get(what)
        if kept is None or kept[0] is not facts:
            kept = self._cache[what] = (facts, compute())
        found: T = kept[1]
        return found

    def bill_of_materials(self, facts: Facts) -> BillOfMaterials | None:
        return self.compute_once("bill of materials", facts, lambda: classify_materials(facts, self.origin, self.lists))


MAX_VALUE_LENGTH = 120
ALLOWED_INVISIBLE = "\u200c\u200d\u200e\u200f"
"""Invisible, and needed by Persian and Arabic. Overrides of direction can disguise a text and are not among them."""


UNCONFIRMED_CASE = "incomplete_unconfirmed"
"""The case of every kind in which the document is here and a member of staff has yet to confirm it."""


class FactSource(StrEnum):
    """Where the facts of a kind come from, evidence documents apart."""

    APPLICANT = "applicant"  # the description of company, site and product
    REGISTER = "register"  # the resident register, kept by the registrar
    OWN_RECORDS = "own_records"  # what the service itself knows


class Remedy(NamedTuple):
    """What makes an incomplete answer complete: a field of the product, a document, or both."""

    field: str | None = None  # JSON pointer into the product, or a name such as `declaration`
    evidence: str | None = None  # kind of document
    by_staff: bool = False
    also: tuple[str, ...] = ()  # kinds of documents that are missing beside it


class RuleResult(NamedTuple):
    case: str
    values: Mapping[str, Value]
    remedy: Remedy | None = None
    text: str | None = None  # key of the reason where it is not the case itself


class ReasonTemplate(NamedTuple):
    text: str  # as it is read where it leaves nothing open; else with its placeholders
    names: tuple[tuple[str, str | None], ...]  # each placeholder, and the list that names its codes


class BilingualText(BaseModel):
    """One sentence or more in the two languages of a decision."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    en: str = Field(min_length=1)
    az: str = Field(min_length=1)


class Rule(BaseModel, ABC):
    """A criterion of a mark. `id` is the mark's name for it; the kind is the class."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CASES: ClassVar[Mapping[str, Outcome]]
    EXTRA_REASONS: ClassVar[frozenset[str]] = frozenset()
    """Keys of further reasons, for cases that need more than one sentence."""
    VALUE_KEYS: ClassVar[frozenset[str]]
    CODE_GROUPS: ClassVar[Mapping[str, str]] = {}
    """Value or parameter → group of `lists.toml` (or `country`, `operation`) that names its codes."""
    STAFF_CASES: ClassVar[frozenset[str]] = frozenset()
    """Incomplete cases in which staff act next: they never stop a submission."""
    SOURCE: ClassVar[FactSource | None] = FactSource.APPLICANT

    id: str = Field(pattern=r"^[A-Z]{1,3}-[0-9]{2}$")
    clause: BilingualText = Field(description="where the mark's regulations or the law say so; ends every reason")
    title: BilingualText
    requirement: BilingualText | None = Field(
        default=None,
        exclude_if=lambda value: value is None,  # rulesets from before this field keep their digest
        description="what the rule asks for, in one sentence; may name the rule's own parameters",
    )
    may_be_supplied_later: bool = Field(
        default=False, description="incomplete does not stop a submission: it is asked for, and stops an approval"
    )
    reasons: Mapping[str, BilingualText]
    shared_reasons: Mapping[str, BilingualText] = Field(default={}, exclude=True, repr=False)

    @abstractmethod
    def evaluate(self, facts: Facts, context: RuleContext) -> RuleResult:
        """The case that these facts are, and the values seen: exactly the names in `VALUES`."""

    def cases(self) -> Mapping[str, Outcome]:
        """The ways in which this rule, with its parameters, can answer."""
        return self.CASES

    def code_groups(self) -> Mapping[str, str]:
        """`NAMED`, with what the parameters add."""
        return self.CODE_GROUPS

    def reason_keys(self) -> frozenset[str]:
        """The reasons that the rule needs: one for each case, and the further ones."""
        return frozenset(self.cases()) | self.EXTRA_REASONS

    def can_be_submitted_with(self, case: str) -> bool:
        """Whether an incomplete answer lets the application be submitted: the applicant has done their part."""
        return self.may_be_supplied_later or case == UNCONFIRMED_CASE or case in self.STAFF_CASES

    @property
    def source(self) -> FactSource | None:
        """Where the facts come from, evidence documents apart."""
        return self.SOURCE

    def evidence_kinds(self) -> tuple[str, ...]:
        """Kinds of evidence documents that the rule reads."""
        return ()

    def value_names(self) -> tuple[str, ...]:
        """Structured values of those kinds that the rule reads."""
        return ()

    def territory_set_names(self) -> tuple[str, ...]:
        """Territory sets that the rule names."""
        return ()

    def holds_until(self, facts: Facts, context: RuleContext) -> date | None:  # noqa: ARG002 (some kinds say more)
        """Last day on which what the rule rests on still holds; None where nothing of it ends."""
        return None

    @model_validator(mode="after")
    def add_shared_reasons(self) -> Self:
        """A shared rule has a reason for whatever it could answer; with its parameters a mark's own may need fewer."""
        wanted = {name: text for name, text in self.shared_reasons.items() if name in self.reason_keys()}
        object.__setattr__(self, "reasons", wanted | dict(self.reasons))
        object.__setattr__(self, "shared_reasons", {})
        return self

    @model_validator(mode="after")
    def require_reason_for_every_case(self) -> Self:
        texts = self.reason_keys()
        if missing := sorted(texts - self.reasons.keys()):
            raise ValueError(f"{self.id}: no reason for {', '.join(missing)}")
        if surplus := sorted(self.reasons.keys() - texts):
            raise ValueError(f"{self.id}: with its parameters this kind never answers {', '.join(surplus)}")
        known = self.VALUE_KEYS | self.parameters().keys()
        asked = placeholder_names(self.requirement.en + self.requirement.az) if self.requirement else set()
        if unknown := sorted(asked - self.parameters().keys()):
            raise ValueError(f"{self.id}, requirement: unknown placeholder {', '.join(unknown)}")
        for case, text in self.reasons.items():
            for sentence in (text.en, text.az):
                if unknown := sorted(placeholder_names(sentence) - known):
                    raise ValueError(f"{self.id}, reason “{case}”: unknown placeholder {', '.join(unknown)}")
        return self

    @cached_property
    def outcomes(self) -> Mapping[str, Outcome]:
        """`cases()`, put together once."""
        return MappingProxyType(dict(self.cases()))

    @cached_property
    def published_parameters(self) -> Mapping[str, Any]:
        """`parameters()`, put together once: a rule never changes."""
        return MappingProxyType(self.parameters())

    def parameters(self) -> dict[str, Any]:
        """The rule's own parameters as JSON values; figures as a person writes them: 40, not 40.00."""
        own = self.model_dump(mode="json", exclude=set(Rule.model_fields) | {"kind"})
        figures = {name: format_decimal(value) for name, value in self if isinstance(value, Decimal)}
        return own | {name: figure for name, figure in figures.items() if name in own}

    @cached_property
    def reason_templates(self) -> Mapping[tuple[str, str], ReasonTemplate]:
        """Key of a reason and language → the sentence with its clause, and what it leaves open; put together once."""
        named, phrases = self.code_groups(), {}
        for key, text in self.reasons.items():
            for language, sentence, clause in (("en", text.en, self.clause.en), ("az", text.az, self.clause.az)):
                names = tuple((name, named.get(name)) for name in sorted(placeholder_names(sentence)))
                whole = f"{sentence} ({clause.replace('{', '{{').replace('}', '}}')})"
                phrases[key, language] = ReasonTemplate(whole if names else whole.format(), names)
        return MappingProxyType(phrases)

    def render_reason(self, verdict: RuleResult, language: Language) -> str:
        """The sentence for this verdict as a person reads it, with the clause behind it."""
        phrase = self.reason_templates[verdict.text or verdict.case, language]
        return (
            phrase.text.format_map(self.placeholder_values(phrase, verdict.values, language))
            if phrase.names
            else phrase.text
        )

    def placeholder_values(
        self, phrase: ReasonTemplate, seen_values: Mapping[str, Value], language: Language
    ) -> dict[str, str]:
        """What the phrase leaves open, values before parameters, as a person reads it."""
        parameters = self.published_parameters
        return {
            name: display_value(seen_values[name] if name in seen_values else parameters[name], group, language)
            for name, group in phrase.names
        }


def placeholder_names(sentence: str) -> set[str]:
    """Names in braces. Anything cleverer than a bare name is refused: a scheme file is data, not a program."""
    names = set()
    for _, name, form, conversion in string.Formatter().parse(sentence):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(f"a placeholder is a name in braces, not {{{name}}}")
        names.add(name)
    return names


def display_value(value: object, group: str | None = None, language: Language = "en") -> str:
    """A value as a person reads it: codes by their names in the language, lists with commas, nothing as a dash."""
    if value is None or value in ("", (), []):
        return "–"
    if isinstance(value, (tuple, list)):
        return ", ".join(display_value(item, group, language) for item in value)
    if group is None:
        return str(value)
    return code_name(str(value), group, language)


def code_name(code: str, group: str, language: Language) -> str:
    """The name of a code in one of the closed lists; the text itself where the list does not have it."""
    if group == "country":
        return country_name(code, language)
    if group == "operation":
        operation = load_lists().find_operation(code)
        return operation.names[language] if operation else code
    return load_lists().find_name(group, code, language)


def sanitize(text: str | None) -> str | None:
    """Text from outside as it may be kept and printed: no control characters, no lone surrogates, not endless."""
    if text is None:
        return None
    if len(text) <= MAX_VALUE_LENGTH and text.isprintable():
        return text
    safe = "".join(sanitize_character(letter) for letter in text[:MAX_VALUE_LENGTH])
    return safe if len(text) <= MAX_VALUE_LENGTH else safe + "…"


def sanitize_character(letter: str) -> str:
    if letter.isprintable() or letter in ALLOWED_INVISIBLE:
        return letter
    return " " if letter.isspace() else "\ufffd"


def normalize_code(text: str | None) -> str | None:
    """A code as it is compared: trimmed, capital letters; None where there is nothing."""
    return (text or "").strip().upper() or None


def format_day(when: date | None) -> str | None:
    """A day as it is shown and kept."""
    return when.isoformat() if when else None
