"""When a failed job is tried again, and when it is left to a person."""

from datetime import UTC, datetime, timedelta

import pytest

from app.jobs.job_type import JobType
from app.jobs.retries import MAX_DELAY, next_attempt_at, retry_delay

pytestmark = pytest.mark.pure
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 30), (2, 60), (3, 120), (8, 3_840), (11, 21_600), (10**9, 21_600)]
)
def test_the_wait_doubles_up_to_six_hours_and_half_of_it_is_random(attempts, longest):
    assert retry_delay(attempts, 0) == timedelta(seconds=longest / 2)
    assert timedelta(seconds=longest * 0.99) < retry_delay(attempts, 0.999) < timedelta(seconds=longest) <= MAX_DELAY


def test_a_person_decides_after_the_last_attempt():
    twice = JobType("test.twice", max_attempts=2)
    assert next_attempt_at(twice, 1, NOW, 0) == NOW + timedelta(seconds=15)
    assert next_attempt_at(twice, 2, NOW, 0) is None


def test_what_recurs_is_tried_in_each_period():
    often = JobType("test.often", every=timedelta(minutes=10), max_attempts=2)
    assert next_attempt_at(often, 1, NOW, 0) == NOW + timedelta(seconds=15)
    assert next_attempt_at(often, 50, NOW, 0.5) == NOW + timedelta(minutes=10)
