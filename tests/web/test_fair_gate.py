"""A few slots, shared fairly: a flood of one caller costs the others one turn."""

import asyncio

import pytest

from app.core.errors import Unavailable
from app.web.limits.fair_share import FairGate


async def started(gate, key, order=None):
    async def enter():
        await gate.enter(key)
        if order is not None:
            order.append(key)

    task = asyncio.create_task(enter())
    await asyncio.sleep(0)
    return task


def test_one_caller_never_has_all_slots_and_waits_in_its_own_queue():
    async def scene():
        gate = FairGate(4, per_key=2, max_waiting=3)
        flood = [await started(gate, "flood") for _ in range(5)]
        assert [task.done() for task in flood] == [True, True, False, False, False]
        with pytest.raises(Unavailable):
            await gate.enter("flood")
        await asyncio.wait_for(gate.enter("other"), 1)
        await asyncio.wait_for(gate.enter("third"), 1)
        for _ in range(5):
            gate.leave("flood")
            await asyncio.sleep(0)
        gate.leave("other")
        gate.leave("third")
        assert all(task.done() for task in flood)
        for _ in range(2):  # nothing is lost: four again
            await gate.enter("a")
            await gate.enter("b")

    asyncio.run(scene())


def test_queues_are_served_in_turn():
    async def scene():
        gate, order = FairGate(1, per_key=1), []
        await gate.enter("first")
        for key in ("flood", "flood", "flood", "other", "third"):
            await started(gate, key, order)
        for key in ("first", "flood", "other", "third", "flood", "flood"):
            gate.leave(key)
            await asyncio.sleep(0.001)
        assert order == ["flood", "other", "third", "flood", "flood"]

    asyncio.run(scene())


def test_who_gives_up_or_waits_too_long_leaves_no_trace():
    async def scene():
        gate = FairGate(1, per_key=1, patience=0.05)
        async with gate.slot("first"):
            with pytest.raises(Unavailable):
                await gate.enter("late")
            gone = await started(gate, "gone")
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        turn = await started(gate, "a")
        assert turn.done()
        waiting = await started(gate, "b")
        gate.leave("a")  # gives it to b, which hangs up in the same moment
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(gate.enter("c"), 1)

    asyncio.run(scene())
