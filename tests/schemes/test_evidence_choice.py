"""Which document counts where several could."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schemes.closed_lists import load_lists
from app.schemes.evidence_choice import (
    choose_document,
    confirmed_documents,
    find_document_in_force,
    has_document_without_subject,
    is_in_force,
    unconfirmed_documents,
)
from app.schemes.facts import Evidence
from tests.schemes.factories import DAY, item

pytestmark = pytest.mark.pure

HOUR = timedelta(days=1)
PERMIT, STATUS = "permit", "tax-status"


def permit(name, issued_on=None, valid_until=None, kind=PERMIT, **members):
    return item(kind, issued_on, valid_until, id=name, **members)


def chosen(*items, kind=PERMIT, day=DAY):
    found = choose_document(Evidence(items), kind, day)
    return found and found.id


@pytest.mark.parametrize(
    ("items", "wanted"),
    [
        ([], None),
        ([permit("a", valid_until=DAY), permit("b", valid_until=DAY + HOUR)], "b"),
        ([permit("a", valid_until=date.max), permit("b")], "b"),
        ([permit("a"), permit("b", valid_until=DAY)], "a"),
        ([permit("a", date(2025, 1, 1)), permit("b", date(2026, 1, 1))], "b"),
        ([permit("a", valid_until=DAY - HOUR), permit("b", valid_until=DAY - 2 * HOUR)], "a"),
        ([permit("a", DAY + HOUR), permit("b", valid_until=DAY - HOUR)], "b"),
        ([permit("a", DAY + HOUR)], "a"),
        ([permit("a", confirmed=False), permit("b", valid_until=DAY)], "b"),
        ([permit("a", subject=None)], None),
        ([permit("a", kind="photo")], None),
    ],
)
def test_of_several_the_one_that_holds_longest_counts(items, wanted):
    assert chosen(*items) == wanted
    assert chosen(*reversed(items)) == wanted


def test_of_words_on_a_state_of_things_the_newest_counts():
    assert STATUS in load_lists().newest_counts
    old = permit("old", date(2025, 1, 1), kind=STATUS)
    new = permit("new", date(2026, 11, 1), DAY - HOUR, kind=STATUS)
    assert chosen(old, new, kind=STATUS) == "new"
    assert find_document_in_force(Evidence((old, new)), STATUS, DAY) is None
    assert find_document_in_force(Evidence((old,)), STATUS, DAY) == old
    assert find_document_in_force(None, STATUS, DAY) is None


def test_only_documents_with_the_words_asked_for_are_read():
    product, part = (permit(name, date(2026, 1, 1), about=name) for name in ("product", "material"))
    here = Evidence((part, product))
    assert confirmed_documents(here, PERMIT, {"about": ("product",)}) == (product,)
    assert choose_document(here, PERMIT, DAY, {"about": ("material",)}) == part
    assert choose_document(here, PERMIT, DAY, {"about": ("nothing",)}) is None


def test_confirmed_waiting_and_without_a_subject():
    done, waits, lost = permit("a"), permit("b", confirmed=False), permit("c", subject=None)
    here = Evidence((done, waits, lost))
    assert confirmed_documents(here, PERMIT) == (done,)
    assert unconfirmed_documents(here, PERMIT) == (waits,)
    assert has_document_without_subject(here, PERMIT)
    assert not has_document_without_subject(Evidence((done,)), PERMIT)
    assert (
        confirmed_documents(None, PERMIT),
        unconfirmed_documents(None, PERMIT),
        has_document_without_subject(None, PERMIT),
    ) == ((), (), False)
    older, newer = permit("x", date(2025, 1, 1)), permit("y", date(2026, 1, 1))
    assert confirmed_documents(Evidence((older, newer)), PERMIT) == (newer, older)


@pytest.mark.parametrize(
    ("issued_on", "valid_until", "wanted"),
    [(None, None, True), (DAY, DAY, True), (DAY + HOUR, None, False), (None, DAY - HOUR, False)],
)
def test_a_document_holds_from_its_day_to_its_end(issued_on, valid_until, wanted):
    assert is_in_force(permit("a", issued_on, valid_until), DAY) is wanted


DAYS = st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31))
ITEMS = st.lists(
    st.builds(lambda issued, ends, done: permit("x", issued, ends, confirmed=done), DAYS, DAYS, st.booleans()),
    max_size=6,
)


@given(ITEMS)
def test_if_any_holds_the_one_chosen_holds_and_no_other_longer(items):
    here = Evidence(tuple(replace(each, id=str(number)) for number, each in enumerate(items)))
    found = choose_document(here, PERMIT, DAY)
    holding = [each for each in confirmed_documents(here, PERMIT) if is_in_force(each, DAY)]
    assert (found is None) == (confirmed_documents(here, PERMIT) == ())
    if holding:
        assert found in holding
        assert all((found.valid_until or date.max) >= (each.valid_until or date.max) for each in holding)
