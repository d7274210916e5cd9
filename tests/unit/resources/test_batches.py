"""Commands that travel together: when a call leaves and with whom, and what each member is told. Time is the loop's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from ecs_operator.cloud import CloudError, JobAccepted, Meaning, Outcome
from ecs_operator.resources.batches import MOST, MOST_CALLS, Batches
from ecs_operator.resources.commands import Command, Delete, Mode, Reboot, Start, Stop
from tests.fakes.clock import FakeAuthority
from tests.fakes.cloud import cloud_error, lost

pytestmark = pytest.mark.looptime

OFF = Stop("SOFT")


@dataclass
class FakeServers:
    """Takes calls. ``bad``: a call with one of these is refused as a whole; ``seconds`` is what a call takes."""

    calls: list[tuple[float, str, tuple[str, ...]]] = field(default_factory=list)
    bad: dict[str, CloudError] = field(default_factory=dict)
    error: BaseException | None = None
    seconds: float = 0.2
    answered: int = 0

    async def start(self, server_ids: Sequence[str]) -> JobAccepted:
        return await self._call("start", server_ids)

    async def stop(self, server_ids: Sequence[str], mode: Mode) -> JobAccepted:
        return await self._call(f"stop {mode}", server_ids)

    async def reboot(self, server_ids: Sequence[str], mode: Mode) -> JobAccepted:
        return await self._call(f"reboot {mode}", server_ids)

    async def delete(self, server_ids: Sequence[str], *, delete_public_ip: bool, delete_volume: bool) -> JobAccepted:
        return await self._call(f"delete {delete_public_ip} {delete_volume}", server_ids)

    async def _call(self, name: str, server_ids: Sequence[str]) -> JobAccepted:
        self.calls.append((round(asyncio.get_running_loop().time(), 3), name, tuple(server_ids)))
        number = len(self.calls)
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        for server_id in server_ids:
            if server_id in self.bad:
                raise self.bad[server_id]
        self.answered += 1
        return JobAccepted(job_id=f"job-{number}")

    @property
    def sizes(self) -> list[int]:
        return [len(server_ids) for _, _, server_ids in self.calls]


class Stage:
    def __init__(self) -> None:
        self.servers = FakeServers()
        self.batches = Batches(self.servers)
        self.lease = FakeAuthority()
        self.tasks: dict[str, asyncio.Task[JobAccepted]] = {}

    def ask(self, *names: str, command: Command = OFF, lease: FakeAuthority | None = None) -> None:
        """An object asks for its server of this name."""
        for name in names:
            asking = self.batches.carry_out(command, (name,), authority=lease or self.lease)
            self.tasks[name] = asyncio.create_task(asking)

    async def told(self) -> dict[str, str]:
        """What each was told, in short."""
        await asyncio.wait(self.tasks.values())
        return {name: _short(task) for name, task in self.tasks.items()}


def _short(task: asyncio.Task[JobAccepted]) -> str:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    if error is None:
        return task.result().job_id
    return f"{error.outcome} {error.meaning}" if isinstance(error, CloudError) else type(error).__name__


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    mine = Stage()
    yield mine
    await mine.batches.close()


def several(number: int, *, start: int = 0) -> list[str]:
    return [f"s{each}" for each in range(start, start + number)]


# When it leaves, and with whom


async def test_one_alone_loses_no_second() -> None:
    async with stage() as on:
        on.ask("a")
        assert await on.told() == {"a": "job-1"}
        assert asyncio.get_running_loop().time() < 0.5


async def test_those_who_come_side_by_side_travel_together_at_once() -> None:
    async with stage() as on:
        on.ask(*several(10))
        assert set((await on.told()).values()) == {"job-1"}
        assert on.servers.sizes == [10]


async def test_in_a_wave_a_call_leaves_each_second() -> None:
    async with stage() as on:
        for number in range(50):
            on.ask(f"s{number}")
            await asyncio.sleep(0.1)
        told = await on.told()
        assert sum(on.servers.sizes) == len(told) == 50
        assert [when for when, _, _ in on.servers.calls] == [0.05, 1.05, 2.05, 3.05, 4.05, 5.05]


async def test_after_a_pause_nobody_waits() -> None:
    async with stage() as on:
        on.ask("a")
        await asyncio.sleep(3)
        on.ask("b")
        await on.told()
        assert [when for when, _, _ in on.servers.calls] == [0.05, 3.05]


async def test_nobody_waits_longer_than_the_window() -> None:
    async with stage() as on:
        on.ask("a")
        await asyncio.sleep(0.06)
        on.ask("b")
        await on.told()
        assert [when for when, _, _ in on.servers.calls] == [0.05, 1.05]


async def test_a_slow_call_does_not_hold_up_the_next() -> None:
    async with stage() as on:
        on.servers.seconds = 20
        on.ask("a")
        await asyncio.sleep(2)
        on.ask("b")
        await asyncio.sleep(1)
        assert [when for when, _, _ in on.servers.calls] == [0.05, 2.05]
        await on.told()


async def test_a_full_call_leaves_at_once() -> None:
    async with stage() as on:
        on.ask(*several(MOST + 7))
        await on.told()
        assert on.servers.sizes == [MOST, 7]
        assert on.servers.calls[0][0] == 0


COMMANDS: tuple[Command, ...] = (
    Start(),
    Stop("SOFT"),
    Stop("HARD"),
    Reboot("SOFT"),
    Reboot("HARD"),
    Delete(public_ip=False, volume=False),
    Delete(public_ip=False, volume=True),
    Delete(public_ip=True, volume=False),
    Delete(public_ip=True, volume=True),
)


async def test_only_equal_commands_travel_together() -> None:
    async with stage() as on:
        for number, command in enumerate(COMMANDS):
            on.ask(f"a{number}", f"b{number}", command=command)
        await on.told()
        assert on.servers.sizes == [2] * len(COMMANDS)
        assert len({name for _, name, _ in on.servers.calls}) == len(COMMANDS)


async def test_a_server_that_two_ask_for_is_named_once() -> None:
    async with stage() as on:
        both = [asyncio.create_task(on.batches.carry_out(OFF, ("a",), authority=on.lease)) for _ in range(2)]
        assert [each.job_id for each in await asyncio.gather(*both)] == ["job-1", "job-1"]
        assert on.servers.sizes == [1]


async def test_an_object_with_very_many_servers_leaves_alone() -> None:
    async with stage() as on:
        asking = on.batches.carry_out(Delete(public_ip=False, volume=False), several(MOST + 1), authority=on.lease)
        assert (await asking).job_id == "job-1"


# Who gives up, and the lease


async def test_who_gives_up_before_the_call_is_not_in_it() -> None:
    async with stage() as on:
        on.ask("a", "b", "c")
        await asyncio.sleep(0.01)
        on.tasks["b"].cancel()
        assert await on.told() == {"a": "job-1", "b": "cancelled", "c": "job-1"}
        assert on.servers.calls[0][2] == ("a", "c")


async def test_when_all_give_up_nothing_is_sent() -> None:
    async with stage() as on:
        on.ask("a", "b")
        await asyncio.sleep(0.01)
        for task in on.tasks.values():
            task.cancel()
        await asyncio.sleep(3)
        assert on.servers.calls == []


async def test_who_gives_up_after_the_call_left_does_not_break_it_off_for_others() -> None:
    async with stage() as on:
        on.ask("a", "b")
        await asyncio.sleep(0.1)
        on.tasks["a"].cancel()
        assert await on.told() == {"a": "cancelled", "b": "job-1"}
        assert on.servers.answered == 1


async def test_the_lease_is_asked_for_when_the_call_leaves_for_each_of_its_members() -> None:
    async with stage() as on:
        short, soon_short = FakeAuthority(9.0), FakeAuthority(1000.0)
        on.ask("a", lease=short)
        on.ask("b", lease=soon_short)
        on.ask("c")
        await asyncio.sleep(0.01)
        soon_short.left = 1.0
        assert await on.told() == {"a": "NotSent transient", "b": "NotSent transient", "c": "job-1"}
        assert on.servers.calls[0][2] == ("c",)


async def test_a_call_is_given_up_when_the_lease_of_any_member_could_be_lost() -> None:
    async with stage() as on:
        on.servers.seconds = 100
        on.ask("a", lease=FakeAuthority(12.0))
        on.ask("b")
        assert await on.told() == {"a": "Unknown unreachable", "b": "Unknown unreachable"}
        assert asyncio.get_running_loop().time() == pytest.approx(12.05)


# What a call's end means for its members


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(lost("stopServers"), "Unknown unreachable", id="no answer: nobody knows"),
        pytest.param(
            cloud_error("stopServers", outcome=Outcome.NOT_SENT, meaning=Meaning.UNREACHABLE), "NotSent unreachable", id="it never left"
        ),
        pytest.param(
            cloud_error("stopServers", meaning=Meaning.THROTTLED, code="Common.1503", status=429), "Refused throttled", id="flow control"
        ),
        pytest.param(cloud_error("stopServers", meaning=Meaning.AUTH, status=401), "Refused auth", id="credentials"),
        pytest.param(
            cloud_error("stopServers", outcome=Outcome.UNKNOWN, meaning=Meaning.CONFLICT),
            "Unknown conflict",
            id="a code that proves nothing",
        ),
        pytest.param(ValueError("bug"), "RuntimeError", id="a bug"),
    ],
)
async def test_what_is_about_all_is_told_to_all_and_not_sent_again(error: BaseException, told: str) -> None:
    async with stage() as on:
        on.servers.error = error
        on.ask(*several(20))
        assert set((await on.told()).values()) == {told}
        assert len(on.servers.calls) == 1


REFUSALS = {
    "locked": cloud_error("stopServers", meaning=Meaning.CONFLICT, code="Ecs.0605"),
    "unknown": cloud_error("stopServers", meaning=Meaning.NOT_FOUND, code="Ecs.0114", status=404),
    "busy": cloud_error("stopServers", meaning=Meaning.BUSY, code="Ecs.0603", status=501),
    "frozen": cloud_error("stopServers", meaning=Meaning.FROZEN, code="Ecs.0003", status=403),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_one_bad_server_among_many_has_its_own_verdict(name: str) -> None:
    async with stage() as on:
        on.servers.bad = {"s123": REFUSALS[name]}
        on.ask(*several(200))
        told = await on.told()
        assert told.pop("s123") == f"Refused {REFUSALS[name].meaning}"
        assert all(each.startswith("job-") for each in told.values())
        assert len(on.servers.calls) <= 1 + 4 * 4


async def test_two_bad_ones_among_as_many_as_a_call_takes() -> None:
    async with stage() as on:
        on.servers.bad = {"s0": REFUSALS["locked"], "s499": REFUSALS["busy"]}
        on.ask(*several(500))
        told = await on.told()
        assert (told.pop("s0"), told.pop("s499")) == ("Refused conflict", "Refused busy")
        assert all(each.startswith("job-") for each in told.values())
        assert len(on.servers.calls) < MOST_CALLS


async def test_where_all_are_bad_the_calls_are_bounded_and_the_rest_asks_again() -> None:
    async with stage() as on:
        on.servers.bad = dict.fromkeys(several(500), REFUSALS["locked"])
        on.ask(*several(500))
        told = await on.told()
        assert set(told.values()) <= {"Refused conflict", "NotSent throttled"}
        assert len(on.servers.calls) == MOST_CALLS


async def test_who_gives_up_between_two_calls_of_a_batch_is_in_no_more_of_them() -> None:
    async with stage() as on:
        on.servers.bad = {"s0": REFUSALS["locked"]}
        on.ask(*several(8))
        await asyncio.sleep(0.1)
        on.tasks["s7"].cancel()
        told = await on.told()
        assert told["s7"] == "cancelled"
        assert all("s7" not in server_ids for _, _, server_ids in on.servers.calls[1:])


async def test_a_closed_connection_leaves_nobody_waiting() -> None:
    async with stage() as on:
        on.servers.seconds = 100
        on.ask("a")
        await asyncio.sleep(0.5)
        on.ask("b")
        await asyncio.sleep(0.1)
        await on.batches.close()
        assert await on.told() == {"a": "Unknown unreachable", "b": "NotSent unreachable"}


# The minute's ration


async def test_no_more_than_a_thousand_a_minute_are_asked_for_and_the_others_told_when() -> None:
    async with stage() as on:
        on.ask(*several(1200))
        on.ask("deleted", command=Delete(public_ip=False, volume=False))
        on.ask("started", command=Start())
        told = await on.told()
        assert told.pop("deleted").startswith("job-"), "deletions are not counted"
        assert told.pop("started").startswith("job-"), "each command has its own minute"
        late = [name for name, what in told.items() if what == "NotSent throttled"]
        assert len(late) == 200
        error = on.tasks[late[0]].exception()
        assert isinstance(error, CloudError)
        pause = error.retry_after or 0.0
        assert pause == pytest.approx(60, abs=2)
        on.tasks.clear()
        await asyncio.sleep(pause)
        on.ask(*late)
        assert all(what.startswith("job-") for what in (await on.told()).values())


async def test_what_the_cloud_did_not_do_is_not_counted() -> None:
    async with stage() as on:
        on.servers.error = REFUSALS["frozen"]
        for _ in range(3):
            on.ask(*several(500))
            await on.told()
            await asyncio.sleep(2)
        on.servers.error = None
        on.ask(*several(1000))
        assert all(what.startswith("job-") for what in (await on.told()).values())
