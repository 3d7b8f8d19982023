"""Kinds of evidence items as data: who supplies them, which dates they bear, and which values are read in them. Pure.

A value is kept as JSON (decimals as text) and is handed to the rules as the domain's value. What cannot be right is
named with its place, in words for who typed it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemes import nomenclature
from app.schemes.facts import ItemValue
from app.schemes.figures import plain
from app.schemes.rules.base import Text, seen

MOST_GOODS = 200
LONGEST_NUMBER = 100
NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
MOST_DIGITS = 30
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
LARGEST = Decimal(10) ** 12
MOST_PLACES = 6

Wrong = dict[str, str]
"""A JSON pointer and what is wrong there."""


class Supplier(StrEnum):
    APPLICANT = "applicant"
    STAFF = "staff"


class Need(StrEnum):
    NEEDED = "needed"
    OPTIONAL = "optional"
    NONE = "none"


class ValueType(StrEnum):
    CHOICE = "choice"
    CODE = "code"
    TEXT = "text"
    FLAG = "flag"
    PERCENTAGE = "percentage"
    QUANTITY = "quantity"
    COUNT = "count"
    HEADING = "heading"
    GOODS = "goods"


class ValueSpec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text
    type: ValueType
    choices: tuple[str, ...] = ()
    optional: bool = False


class EvidenceKind(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    name: Text
    supplied_by: tuple[Supplier, ...] = Field(min_length=1)
    issued_on: Need = Need.NONE
    valid_until: Need = Need.NONE
    number: Need = Need.NONE
    values: Mapping[str, ValueSpec] = {}


@cache
def kinds() -> Mapping[str, EvidenceKind]:
    """Code → kind, in the order of the file; the file is part of the service."""
    raw = tomllib.loads((files("app.schemes") / "evidence_kinds.toml").read_text("utf-8"))["kinds"]
    return {code: EvidenceKind.model_validate({"code": code, **entry}) for code, entry in raw.items()}


def check(
    kind: EvidenceKind, values: Mapping[str, Any], present: Mapping[str, bool], *, complete: bool
) -> tuple[dict[str, Any], list[Wrong]]:
    """The values as they are kept, and everything wrong. `present` says which of issued_on, valid_until and number are
    given. `complete`: as a confirmation must be; an applicant may leave to the staff what they will read anyway."""
    wrong: list[Wrong] = []
    kept: dict[str, Any] = {}
    for member, given in present.items():
        need: Need = getattr(kind, member)
        if given and need is Need.NONE:
            wrong.append({"pointer": f"/{member}", "detail": f"Evidence of the kind {kind.code} has none."})
        elif complete and not given and need is Need.NEEDED:
            wrong.append({"pointer": f"/{member}", "detail": "This is needed."})
    for name in sorted(values.keys() - kind.values.keys()):
        detail = f"Evidence of the kind {kind.code} has no such value."
        wrong.append({"pointer": f"/values/{seen(name)}", "detail": detail})
    for name, spec in kind.values.items():
        value = values.get(name)
        if value is None:
            if complete and not spec.optional:
                wrong.append({"pointer": f"/values/{name}", "detail": "This is needed."})
            continue
        try:
            kept[name] = as_kept(spec, value)
        except ValueError as why:
            wrong.append({"pointer": f"/values/{name}", "detail": str(why)})
    return kept, wrong


def as_kept(spec: ValueSpec, value: Any) -> Any:
    """The value as JSON; raises ValueError with what is wrong with it."""
    if spec.type is ValueType.FLAG:
        if not isinstance(value, bool):
            raise ValueError("This is true or false.")
        return value
    if spec.type in FIGURES:
        return plain(_figure(spec, value))
    if spec.type is ValueType.GOODS:
        return list(_goods(value))
    if not isinstance(value, str) or not value.strip():
        raise ValueError("This is text, and not empty.")
    return _word(spec, value.strip())


FIGURES = frozenset({ValueType.PERCENTAGE, ValueType.QUANTITY, ValueType.COUNT})


def _figure(spec: ValueSpec, value: Any) -> Decimal:
    text = value if isinstance(value, str) else _digits(value)
    if not NUMBER.fullmatch(text):
        raise ValueError("This is a number, best as text such as “12.5”.")
    figure = Decimal(text)
    if not 0 <= figure <= (100 if spec.type is ValueType.PERCENTAGE else LARGEST):
        raise ValueError("This is a percentage from 0 to 100." if spec.type is ValueType.PERCENTAGE else _TOO_MUCH)
    places = 0 if spec.type is ValueType.COUNT else MOST_PLACES
    if figure != round(figure, places):
        raise ValueError(f"At most {places} decimal places." if places else "This is a whole number.")
    return figure


def _digits(value: Any) -> str:
    """A JSON number as its digits; nothing where it is none, or of no sensible size."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return ""
    figure = Decimal(value)
    return f"{figure:f}" if figure.is_finite() and abs(figure.adjusted()) < MOST_DIGITS else ""


_TOO_MUCH = f"This is not between 0 and {LARGEST}."


def _goods(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_GOODS:
        raise ValueError(f"This is a list of 1 to {MOST_GOODS} HS codes as text.")
    for each in value:
        if not isinstance(each, str) or nomenclature.title(each) is None:
            shown = seen(each) if isinstance(each, str) else "a number"
            raise ValueError(f"{shown} is no chapter, heading or subheading of the Harmonized System.")
        yield each


def _word(spec: ValueSpec, value: str) -> str:
    if spec.type is ValueType.CHOICE and value not in spec.choices:
        raise ValueError(f"This is one of: {', '.join(spec.choices)}.")
    if spec.type is ValueType.HEADING and not nomenclature.is_heading(value):
        raise ValueError("This is a heading of the Harmonized System: four digits.")
    if spec.type is ValueType.CODE and not CODE.fullmatch(value):
        raise ValueError("This is a word of letters, digits, hyphens and underscores.")
    if value != seen(value):
        raise ValueError("This is longer than 120 characters, or holds a character that is not text.")
    return value


def as_facts(kind: EvidenceKind, kept: Mapping[str, Any]) -> Mapping[str, ItemValue]:
    """What the rules see of kept values. A value that the kind no longer knows is left out."""
    return {name: _as_fact(kind.values[name], value) for name, value in kept.items() if name in kind.values}


def _as_fact(spec: ValueSpec, value: Any) -> ItemValue:
    if spec.type in FIGURES:
        return Decimal(value)
    if spec.type is ValueType.GOODS:
        return tuple(value)
    return bool(value) if spec.type is ValueType.FLAG else str(value)
