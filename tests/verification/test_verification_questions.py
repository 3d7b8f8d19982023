"""What is asked, read from JSON: one meaning or a refusal that names every wrong place."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.verification.expectation import ExpectedFields
from app.verification.request_parser import MAX_ITEMS, VerifyItem, parse_batch, parse_request

pytestmark = pytest.mark.pure

NUMBER, TOKEN = VerifyItem("number", "a"), VerifyItem("token", "b")


def pointers(read, body):
    with pytest.raises(Invalid) as refused:
        read(body)
    return [each["pointer"] for each in refused.value.data.get("errors", [])]


class TestOne:
    def test_number_and_token(self):
        assert parse_request({"number": "a"}) == (NUMBER, None)
        assert parse_request({"token": "b"}) == (TOKEN, None)

    def test_with_expectation(self):
        assert parse_request({"token": "b", "expect": {}}) == (TOKEN, ExpectedFields())
        assert parse_request({"expect": {"holder": "H"}, "number": "a"}) == (NUMBER, ExpectedFields(holder="H"))

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            (None, []), ([], []), ("number", []), ({}, [""]), ({"expect": {}}, [""]),
            ({"number": "a", "token": "b"}, [""]), ({"number": "a", "expected": {}}, [""]),
            ({"number": 1}, ["/number"]), ({"token": None}, ["/token"]),
            ({"number": "a", "expect": None}, ["/expect"]), ({"number": "a", "expect": {"x": "y"}}, ["/expect"]),
            ({"number": 1, "expect": {"hs6": "7", "holder": 1}}, ["/number", "/expect/holder", "/expect/hs6"]),
        ],
    )  # fmt: skip
    def test_wrong(self, body, expected):
        assert pointers(parse_request, body) == expected


class TestMany:
    def test_in_order(self):
        assert parse_batch({"items": [{"token": "b"}, {"number": "a"}, {"token": "b"}]}) == (TOKEN, NUMBER, TOKEN)
        assert parse_batch({"items": []}) == ()

    def test_the_limit(self):
        assert len(parse_batch({"items": [{"number": "a"}] * MAX_ITEMS})) == MAX_ITEMS
        assert pointers(parse_batch, {"items": [{"number": "a"}] * (MAX_ITEMS + 1)}) == ["/items"]

    @pytest.mark.parametrize("body", [None, [], {}, {"items": [], "more": 1}, {"item": []}, "items"])
    def test_wrong_envelope(self, body):
        assert pointers(parse_batch, body) == [""]

    @pytest.mark.parametrize("items", [None, {}, "x", 1, True])
    def test_items_are_a_list(self, items):
        assert pointers(parse_batch, {"items": items}) == ["/items"]

    @pytest.mark.parametrize(
        ("item", "pointer"),
        [
            (None, ""), ("a", ""), ([], ""), ({}, ""), ({"number": "a", "token": "b"}, ""), ({"x": "a"}, ""),
            ({"number": "a", "expect": {}}, ""), ({"number": 1}, "/number"), ({"token": {}}, "/token"),
        ],
    )  # fmt: skip
    def test_one_wrong_item_refuses_the_whole_and_is_named(self, item, pointer):
        assert pointers(parse_batch, {"items": [{"number": "a"}, item, {"token": "b"}]}) == [f"/items/1{pointer}"]

    def test_every_wrong_item_is_named_up_to_a_hundred(self):
        assert pointers(parse_batch, {"items": [1, {"number": "a"}, {"token": 1}]}) == ["/items/0", "/items/2/token"]
        assert len(pointers(parse_batch, {"items": [1] * MAX_ITEMS})) == 100


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["number", "token", "expect", "items", "holder", "hs6", "valid_until", "x\ud800"]), inner
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_read_or_refused(value):
    for read in (parse_request, parse_batch):
        with suppress(Invalid):
            assert read(value) is not None
