"""Translate pydantic's validation errors to messages of the service. Pure.

Neither pydantic's own messages nor the input are included: the input may be a secret, or unprintable.
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.core.messages import DATE_EXPECTED, DECIMAL_EXPECTED, Message, to_message

PydanticError = Mapping[str, Any]
"""A pydantic error: `type`, `loc`, `msg`, and usually `ctx`."""

INVALID_VALUE = Message(
    "This value does not fit here. See the description of this address in /openapi.json.", code="invalid"
)
_REQUIRED = Message("This is missing. Fill it in.", code="required")
_UNKNOWN_MEMBER = Message("Unknown member. Check its spelling, or remove it.", code="unknown-member")
_TEXT = Message("Enter text, in JSON in quotes.", code="wrong-type")
_WHOLE_NUMBER = Message("Enter a whole number.", code="wrong-type")
_TRUE_OR_FALSE = Message("Enter true or false.", code="wrong-type")
_MOMENT = Message("Enter a date and time with an offset, such as 2026-11-22T17:00:00Z.", code="invalid-date")
_ID = Message("Enter an id, as a UUID.", code="invalid-id")
_LIST = Message("Enter a list.", code="wrong-type")
_OBJECT = Message("Enter an object with members.", code="wrong-type")
_EMAIL = Message("Enter an e-mail address, such as name@company.example.", code="invalid-email")
_PATTERN = Message(
    "The request does not have the required format. See the description of this address in /openapi.json.",
    code="wrong-format",
)

_FIXED_MESSAGES: Mapping[str, Message] = {
    "missing": _REQUIRED,
    "extra_forbidden": _UNKNOWN_MEMBER,
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "string_pattern_mismatch": _PATTERN,
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "bool_type": _TRUE_OR_FALSE,
    "bool_parsing": _TRUE_OR_FALSE,
    "decimal_type": DECIMAL_EXPECTED,
    "decimal_parsing": DECIMAL_EXPECTED,
    "float_type": DECIMAL_EXPECTED,
    "float_parsing": DECIMAL_EXPECTED,
    "finite_number": DECIMAL_EXPECTED,
    "date_type": DATE_EXPECTED,
    "date_parsing": DATE_EXPECTED,
    "date_from_datetime_parsing": DATE_EXPECTED,
    "date_from_datetime_inexact": DATE_EXPECTED,
    "datetime_type": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "timezone_aware": _MOMENT,
    "uuid_type": _ID,
    "uuid_parsing": _ID,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
}


def _too_long(ctx: PydanticError) -> Message:
    return Message("This is longer than %(limit)s characters.", code="too-long", limit=ctx["max_length"])


def _too_short(ctx: PydanticError) -> Message:
    return Message("Enter at least %(minimum)s characters.", code="too-short", minimum=ctx["min_length"])


def _too_many(ctx: PydanticError) -> Message:
    return Message("There are too many. Allowed are at most %(limit)s.", code="too-many", limit=ctx["max_length"])


def _too_few(ctx: PydanticError) -> Message:
    return Message("There are too few. Needed are at least %(minimum)s.", code="too-few", minimum=ctx["min_length"])


def _too_small(ctx: PydanticError) -> Message:
    return Message("This is less than %(minimum)s.", code="too-small", minimum=_to_number(ctx["ge"]))


def _too_large(ctx: PydanticError) -> Message:
    return Message("This is more than %(maximum)s.", code="too-large", maximum=_to_number(ctx["le"]))


def _not_above(ctx: PydanticError) -> Message:
    return Message("Enter more than %(minimum)s.", code="too-small", minimum=_to_number(ctx["gt"]))


def _not_below(ctx: PydanticError) -> Message:
    return Message("Enter less than %(maximum)s.", code="too-large", maximum=_to_number(ctx["lt"]))


def _not_in_list(ctx: PydanticError) -> Message:
    """Return the allowed values. pydantic joins them as `'a', 'b' or 'c'`; values of this service contain no quotes."""
    return Message("Enter one of: %(allowed)s.", code="not-in-list", allowed=str(ctx["expected"]).split("'")[1::2])


def _service_message(ctx: PydanticError) -> Message:
    """Return the message of this service's validators; the e-mail validator raises without one."""
    error = ctx.get("error")
    said = error.args[0] if isinstance(error, ValueError) and error.args else None
    if isinstance(said, Message):
        return said
    return _EMAIL if "reason" in ctx else INVALID_VALUE


_BY_CONTEXT: Mapping[str, Callable[[PydanticError], Message]] = {
    "string_too_long": _too_long,
    "string_too_short": _too_short,
    "too_long": _too_many,
    "too_short": _too_few,
    "greater_than_equal": _too_small,
    "less_than_equal": _too_large,
    "greater_than": _not_above,
    "less_than": _not_below,
    "enum": _not_in_list,
    "literal_error": _not_in_list,
    "value_error": _service_message,
}


def message_for_error(fault: PydanticError) -> Message:
    kind = fault["type"]
    if kind == "json_invalid":  # raised by the service's own reader, whose message is specific
        return to_message(fault["msg"])
    if kind in _BY_CONTEXT:
        return _BY_CONTEXT[kind](fault.get("ctx", {}))
    return _FIXED_MESSAGES.get(kind, INVALID_VALUE)


def _to_number(bound: Any) -> Any:
    return bound if isinstance(bound, int | str) else str(bound)
