"""Define kinds of evidence documents as data: supplier, scope, dates and values. Pure.

Values are stored as JSON (decimals as text) and passed to the rules as domain values. Invalid values are reported with
their place, in words for the user who entered them.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pycountry
from pydantic import BaseModel, ConfigDict, Field

from app.core.dates import subtract_months
from app.core.messages import DATE_EXPECTED, DECIMAL_EXPECTED, Message
from app.reference import hs_nomenclature
from app.schemes.closed_lists import load_lists
from app.schemes.facts import EvidenceValue
from app.schemes.percentages import format_decimal
from app.schemes.rules.base import BilingualText, sanitize

MAX_GOODS = 200
MAX_FINDINGS = 100
MAX_FINDING_TEXT = 500
MAX_NUMBER_LENGTH = 100
NUMBER_PATTERN = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
MAX_DIGITS = 30
DATE_PATTERN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
VOEN_PATTERN = re.compile(r"[0-9]{10}")
CODE_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
MAX_FIGURE = Decimal(10) ** 12
MAX_DECIMAL_PLACES = 6

FieldError = dict[str, str]
"""JSON pointer and message of one invalid value."""


class Supplier(StrEnum):
    APPLICANT = "applicant"
    STAFF = "staff"


class EvidenceScope(StrEnum):
    """What a document of a kind is about, and has to name. Without its subject it speaks for nothing."""

    COMPANY = "company"  # names nothing: it speaks for the whole company
    SITE = "site"  # names one site
    PRODUCT = "product"  # names one or several products
    LOT = "lot"  # names its product; its number is that of the lot
    ANY = "any"  # may name products or a site


class FieldRequirement(StrEnum):
    REQUIRED = "needed"
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
    DATE = "date"
    COUNTRY = "country"
    DISTRICT = "district"
    UNIT = "unit"
    VOEN = "voen"
    MEMBER = "member"
    FINDINGS = "findings"


Lookups = Mapping[ValueType, Callable[[str], str]]
"""Value type → function that returns the stored spelling or raises `ValueError`.

For values that only the caller can look up.
"""


class ValueSpec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: BilingualText
    type: ValueType
    choices: tuple[str, ...] = ()
    optional: bool = False


class ValuePeriod(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    begins: str
    ends: str
    max_months: int | None = None


class EvidenceKind(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    name: BilingualText
    scope: EvidenceScope = Field(description="what a document of this kind is about, and has to name")
    supplied_by: tuple[Supplier, ...] = Field(min_length=1)
    issued_on: FieldRequirement = FieldRequirement.NONE
    valid_until: FieldRequirement = FieldRequirement.NONE
    number: FieldRequirement = FieldRequirement.NONE
    values: Mapping[str, ValueSpec] = {}
    period: ValuePeriod | None = Field(
        None, description="two of the values that are the first and the last day of a period"
    )

    @property
    def is_staff_only(self) -> bool:
        """Check that only staff supply this kind. Companies are never shown such documents."""
        return self.supplied_by == (Supplier.STAFF,)


@cache
def load_evidence_kinds() -> Mapping[str, EvidenceKind]:
    """Load the kinds by code, in the order of the file that ships with the service."""
    raw = tomllib.loads((files("app.schemes") / "evidence_kinds.toml").read_text("utf-8"))["kinds"]
    scope = load_lists().scope
    return {
        code: EvidenceKind.model_validate({"code": code, "scope": scope[code], **entry}) for code, entry in raw.items()
    }


def validate_values(
    kind: EvidenceKind,
    values: Mapping[str, Any],
    present: Mapping[str, bool],
    *,
    complete: bool,
    lookups: Lookups = MappingProxyType({}),
) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the values to store and all errors.

    `present` tells which of issued_on, valid_until and number are given. `complete` requires everything, as a
    confirmation does; an applicant may leave values for staff to read from the document.
    """
    errors: list[FieldError] = []
    stored: dict[str, Any] = {}
    for member, given in present.items():
        requirement: FieldRequirement = getattr(kind, member)
        if given and requirement is FieldRequirement.NONE:
            errors.append(
                {
                    "pointer": f"/{member}",
                    "detail": Message("Evidence of the kind %(kind)s has none.", code="not-taken", kind=kind.code),
                }
            )
        elif complete and not given and requirement is FieldRequirement.REQUIRED:
            errors.append({"pointer": f"/{member}", "detail": Message("This is needed.", code="required")})
    for name in sorted(values.keys() - kind.values.keys()):
        detail = Message("Evidence of the kind %(kind)s has no such value.", code="unknown-member", kind=kind.code)
        errors.append({"pointer": f"/values/{sanitize(name)}", "detail": detail})
    for name, spec in kind.values.items():
        value = values.get(name)
        if value is None:
            if complete and not spec.optional:
                errors.append({"pointer": f"/values/{name}", "detail": Message("This is needed.", code="required")})
            continue
        try:
            stored[name] = to_stored_value(spec, value, lookups)
        except ValueError as error:
            errors.append({"pointer": f"/values/{name}", "detail": error.args[0]})
    return stored, errors + _period_errors(kind.period, stored)


def _period_errors(period: ValuePeriod | None, stored: Mapping[str, Any]) -> list[FieldError]:
    if period is None or period.begins not in stored or period.ends not in stored:
        return []
    first, last = date.fromisoformat(stored[period.begins]), date.fromisoformat(stored[period.ends])
    pointer = f"/values/{period.ends}"
    if last < first:
        return [{"pointer": pointer, "detail": Message("The period would end before it begins.", code="wrong-order")}]
    if period.max_months is not None and subtract_months(last, period.max_months) >= first:
        return [
            {
                "pointer": pointer,
                "detail": Message(
                    "The period is longer than %(limit)s months.", code="too-long", limit=period.max_months
                ),
            }
        ]
    return []


def to_stored_value(spec: ValueSpec, value: Any, lookups: Lookups = MappingProxyType({})) -> Any:
    """Convert a value to its stored JSON. Raises `ValueError` with the message."""
    if spec.type is ValueType.FLAG:
        if not isinstance(value, bool):
            raise ValueError(Message("Enter true or false.", code="wrong-type"))
        return value
    if spec.type in NUMERIC_TYPES:
        return format_decimal(_parse_figure(spec, value))
    if spec.type is ValueType.GOODS:
        return list(_parse_goods(value))
    if spec.type is ValueType.FINDINGS:
        return list(_parse_findings(value))
    if not isinstance(value, str) or not value.strip():
        raise ValueError(Message("Enter text that is not empty.", code="wrong-type"))
    word = _parse_word(spec, value.strip())
    return lookups[spec.type](word) if spec.type in lookups else word


NUMERIC_TYPES = frozenset({ValueType.PERCENTAGE, ValueType.QUANTITY, ValueType.COUNT})


def _parse_figure(spec: ValueSpec, value: Any) -> Decimal:
    text = value if isinstance(value, str) else _number_text(value)
    if not NUMBER_PATTERN.fullmatch(text):
        raise ValueError(DECIMAL_EXPECTED)
    figure = Decimal(text)
    if not 0 <= figure <= (100 if spec.type is ValueType.PERCENTAGE else MAX_FIGURE):
        raise ValueError(_NOT_A_PERCENTAGE if spec.type is ValueType.PERCENTAGE else _OUT_OF_RANGE)
    decimal_places = 0 if spec.type is ValueType.COUNT else MAX_DECIMAL_PLACES
    if figure != round(figure, decimal_places):
        raise ValueError(_TOO_MANY_DECIMALS if decimal_places else _NOT_AN_INTEGER)
    return figure


def _number_text(value: Any) -> str:
    """Return the digits of a JSON number; empty for anything else or an excessive size."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return ""
    figure = Decimal(value)
    return f"{figure:f}" if figure.is_finite() and abs(figure.adjusted()) < MAX_DIGITS else ""


_OUT_OF_RANGE = Message(
    "This is not between %(minimum)s and %(maximum)s.", code="out-of-range", minimum=0, maximum=str(MAX_FIGURE)
)
_NOT_A_PERCENTAGE = Message("Enter a percentage from 0 to 100.", code="out-of-range")
_TOO_MANY_DECIMALS = Message(
    "This has more than %(limit)s decimal places.", code="too-many-decimals", limit=MAX_DECIMAL_PLACES
)
_NOT_AN_INTEGER = Message("Enter a whole number.", code="too-many-decimals")


def _parse_goods(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_GOODS:
        raise ValueError(
            Message("Enter a list of 1 to %(limit)s HS codes as text.", code="wrong-type", limit=MAX_GOODS)
        )
    for item in value:
        if not isinstance(item, str):
            raise ValueError(  # noqa: TRY004 (the caller collects ValueErrors)
                Message("Send this as text in quotes: a number loses its leading zeros.", code="wrong-type")
            )
        if hs_nomenclature.find_title(item) is None:
            raise ValueError(
                Message(
                    "%(hs)s is no chapter, heading or subheading of the Harmonized System.",
                    code="unknown-hs-code",
                    hs=sanitize(item),
                )
            )
        yield item


FINDING_CLASSES = ("critical", "major", "minor")
FINDING_MEMBERS = frozenset({"class", "text", "closed_on"})


def _parse_findings(value: Any) -> Iterator[dict[str, str]]:
    if not isinstance(value, list) or len(value) > MAX_FINDINGS:
        raise ValueError(Message("Enter a list of at most %(limit)s findings.", code="wrong-type", limit=MAX_FINDINGS))
    for item in value:
        if not isinstance(item, Mapping) or not {"class", "text"} <= item.keys() <= FINDING_MEMBERS:
            raise ValueError(
                Message("A finding has a `class`, a `text` and, where it is closed, `closed_on`.", code="wrong-type")
            )
        if item["class"] not in FINDING_CLASSES:
            raise ValueError(
                Message(
                    "The class of a finding is one of: %(allowed)s.", code="not-in-list", allowed=list(FINDING_CLASSES)
                )
            )
        text, closed_on = item["text"], item.get("closed_on")
        if not isinstance(text, str) or not text.strip() or len(text.strip()) > MAX_FINDING_TEXT:
            raise ValueError(
                Message(
                    "The text of a finding has 1 to %(limit)s characters.", code="wrong-length", limit=MAX_FINDING_TEXT
                )
            )
        if any(word != sanitize(word) for word in text.split()):
            raise ValueError(
                Message(
                    "The text of a finding holds a character that is not text, or a word that is too long.",
                    code="not-text",
                )
            )
        closed = (
            {} if closed_on is None else {"closed_on": _parse_date(closed_on if isinstance(closed_on, str) else "")}
        )
        yield {"class": item["class"], "text": " ".join(text.split()), **closed}


def _parse_date(text: str) -> str:
    try:
        return date.fromisoformat(text if DATE_PATTERN.fullmatch(text) else "").isoformat()
    except ValueError:
        raise ValueError(DATE_EXPECTED) from None


def _parse_country(text: str) -> str:
    if pycountry.countries.get(alpha_2=text) is None or text != text.upper():
        raise ValueError(
            Message("This is no country code of two capital letters (ISO 3166-1).", code="unknown-country")
        )
    return text


def _parse_unit(text: str) -> str:
    unit = load_lists().find_unit(text)
    if unit is None:
        raise ValueError(
            Message(
                "This is no unit of the list. Write one of: %(allowed)s.",
                code="unknown-unit",
                allowed=list(load_lists().units),
            )
        )
    return unit


def _parse_user_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError(Message("Enter the id of a user.", code="invalid-id")) from None


_PARSERS: Mapping[ValueType, Callable[[str], str]] = MappingProxyType(
    {
        ValueType.DATE: _parse_date,
        ValueType.COUNTRY: _parse_country,
        ValueType.UNIT: _parse_unit,
        ValueType.MEMBER: _parse_user_id,
    }
)


def _parse_word(spec: ValueSpec, value: str) -> str:
    if value != sanitize(value):
        raise ValueError(
            Message("This is longer than 120 characters, or holds a character that is not text.", code="not-text")
        )
    if spec.type is ValueType.CHOICE and value not in spec.choices:
        raise ValueError(Message("Enter one of: %(allowed)s.", code="not-in-list", allowed=list(spec.choices)))
    if spec.type is ValueType.HEADING and not hs_nomenclature.is_heading(value):
        raise ValueError("This is a heading of the Harmonized System: four digits.")
    if spec.type is ValueType.CODE and not CODE_PATTERN.fullmatch(value):
        raise ValueError("This is a word of letters, digits, hyphens and underscores.")
    if spec.type is ValueType.VOEN and not VOEN_PATTERN.fullmatch(value):
        raise ValueError("A taxpayer number (VÖEN) has exactly 10 digits.")
    return _PARSERS[spec.type](value) if spec.type in _PARSERS else value


def to_facts(kind: EvidenceKind, stored: Mapping[str, Any]) -> Mapping[str, EvidenceValue]:
    """Convert stored values to facts for the rules; values unknown to the kind are omitted."""
    return {name: _to_fact(kind.values[name], value) for name, value in stored.items() if name in kind.values}


def _to_fact(spec: ValueSpec, value: Any) -> EvidenceValue:
    if spec.type in NUMERIC_TYPES:
        return Decimal(value)
    if spec.type is ValueType.GOODS:
        return tuple(value)
    if spec.type is ValueType.DATE:
        return date.fromisoformat(value)
    if spec.type is ValueType.FINDINGS:
        return tuple(item["class"] for item in value if "closed_on" not in item)
    return bool(value) if spec.type is ValueType.FLAG else str(value)
