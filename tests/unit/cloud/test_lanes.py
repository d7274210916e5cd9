"""Whose turn it is, and that nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import pairwise

import pytest

from ecs_operator.cloud import BudgetLimits
from ecs_operator.cloud.budget import Budget
from ecs_operator.cloud.lanes import PATIENCE, Turns
from ecs_operator.cloud.operation import Kind, Lane
from tests.unit.cloud.stage import LoopClock

ALL = tuple(Lane)


def test_the_first_lane_goes_first() -> None:
    turns = Turns()
    assert [turns.choose(ready) for ready in (ALL, {Lane.RESYNC, Lane.POLL}, {Lane.RESYNC}, {Lane.CREATE, Lane.RESYNC})] == [
        Lane.URGENT,
        Lane.POLL,
        Lane.RESYNC,
        Lane.CREATE,
    ]


@pytest.mark.parametrize("lanes", [ALL, (Lane.URGENT, Lane.RESYNC), (Lane.CREATE, Lane.POLL, Lane.RESYNC)], ids=len)
def test_each_lane_gets_its_share_however_many_are_before_it(lanes: tuple[Lane, ...]) -> None:
    turns = Turns()
    chosen = [turns.choose(lanes) for _ in range(9000)]
    shares = Counter(chosen)
    assert shares[lanes[0]] >= 6000, "the first lane has at least two thirds"
    for lane in lanes[1:]:
        places = [place for place, each in enumerate(chosen) if each is lane]
        assert max(later - earlier for earlier, later in pairwise(places)) <= PATIENCE + len(lanes) - 1, lane


@pytest.mark.looptime
async def test_a_flood_of_urgent_calls_holds_up_nobody_for_ever() -> None:
    """Twice as many deletions as the budget lets through, for a minute; a resync gets its turn within seconds."""
    budget = Budget(BudgetLimits(writes_per_second=10), clock=LoopClock())
    waits: dict[Lane, list[float]] = {lane: [] for lane in Lane}

    async def call(lane: Lane) -> None:
        began = asyncio.get_running_loop().time()
        async with budget.slot(kind=Kind.WRITE, lane=lane, within=1000):
            waits[lane].append(asyncio.get_running_loop().time() - began)

    async with asyncio.TaskGroup() as group:
        for number in range(60 * 20):
            group.create_task(call(Lane.URGENT))
            if number % 100 == 50:
                group.create_task(call(Lane.RESYNC))
            await asyncio.sleep(0.05)
    assert len(waits[Lane.RESYNC]) == 12
    assert max(waits[Lane.RESYNC]) <= 1.5
    assert max(waits[Lane.URGENT]) > 30, "there was a flood"


@pytest.mark.looptime
async def test_what_cannot_go_anyway_does_not_take_the_turns_of_others() -> None:
    """Creates wait for the end of another create: that they are passed over does not count."""
    budget = Budget(BudgetLimits(writes_per_second=1000, creates_in_flight=1), clock=LoopClock())
    order: list[str] = []

    async def call(kind: Kind, lane: Lane, *, takes: float = 0.0) -> None:
        async with budget.slot(kind=kind, lane=lane, within=1000):
            order.append(lane.name)
            await asyncio.sleep(takes)

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(call(Kind.CREATE, Lane.CREATE, takes=10))
        for _ in range(100):
            group.create_task(call(Kind.WRITE, Lane.URGENT))
    assert order == ["CREATE", *["URGENT"] * 100, "CREATE"]
