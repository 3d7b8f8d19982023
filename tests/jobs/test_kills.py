"""Workers are killed in the middle of jobs, and none is lost; while two live, none is doubled."""

import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from app.core.dates import utc_now
from app.jobs import port
from app.jobs.job_type import JobType
from tests.helpers import rows
from tests.live import PATIENCE, clean_environment, free_port
from tests.races.helpers import ROUNDS

pytestmark = pytest.mark.no_coverage
DELIVER = JobType("test.deliver")
KILLS = max(2, min(20, ROUNDS))
BETWEEN_KILLS = 12
"""Jobs that are delivered from one kill to the next."""


@contextmanager
def process(app, command):
    words = ["serve", "--port", str(free_port())] if command == "serve" else ["worker", "--threads", "2"]
    environment = clean_environment() | {
        "MIK_DATABASE_URL": app.settings.database_url,
        "MIK_DATA_DIR": str(app.settings.data_dir),
        "MIK_JOB_SECONDS": "1",
        "MIK_MAIL_SECONDS": "0",
    }
    started = subprocess.Popen([sys.executable, "-m", "tests.jobs.worker_process", *words], env=environment)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def enqueue(app, numbers):
    with app.database.session() as session:
        for n in numbers:
            port.enqueue(session, DELIVER, {"n": n}, now=utc_now(), key=str(n))
        session.commit()


def deliveries(app):
    found = rows(app, "SELECT name, value FROM counters WHERE name LIKE 'test:%'")
    return {int(name.removeprefix("test:")): value for name, value in found}


def left(app):
    ((count,),) = rows(app, "SELECT count(*) FROM jobs WHERE state <> 'done' AND name = 'test.deliver'")
    return count


def wait_until(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("worker", marks=pytest.mark.long("sqlite")),
        pytest.param("serve", marks=pytest.mark.long("postgresql")),
    ],
)
def test_no_job_is_lost_with_a_process_that_is_killed(app, command):
    count = BETWEEN_KILLS * (KILLS + 1)
    enqueue(app, range(count))
    for kill in range(1, KILLS + 1):
        with process(app, command):
            wait_until(lambda due=kill * BETWEEN_KILLS: len(deliveries(app)) >= due)
    assert len(deliveries(app)) < count
    with process(app, command):
        wait_until(lambda: left(app) == 0)
    found = deliveries(app)
    assert found.keys() == set(range(count))
    assert sum(found.values()) - count <= 2 * KILLS  # at most what ran on the threads of each killed process


@pytest.mark.long("sqlite")
def test_two_processes_double_nothing_and_a_signal_lets_them_finish(app):
    with process(app, "worker") as first, process(app, "worker") as second:
        enqueue(app, range(60))
        wait_until(lambda: len(deliveries(app)) >= 20)
        first.terminate()
        assert first.wait(PATIENCE) == 0
        wait_until(lambda: len(deliveries(app)) == 60)
        second.terminate()
        assert second.wait(PATIENCE) == 0
    assert set(deliveries(app).values()) == {1}
    assert left(app) == 0
