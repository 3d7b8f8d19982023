"""A set of certificate numbers in one bit for each, compared with a plain set."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.transparency.issued_numbers import IssuedNumbers

pytestmark = pytest.mark.pure
NUMBERS = st.sampled_from(["MIK-2026", "MIA-2026", "MIK-2027"]).flatmap(
    lambda series: st.integers(0, 200).map(lambda serial: f"{series}-{serial:06d}-X")
)
OTHERS = st.sampled_from(["", "MIK", "MIK-2026-999999999-X", "MIK-2026-٤٢-X", "MIK-2026--X", "MIK-2026-00x042-Y"])
ANY = st.lists(NUMBERS | OTHERS, max_size=40)


def numbers_of(given_numbers):
    found = IssuedNumbers()
    for number in given_numbers:
        found.add(number)
    return found


@given(ANY, ANY)
def test_it_contains_what_was_added_and_nothing_else(added, asked):
    found = numbers_of(added)
    assert [number in found for number in (*added, *asked)] == [number in set(added) for number in (*added, *asked)]


@given(ANY, ANY, ANY)
def test_an_update_joins_two_sets(first, second, asked):
    found = numbers_of(first)
    found.update(numbers_of(second))
    every = {*first, *second}
    assert [number in found for number in (*every, *asked)] == [number in every for number in (*every, *asked)]


@pytest.mark.parametrize(("longer", "shorter"), [(200, 1), (1, 200)])
def test_sets_of_different_length_are_joined(longer, shorter):
    found = numbers_of([f"MIK-2026-{longer:06d}-X"])
    found.update(numbers_of([f"MIK-2026-{shorter:06d}-X", "other"]))
    assert all(f"MIK-2026-{serial:06d}-X" in found for serial in (1, 200))
    assert "MIK-2026-000002-X" not in found
    assert "other" in found


@given(st.lists(NUMBERS), st.lists(NUMBERS))
def test_what_another_set_lacks(more, less):
    added = set(numbers_of(more).added_to(numbers_of(less)))
    places = {(number[:8], int(number[9:15])) for number in {*more} - {*less}}
    assert added == places
