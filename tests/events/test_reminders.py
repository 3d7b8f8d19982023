"""Which reminder a deadline has on a day."""

from datetime import date, timedelta

import pytest

from app.events.catalogue import load_catalogue
from app.events.reminders import CATCH_UP_DAYS, DatedDeadline, due_reminders

TYPES = load_catalogue().types
LAST_DAY = date(2027, 6, 30)


def days_on(before, event="certificate.expiring", kind=None):
    deadline = DatedDeadline(event, kind, "x", LAST_DAY)
    return [due.days for due in due_reminders(LAST_DAY - timedelta(before), [deadline], TYPES)]


@pytest.mark.parametrize(
    ("before", "days"),
    [(91, []), (90, [90]), (31, [90]), (30, [30]), (8, [30]), (7, [7]), (0, [7]), (-1, [])],
)
def test_the_last_reminder_whose_day_has_come(before, days):
    assert days_on(before) == days


@pytest.mark.parametrize(
    ("before", "days"), [(0, []), (-1, [-1]), (-1 - CATCH_UP_DAYS, [-1]), (-2 - CATCH_UP_DAYS, [])]
)
def test_after_the_deadline_it_is_made_up_for_during_some_days(before, days):
    assert days_on(before, "certificate.expired") == days


def test_a_kind_can_have_days_of_its_own():
    assert days_on(30, "matter.answer_due", "use_report") == [30]
    assert days_on(30, "matter.answer_due", "visit") == []
    assert days_on(5, "matter.answer_due", "visit") == [5]


def test_what_has_no_days_has_no_reminder():
    assert days_on(7, "evidence.changed", "confirmed") == []
