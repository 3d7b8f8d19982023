"""JSON from strangers: one meaning or a refusal, in linear time."""

import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.strict_json import loads

pytestmark = [pytest.mark.short, pytest.mark.pure]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@given(VALUES)
def test_ordinary_json_is_read_as_written(value):
    assert loads(json.dumps(value).encode()) == value


def test_decimals_stay_exact():
    assert loads(b"[0.1, 12345678901234.5678]") == [Decimal("0.1"), Decimal("12345678901234.5678")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "twice"),
        (b"[NaN]", "NaN"),
        (b"-Infinity", "Infinity"),
        (b"1e999", "too large"),
        (b"9" * 401, "too long"),
        (b"1." + b"9" * 401, "too large"),
        ("﻿{}".encode(), "not JSON"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"\xff", "not UTF-8"),
        (b"[" * 33 + b"]" * 33, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b"[" * 100_000, "nested"),
        (b'["\\"", ' + b"[" * 40, "nested"),
    ],
)
def test_everything_else_is_refused_in_words(text, why):
    with pytest.raises(ValueError, match=why):
        loads(text)


def test_text_is_read_as_its_bytes_are():
    assert loads('{"a": [1, "ə"]}') == loads('{"a": [1, "ə"]}'.encode())


def test_brackets_inside_strings_do_not_nest():
    assert loads(json.dumps(["[{" * 100, '"]]' * 100]).encode()) == ["[{" * 100, '"]]' * 100]
    assert loads(b"[" * 32 + b"]" * 32)


@pytest.mark.parametrize(
    "text", [b'"' + b'\\"' * 300_000 + b"[{" * 40, b'"' * 300_001 + b"[" * 40, b'"\\' * 200_000 + b"[" * 40]
)
def test_unfinished_strings_take_no_longer_than_others(text):
    """Twice the text must not take much more than twice the time: at a quadratic step it would take hours."""
    began = time.perf_counter()
    with pytest.raises(ValueError):  # noqa: PT011 (which fault is found first does not matter here)
        loads(text)
    assert time.perf_counter() - began < 5
