"""A few slots, shared fairly: a flood of one caller costs the others one turn."""

import asyncio

import pytest

from app.core.errors import Unavailable
from app.web.limits.fair_share import FairShareLimit


async def started(gate, key, order=None):
    async def enter():
        await gate.acquire(key)
        if order is not None:
            order.append(key)

    task = asyncio.create_task(enter())
    await asyncio.sleep(0)
    return task


def test_one_caller_never_has_all_slots_and_waits_in_its_own_queue():
    async def run_requests():
        gate = FairShareLimit(4, per_key=2, max_waiting=3)
        flood = [await started(gate, "flood") for _ in range(5)]
        assert [task.done() for task in flood] == [True, True, False, False, False]
        with pytest.raises(Unavailable):
            await gate.acquire("flood")
        await asyncio.wait_for(gate.acquire("other"), 1)
        await asyncio.wait_for(gate.acquire("third"), 1)
        for _ in range(5):
            gate.release("flood")
            await asyncio.sleep(0)
        gate.release("other")
        gate.release("third")
        assert all(task.done() for task in flood)
        for _ in range(2):  # nothing is lost: four again
            await gate.acquire("a")
            await gate.acquire("b")

    asyncio.run(run_requests())


def test_queues_are_served_in_turn():
    async def run_requests():
        gate, order = FairShareLimit(1, per_key=1), []
        await gate.acquire("first")
        for key in ("flood", "flood", "flood", "other", "third"):
            await started(gate, key, order)
        for key in ("first", "flood", "other", "third", "flood", "flood"):
            gate.release(key)
            await asyncio.sleep(0.001)
        assert order == ["flood", "other", "third", "flood", "flood"]

    asyncio.run(run_requests())


def test_who_gives_up_or_waits_too_long_leaves_no_trace():
    async def run_requests():
        gate = FairShareLimit(1, per_key=1, timeout=0.05)
        async with gate.slot("first"):
            with pytest.raises(Unavailable):
                await gate.acquire("late")
            gone = await started(gate, "gone")
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        turn = await started(gate, "a")
        assert turn.done()
        waiting = await started(gate, "b")
        gate.release("a")  # gives it to b, which hangs up in the same moment
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(gate.acquire("c"), 1)

    asyncio.run(run_requests())
