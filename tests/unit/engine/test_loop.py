from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from ecs_operator.engine.backoff import Backoff, BackoffPolicy
from ecs_operator.engine.correlation import CURRENT_PASS
from ecs_operator.engine.counters import Result
from ecs_operator.engine.loop import LoopPolicy, ReconcileLoop
from ecs_operator.engine.outcome import Again, Blocked, Done, Gone, Lane, Outcome, Retry
from ecs_operator.engine.ports import ConflictError, GoneError, RefusedError, StoreError, UnavailableError
from ecs_operator.engine.queue import KeyedQueue
from tests.unit.engine.stage import LoopClock, Scripted, SetAuthority, Step, key, seeded

pytestmark = pytest.mark.looptime

POLICY = LoopPolicy(workers=3, resync=300, resync_spread=0.1, pass_deadline=50)


@asynccontextmanager
async def running(
    *reconcilers: Scripted, authority: SetAuthority | None = None, policy: LoopPolicy = POLICY, backoff: BackoffPolicy | None = None
) -> AsyncIterator[ReconcileLoop]:
    clock = LoopClock()
    loop = ReconcileLoop(
        queue=KeyedQueue(clock=clock.monotonic),
        backoff=Backoff(rng=seeded(1), policy=backoff),
        authority=authority or SetAuthority(),
        clock=clock,
        rng=seeded(1),
        policy=policy,
    )
    task = asyncio.create_task(loop.run(reconcilers))
    try:
        yield loop
    finally:
        await loop.stop(grace=1)
        await task


async def test_done_is_looked_at_again_after_the_resync_period_with_jitter() -> None:
    things = Scripted(a=[Done()], b=[Done()])
    async with running(things) as loop:
        for name in "ab":
            loop.exists(key(name), lane=Lane.CREATE)
        await asyncio.sleep(700)
    first, second, third = things.times("a")
    assert first == 0
    assert 270 <= second <= 330
    assert 270 <= third - second <= 330
    assert things.times("b")[1] != second


async def test_again_comes_back_after_its_time() -> None:
    things = Scripted(a=[Again(3.0), Again(0.0), Done()])
    async with running(things) as loop:
        loop.exists(key(), lane=Lane.CREATE)
        await asyncio.sleep(100)
    assert things.times("a") == [0, 3, 3]


async def test_retry_backs_off_and_success_resets() -> None:
    things = Scripted(a=[Retry("x")] * 6 + [Again(1.0), Retry("x"), Done()])
    async with running(things, backoff=BackoffPolicy(first=1, cap=1000)) as loop:
        loop.exists(key(), lane=Lane.CREATE)
        await asyncio.sleep(150)
    times = things.times("a")
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(pause <= 2**number for number, pause in enumerate(pauses[:6]))
    assert max(pauses[:6]) > 1
    assert pauses[6] == pytest.approx(1)
    assert pauses[7] <= 1, "the failure after a success counts as the first"


async def test_retry_keeps_the_floor() -> None:
    things = Scripted(a=[Retry("throttled", floor=40.0), Done()])
    async with running(things) as loop:
        loop.exists(key(), lane=Lane.CREATE)
        await asyncio.sleep(100)
    assert 40 <= things.times("a")[1] <= 48


@pytest.mark.parametrize(
    ("error", "result", "text"),
    [
        (UnavailableError("GET things/ns/a: 503"), Result.UNAVAILABLE, "cannot be reached"),
        (RefusedError("GET things/ns/a: 403"), Result.REFUSED, "refuses"),
        (StoreError("odd"), Result.UNAVAILABLE, "failed"),
        (ZeroDivisionError("a bug"), Result.ERROR, "unexpectedly"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_errors_are_logged_and_back_off(error: Exception, result: Result, text: str, caplog: pytest.LogCaptureFixture) -> None:
    things = Scripted(a=[error, error, Done()])
    async with running(things) as loop:
        loop.exists(key(), lane=Lane.CREATE)
        await asyncio.sleep(5)
        assert loop.counters.passes["things", result] == 2
        assert loop.counters.passes["things", Result.SUCCESS] == 1
    told = [record for record in caplog.records if text in record.getMessage()]
    assert len(told) == 2
    assert all((record.exc_info is not None) == (result is Result.ERROR) for record in told)


async def test_a_conflict_is_tried_again_at_once_but_not_for_ever_without_a_pause() -> None:
    things = Scripted(a=[ConflictError("c")])
    async with running(things, backoff=BackoffPolicy(first=100, cap=100)) as loop:
        loop.exists(key(), lane=Lane.CREATE)
        await asyncio.sleep(1)
        assert len(things.passes) == POLICY.conflicts_in_a_row + 1
        assert things.times("a")[-1] <= 5 * POLICY.conflict_pause


NOTHING_THERE = [pytest.param(GoneError("g"), id="a write found nothing"), pytest.param(Gone(), id="a read found nothing")]


@pytest.mark.parametrize("nothing_there", NOTHING_THERE)
async def test_gone_is_forgotten_when_the_deletion_was_told(nothing_there: Step) -> None:
    things = Scripted(a=[nothing_there])
    async with running(things) as loop:
        loop.deleted(key())
        await asyncio.sleep(1000)
        assert things.times("a") == [0]


@pytest.mark.parametrize("nothing_there", NOTHING_THERE)
async def test_gone_is_looked_at_again_while_no_deletion_was_told(nothing_there: Step) -> None:
    """An API server that answers 404 for a while must not make the operator forget what it has to do."""
    things = Scripted(a=[nothing_there, Done()])
    async with running(things) as loop:
        loop.exists(key(), lane=Lane.CREATE)
        await asyncio.sleep(10)
        assert len(things.times("a")) == 2
        assert things.times("a")[1] < 1


async def test_a_deleted_object_gets_one_last_pass_and_no_resync() -> None:
    things = Scripted(a=[Done()])
    async with running(things) as loop:
        loop.exists(key(), lane=Lane.CREATE)
        await asyncio.sleep(1)
        loop.deleted(key())
        await asyncio.sleep(1000)
        assert things.times("a") == [0, 1]
        loop.exists(key(), lane=Lane.CREATE)
        await asyncio.sleep(400)
    assert len(things.passes) == 4, "made anew under the same name: looked at, and resynced"


async def test_an_event_during_a_pass_leads_to_exactly_one_more() -> None:
    async def slow() -> Outcome:
        await asyncio.sleep(10)
        return Done()

    things = Scripted(a=[slow, Done()])
    async with running(things) as loop:
        loop.exists(key(), lane=Lane.CREATE)
        for _ in range(4):
            await asyncio.sleep(1)
            loop.exists(key(), lane=Lane.URGENT)
        await asyncio.sleep(100)
    assert things.times("a") == [0, 10]


async def test_an_event_without_news_starts_no_pass() -> None:
    things = Scripted(a=[Done()])
    async with running(things) as loop:
        loop.exists(key(), lane=None)
        await asyncio.sleep(100)
    assert things.passes == []


async def test_workers_share_the_keys() -> None:
    async def slow() -> Outcome:
        await asyncio.sleep(10)
        return Done()

    steps: dict[str, Sequence[Step]] = {name: [slow, Done()] for name in "abcdef"}
    things = Scripted("things", **steps)
    async with running(things) as loop:
        for name in "abcdef":
            loop.exists(key(name), lane=Lane.CREATE)
        await asyncio.sleep(5)
        assert loop.counters.active == 3
        await asyncio.sleep(50)
    assert things.most_at_once == 3
    assert len(things.passes) == 6


async def test_blocked_wakes_with_an_event_of_what_it_waits_for() -> None:
    things, others = Scripted(a=[Blocked((key("o", resource="others"),)), Done()]), Scripted("others", o=[Done()])
    async with running(things, others) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(10)
        assert loop.blocked == 1
        loop.exists(key("o", resource="others"), lane=None)  # a change of its status only
        await asyncio.sleep(10)
        assert loop.blocked == 0
    assert things.times("a") == [0, 10]


async def test_blocked_has_a_net_under_it() -> None:
    things = Scripted(a=[Blocked((key("o"),), at_most=60.0), Done()])
    async with running(things) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(100)
    assert things.times("a") == [0, 60]


async def test_an_event_between_the_look_and_the_word_is_not_lost() -> None:
    awaited = key("o", resource="others")

    async def blocked_too_late() -> Outcome:
        await asyncio.sleep(5)  # the event comes in here
        return Blocked((awaited,), at_most=1000.0)

    things = Scripted(a=[blocked_too_late, Done()])
    async with running(things, Scripted("others", o=[Done()])) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(2)
        loop.exists(awaited, lane=None)
        await asyncio.sleep(100)
    assert things.times("a") == [0, 5]


async def test_nothing_runs_without_the_lease() -> None:
    authority = SetAuthority(left=0.0)
    things = Scripted(a=[Done()], b=[Done()])
    async with running(things, authority=authority) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(60)
        assert things.passes == []
        authority.left = 20.0
        await asyncio.sleep(1)
        assert [name for name, _ in things.passes] == ["a"]
        # Workers wait for keys now. The lease goes, an event comes: it must wait for the next time the lease is held.
        authority.left = 0.0
        loop.exists(key("b"), lane=Lane.URGENT)
        await asyncio.sleep(60)
        assert [name for name, _ in things.passes] == ["a"]
        authority.left = 20.0
        await asyncio.sleep(1)
    assert [name for name, _ in things.passes] == ["a", "b"]


async def test_each_gain_of_the_lease_is_told() -> None:
    """What another holder did meanwhile shows in no event that counts."""
    authority = SetAuthority(left=0.0)
    gained: list[float] = []
    clock = LoopClock()
    loop = ReconcileLoop(
        queue=KeyedQueue(clock=clock.monotonic),
        backoff=Backoff(rng=seeded()),
        authority=authority,
        clock=clock,
        rng=seeded(),
        policy=POLICY,
    )
    task = asyncio.create_task(loop.run([Scripted()], on_lease=lambda: gained.append(round(clock.monotonic()))))
    for left in (0.0, 20.0, 20.0, 0.0, 20.0):
        authority.left = left
        await asyncio.sleep(10)
    await loop.stop(grace=1)
    await task
    assert gained == [10, 40]


async def test_stopping_lets_passes_end_and_starts_none() -> None:
    ended = []

    async def slow() -> Outcome:
        await asyncio.sleep(10)
        ended.append(True)
        return Done()

    things = Scripted(a=[slow], b=[Done()])
    async with running(things) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(5)
        stopping = asyncio.create_task(loop.stop(grace=30))
        await asyncio.sleep(1)
        loop.exists(key("b"), lane=Lane.URGENT)
        await stopping
        assert ended == [True]
    assert [name for name, _ in things.passes] == ["a"]


async def test_stopping_cancels_what_takes_too_long() -> None:
    cancelled = []

    async def endless() -> Outcome:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(asyncio.get_running_loop().time())
            raise
        return Done()

    things = Scripted(a=[endless])
    async with running(things, policy=LoopPolicy(workers=1)) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(5)
        await loop.stop(grace=3)
    assert cancelled == [pytest.approx(8)]


async def test_a_pass_that_hangs_is_cut_off_and_tried_again() -> None:
    async def endless() -> Outcome:
        await asyncio.Event().wait()
        return Done()

    things = Scripted(a=[endless, Done()])
    async with running(things) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(60)
        assert loop.counters.total(Result.SUCCESS) == 1
    assert 50 <= things.times("a")[1] <= 51


async def test_each_pass_has_its_own_id() -> None:
    seen = []

    async def look() -> Outcome:
        seen.append(CURRENT_PASS.get())
        return Again(1.0)

    async with running(Scripted(a=[look])) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(3)
    ids = [each.reconcile_id for each in seen if each is not None and each.key == key("a")]
    assert len(ids) == len(seen) == len(set(ids)) >= 3
    assert CURRENT_PASS.get() is None


async def test_retry_tells_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with running(Scripted(a=[Retry("the cloud is throttled"), Done()])) as loop:
        loop.exists(key("a"), lane=Lane.CREATE)
        await asyncio.sleep(5)
    assert any("the cloud is throttled" in record.getMessage() for record in caplog.records)
