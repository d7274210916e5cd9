"""Passes that stand aside: how many are at work, how many workers there are, and that none of it is lost when something ends badly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ecs_operator.engine.outcome import Done, Lane, Outcome
from ecs_operator.engine.seats import aside
from tests.unit.engine.stage import Scripted, Step, key
from tests.unit.engine.test_loop import POLICY, running

pytestmark = pytest.mark.looptime


class Busy:
    """Counts those that are at work."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    async def work(self, seconds: float) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(seconds)
        self.now -= 1

    def shares(self, shared: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[Outcome]]:
        """A pass that works, waits aside for something that it shares, and works again."""

        async def step() -> Outcome:
            await self.work(1)
            async with aside():
                await shared()
            await self.work(1)
            return Done()

        return step


def scripted(names: list[str], step: Step) -> Scripted:
    """Each key plays the step once."""
    scripts: dict[str, list[Step]] = {name: [step, Done()] for name in names}
    return Scripted("things", **scripts)


async def test_those_who_wait_for_something_in_common_leave_their_seats_to_others() -> None:
    """Thirty keys, three seats: all thirty come together although each keeps its key, and never more than three are at work."""
    busy, together = Busy(), asyncio.Barrier(30)
    names = [f"k{number}" for number in range(30)]
    things = scripted(names, busy.shares(together.wait))
    async with running(things) as loop:
        for name in names:
            loop.exists(key(name), lane=Lane.CREATE)
        await asyncio.sleep(25)
        assert things.running == set()
        assert things.most_at_once >= 30
        assert busy.most == POLICY.workers
        # Workers that were hired for the wave leave when they have had a key each.
        for name in names:
            loop.exists(key(name), lane=Lane.URGENT)
        await asyncio.sleep(5)
        assert len(loop._workers) == POLICY.workers


async def test_a_pass_whose_wait_fails_has_its_seat_back() -> None:
    busy = Busy()

    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("no")

    async def step() -> Outcome:
        try:
            async with aside():
                await fail()
        except ValueError:
            await busy.work(5)
        return Done()

    names = [f"k{number}" for number in range(9)]
    things = scripted(names, step)
    async with running(things) as loop:
        for name in names:
            loop.exists(key(name), lane=Lane.CREATE)
        await asyncio.sleep(30)
        assert busy.most == POLICY.workers
        assert loop._seats.aside == 0


async def test_a_pass_that_waits_aside_for_ever_is_cancelled_and_costs_no_seat() -> None:
    async def hang() -> Outcome:
        async with aside():
            await asyncio.Event().wait()
        return Done()

    names = [f"k{number}" for number in range(5)]
    things = scripted(names, hang)
    async with running(things) as loop:
        for name in names:
            loop.exists(key(name), lane=Lane.CREATE)
        await asyncio.sleep(POLICY.pass_deadline + 200)
        assert loop._seats.aside == 0
        assert all(len(things.times(name)) >= 2 for name in names), "each was tried again"


async def test_a_stop_waits_for_those_aside_and_then_cancels_them() -> None:
    ended: list[str] = []

    async def hang() -> Outcome:
        try:
            async with aside():
                await asyncio.Event().wait()
        finally:
            ended.append("hang")
        return Done()

    async def slow() -> Outcome:
        async with aside():
            await asyncio.sleep(1.5)
        ended.append("slow")
        return Done()

    things = Scripted(a=[hang], b=[slow])
    async with running(things) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        loop.exists(key("b"), lane=Lane.CREATE)
        await asyncio.sleep(1)
    assert ended == ["slow", "hang"]


async def test_outside_a_pass_nothing_is_given_up() -> None:
    async with aside():
        await asyncio.sleep(1)
