"""Define what all kinds of rules share: parameters and reasons as data, one pure `evaluate`.

A kind declares its cases: every possible result, each with its outcome. A rule in a scheme file has a reason in English
and Azerbaijani for every case, with placeholders for observed values and for parameters. Both are checked when the file
is loaded, so that no assessment can need a reason that is missing or cannot be filled in.
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
"""An observed value: decimals are text, dates in ISO form."""

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
    """Data that all rules of a ruleset share."""

    territory_sets: Mapping[str, frozenset[str]]  # name → economic regions, folded districts or municipalities
    origin: OriginSettings
    lists: ClosedLists
    _cache: dict[object, tuple[Facts, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def compute_once(self, key: object, facts: Facts, compute: Callable[[], T]) -> T:
        """Compute a value once for several rules of the same facts, which never change."""
        cached = self._cache.get(key)
        if cached is None or cached[0] is not facts:
            cached = self._cache[key] = (facts, compute())
        value: T = cached[1]
        return value

    def bill_of_materials(self, facts: Facts) -> BillOfMaterials | None:
        return self.compute_once("bill of materials", facts, lambda: classify_materials(facts, self.origin, self.lists))


MAX_VALUE_LENGTH = 120
ALLOWED_INVISIBLE = "\u200c\u200d\u200e\u200f"
"""Invisible characters that Persian and Arabic need.

Direction overrides can disguise a text and are not allowed.
"""


UNCONFIRMED_CASE = "incomplete_unconfirmed"
"""Case of every kind: the document exists, but staff have not confirmed it yet."""


class FactSource(StrEnum):
    """Where the facts of a kind come from, apart from evidence documents."""

    APPLICANT = "applicant"  # the description of company, site and product
    REGISTER = "register"  # the resident register, maintained by the registrar
    OWN_RECORDS = "own_records"  # records of the service itself


class Remedy(NamedTuple):
    """What completes an incomplete result: a field of the product, a document, or both."""

    field: str | None = None  # JSON pointer into the product, or a name such as `declaration`
    evidence: str | None = None  # kind of document
    by_staff: bool = False
    also: tuple[str, ...] = ()  # further kinds of documents that are missing


class RuleResult(NamedTuple):
    case: str
    values: Mapping[str, Value]
    remedy: Remedy | None = None
    text: str | None = None  # key of the reason where it is not the case itself


class ReasonTemplate(NamedTuple):
    text: str  # final text if it has no placeholders, else a format string
    names: tuple[tuple[str, str | None], ...]  # placeholders, each with the group that names its codes


class BilingualText(BaseModel):
    """One or more sentences in the two languages of a decision."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    en: str = Field(min_length=1)
    az: str = Field(min_length=1)


class Rule(BaseModel, ABC):
    """A criterion of a mark. `id` is the mark's identifier for it; the class is its kind."""

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
        """Return the case of these facts and the observed values, named exactly as in `VALUE_KEYS`."""

    def cases(self) -> Mapping[str, Outcome]:
        """Return the cases that are possible with this rule's parameters."""
        return self.CASES

    def code_groups(self) -> Mapping[str, str]:
        """Return `CODE_GROUPS` with the additions of the parameters."""
        return self.CODE_GROUPS

    def reason_keys(self) -> frozenset[str]:
        """Return the keys of the required reasons: one per case, and the extra ones."""
        return frozenset(self.cases()) | self.EXTRA_REASONS

    def can_be_submitted_with(self, case: str) -> bool:
        """Check that an incomplete case does not prevent a submission.

        The applicant has then supplied everything, or may supply it later.
        """
        return self.may_be_supplied_later or case == UNCONFIRMED_CASE or case in self.STAFF_CASES

    @property
    def source(self) -> FactSource | None:
        """Return where the facts come from, apart from evidence documents."""
        return self.SOURCE

    def evidence_kinds(self) -> tuple[str, ...]:
        """Return the kinds of evidence documents that the rule reads."""
        return ()

    def value_names(self) -> tuple[str, ...]:
        """Return the values of those kinds that the rule reads."""
        return ()

    def territory_set_names(self) -> tuple[str, ...]:
        """Return the territory sets that the rule uses."""
        return ()

    def holds_until(self, facts: Facts, context: RuleContext) -> date | None:  # noqa: ARG002 (some kinds say more)
        """Return the last day on which the rule's evidence is valid; None where it has no end."""
        return None

    @model_validator(mode="after")
    def add_shared_reasons(self) -> Self:
        """Add the shared reasons that this rule's cases need.

        A shared rule has reasons for all possible cases; with its parameters a mark's rule may need fewer.
        """
        required = {name: text for name, text in self.shared_reasons.items() if name in self.reason_keys()}
        object.__setattr__(self, "reasons", required | dict(self.reasons))
        object.__setattr__(self, "shared_reasons", {})
        return self

    @model_validator(mode="after")
    def require_reason_for_every_case(self) -> Self:
        texts = self.reason_keys()
        if missing := sorted(texts - self.reasons.keys()):
            raise ValueError(f"{self.id}: no reason for {', '.join(missing)}")
        if surplus := sorted(self.reasons.keys() - texts):
            raise ValueError(f"{self.id}: with its parameters this kind never answers {', '.join(surplus)}")
        placeholders = self.VALUE_KEYS | self.parameters().keys()
        requirement_names = placeholder_names(self.requirement.en + self.requirement.az) if self.requirement else set()
        if unknown := sorted(requirement_names - self.parameters().keys()):
            raise ValueError(f"{self.id}, requirement: unknown placeholder {', '.join(unknown)}")
        for case, text in self.reasons.items():
            for sentence in (text.en, text.az):
                if unknown := sorted(placeholder_names(sentence) - placeholders):
                    raise ValueError(f"{self.id}, reason “{case}”: unknown placeholder {', '.join(unknown)}")
        return self

    @cached_property
    def outcomes(self) -> Mapping[str, Outcome]:
        """Return `cases()`, cached."""
        return MappingProxyType(dict(self.cases()))

    @cached_property
    def published_parameters(self) -> Mapping[str, Any]:
        """Return `parameters()`, cached: a rule never changes."""
        return MappingProxyType(self.parameters())

    def parameters(self) -> dict[str, Any]:
        """Return the rule's own parameters as JSON; figures in plain form: 40, not 40.00."""
        own = self.model_dump(mode="json", exclude=set(Rule.model_fields) | {"kind"})
        figures = {name: format_decimal(value) for name, value in self if isinstance(value, Decimal)}
        return own | {name: figure for name, figure in figures.items() if name in own}

    @cached_property
    def reason_templates(self) -> Mapping[tuple[str, str], ReasonTemplate]:
        """Map reason key and language to the sentence with its clause and placeholders; cached."""
        groups, templates = self.code_groups(), {}
        for key, text in self.reasons.items():
            for language, sentence, clause in (("en", text.en, self.clause.en), ("az", text.az, self.clause.az)):
                names = tuple((name, groups.get(name)) for name in sorted(placeholder_names(sentence)))
                full_text = f"{sentence} ({clause.replace('{', '{{').replace('}', '}}')})"
                templates[key, language] = ReasonTemplate(full_text if names else full_text.format(), names)
        return MappingProxyType(templates)

    def render_reason(self, result: RuleResult, language: Language) -> str:
        """Render the reason of a result, with the clause at its end."""
        template = self.reason_templates[result.text or result.case, language]
        return (
            template.text.format_map(self.placeholder_values(template, result.values, language))
            if template.names
            else template.text
        )

    def placeholder_values(
        self, template: ReasonTemplate, observed: Mapping[str, Value], language: Language
    ) -> dict[str, str]:
        """Return display texts for the placeholders; observed values precede parameters."""
        parameters = self.published_parameters
        return {
            name: display_value(observed[name] if name in observed else parameters[name], group, language)
            for name, group in template.names
        }


def placeholder_names(sentence: str) -> set[str]:
    """Return the names in braces. Raises `ValueError` for format specifications and conversions.

    A scheme file is data, not a program.
    """
    names = set()
    for _, name, format_spec, conversion in string.Formatter().parse(sentence):
        if name is None:
            continue
        if not name.isidentifier() or format_spec or conversion:
            raise ValueError(f"a placeholder is a name in braces, not {{{name}}}")
        names.add(name)
    return names


def display_value(value: object, group: str | None = None, language: Language = "en") -> str:
    """Format a value for display: code names, lists with commas, a dash for an empty value."""
    if value is None or value in ("", (), []):
        return "–"
    if isinstance(value, (tuple, list)):
        return ", ".join(display_value(item, group, language) for item in value)
    if group is None:
        return str(value)
    return code_name(str(value), group, language)


def code_name(code: str, group: str, language: Language) -> str:
    """Return the name of a code in a closed list, or the code itself."""
    if group == "country":
        return country_name(code, language)
    if group == "operation":
        operation = load_lists().find_operation(code)
        return operation.names[language] if operation else code
    return load_lists().find_name(group, code, language)


def sanitize(text: str | None) -> str | None:
    """Make external text safe to store and display, with at most `MAX_VALUE_LENGTH` characters.

    Control characters and lone surrogates are replaced.
    """
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
    """Trim a code and convert it to capital letters; None where it is empty."""
    return (text or "").strip().upper() or None


def format_day(day: date | None) -> str | None:
    """Format a date in ISO form; None where it is missing."""
    return day.isoformat() if day else None
