"""Build a readable body from a malformed one, so that one response reports all errors. Pure.

Missing or unreadable members are replaced by placeholders. The result is only checked, never stored; errors at a
replaced member, or from a comparison with one, are left out.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from app.core.messages import to_message

Location = tuple[str | int, ...]
ErrorEntry = Mapping[str, str]
T = TypeVar("T", bound=BaseModel)

RELATED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "unknown-district": ("country", "origin_country"),
    "other-district": ("country", "district"),
    "other-hs-code": ("hs6",),
    "other-occasion": ("works",),
    "other-year": ("year",),
}
"""Error code → members beside or above the location that it was compared with."""

KEY_MARKER = "[key]"
"""Location suffix by which pydantic marks an error of a key."""


class _NoPlaceholder(Exception):
    """Report that no valid placeholder is known."""


def repair_body(model: type[T], sent: Any, places: Sequence[tuple[str, Location]]) -> T | None:
    """Return the body with the locations (error type, location) replaced; None where that is impossible."""
    body = copy.deepcopy(sent)
    try:
        for kind, place in places:
            _repair_location(model, body, kind, place)
        return model.model_validate(body)
    except (_NoPlaceholder, ValidationError):
        return None


def _repair_location(model: type[BaseModel], body: Any, kind: str, place: Location) -> None:
    steps = [step for step in place if step != KEY_MARKER]
    if not steps:
        raise _NoPlaceholder
    *way, last = steps
    holder, inside = body, model
    for step in way:
        holder, inside = _step_into(holder, inside, step)
    if isinstance(last, int):
        holder[last] = _placeholder_element(inside, last)
        return
    if not isinstance(holder, dict):
        raise _NoPlaceholder
    field = _model_field(inside, last)
    if field is None or not field.is_required() or kind == "extra_forbidden":
        holder.pop(last, None)
    else:
        holder[last] = _placeholder_for(field)


def _step_into(holder: Any, inside: Any, step: str | int) -> tuple[Any, Any]:
    if isinstance(step, int):
        if not isinstance(holder, list) or step >= len(holder):
            raise _NoPlaceholder
        return holder[step], inside
    field = _model_field(inside, step)
    if field is None or not isinstance(holder, dict) or step not in holder:
        raise _NoPlaceholder
    return holder[step], _inner_model(field.annotation)


def _model_field(inside: Any, name: str) -> FieldInfo | None:
    """Return the field of a model; None in a dictionary."""
    if isinstance(inside, type) and issubclass(inside, BaseModel):
        return inside.model_fields.get(name)
    return None


def _inner_model(annotation: Any) -> Any:
    """Return the model of a member, or of the elements of its list."""
    if get_origin(annotation) in (list, Annotated):
        return _inner_model(get_args(annotation)[0])
    return annotation


def _placeholder_for(field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    kind = field.annotation
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    kind = get_origin(kind) or kind
    if kind not in _PLACEHOLDERS:
        raise _NoPlaceholder
    return _PLACEHOLDERS[kind]


def _placeholder_element(kind: Any, position: int) -> str:
    """Return a different element for each position: list items may have to differ."""
    if kind not in (UUID, str):
        raise _NoPlaceholder
    return str(UUID(int=position)) if kind is UUID else f"x{position}"


_PLACEHOLDERS: Mapping[Any, Any] = {list: [], UUID: str(UUID(int=0)), bool: False, int: 1, str: "x"}


def independent_errors(faults: Iterable[ErrorEntry], unreadable: Sequence[str]) -> Iterator[ErrorEntry]:
    """Yield the errors that do not depend on replaced locations; `unreadable`: JSON pointers."""
    for fault in faults:
        pointer, code = fault["pointer"], to_message(fault["detail"]).code or ""
        parent = pointer.rpartition("/")[0]
        above = parent.rpartition("/")[0].rpartition("/")[0]
        rests_on = [pointer, *(f"{at}/{name}" for name in RELATED_FIELDS.get(code, ()) for at in (parent, above))]
        if code == "duplicate" and any(lost.startswith(f"{parent}/") for lost in unreadable):
            continue  # possibly of an item that is replaced
        if not any(_is_within(each, lost) for each in rests_on for lost in unreadable):
            yield fault


def _is_within(pointer: str, other: str) -> bool:
    return pointer == other or pointer.startswith(other + "/")
