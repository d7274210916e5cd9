"""Looks at single servers: by id when few look, by one list when many do; absence is only ever said by the id."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from ecs_operator.cloud import CloudError, Failure, Meaning, Outcome, Server, ServerSnapshots, Sweep
from ecs_operator.resources.confirmations import FEWEST, Confirmations
from tests.unit.cloud.stage import LoopClock

pytestmark = pytest.mark.looptime

MANY = 40


def error(meaning: Meaning) -> CloudError:
    return CloudError(Failure(operation="x", method="GET", outcome=Outcome.REFUSED, meaning=meaning, message="no", status=404))


class Killed(BaseException):
    """What ends the process."""


@dataclass
class Cloud:
    """Servers s0, s1, …; an answer takes a second."""

    rows: dict[str, Server] = field(default_factory=lambda: {f"s{each}": Server(id=f"s{each}", status="ACTIVE") for each in range(MANY)})
    unlisted: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    is_complete: bool = True
    fails: BaseException | None = None

    async def get(self, server_id: str) -> Server:
        self.calls["get"] += 1
        await asyncio.sleep(1)
        if server_id not in self.rows:
            raise error(Meaning.NOT_FOUND)
        return self.rows[server_id]

    async def sweep(self, *, changes_since: str | None = None) -> Sweep:
        assert changes_since is None
        self.calls["list"] += 1
        seen = tuple(row for name, row in self.rows.items() if name not in self.unlisted)
        await asyncio.sleep(1)
        if self.fails is not None:
            raise self.fails
        return Sweep(servers=seen, complete=self.is_complete)


@dataclass
class Stage:
    cloud: Cloud = field(default_factory=Cloud)

    def __post_init__(self) -> None:
        self.snapshots = ServerSnapshots(self.cloud, LoopClock())
        self.confirmations = Confirmations(self.cloud, self.snapshots)

    async def sized(self) -> Stage:
        """With a list, from which the size of the project is known."""
        await self.snapshots.at_most(0)
        self.cloud.calls.clear()
        return self

    def ask(self, *numbers: int) -> list[asyncio.Task[Server | None]]:
        return [asyncio.create_task(self.confirmations.server(f"s{number}")) for number in numbers]


async def test_few_are_asked_for_by_id() -> None:
    stage = await Stage().sized()
    rows = await asyncio.gather(*stage.ask(*range(FEWEST - 1)))
    assert [row.id for row in rows if row] == [f"s{number}" for number in range(FEWEST - 1)]
    assert stage.cloud.calls == {"get": FEWEST - 1}


async def test_many_are_served_by_one_list_and_those_who_come_meanwhile_by_the_next() -> None:
    stage = await Stage().sized()
    first = stage.ask(*range(20))
    await asyncio.sleep(0.5)
    stage.cloud.rows["s20"] = Server(id="s20", status="SHUTOFF")
    second = stage.ask(*range(20, 40))
    rows = await asyncio.gather(*first, *second)
    assert stage.cloud.calls == {"list": 2}
    assert rows[20] is not None
    assert rows[20].status == "SHUTOFF", "from a list that was begun after the question"


async def test_a_list_from_before_the_question_serves_nobody() -> None:
    stage = await Stage().sized()
    stage.cloud.rows["s0"] = Server(id="s0", status="SHUTOFF")
    rows = await asyncio.gather(*stage.ask(*range(20)))
    assert rows[0] is not None
    assert (rows[0].status, stage.cloud.calls) == ("SHUTOFF", {"list": 1})


async def test_a_stream_of_questions_does_not_become_a_stream_of_calls() -> None:
    stage = await Stage().sized()
    tasks = []
    for number in range(MANY):
        tasks += stage.ask(number)
        await asyncio.sleep(0.06)
    await asyncio.gather(*tasks)
    assert stage.cloud.calls["get"] <= FEWEST
    assert stage.cloud.calls["list"] <= 4


async def test_before_the_first_list_a_project_is_taken_to_be_large() -> None:
    stage = Stage()
    await asyncio.gather(*stage.ask(*range(10)))
    assert stage.cloud.calls == {"get": 10}
    await asyncio.gather(*stage.ask(*range(20)))
    assert stage.cloud.calls["list"] == 1


async def test_what_a_list_does_not_show_is_asked_for_by_id() -> None:
    stage = await Stage().sized()
    del stage.cloud.rows["s0"]
    stage.cloud.unlisted.add("s1")
    stage.cloud.rows["s2"] = Server(id="s2", status="DELETED")
    stage.cloud.rows["s3"] = Server(id="s3", status="UNKNOWN")
    stage.cloud.is_complete = False
    rows = await asyncio.gather(*stage.ask(*range(20)))
    assert rows[0] is None
    assert [row.id for row in rows[1:] if row] == [f"s{number}" for number in range(1, 20)]
    assert stage.cloud.calls == {"list": 1, "get": 4}


async def test_without_a_list_all_are_asked_for_by_id() -> None:
    stage = await Stage().sized()
    stage.cloud.fails = error(Meaning.FORBIDDEN)
    rows = await asyncio.gather(*stage.ask(*range(20)))
    assert all(rows)
    assert stage.cloud.calls == {"list": 1, "get": 20}


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    stage = await Stage().sized()
    tasks = stage.ask(*range(20))
    await asyncio.sleep(0.5)
    tasks[0].cancel()
    rows = await asyncio.gather(*tasks[1:])
    assert all(rows)
    assert tasks[0].cancelled()
    assert stage.cloud.calls == {"list": 1}


async def test_closing_tells_who_waits() -> None:
    stage = await Stage().sized()
    waiting = stage.ask(*range(20))
    await asyncio.sleep(0.5)
    waiting += stage.ask(20)
    await asyncio.sleep(0)
    await stage.confirmations.close()
    for task in waiting:
        with pytest.raises(CloudError, match="closed") as caught:
            await task
        assert caught.value.outcome is Outcome.NOT_SENT


async def test_what_ends_the_process_ends_those_who_wait() -> None:
    stage = await Stage().sized()
    stage.cloud.fails = Killed()
    for result in await asyncio.gather(*stage.ask(*range(20)), return_exceptions=True):
        assert isinstance(result, Killed)
