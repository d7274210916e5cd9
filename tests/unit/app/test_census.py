from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ecs_operator.app.census import Census
from ecs_operator.engine.backoff import Backoff
from ecs_operator.engine.loop import ReconcileLoop
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Lane
from ecs_operator.engine.ports import StoreError
from ecs_operator.engine.queue import KeyedQueue
from ecs_operator.engine.sightings import sighting
from ecs_operator.kube.resource_types import ResourceType
from tests.unit.engine.stage import SetAuthority, SetClock, seeded
from tests.unit.kube.stage import FakeApi, connected, fake_api, status

THING = ResourceType(group="example.test", version="v1", kind="Thing", plural="things", namespaced=True)


def metadata(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "namespace": "ns", "uid": name, "generation": 1, **changes}


def page(*items: dict[str, Any], following: str = "") -> tuple[int, dict[str, Any]]:
    return 200, {"items": [{"metadata": each} for each in items] or None, "metadata": {"continue": following}}


def key(name: str) -> ObjectKey:
    return ObjectKey("things", "ns", name)


class Bench:
    def __init__(self, census: Census, queue: KeyedQueue, api: FakeApi) -> None:
        self.census, self.queue, self.api = census, queue, api

    async def queued(self) -> dict[str, Lane]:
        """What waits to be worked on, and is taken off by asking."""
        found = {}
        while self.queue.depth().ready:
            each, lane = await self.queue.take()
            self.queue.done(each)
            found[each.name] = lane
        return found


@asynccontextmanager
async def benched(directory: Path, *answers: Any, namespaces: tuple[str, ...] = ()) -> AsyncIterator[Bench]:
    clock, rng = SetClock(), seeded()
    queue = KeyedQueue(clock=clock)
    loop = ReconcileLoop(queue=queue, backoff=Backoff(rng=rng), authority=SetAuthority(), clock=clock, rng=rng)
    async with fake_api(*answers) as api, connected(api, directory) as connection:
        yield Bench(Census(connection, types=[THING], namespaces=namespaces, loop=loop, rng=rng, period=300), queue, api)


async def test_everything_is_found_page_by_page(tmp_path: Path) -> None:
    deleting = metadata("c", deletionTimestamp="2026-01-01T00:00:00Z")
    async with benched(tmp_path, page(metadata("a"), metadata("b"), following="next"), page(deleting)) as bench:
        await bench.census.take()
        assert await bench.queued() == {"a": Lane.CREATE, "b": Lane.CREATE, "c": Lane.URGENT}
        assert len(bench.census) == 3
        first, second = bench.api.seen
        assert first.query == {"limit": "500"}
        assert second.query == {"limit": "500", "continue": "next"}
        assert "PartialObjectMetadataList" in first.headers["Accept"]


async def test_only_differences_are_worked_on_and_a_missed_deletion_is_found(tmp_path: Path) -> None:
    before = page(metadata("same"), metadata("edited"), metadata("gone"))
    after = page(metadata("same"), metadata("edited", generation=2), metadata("new"))
    async with benched(tmp_path, before, after) as bench:
        await bench.census.take()
        await bench.queued()
        await bench.census.take()
        assert await bench.queued() == {"edited": Lane.URGENT, "new": Lane.CREATE, "gone": Lane.URGENT}
        assert len(bench.census) == 3


async def test_what_comes_while_the_list_is_read_is_not_taken_for_gone(tmp_path: Path) -> None:
    async with benched(tmp_path, page()) as bench:

        async def list_slowly(request: web.Request, body: Any) -> web.StreamResponse:
            del request, body
            bench.census.seen(key("new"), sighting(metadata("new")))
            return web.json_response(page(metadata("old"))[1])

        bench.api.answers[:] = [list_slowly]
        await bench.census.take()
        assert await bench.queued() == {"new": Lane.CREATE, "old": Lane.CREATE}
        assert len(bench.census) == 2


async def test_a_list_that_fails_half_way_takes_nothing_for_gone(tmp_path: Path) -> None:
    async with benched(tmp_path, page(metadata("a"), metadata("b")), page(metadata("a"), following="n"), status(410, "Expired")) as bench:
        await bench.census.take()
        await bench.queued()
        with pytest.raises(StoreError):
            await bench.census.take()
        assert await bench.queued() == {}
        assert len(bench.census) == 2


async def test_events_and_lists_agree(tmp_path: Path) -> None:
    async with benched(tmp_path, page(metadata("a"))) as bench:
        bench.census.seen(key("a"), sighting(metadata("a")))
        assert await bench.queued() == {"a": Lane.CREATE}
        await bench.census.take()
        assert await bench.queued() == {}
        bench.census.gone(key("a"))
        assert await bench.queued() == {"a": Lane.URGENT}
        assert len(bench.census) == 0


async def test_only_the_given_namespaces_are_listed(tmp_path: Path) -> None:
    async with benched(tmp_path, page(), namespaces=("x", "y")) as bench:
        await bench.census.take()
        assert [each.path for each in bench.api.seen] == [f"/apis/example.test/v1/namespaces/{each}/things" for each in "xy"]


async def test_it_is_filled_after_the_first_list_that_succeeds(tmp_path: Path) -> None:
    async with benched(tmp_path, status(503, "ServiceUnavailable"), page(metadata("a"))) as bench:
        running = asyncio.create_task(bench.census.run())
        await asyncio.wait_for(bench.census.filled.wait(), timeout=5)
        assert len(bench.api.seen) == 2
        running.cancel()


async def test_with_the_lease_every_known_object_is_looked_at(tmp_path: Path) -> None:
    async with benched(tmp_path, page(metadata("a"), metadata("b"))) as bench:
        await bench.census.take()
        await bench.queued()
        bench.census.look_at_all()
        assert await bench.queued() == {"a": Lane.RESYNC, "b": Lane.RESYNC}
