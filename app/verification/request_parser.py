"""What is asked of the public door, read from JSON: one thing or many, and what somebody expects of it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple, TypeGuard

from app.core.errors import Invalid
from app.core.messages import Message
from app.verification.expectation import Expectation, read_expectation

MAX_ITEMS: Final = 1_000
_MAX_PROBLEMS: Final = 100
_NAMES: Final = frozenset({"number", "token"})


class Question(NamedTuple):
    """A number as somebody typed it, or a token, whatever text it is."""

    kind: Literal["number", "token"]
    text: str


def read_question(body: object) -> tuple[Question, Expectation | None]:
    """`{"number": …}` or `{"token": …}`, with or without `expect`. Errors: Invalid names every wrong place.

    Other members are refused, so that a slip is not passed over.
    """
    if _is_right(body):
        return _question(body), None
    if not isinstance(body, Mapping):
        raise Invalid("Send an object with either “number” or “token”.")
    asked = {name: value for name, value in body.items() if name != "expect"}
    problems = list(_wrong_with(asked, ""))
    expectation = None
    if "expect" in body:
        expectation, wrong = read_expectation(body["expect"])
        problems += [{"pointer": f"/expect{problem['pointer']}", "detail": problem["detail"]} for problem in wrong]
    _refuse(problems)
    return _question(asked), expectation


def read_batch(body: object) -> tuple[Question, ...]:
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
    if not all(map(_is_right, items)):
        _refuse([problem for place, item in enumerate(items) for problem in _wrong_with(item, f"/items/{place}")])
    return tuple(map(_question, items))


def _is_right(asked: object) -> TypeGuard[Mapping[str, str]]:
    """Whether `_wrong_with` would find nothing; quickly, since a batch has a thousand of them."""
    if type(asked) is not dict or len(asked) != 1:
        return False
    ((name, value),) = asked.items()
    return name in _NAMES and isinstance(value, str)


def _wrong_with(asked: object, pointer: str) -> Iterator[dict[str, str]]:
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


def _question(asked: Mapping[str, str]) -> Question:
    ((name, text),) = asked.items()
    return Question("number" if name == "number" else "token", text)


def _refuse(problems: list[dict[str, str]]) -> None:
    if not problems:
        return
    if len(problems) == 1:
        raise Invalid(problems[0]["detail"], problems)
    raise Invalid.with_all(problems, shown=_MAX_PROBLEMS)
