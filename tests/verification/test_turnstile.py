"""While others are at work, checks go through a few in each turn of the loop; else they never wait."""

import asyncio
import shutil

import pytest
from starlette.testclient import TestClient

from app.web.limits.fair_scheduler import FairScheduler
from tests.factories import running_app


def test_who_is_at_work_is_counted():
    turnstile = FairScheduler()
    assert turnstile.active_requests == 0
    with turnstile.track_request(), turnstile.track_request():
        assert turnstile.active_requests == 2
    with pytest.raises(KeyError), turnstile.track_request():
        raise KeyError
    assert turnstile.active_requests == 0


def test_a_service_that_runs_is_nobody_at_work(sqlite_template, tmp_path):
    """The server's own talk with the application lasts as long as the process."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'a.sqlite3')}"
    with running_app(url, tmp_path) as app, TestClient(app.asgi) as client:
        assert client.get("/health/live").status_code == 200
        assert app.asgi._scheduler.active_requests == 0


def passed_in_each_turn(count, at_once, meanwhile=lambda _tasks: None):
    """How many of so many checks that came together went through in each turn of the loop, and who went through."""

    async def run():
        turnstile, passed = FairScheduler(at_once), []

        async def check(name):
            await turnstile.acquire()
            passed.append(name)

        tasks = [asyncio.ensure_future(check(name)) for name in range(count)]
        turns = []
        while not all(task.done() for task in tasks):
            before = len(passed)
            await asyncio.sleep(0)
            if len(passed) > before:
                turns.append(len(passed) - before)
            if len(turns) == 1:
                meanwhile(tasks)
        assert not turnstile._waiting
        return turns, passed

    return asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize(("count", "at_once"), [(1, 1), (3, 16), (16, 16), (17, 16), (100, 16), (7, 1)])
def test_no_turn_lets_more_through_and_all_come_through_in_their_order(count, at_once):
    turns, passed = passed_in_each_turn(count, at_once)
    assert max(turns) <= at_once
    assert len(turns) <= -(-count // at_once) + 1
    assert passed == list(range(count))


def test_who_hangs_up_takes_no_place():
    _, passed = passed_in_each_turn(40, 16, lambda tasks: [task.cancel() for task in tasks[16:30]])
    assert passed == [*range(16), *range(30, 40)]


def test_it_rests_when_nobody_waits():
    """Else the loop would turn for ever."""

    async def run():
        turnstile = FairScheduler(4)
        for _ in range(3):
            await asyncio.gather(*(turnstile.acquire() for _ in range(9)))
            for _ in range(3):
                await asyncio.sleep(0)
            assert not turnstile._is_scheduled

    asyncio.run(asyncio.wait_for(run(), 20))
