"""Parse untrusted JSON strictly: one meaning or a rejection, and never a crash (RFC 8259, RFC 7493)."""

import json
import re
from decimal import Decimal
from math import isfinite
from typing import Any, NoReturn

from app.core.messages import Message

MAX_DEPTH = 32
MAX_DIGITS = 400


def loads(text: bytes | str) -> Any:
    """Parse UTF-8 JSON. Raises ValueError for a byte-order mark, duplicate members, NaN, huge numbers, deep nesting."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as why:
            raise ValueError(Message("The text is not UTF-8.", code="unreadable-json")) from why
    _require_max_depth(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as why:
        raise ValueError(
            Message("This is not JSON: look at character %(position)s.", code="unreadable-json", position=why.pos)
        ) from why


# An unterminated string matches to the end of the text: retrying at each of its quotes would be quadratic.
_STRINGS = re.compile(r'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_BRACKETS = re.compile(r"[\[{\]}]")


def _require_max_depth(text: str) -> None:
    """Count the depth before parsing: a recursive parser would crash on a million brackets."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # too few brackets to nest too deeply: the usual case
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError(
                Message("The JSON is nested more than %(limit)s deep.", code="unreadable-json", limit=MAX_DEPTH)
            )


def _reject_duplicate_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError(Message("A member appears twice.", code="unreadable-json"))
    return members


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(Message("%(name)s is not a number of JSON.", code="unreadable-json", name=name))


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(Message("A number is too long.", code="unreadable-json"))
    return int(digits)


def _parse_decimal(digits: str) -> Decimal:
    """Parse exactly: money must not pass through a float."""
    if len(digits) > MAX_DIGITS or not isfinite(float(digits)):
        raise ValueError(Message("A number is too large.", code="unreadable-json"))
    return Decimal(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_reject_duplicate_members,
    parse_constant=_reject_constant,
    parse_int=_parse_int,
    parse_float=_parse_decimal,
)
