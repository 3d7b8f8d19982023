"""One text for one value: the form over which rulesets and facts are hashed."""

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
from app.schemes.percentages import plain

_AS_IT_IS = frozenset({str, int, bool, type(None)})


def jsonable(value: Any) -> Any:
    """A value of the domain as JSON: decimals as plain text, so that 40 and 40.00 are one.

    The order of a bill of materials means nothing, so it is sorted; every other sequence keeps its order.
    """
    kind: Any = type(value)
    return value if kind in _AS_IT_IS else _way_of(kind)(value)


@cache
def _way_of(kind: type) -> Callable[[Any], Any]:  # noqa: PLR0911 (one return for each kind of value)
    """How values of this type are written; found out once, since there are few types and very many values."""
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, Decimal):
        return plain
    if issubclass(kind, date):
        return methodcaller("isoformat")
    if is_dataclass(kind):
        return partial(_members, tuple(field.name for field in fields(kind)))
    if issubclass(kind, Mapping):
        return _mapping
    if issubclass(kind, frozenset):
        return _set
    return _sequence if issubclass(kind, tuple) else _unchanged


def _members(names: tuple[str, ...], value: Any) -> dict[str, Any]:
    return {name: jsonable(getattr(value, name)) for name in names}


def _mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: jsonable(item) for key, item in value.items()}


def _set(value: frozenset[Any]) -> list[Any]:
    return sorted(map(jsonable, value))


def _sequence(value: tuple[Any, ...]) -> list[Any]:
    items = [item if type(item) is str else jsonable(item) for item in value]
    return sorted(items, key=canonical_json) if Material in map(type, value) else items


def _unchanged(value: Any) -> Any:
    return value
