"""The lease's arithmetic, against a lease in memory and a clock that the test sets. How two processes get on is in tests/e2e."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ecs_operator.kube.connection import Connection
from ecs_operator.kube.lease import Lease, LeasePolicy
from tests.unit.engine.stage import SetClock, seeded
from tests.unit.kube.stage import FakeApi, connected, fake_api

POLICY = LeasePolicy(duration=30.0)


class OneLease:
    """A Lease with compare-and-set."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] | None = None
        self.version = 0
        self.down = False

    async def answer(self, request: web.Request, body: Any) -> web.StreamResponse:
        if self.down:
            return web.json_response({"reason": "ServiceUnavailable"}, status=503)
        if request.method == "GET":
            return web.json_response(self.stored, status=200) if self.stored else web.json_response({"reason": "NotFound"}, status=404)
        sent = body["metadata"].get("resourceVersion")
        current = self.stored["metadata"]["resourceVersion"] if self.stored else None
        if sent != current:
            return web.json_response({"reason": "Conflict"}, status=409)
        self.version += 1
        self.stored = json.loads(json.dumps(body))
        assert self.stored is not None
        self.stored["metadata"]["resourceVersion"] = str(self.version)
        return web.json_response(self.stored)

    @property
    def spec(self) -> dict[str, Any]:
        assert self.stored is not None
        spec: dict[str, Any] = self.stored["spec"]
        return spec


class Bench:
    def __init__(self, connection: Connection, server: OneLease) -> None:
        self.connection, self.server, self.clock = connection, server, SetClock(1000.0)
        self.made = 0

    def lease(self, identity: str) -> Lease:
        self.made += 1
        return Lease(self.connection, namespace="ns", name="l", identity=identity, clock=self.clock, rng=seeded(self.made), policy=POLICY)


@asynccontextmanager
async def benched(directory: Path) -> AsyncIterator[Bench]:
    server = OneLease()
    api: FakeApi
    async with fake_api(server.answer) as api, connected(api, directory) as connection:
        yield Bench(connection, server)


async def test_it_is_made_held_and_renewed_every_third_of_its_time(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        lease = bench.lease("a")
        assert (lease.time_left(), lease.holder) == (0, None)
        assert await lease._round() == 10
        assert (lease.time_left(), lease.holder) == (27, "a")
        assert bench.server.spec["holderIdentity"] == "a"
        assert bench.server.spec["leaseTransitions"] == 1
        bench.clock.seconds += 10
        assert lease.time_left() == 17
        await lease._round()
        assert lease.time_left() == 27
        assert bench.server.spec["leaseTransitions"] == 1


async def test_a_pause_ends_it_at_once(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        lease = bench.lease("a")
        await lease._round()
        bench.clock.seconds += 3600
        assert lease.time_left() < 0


async def test_a_rival_counts_from_when_it_saw_the_last_change(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        holder, rival = bench.lease("a"), bench.lease("b")
        await holder._round()
        for _ in range(3):
            bench.clock.seconds += 20
            await rival._round()
            await holder._round()
            assert rival.time_left() <= 0
        await rival._round()  # sees the last renewal now, though it was made before
        bench.clock.seconds += 29
        await rival._round()
        assert rival.time_left() <= 0
        assert holder.time_left() <= 0, "the holder stops before the rival starts"
        bench.clock.seconds += 1
        await rival._round()
        assert rival.time_left() == 27
        await holder._round()
        assert holder.time_left() <= 0


async def test_failures_do_not_end_it_before_its_time_and_are_retried_soon(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        lease = bench.lease("a")
        await lease._round()
        bench.server.down = True
        bench.clock.seconds += 10
        assert await lease._round() == 3
        assert lease.time_left() == 17
        bench.clock.seconds += 15
        assert await lease._round() == 2, "looks again when it runs out"
        bench.clock.seconds += 2
        assert await lease._round() == 3
        assert lease.time_left() <= 0
        bench.server.down = False
        await lease._round()
        assert lease.time_left() == 27


async def test_a_younger_process_of_the_same_identity_takes_it_and_the_older_one_yields(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        older, younger = bench.lease("a"), bench.lease("a")
        await older._round()
        bench.clock.seconds += 1
        await younger._round()
        assert younger.time_left() == 27
        await older._round()
        assert older.time_left() <= 0
        await older._release()
        assert bench.server.spec["holderIdentity"] == "a"


async def test_released_it_is_free_at_once(tmp_path: Path) -> None:
    async with benched(tmp_path) as bench:
        lease, next_one = bench.lease("a"), bench.lease("b")
        await lease._round()
        await lease._release()
        assert lease.time_left() <= 0
        await next_one._round()
        assert next_one.time_left() == 27
        assert bench.server.spec["leaseTransitions"] == 2


@pytest.mark.parametrize("duration", [5.0, 15.0, 60.0])
def test_the_policys_times_fit_each_other(duration: float) -> None:
    policy = LeasePolicy(duration=duration)
    assert policy.renew_every + 2 * policy.timeout < policy.duration - policy.margin, "one failed renewal must not lose it"
