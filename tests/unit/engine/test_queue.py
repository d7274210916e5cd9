from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_operator.engine.outcome import Lane
from ecs_operator.engine.queue import KeyedQueue, QueueClosedError
from tests.unit.engine.stage import LoopClock, SetClock, key


def a_queue() -> KeyedQueue:
    return KeyedQueue(clock=LoopClock().monotonic)


async def taken(queue: KeyedQueue, count: int) -> list[str]:
    names = []
    for _ in range(count):
        each, _ = await queue.take()
        names.append(each.name)
        queue.done(each)
    return names


async def test_more_important_lanes_first_and_first_come_first_served_within_one() -> None:
    queue = a_queue()
    for name, lane in (("r", Lane.RESYNC), ("p", Lane.POLL), ("c1", Lane.CREATE), ("u", Lane.URGENT), ("c2", Lane.CREATE)):
        queue.add(key(name), lane=lane)
    assert await taken(queue, 5) == ["u", "c1", "c2", "p", "r"]


async def test_a_key_that_waits_already_is_only_made_more_important() -> None:
    queue = a_queue()
    queue.add(key("a"), lane=Lane.RESYNC)
    queue.add(key("b"), lane=Lane.POLL)
    queue.add(key("a"), lane=Lane.URGENT)
    queue.add(key("a"), lane=Lane.RESYNC)
    assert queue.depth().ready == 2
    assert await taken(queue, 2) == ["a", "b"]
    assert queue.depth().ready == 0


@pytest.mark.looptime
async def test_a_delay_is_waited_for() -> None:
    queue = a_queue()
    queue.add(key("late"), lane=Lane.URGENT, after=10)
    queue.add(key("soon"), lane=Lane.POLL, after=5)
    assert (queue.depth().ready, queue.depth().delayed) == (0, 2)
    assert await taken(queue, 1) == ["soon"]
    assert asyncio.get_running_loop().time() == pytest.approx(5)
    assert await taken(queue, 1) == ["late"]
    assert asyncio.get_running_loop().time() == pytest.approx(10)


@pytest.mark.looptime
async def test_an_earlier_delay_wakes_a_taker_that_waits_for_a_later_one() -> None:
    queue = a_queue()
    queue.add(key("late"), lane=Lane.POLL, after=100)
    taking = asyncio.create_task(queue.take())
    await asyncio.sleep(1)
    queue.add(key("early"), lane=Lane.POLL, after=2)
    assert (await taking)[0] == key("early")
    assert asyncio.get_running_loop().time() == pytest.approx(3)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("requests", "lane", "at"),
    [
        ([(Lane.RESYNC, 50.0), (Lane.URGENT, 0.0)], Lane.URGENT, 0.0),
        ([(Lane.URGENT, 0.0), (Lane.POLL, 3.0)], Lane.URGENT, 0.0),
        ([(Lane.RESYNC, 50.0), (Lane.POLL, 3.0)], Lane.POLL, 3.0),
        ([(Lane.POLL, 3.0), (Lane.RESYNC, 50.0)], Lane.POLL, 3.0),
    ],
    ids=["an event ends a delay", "a delay does not put off an event", "an earlier time wins", "a later time changes nothing"],
)
async def test_two_requests_for_one_key(requests: Sequence[tuple[Lane, float]], lane: Lane, at: float) -> None:
    queue = a_queue()
    for each, after in requests:
        queue.add(key(), lane=each, after=after)
    assert await queue.take() == (key(), lane)
    assert asyncio.get_running_loop().time() == pytest.approx(at)
    queue.done(key())
    assert queue.depth().ready + queue.depth().delayed == 0


@pytest.mark.looptime
async def test_a_key_dirty_while_worked_on_is_worked_on_once_more_not_at_once() -> None:
    queue = a_queue()
    queue.add(key(), lane=Lane.POLL)
    await queue.take()
    for _ in range(3):
        queue.add(key(), lane=Lane.URGENT)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), timeout=5)
    queue.done(key())
    assert await queue.take() == (key(), Lane.URGENT)
    queue.done(key())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(queue.take(), timeout=5)


@pytest.mark.looptime
async def test_forgetting_drops_what_is_planned() -> None:
    queue = a_queue()
    queue.add(key("a"), lane=Lane.POLL, after=1)
    queue.add(key("b"), lane=Lane.POLL)
    queue.add(key("c"), lane=Lane.POLL, after=2)
    queue.forget(key("a"))
    queue.forget(key("b"))
    assert (queue.depth().ready, queue.depth().delayed) == (0, 1)
    assert await taken(queue, 1) == ["c"]


@pytest.mark.looptime
async def test_several_keys_due_at_once_wake_several_takers() -> None:
    queue = a_queue()
    takers = [asyncio.create_task(queue.take()) for _ in range(3)]
    await asyncio.sleep(0)
    for name in "abc":
        queue.add(key(name), lane=Lane.POLL, after=7)
    found = await asyncio.gather(*takers)
    assert sorted(each.name for each, _ in found) == ["a", "b", "c"]


@pytest.mark.looptime
async def test_a_cancelled_taker_passes_its_wake_up_on() -> None:
    queue = a_queue()
    first, second = asyncio.create_task(queue.take()), asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add(key(), lane=Lane.POLL)  # wakes the first, which is cancelled before it runs
    first.cancel()
    assert (await asyncio.wait_for(second, timeout=1))[0] == key()


async def test_closing_ends_all_takers_and_drops_what_comes_later() -> None:
    queue = a_queue()
    queue.add(key("worked on"), lane=Lane.POLL)
    await queue.take()
    takers = [asyncio.create_task(queue.take()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.close()
    queue.add(key("later"), lane=Lane.URGENT)
    for taker in takers:
        with pytest.raises(QueueClosedError):
            await taker
    queue.done(key("worked on"))


async def test_stale_rows_do_not_pile_up() -> None:
    """Each event on a delayed key leaves a row in the heap until its time comes."""
    queue = a_queue()
    for _ in range(5000):
        queue.add(key(), lane=Lane.POLL, after=3600)
        queue.add(key(), lane=Lane.URGENT)
        await taken(queue, 1)
    assert len(queue._delayed) < 200


_OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from("abcd"), st.sampled_from(list(Lane)), st.sampled_from([0.0, 0.0, 1.0, 5.0, 60.0])),
        st.tuples(st.just("take")),
        st.tuples(st.just("done")),
        st.tuples(st.just("tick"), st.sampled_from([0.5, 2.0, 30.0])),
    ),
    max_size=60,
)


@given(_OPERATIONS)
def test_against_a_simple_model(operations: list[tuple[object, ...]]) -> None:
    """The same as a dict from key to (due, lane): what is due comes out, most important lane first; nothing is lost or doubled."""

    async def play() -> None:
        clock = SetClock()
        queue = KeyedQueue(clock=clock)
        waiting: dict[str, tuple[float, Lane]] = {}
        working: dict[str, tuple[float, Lane] | None] = {}

        def merged(old: tuple[float, Lane] | None, due: float, lane: Lane) -> tuple[float, Lane]:
            if old is None:
                return due, lane
            if old[0] <= clock.seconds and due <= clock.seconds:
                return old[0], min(old[1], lane)
            return old if old[0] <= due else (due, lane)

        for operation in operations:
            match operation:
                case ("add", str(name), Lane() as lane, float(after)):
                    queue.add(key(name), lane=lane, after=after)
                    due = clock.seconds + after
                    if name in working:
                        working[name] = merged(working[name], due, lane)
                    else:
                        waiting[name] = merged(waiting.get(name), due, lane)
                case ("take",):
                    ready = [lane for due, lane in waiting.values() if due <= clock.seconds]
                    if ready:
                        found, lane = await queue.take()
                        assert waiting.pop(found.name)[1] == lane == min(ready)
                        assert found.name not in working
                        working[found.name] = None
                case ("done",):
                    if working:
                        name, again = working.popitem()
                        queue.done(key(name))
                        if again is not None:
                            waiting[name] = again
                case ("tick", float(seconds)):
                    clock.seconds += seconds
            depth = queue.depth()
            assert depth.ready + depth.delayed == len(waiting)
            assert depth.working == len(working)

    asyncio.run(play())
