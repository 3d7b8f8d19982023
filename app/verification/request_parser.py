"""What is asked of the public door, read from JSON: one thing or many, and what somebody expects of it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeGuard

from app.core.errors import Invalid
from app.core.messages import Message
from app.verification.expectation import ExpectedFields, parse_expected

MAX_ITEMS: Final = 1_000
_MAX_PROBLEMS: Final = 100
_NAMES: Final = frozenset({"number", "token"})


class VerifyItem(NamedTuple):
    """A number as somebody typed it, or a token, whatever text it is."""

    kind: Literal["number", "token"]
    text: str


def parse_request(body: object) -> tuple[VerifyItem, ExpectedFields | None]:
    """`{"number": …}` or `{"token": …}`, with or without `expect`. Errors: Invalid names every wrong place.

    Other members are refused, so that a slip is not passed over.
    """
    if _is_well_formed(body):
        return _to_item(body), None
    if not isinstance(body, Mapping):
        raise Invalid("Send an object with either “number” or “token”.")
    asked = {name: value for name, value in body.items() if name != "expect"}
    problems = list(_find_problems(asked, ""))
    expectation = None
    if "expect" in body:
        expectation, wrong = parse_expected(body["expect"])
        problems += [{"pointer": f"/expect{problem['pointer']}", "detail": problem["detail"]} for problem in wrong]
    _require_no_problems(problems)
    return _to_item(asked), expectation


def parse_batch(body: object) -> tuple[VerifyItem, ...]:
    """`{"items": [{"number": …} | {"token": …}, …]}`, up to 1,000, in order. Errors: Invalid names every wrong item."""
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
    return tuple(map(_to_item, items))


def _is_well_formed(asked: object) -> TypeGuard[Mapping[str, str]]:
    """Whether `_wrong_with` would find nothing; quickly, since a batch has a thousand of them."""
    if type(asked) is not dict or len(asked) != 1:
        return False
    ((name, value),) = asked.items()
    return name in _NAMES and isinstance(value, str)


def _find_problems(asked: object, pointer: str) -> Iterator[dict[str, str]]:
    if not isinstance(asked, Mapping):
        yield {
            "pointer": pointer,
            "detail": Message("Send an object with either “number” or “token”.", code="wrong-type"),
        }
        return
    if others := len(asked.keys() - _NAMES):  # not named: they are a stranger's text
        detail = Message(
            "Send “number” or “token” and nothing else; other members: %(members)s.",
            code="unknown-member",
            members=others,
        )
        yield {"pointer": pointer, "detail": detail}
    elif len(asked) != 1:
        yield {"pointer": pointer, "detail": Message("Send exactly one of “number” and “token”.", code="required")}
    else:
        ((name, value),) = asked.items()
        if not isinstance(value, str):
            yield {
                "pointer": f"{pointer}/{name}",
                "detail": Message("“%(name)s” must be a string.", code="wrong-type", name=name),
            }


def _to_item(asked: Mapping[str, str]) -> VerifyItem:
    ((name, text),) = asked.items()
    return VerifyItem("number" if name == "number" else "token", text)


def _require_no_problems(problems: list[dict[str, str]]) -> None:
    if not problems:
        return
    if len(problems) == 1:
        raise Invalid(problems[0]["detail"], problems)
    raise Invalid.with_errors(problems, shown=_MAX_PROBLEMS)
