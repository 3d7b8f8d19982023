"""Messages and the words for faults of shape: pure, in every branch."""

from typing import get_args

import pytest
from pydantic_core import core_schema

from app.core.i18n import load_catalogue
from app.core.messages import Message, join_alternatives, localise, to_message, to_value_message
from app.web.problems.validation_errors import INVALID_VALUE, message_for_error

pytestmark = pytest.mark.pure

RUSSIAN = load_catalogue("problems", "ru")


def test_a_message_is_its_english_text():
    message = Message("This is longer than %(limit)s characters.", code="too-long", limit=100)
    assert message == "This is longer than 100 characters."
    assert (message.code, message.values) == ("too-long", {"limit": 100})
    assert to_message(message) is message
    assert to_message("100 % so").translated(RUSSIAN) == "100 % so"


def test_lists_are_enumerated_and_words_within_are_translated():
    roles = join_alternatives([to_value_message("reviewer"), to_value_message("approver")])
    message = Message("This is for the role %(roles)s.", roles=roles)
    assert message == "This is for the role reviewer or approver."
    assert message.translated(RUSSIAN) == "Для этого нужна роль: эксперт или принимающий решение."
    assert join_alternatives(["AZ"]) == "AZ"
    assert localise({"a": [message], "n": 1}, RUSSIAN) == {"a": [message.translated(RUSSIAN)], "n": 1}
    assert Message("Enter one of: %(allowed)s.", allowed=["a", "b"]).translated(RUSSIAN).endswith(": a, b.")


@pytest.mark.parametrize(("count", "told"), [(1, "1 ошибка"), (3, "3 ошибки"), (5, "5 ошибок"), (21, "21 ошибка")])
def test_plurals_follow_the_language(count, told):
    many = "Validation failed: %(count)s errors."
    message = Message("Validation failed: %(count)s error.", many=many, count=count)
    assert message == f"Validation failed: {count} error{'s' * (count != 1)}."
    assert told in message.translated(RUSSIAN)


def test_every_kind_of_fault_is_told_in_our_words():
    """Whatever pydantic may find, now or in its next version: none of its sentences."""
    bounds = dict.fromkeys(("max_length", "min_length", "ge", "le", "gt", "lt"), 5)
    for kind in get_args(core_schema.ErrorType):
        message = message_for_error({"type": kind, "ctx": bounds | {"expected": "'a' or 'b'"}, "msg": "pydantic says"})
        assert message.code or kind == "json_invalid"
        assert ("pydantic" in message) == (kind == "json_invalid")  # of our own reader, which says what is wrong


@pytest.mark.parametrize(
    ("context", "code", "told"),
    [
        ({"error": ValueError(Message("Enter a list.", code="wrong-type"))}, "wrong-type", "Enter a list."),
        ({"error": ValueError("invalid literal for int()")}, INVALID_VALUE.code, INVALID_VALUE),
        ({"error": ValueError()}, INVALID_VALUE.code, INVALID_VALUE),
        ({"error": "text"}, INVALID_VALUE.code, INVALID_VALUE),
        ({"reason": "There must be something before the @-sign."}, "invalid-email", None),
    ],
)
def test_only_messages_of_our_own_validators_are_passed_on(context, code, told):
    message = message_for_error({"type": "value_error", "ctx": context})
    assert message.code == code
    assert told is None or message == told


def test_values_of_a_list_are_named_as_data():
    for expected in ("'MIK', 'MIA' or 'URVA'", "'MIK', 'MIA', 'URVA'"):
        message = message_for_error({"type": "enum", "ctx": {"expected": expected}})
        assert message.values == {"allowed": ["MIK", "MIA", "URVA"]}
    assert message_for_error({"type": "less_than_equal", "ctx": {"le": 1.5}}).values == {"maximum": "1.5"}
