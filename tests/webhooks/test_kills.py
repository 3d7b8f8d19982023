"""Workers are killed in the middle of deliveries: each event arrives, and only what was on its way arrives twice."""

import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from uuid import UUID

import pytest

from app.core.dates import utc_now
from app.webhooks import webhook_repository
from app.webhooks.endpoints import new_delivery
from tests.helpers import rows
from tests.live import PATIENCE, clean_environment
from tests.races.helpers import ROUNDS
from tests.webhooks.receiver import allow_inner, hook, receiving, status

pytestmark = [pytest.mark.no_coverage, pytest.mark.long]
KILLS = max(2, min(20, ROUNDS))
BETWEEN_KILLS = 10


@contextmanager
def worker(app):
    environment = clean_environment() | {
        "MIK_DATABASE_URL": app.settings.database_url,
        "MIK_DATA_DIR": str(app.settings.data_dir),
        "MIK_WEBHOOK_INNER_ADDRESSES": "true",
        "MIK_JOB_SECONDS": "1",
        "MIK_MAIL_SECONDS": "0",
    }
    command = [sys.executable, "-m", "tests.webhooks.worker_process", "worker", "--threads", "2"]
    started = subprocess.Popen(command, env=environment)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def slowly(handler):
    time.sleep(0.02)
    status(204)(handler)


def wait_until(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_no_event_is_lost_with_a_worker_that_is_killed(app):
    allow_inner(app)
    company = app.set_up_company()
    with receiving(slowly) as receiver:
        webhooks = [hook(company, f"{receiver.url}/{n}", event_types=["ruleset.affects_you"]) for n in range(2)]
        ids = [f"evt_{n:012}" for n in range(BETWEEN_KILLS * (KILLS + 1) // 2)]
        with app.database.session() as session:
            given = [
                new_delivery(UUID(webhook["id"]), each, "ruleset.affects_you", {"id": each}, utc_now())
                for each in ids
                for webhook in webhooks
            ]
            webhook_repository.add_deliveries(session, given)
            session.commit()
        for kill in range(1, KILLS + 1):
            with worker(app):
                wait_until(lambda due=kill * BETWEEN_KILLS: len(set(places(receiver))) >= due)
        with worker(app):
            wait_until(lambda: not waiting(app))
        counts = Counter(places(receiver))
    assert counts.keys() == {(f"/hook/{n}", each) for n in range(2) for each in ids}
    assert sum(counts.values()) - len(counts) <= len(webhooks) * (KILLS + 1)
    assert rows(app, "SELECT DISTINCT state FROM webhook_deliveries") == [("delivered",)]


def places(receiver):
    return [(each.path, each.id) for each in list(receiver.received)]


def waiting(app):
    return rows(app, "SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting'")[0][0]
