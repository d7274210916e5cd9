"""The shared list: one at a time, never older than asked, nothing from before a change."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from ecs_operator.cloud import CloudError, Meaning, Outcome, Server, ServerSnapshots, Sweep
from tests.unit.cloud.stage import START, FakeCloud, LoopClock, answer, client_of

pytestmark = pytest.mark.looptime


class Sweeps:
    """Takes two seconds for each list, which holds one server named by its number."""

    def __init__(self) -> None:
        self.count = 0
        self.running = 0
        self.error: CloudError | None = None

    async def sweep(self, *, changes_since: str | None = None) -> Sweep:
        assert changes_since is None, "this cloud does not tell the time, so nobody can ask for what has changed"
        self.count += 1
        number = self.count
        self.running += 1
        assert self.running == 1, "one at a time"
        await asyncio.sleep(2)
        self.running -= 1
        if self.error:
            raise self.error
        return Sweep(servers=(Server(id=f"sweep-{number}"),), complete=True)


async def test_many_callers_share_one_list() -> None:
    sweeps = Sweeps()
    snapshots = ServerSnapshots(sweeps, LoopClock())
    taken = await asyncio.gather(*(snapshots.at_most(10) for _ in range(100)))
    assert sweeps.count == 1
    assert all(snapshot is taken[0] for snapshot in taken)
    assert (taken[0].taken_at, set(taken[0].servers)) == (START, {"sweep-1"})


async def test_age_counts_from_the_beginning_of_the_list() -> None:
    sweeps = Sweeps()
    snapshots = ServerSnapshots(sweeps, LoopClock())
    await snapshots.at_most(10)
    await asyncio.sleep(7.9)
    assert set((await snapshots.at_most(10)).servers) == {"sweep-1"}
    await asyncio.sleep(0.2)
    fresh = await snapshots.at_most(10)
    assert set(fresh.servers) == {"sweep-2"}
    assert fresh.taken_at == START + timedelta(seconds=10.1)


async def test_zero_means_begun_after_the_question() -> None:
    sweeps = Sweeps()
    snapshots = ServerSnapshots(sweeps, LoopClock())
    first = asyncio.create_task(snapshots.at_most(0))
    await asyncio.sleep(1)
    later = [asyncio.create_task(snapshots.at_most(0)) for _ in range(5)]
    assert set((await first).servers) == {"sweep-1"}
    assert {next(iter((await task).servers)) for task in later} == {"sweep-2"}
    assert sweeps.count == 2


async def test_a_running_list_that_is_young_enough_is_joined() -> None:
    sweeps = Sweeps()
    snapshots = ServerSnapshots(sweeps, LoopClock())
    first = asyncio.create_task(snapshots.at_most(0))
    await asyncio.sleep(1)
    assert set((await snapshots.at_most(5)).servers) == {"sweep-1"}
    await first
    assert sweeps.count == 1


async def test_nothing_from_before_an_invalidation() -> None:
    sweeps = Sweeps()
    snapshots = ServerSnapshots(sweeps, LoopClock())
    await snapshots.at_most(60)
    snapshots.invalidate()
    running = asyncio.create_task(snapshots.at_most(60))
    await asyncio.sleep(1)
    snapshots.invalidate()
    assert set((await snapshots.at_most(60)).servers) == {"sweep-3"}
    assert set((await running).servers) == {"sweep-2"}, "asked before the second change"
    assert set((await snapshots.at_most(60)).servers) == {"sweep-3"}


async def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    sweeps = Sweeps()
    async with client_of(FakeCloud(lambda _: answer(403))) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.sweep()
    sweeps.error = caught.value
    snapshots = ServerSnapshots(sweeps, LoopClock())
    results = await asyncio.gather(*(snapshots.at_most(10) for _ in range(3)), return_exceptions=True)
    assert [result.meaning for result in results if isinstance(result, CloudError)] == [Meaning.FORBIDDEN] * 3
    sweeps.error = None
    assert set((await snapshots.at_most(10)).servers) == {"sweep-2"}


async def test_a_failure_leaves_the_former_list_to_those_who_take_it() -> None:
    sweeps = Sweeps()
    snapshots = ServerSnapshots(sweeps, LoopClock())
    await snapshots.at_most(0)
    async with client_of(FakeCloud(lambda _: answer(403))) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.sweep()
    sweeps.error = caught.value
    with pytest.raises(CloudError):
        await snapshots.at_most(0)
    assert set((await snapshots.at_most(60)).servers) == {"sweep-1"}


async def test_a_caller_that_gives_up_does_not_stop_the_list() -> None:
    sweeps = Sweeps()
    snapshots = ServerSnapshots(sweeps, LoopClock())
    first = asyncio.create_task(snapshots.at_most(0))
    second = asyncio.create_task(snapshots.at_most(5))
    await asyncio.sleep(1)
    first.cancel()
    assert set((await second).servers) == {"sweep-1"}
    assert sweeps.count == 1


async def test_closing_stops_a_list_under_way_and_cancels_nobody() -> None:
    snapshots = ServerSnapshots(Sweeps(), LoopClock())
    waiting = asyncio.create_task(snapshots.at_most(5))
    await asyncio.sleep(1)
    for_the_next = asyncio.create_task(snapshots.at_most(0))
    await asyncio.sleep(0)
    await snapshots.close()
    for task in (waiting, for_the_next, asyncio.create_task(snapshots.at_most(60))):
        with pytest.raises(CloudError, match="closed") as caught:
            await task
        assert caught.value.outcome is Outcome.NOT_SENT
    assert asyncio.get_running_loop().time() == pytest.approx(1)


async def test_a_caller_that_is_cancelled_is_cancelled() -> None:
    snapshots = ServerSnapshots(Sweeps(), LoopClock())
    task = asyncio.create_task(snapshots.at_most(0))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await snapshots.close()


async def test_an_incomplete_list_says_so() -> None:
    rows = [{"id": "s", "status": "UNKNOWN", "metadata": {}}]
    cloud = FakeCloud(lambda request: answer(200, {"servers": [] if "marker" in request.url.params else rows}))
    async with client_of(cloud) as client:
        snapshot = await ServerSnapshots(client.servers, LoopClock()).at_most(0)
    assert (snapshot.complete, snapshot.problem, set(snapshot.servers)) == (False, "1 rows of unknown state", {"s"})
