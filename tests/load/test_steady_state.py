"""1,000 servers of which nothing is wanted: an hour of the project's time, counted in the simulator's own log. Prints its figures.

The reconciler and the client are the real ones; Kubernetes is a fake, and time is the simulated world's, so an hour takes no hour.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from ecs_lab.progress import OnProgress
from ecs_operator.api.reasons import Reason
from ecs_operator.engine.conditions import find
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.ownership import Owner
from ecs_simulator.testing import SimulatedCloud
from ecs_simulator.world import steering
from tests.unit.resources.server.stage import IDENTITY, KEY, SPEC, Stage, pause_of
from tests.unit.resources.server.test_with_simulator import PROJECT, performance

SERVERS = 1000
HOUR = 3600.0
PAGES_A_MINUTE = 3.0
"""Pages of lists for so many servers, on average."""


class Town:
    """Many objects with a server each, and the passes they ask for, in the order of the time at which they are due."""

    def __init__(self, stage: Stage, cloud: SimulatedCloud) -> None:
        self.stage = stage
        self.cloud = cloud
        self.keys: list[ObjectKey] = []
        self.due: list[tuple[float, int]] = []
        self._counted = 0

    def settle_in(self, number: int) -> None:
        """Objects whose servers are there, seen by an operator that has just started."""
        pattern = self.stage.obj
        del self.stage.store.objects[KEY]
        for each in range(number):
            uid = f"0f3d1c0a-0000-4000-8000-{each:012}"
            marker = IDENTITY.marker(Owner(uid=uid, incarnation=1))
            server_id = steering.plant_server(self.cloud.world, PROJECT, name=f"s{each}", metadata={"ecs-operator.owner": marker})
            server = self.cloud.world.projects[PROJECT].servers[server_id]
            spec = {**SPEC, "name": f"s{each}", "powerState": "Running", "flavor": server.flavor_id, "image": {"id": server.image_id}}
            key = ObjectKey(KEY.resource, KEY.namespace, f"s{each}")
            status = {"id": server_id, "project": "lab", "observedGeneration": 1}
            self.stage.store.put(replace(pattern, key=key, uid=uid, spec=spec, status=status))
            self.due.append((self.stage.clock.monotonic(), len(self.keys)))
            self.keys.append(key)
        heapq.heapify(self.due)

    async def live(self, seconds: float) -> None:
        """Passes, each when the one before asked for it, for so long."""
        clock = self.stage.clock
        end = clock.monotonic() + seconds
        while self.due[0][0] <= end:
            at, number = heapq.heappop(self.due)
            clock.advance(max(0.0, at - clock.monotonic()))
            outcome = await self.stage.reconciler.reconcile(self.keys[number])
            heapq.heappush(self.due, (clock.monotonic() + pause_of(outcome), number))
        clock.advance(max(0.0, end - clock.monotonic()))

    def calls(self) -> Counter[str]:
        """Calls since this was asked last, by operation."""
        entries = self.cloud.simulator.log.select(since=self._counted)
        self._counted = self.cloud.simulator.log.total
        return Counter(entry.operation for entry in entries if entry.operation is not None)

    def reasons(self) -> Counter[str]:
        conditions = [self.stage.store.objects[key].status.get("conditions") or () for key in self.keys]
        return Counter(str((find(each, "Ready") or {}).get("reason")) for each in conditions)


@asynccontextmanager
async def town(number: int) -> AsyncIterator[Town]:
    async with performance() as (stage, cloud):
        living = Town(stage, cloud)
        living.settle_in(number)
        yield living


async def test_an_hour_in_which_nothing_happens(on_progress: OnProgress) -> None:
    async with town(SERVERS) as living:
        await living.live(600)
        first = living.calls()
        assert living.reasons() == {Reason.AVAILABLE: SERVERS}
        writes = living.stage.store.status_writes
        await living.live(HOUR)
        calls = living.calls()
        pages = calls["listServersDetails"] / (HOUR / 60) * 1000 / SERVERS
        on_progress(f"until the steady state: {dict(first)}")
        on_progress(f"{SERVERS} servers for an hour: {dict(calls)}; {pages:.2f} pages of lists a minute for 1,000 servers")
        assert set(calls) == {"listServersDetails"}, "no GET per server, nor anything else"
        assert pages <= PAGES_A_MINUTE
        assert living.stage.store.status_writes == writes, "nothing is written to Kubernetes"
        assert living.reasons() == {Reason.AVAILABLE: SERVERS}


async def test_what_happens_is_seen_within_two_resync_periods(on_progress: OnProgress) -> None:
    """A list, at most as old as one, tells it: each tenth server is stopped by hand, and started again."""
    number = 200
    async with town(number) as living:
        await living.live(1000)
        living.calls()
        ids = [str(living.stage.store.objects[key].status["id"]) for key in living.keys[::10]]
        for server_id in ids:
            steering.set_server(living.cloud.world, server_id, "stop")
        await living.live(620)
        calls = living.calls()
        on_progress(f"{len(ids)} of {number} servers were stopped by hand: {dict(calls)}")
        assert living.reasons() == {Reason.AVAILABLE: number}
        servers = living.cloud.world.projects[PROJECT].servers
        assert {servers[server_id].vm_state for server_id in ids} == {"active"}
        assert calls["showServer"] <= 10 * len(ids)
