"""The budget: rates, lanes, creates in flight, throttling and recovery, callers that give up."""

from __future__ import annotations

import asyncio

import pytest

from ecs_operator.cloud import BudgetLimits
from ecs_operator.cloud.budget import Budget, BudgetExhaustedError
from ecs_operator.cloud.operation import Kind, Lane
from tests.unit.cloud.stage import LoopClock

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


async def call(
    budget: Budget, log: list[tuple[str, float]], name: str, *, kind: Kind = Kind.READ, lane: Lane = Lane.POLL, takes: float = 0.0
) -> None:
    async with budget.slot(kind=kind, lane=lane, within=1000):
        log.append((name, now()))
        await asyncio.sleep(takes)


async def test_the_rate_is_kept_after_a_burst_of_a_second() -> None:
    budget = Budget(BudgetLimits(reads_per_second=10), clock=LoopClock())
    log: list[tuple[str, float]] = []
    await asyncio.gather(*(call(budget, log, str(number)) for number in range(50)))
    times = [moment for _, moment in log]
    assert sum(moment < 0.01 for moment in times) == 10
    assert times[-1] == pytest.approx(4.0, abs=0.1)
    assert (budget.waiting, budget.in_flight) == (0, 0)


async def test_reads_and_writes_do_not_take_from_each_other() -> None:
    budget = Budget(BudgetLimits(reads_per_second=1, writes_per_second=1), clock=LoopClock())
    log: list[tuple[str, float]] = []
    await asyncio.gather(*(call(budget, log, "read") for _ in range(5)), call(budget, log, "write", kind=Kind.WRITE))
    assert ("write", 0.0) in log


async def test_lanes() -> None:
    budget = Budget(BudgetLimits(writes_per_second=1), clock=LoopClock())
    log: list[tuple[str, float]] = []
    await call(budget, log, "first", kind=Kind.WRITE)
    waiting = [Lane.RESYNC, Lane.CREATE, Lane.POLL, Lane.URGENT, Lane.CREATE]
    await asyncio.gather(*(call(budget, log, lane.name, kind=Kind.WRITE, lane=lane) for lane in waiting))
    assert [name for name, _ in log] == ["first", "URGENT", "CREATE", "CREATE", "POLL", "RESYNC"]


async def test_creates_in_flight() -> None:
    budget = Budget(BudgetLimits(creates_in_flight=2, writes_per_second=100), clock=LoopClock())
    log: list[tuple[str, float]] = []
    creates = [call(budget, log, "create", kind=Kind.CREATE, lane=Lane.CREATE, takes=10) for _ in range(5)]
    await asyncio.gather(*creates, call(budget, log, "delete", kind=Kind.WRITE, lane=Lane.RESYNC))
    assert [(name, round(moment)) for name, moment in log] == [
        ("create", 0),
        ("create", 0),
        ("delete", 0),
        ("create", 10),
        ("create", 10),
        ("create", 20),
    ]


async def test_requests_in_flight() -> None:
    budget = Budget(BudgetLimits(requests_in_flight=3), clock=LoopClock())
    log: list[tuple[str, float]] = []
    await asyncio.gather(*(call(budget, log, "", takes=5) for _ in range(6)))
    assert [round(moment) for _, moment in log] == [0, 0, 0, 5, 5, 5]


PAUSES = [("the cloud's wish", 20.0, 20.0), ("no wish", None, 1.0), ("an immodest wish", 4000.0, 60.0)]


@pytest.mark.parametrize(("wish", "pause"), [case[1:] for case in PAUSES], ids=[case[0] for case in PAUSES])
async def test_the_pause_after_throttling(wish: float | None, pause: float) -> None:
    budget = Budget(BudgetLimits(reads_per_second=1000), clock=LoopClock())
    budget.throttled(Kind.READ, wish)
    log: list[tuple[str, float]] = []
    await call(budget, log, "")
    assert log[0][1] == pytest.approx(pause, abs=0.1)


async def test_the_rate_is_halved_and_recovers() -> None:
    budget = Budget(BudgetLimits(reads_per_second=100), clock=LoopClock())

    async def calls_within(seconds: float) -> int:
        log: list[tuple[str, float]] = []
        end = now() + seconds
        while now() < end:
            await call(budget, log, "")
        return len(log)

    for _ in range(2):
        budget.throttled(Kind.READ, 0.0)
    assert 20 <= await calls_within(1) <= 30, "a quarter"
    await asyncio.sleep(120)
    await calls_within(2)
    assert 90 <= await calls_within(1) <= 110, "recovered"


async def test_the_rate_never_falls_to_nothing() -> None:
    budget = Budget(BudgetLimits(reads_per_second=16), clock=LoopClock())
    for _ in range(100):
        budget.throttled(Kind.READ, 0.0)
    log: list[tuple[str, float]] = []
    await call(budget, log, "")
    assert now() <= 1.1


async def test_no_room_in_time() -> None:
    budget = Budget(BudgetLimits(requests_in_flight=1), clock=LoopClock())
    holder = asyncio.create_task(call(budget, [], "", takes=100))
    await asyncio.sleep(1)
    with pytest.raises(BudgetExhaustedError):
        async with budget.slot(kind=Kind.READ, lane=Lane.POLL, within=5):
            pytest.fail("there was no room")
    assert now() == pytest.approx(6)
    await holder
    assert (budget.waiting, budget.in_flight) == (0, 0)


async def test_callers_that_give_up_leave_no_trace() -> None:
    budget = Budget(BudgetLimits(reads_per_second=2, requests_in_flight=2), clock=LoopClock())
    tasks = [asyncio.create_task(call(budget, [], "", takes=3)) for _ in range(20)]
    for number, task in enumerate(tasks):
        await asyncio.sleep(0.25)
        if number % 3 == 0:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (budget.waiting, budget.in_flight) == (0, 0)


async def test_a_caller_cancelled_at_the_moment_it_is_admitted_returns_its_place() -> None:
    budget = Budget(BudgetLimits(requests_in_flight=1), clock=LoopClock())
    holder = asyncio.create_task(call(budget, [], "", takes=1))
    await asyncio.sleep(0)
    waiter = asyncio.create_task(call(budget, [], ""))
    await asyncio.sleep(0)
    holder.cancel()
    await asyncio.sleep(0)  # the holder leaves, the waiter is admitted but has not run yet
    waiter.cancel()
    await asyncio.gather(holder, waiter, return_exceptions=True)
    assert (budget.waiting, budget.in_flight) == (0, 0)


async def test_a_caller_cancelled_just_before_it_would_be_admitted_is_passed_over() -> None:
    budget = Budget(BudgetLimits(requests_in_flight=1), clock=LoopClock())
    holder = asyncio.create_task(call(budget, [], "", takes=1))
    await asyncio.sleep(0)
    log: list[tuple[str, float]] = []
    waiters = [asyncio.create_task(call(budget, log, name)) for name in ("gives up", "stays")]
    await asyncio.sleep(0)
    holder.cancel()
    waiters[0].cancel()
    results = await asyncio.gather(holder, *waiters, return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError, asyncio.CancelledError, type(None)]
    assert [name for name, _ in log] == ["stays"]
    assert (budget.waiting, budget.in_flight) == (0, 0)


async def test_retries_are_earned() -> None:
    budget = Budget(BudgetLimits(), clock=LoopClock())
    assert [budget.may_retry() for _ in range(6)] == [True] * 5 + [False]
    for _ in range(11):
        budget.earn_retry()
    assert [budget.may_retry() for _ in range(2)] == [True, False]
