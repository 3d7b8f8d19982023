"""What every kind of rule has in common: parameters and reasons as data, one pure `judge`.

A kind names its cases: every way in which it can answer, each with its outcome. A rule in a scheme file gives a reason
in English and Azerbaijani for every case, with placeholders for values seen and for parameters. Both are checked when
the file is read, so that no assessment can meet a reason that is missing or cannot be filled in.
"""

import string
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.schemes.facts import Facts
from app.schemes.outcome import Outcome

Value = str | int | bool | None | tuple[str, ...]
"""A value seen: decimals as text, dates in ISO form."""

TerritorySets = Mapping[str, frozenset[str]]
"""Name of a territory set → codes of its economic regions or municipalities."""

LONGEST_VALUE = 120
JOINERS = "\u200c\u200d\u200e\u200f"
"""Invisible, and needed by Persian and Arabic. Overrides of direction can disguise a text and are not among them."""


AWAITS_STAFF = "incomplete_unconfirmed"
"""The case of every kind in which the evidence lies here and a member of staff has yet to confirm it."""


class Source(StrEnum):
    """Where the facts of a kind come from, evidence items apart."""

    APPLICANT = "applicant"  # the description of company, site and product
    REGISTER = "register"  # the resident register, kept by the registrar
    HOUSE = "house"  # what the service itself knows


class Verdict(NamedTuple):
    case: str
    values: Mapping[str, Value]


class Text(BaseModel):
    """One sentence or more in the two languages of a decision."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    en: str = Field(min_length=1)
    az: str = Field(min_length=1)


class Rule(BaseModel, ABC):
    """A criterion of a mark. `id` is the mark's name for it; the kind is the class."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CASES: ClassVar[Mapping[str, Outcome]]
    VALUES: ClassVar[frozenset[str]]
    SOURCE: ClassVar[Source | None] = Source.APPLICANT

    id: str = Field(pattern=r"^[A-Z]{1,3}-[0-9]{2}$")
    clause: Text = Field(description="where the mark's regulations or the law say so; ends every reason")
    title: Text
    may_be_supplied_later: bool = Field(
        default=False, description="incomplete does not stop a submission: it is asked for, and stops an approval"
    )
    reasons: Mapping[str, Text]

    @abstractmethod
    def judge(self, facts: Facts, territory_sets: TerritorySets) -> Verdict:
        """The case that these facts are, and the values seen: exactly the names in `VALUES`."""

    def cases(self) -> Mapping[str, Outcome]:
        """The ways in which this rule, with its parameters, can answer."""
        return self.CASES

    def may_come_later(self, case: str) -> bool:
        """Whether an incomplete answer lets the application be submitted: the applicant has done their part."""
        return self.may_be_supplied_later or case == AWAITS_STAFF

    def evidence_kinds(self) -> tuple[str, ...]:
        """Kinds of evidence items that the rule reads."""
        return ()

    def value_names(self) -> tuple[str, ...]:
        """Structured values of those kinds that the rule reads."""
        return ()

    def holds_until(self, facts: Facts) -> date | None:  # noqa: ARG002 (kinds that read evidence say more)
        """Last day on which what the rule rests on still holds; None where nothing of it ends."""
        return None

    @model_validator(mode="after")
    def every_case_has_a_reason_that_can_be_filled_in(self) -> Self:
        cases = self.cases().keys()
        if missing := sorted(cases - self.reasons.keys()):
            raise ValueError(f"{self.id}: no reason for {', '.join(missing)}")
        if surplus := sorted(self.reasons.keys() - cases):
            raise ValueError(f"{self.id}: with its parameters this kind never answers {', '.join(surplus)}")
        known = self.VALUES | self.parameters().keys()
        for case, text in self.reasons.items():
            for sentence in (text.en, text.az):
                if unknown := sorted(placeholders(sentence) - known):
                    raise ValueError(f"{self.id}, reason “{case}”: unknown placeholder {', '.join(unknown)}")
        return self

    @cached_property
    def published_parameters(self) -> Mapping[str, Any]:
        """`parameters()`, put together once: a rule never changes."""
        return MappingProxyType(self.parameters())

    def parameters(self) -> dict[str, Any]:
        """The rule's own parameters as JSON values."""
        return self.model_dump(mode="json", exclude=set(Rule.model_fields) | {"kind"})


def placeholders(sentence: str) -> set[str]:
    """Names in braces. Anything cleverer than a bare name is refused: a scheme file is data, not a program."""
    names = set()
    for _, name, form, conversion in string.Formatter().parse(sentence):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(f"a placeholder is a name in braces, not {{{name}}}")
        names.add(name)
    return names


def fill(sentence: str, values: Mapping[str, Any]) -> str:
    """The sentence as a person reads it."""
    return sentence.format_map(legible_values(values))


def legible_values(values: Mapping[str, Any]) -> dict[str, str]:
    """What the placeholders of a sentence stand for."""
    return {name: legible(value) for name, value in values.items()}


def legible(value: object) -> str:
    if value is None or value in ("", (), []):
        return "–"
    if isinstance(value, (tuple, list)):
        return ", ".join(str(item) for item in value)
    return str(value)


def seen(text: str | None) -> str | None:
    """Text from outside as it may be kept and printed: no control characters, no lone surrogates, not endless."""
    if text is None:
        return None
    if len(text) <= LONGEST_VALUE and text.isprintable():
        return text
    safe = "".join(safe_letter(letter) for letter in text[:LONGEST_VALUE])
    return safe if len(text) <= LONGEST_VALUE else safe + "…"


def safe_letter(letter: str) -> str:
    if letter.isprintable() or letter in JOINERS:
        return letter
    return " " if letter.isspace() else "\ufffd"


def code(text: str | None) -> str | None:
    """A code as it is compared: trimmed, capital letters; None where there is nothing."""
    return (text or "").strip().upper() or None


def day(when: date | None) -> str | None:
    """A day as it is shown and kept."""
    return when.isoformat() if when else None
