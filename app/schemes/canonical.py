"""One text for one value: the form over which rulesets and facts are hashed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any

from app.schemes.facts import Material
from app.schemes.figures import plain

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces, in ASCII, so that any text whatever can be encoded and hashed."""
    return _ENCODER.encode(value)


def digest(value: Any) -> str:
    """SHA-256 over the canonical JSON, lower-case hex."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()


_AS_IT_IS = frozenset({str, int, bool, type(None)})


def jsonable(value: Any) -> Any:  # noqa: PLR0911 (one return for each kind of value)
    """A value of the domain as JSON: decimals as plain text, so that 40 and 40.00 are one.

    The order of a bill of materials means nothing, so it is sorted; every other sequence keeps its order.
    """
    kind: Any = type(value)
    if kind in _AS_IT_IS:  # most are; asked first, and of the very type: an enum may be a str
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in value.items()}
    if names := _members(kind):
        return {name: jsonable(getattr(value, name)) for name in names}
    if isinstance(value, frozenset):
        return sorted(jsonable(item) for item in value)
    if isinstance(value, tuple):
        items = [item if type(item) is str else jsonable(item) for item in value]
        return sorted(items, key=canonical_json) if any(isinstance(item, Material) for item in value) else items
    return value


@cache
def _members(kind: type) -> tuple[str, ...]:
    """The members of a dataclass; none of any other type."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
