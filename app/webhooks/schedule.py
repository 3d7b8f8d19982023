"""Decide when a delivery is tried again, and when an endpoint is given up. Pure."""

from datetime import datetime, timedelta

RETRY_DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Waits after the first, second … failed attempt, as Standard Webhooks recommends; the last one repeats."""
JITTER = 0.1
"""A wait is longer by up to this part, at random: what failed together is not tried together again."""
FAILURE_LIMIT = timedelta(days=5)
"""A delivery is given up, and an endpoint disabled, that has failed for so long."""
SECRET_OVERLAP = timedelta(hours=24)
"""How long the previous secret signs as well."""
_MIN_SILENCE, _MAX_SILENCE = timedelta(seconds=5), timedelta(hours=1)


def retry_at(attempts: int, now: datetime, jitter: float) -> datetime:
    """Return when a delivery is tried again that failed `attempts` times. `jitter`: at least 0, less than 1."""
    delay = RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1]
    return now + delay * (1 + JITTER * jitter)


def pause_until(failing_since: datetime, now: datetime) -> datetime:
    """Return until when nothing is sent to an endpoint that gives no answer: a quarter of the time it has been silent.

    At least 5 s, at most an hour. Without this each waiting delivery would spend the time limit of a request.
    """
    return now + min(max((now - failing_since) / 4, _MIN_SILENCE), _MAX_SILENCE)


def is_given_up(failing_since: datetime, now: datetime) -> bool:
    return now - failing_since >= FAILURE_LIMIT
