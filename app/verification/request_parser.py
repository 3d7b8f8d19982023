"""Parse the bodies of `POST /v1/verify` and its batch into items to verify. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeGuard

from app.core.errors import Invalid
from app.core.messages import Message
from app.verification.expectation import ExpectedFields, parse_expected

MAX_ITEMS: Final = 1_000
_MAX_PROBLEMS: Final = 100
_NAMES: Final = frozenset({"number", "token"})


class VerifyItem(NamedTuple):
    """A number as a user typed it, or a token, whatever text it is."""

    kind: Literal["number", "token"]
    text: str


def parse_request(body: object) -> tuple[VerifyItem, ExpectedFields | None]:
    """Parse `{"number": …}` or `{"token": …}`, with or without `expect`.

    Raises `Invalid` with every problem. Unknown members are refused, so that a misspelt one is not ignored.
    """
    if _is_well_formed(body):
        return _to_item(body), None
    if not isinstance(body, Mapping):
        raise Invalid("Send an object with either “number” or “token”.")
    item = {name: value for name, value in body.items() if name != "expect"}
    problems = list(_find_problems(item, ""))
    expectation = None
    if "expect" in body:
        expectation, wrong = parse_expected(body["expect"])
        problems += [{"pointer": f"/expect{problem['pointer']}", "detail": problem["detail"]} for problem in wrong]
    _require_no_problems(problems)
    return _to_item(item), expectation


def parse_batch(body: object) -> tuple[VerifyItem, ...]:
    """Parse `{"items": [{"number": …} | {"token": …}, …]}`: up to 1,000 items, in order.

    Raises `Invalid` with every wrong item.
    """
    if not isinstance(body, Mapping) or body.keys() != {"items"}:
        raise Invalid.at("", Message("Send an object with “items” and nothing else.", code="wrong-type"))
    items = body["items"]
    if not isinstance(items, list):
        raise Invalid.at("/items", Message("“items” must be a list.", code="wrong-type"))
    if len(items) > MAX_ITEMS:
        raise Invalid.at(
            "/items",
            Message(
                "Send at most %(limit)s items at once; these are %(count)s.",
                code="too-many",
                limit=MAX_ITEMS,
                count=len(items),
            ),
        )
    if not all(map(_is_well_formed, items)):
        _require_no_problems(
            [problem for place, item in enumerate(items) for problem in _find_problems(item, f"/items/{place}")]
        )
    return tuple(VerifyItem(kind, text) for item in items for kind, text in item.items())


def _is_well_formed(item: object) -> TypeGuard[Mapping[str, str]]:
    """Check quickly that `_find_problems` would find nothing: a batch has up to 1,000 items."""
    if type(item) is not dict or len(item) != 1:
        return False
    ((name, value),) = item.items()
    return name in _NAMES and isinstance(value, str)


def _find_problems(item: object, pointer: str) -> Iterator[dict[str, str]]:
    if not isinstance(item, Mapping):
        yield {
            "pointer": pointer,
            "detail": Message("Send an object with either “number” or “token”.", code="wrong-type"),
        }
        return
    if others := len(item.keys() - _NAMES):  # not named: the names come from an anonymous client
        detail = Message(
            "Send “number” or “token” and nothing else; other members: %(members)s.",
            code="unknown-member",
            members=others,
        )
        yield {"pointer": pointer, "detail": detail}
    elif len(item) != 1:
        yield {"pointer": pointer, "detail": Message("Send exactly one of “number” and “token”.", code="required")}
    else:
        ((name, value),) = item.items()
        if not isinstance(value, str):
            yield {
                "pointer": f"{pointer}/{name}",
                "detail": Message("“%(name)s” must be a string.", code="wrong-type", name=name),
            }


def _to_item(item: Mapping[str, str]) -> VerifyItem:
    ((name, text),) = item.items()
    return VerifyItem("number" if name == "number" else "token", text)


def _require_no_problems(problems: list[dict[str, str]]) -> None:
    if not problems:
        return
    if len(problems) == 1:
        raise Invalid(problems[0]["detail"], problems)
    raise Invalid.with_errors(problems, shown=_MAX_PROBLEMS)
