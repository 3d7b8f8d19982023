"""Convert domain values to the JSON over which rulesets and facts are hashed."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from operator import attrgetter, methodcaller
from typing import Any

from app.core.canonical_json import canonical_json
from app.schemes.facts import Material
from app.schemes.percentages import format_decimal

_JSON_SCALARS = frozenset({str, int, bool, type(None)})


def to_jsonable(value: Any) -> Any:
    """Convert a domain value to JSON; decimals are plain text, so that 40 and 40.00 are equal.

    The order of a bill of materials has no meaning, so it is sorted; other sequences keep their order.
    """
    kind: Any = type(value)
    return value if kind in _JSON_SCALARS else _converter_for(kind)(value)


@cache
def _converter_for(kind: type) -> Callable[[Any], Any]:  # noqa: PLR0911 (one return for each kind of value)
    """Return the converter of a type; cached, because there are few types and many values."""
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, Decimal):
        return format_decimal
    if issubclass(kind, date):
        return methodcaller("isoformat")
    if is_dataclass(kind):
        return partial(_dataclass_to_json, tuple(field.name for field in fields(kind)))
    if issubclass(kind, Mapping):
        return _mapping_to_json
    if issubclass(kind, frozenset):
        return _set_to_json
    return _sequence_to_json if issubclass(kind, tuple) else _identity


def _dataclass_to_json(names: tuple[str, ...], value: Any) -> dict[str, Any]:
    return {name: to_jsonable(getattr(value, name)) for name in names}


def _mapping_to_json(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: to_jsonable(item) for key, item in value.items()}


def _set_to_json(value: frozenset[Any]) -> list[Any]:
    return sorted(map(to_jsonable, value))


def _sequence_to_json(value: tuple[Any, ...]) -> list[Any]:
    items = [item if type(item) is str else to_jsonable(item) for item in value]
    return sorted(items, key=canonical_json) if Material in map(type, value) else items


def _identity(value: Any) -> Any:
    return value
