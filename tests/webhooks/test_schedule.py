"""When a delivery is tried again."""

from datetime import timedelta

import pytest

from app.webhooks.schedule import RETRY_DELAYS, is_given_up, pause_until, retry_at
from tests.factories import NOW

pytestmark = pytest.mark.pure


def test_waits_grow_to_a_day_and_are_never_shorter():
    waits = [retry_at(attempts, NOW, 0.0) - NOW for attempts in range(1, 12)]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(seconds=5)
    assert waits[8:] == [timedelta(days=1)] * 3
    assert sum(RETRY_DELAYS, timedelta()) < timedelta(days=5)  # so each is tried before it is given up
    assert timedelta(seconds=5) < retry_at(1, NOW, 0.99) - NOW < timedelta(seconds=5.5)


def test_silence_pauses_for_a_quarter_of_it():
    assert pause_until(NOW, NOW) == NOW + timedelta(seconds=5)
    later = NOW + timedelta(minutes=10)
    assert pause_until(NOW, later) == later + timedelta(minutes=2, seconds=30)
    later = NOW + timedelta(days=2)
    assert pause_until(NOW, later) == later + timedelta(hours=1)


def test_after_five_days_it_is_given_up():
    assert not is_given_up(NOW, NOW + timedelta(days=5, seconds=-1))
    assert is_given_up(NOW, NOW + timedelta(days=5))
