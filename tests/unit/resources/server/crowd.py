"""Many objects, the real loop and the real client, against the simulator over loopback; only Kubernetes is a fake."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from random import Random
from typing import Any

from ecs_operator.api.group import API_VERSION, SERVER
from ecs_operator.cloud import (
    BudgetLimits,
    Catalog,
    EcsClient,
    JobLooks,
    PasswordCredentials,
    ServerSnapshots,
    StaticCredentials,
    SystemClock,
)
from ecs_operator.engine.backoff import Backoff
from ecs_operator.engine.conditions import find
from ecs_operator.engine.loop import LoopPolicy, ReconcileLoop
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Lane
from ecs_operator.engine.queue import KeyedQueue
from ecs_operator.engine.status_writer import StatusWriter
from ecs_operator.resources.absence import AbsenceWatch
from ecs_operator.resources.batches import Batches
from ecs_operator.resources.confirmations import Confirmations
from ecs_operator.resources.creations import Creations
from ecs_operator.resources.server.reconciler import ServerReconciler
from ecs_operator.resources.tenancy import CreatePolicy, Tenant
from ecs_simulator.testing import SimulatedCloud, simulated_cloud
from ecs_simulator.world import steering
from tests.unit.resources.server.effects import Effects
from tests.unit.resources.server.fake_store import FakeStore
from tests.unit.resources.server.stage import IDENTITY, SETTLE, SPEC, FakeEvents, FakeLease, FakeTenants

PROJECT = "9a56640e5503b8dc39231cdb52a0f3e2"
USER = PasswordCredentials(username="lab-user", password="Lab-Passw0rd!", domain_name="lab")
SECONDS = 60.0
COMMANDS = frozenset({"startServers", "stopServers", "rebootServers", "deleteServers"})


class Crowd:
    """Objects s0, s1, … in one project."""

    def __init__(self, cloud: SimulatedCloud, client: EcsClient, *, workers: int, creates: int | None) -> None:
        self.cloud = cloud
        self._creates = creates
        self.clock = SystemClock()
        self.store = FakeStore(Effects())
        lease, rng, events = FakeLease(), Random(7), FakeEvents()  # noqa: S311 - nothing here must be unguessable
        self.loop = ReconcileLoop(
            queue=KeyedQueue(clock=self.clock.monotonic),
            backoff=Backoff(rng=rng),
            authority=lease,
            clock=self.clock,
            rng=rng,
            policy=LoopPolicy(workers=workers),
        )
        self.tenants = FakeTenants(self._tenant(client))
        self.reconciler = ServerReconciler(
            store=self.store,
            writer=StatusWriter(self.store, events, self.clock),
            tenants=self.tenants,
            authority=lease,
            clock=self.clock,
            rng=rng,
            wake=self.loop.wake,
            events=events,
        )
        self._counted = 0

    def _wake(self, key: ObjectKey) -> None:
        self.loop.wake(key)

    @property
    def tenant(self) -> Tenant:
        assert isinstance(self.tenants.tenant, Tenant)
        return self.tenants.tenant

    def connect(self, client: EcsClient) -> None:
        """Go on with another connection, as after an edit of the project's limits."""
        self.tenants.tenant = self._tenant(client)

    def _tenant(self, client: EcsClient) -> Tenant:
        snapshots = ServerSnapshots(client.servers, self.clock)
        return Tenant(
            name="lab",
            project_id=PROJECT,
            client=client,
            snapshots=snapshots,
            batches=Batches(client.servers),
            confirmations=Confirmations(client.servers, snapshots),
            catalog=Catalog(flavors=client.flavors, images=client.images, limits=client.limits, clock=self.clock),
            jobs=JobLooks(client.jobs, self.clock),
            absence=AbsenceWatch(store=self.store, clock=self.clock, wake=self.loop.wake),
            identity=IDENTITY,
            create_policy=CreatePolicy(idempotency="Auto", request_deadline=60.0, settle_after=SETTLE),
            resync_seconds=300.0,
            creations=Creations(self._creates, wake=self._wake),
        )

    # What users do

    def make(self, number: int, **spec: Any) -> list[ObjectKey]:
        keys = [ObjectKey(SERVER.plural, "shop", f"s{each}") for each in range(number)]
        for each, key in enumerate(keys):
            self.store.put(
                KubeObject(
                    key=key,
                    kind=SERVER.kind,
                    api_version=API_VERSION,
                    uid=f"0f3d1c0a-0000-4000-8000-{each:012}",
                    resource_version="",
                    generation=1,
                    created_at=self.clock.now(),
                    deleted_at=None,
                    finalizers=(),
                    annotations={},
                    labels={},
                    spec={**SPEC, **spec},
                    status={"observedGeneration": -1},
                )
            )
            self.loop.exists(key, lane=Lane.CREATE)
        return keys

    def edit(self, keys: list[ObjectKey], **spec: Any) -> None:
        for key in keys:
            self.store.edit(key, spec={**self.store.objects[key].spec, **spec})
            self.loop.exists(key, lane=Lane.URGENT)

    def delete(self, keys: list[ObjectKey]) -> None:
        for key in keys:
            self.store.delete(key, at=self.clock.now())
            self.loop.exists(key, lane=Lane.URGENT)

    # What is seen

    def says(self, key: ObjectKey) -> str:
        """Reason of Ready, for the newest generation."""
        obj = self.store.objects[key]
        ready: Mapping[str, Any] = find(obj.status.get("conditions") or (), "Ready") or {}
        return str(ready.get("reason")) if ready.get("observedGeneration") == obj.generation else "not seen yet"

    def id_of(self, key: ObjectKey) -> str:
        return str(self.store.objects[key].status["id"])

    async def until_all_say(self, keys: list[ObjectKey], reason: str) -> None:
        await self.until(lambda: all(self.says(key) == reason for key in keys), lambda: Counter(self.says(key) for key in keys))

    async def until_gone(self, keys: list[ObjectKey]) -> None:
        await self.until(
            lambda: not any(key in self.store.objects for key in keys),
            lambda: Counter(self.says(key) for key in keys if key in self.store.objects),
        )

    async def until(self, reached: Callable[[], bool], how_it_is: Callable[[], object]) -> None:
        ends = self.clock.monotonic() + SECONDS
        while not reached():
            assert self.clock.monotonic() < ends, how_it_is()
            await asyncio.sleep(0.05)

    def calls(self) -> Counter[str]:
        """Calls since this was asked last, by operation."""
        entries = self.cloud.simulator.log.select(since=self._counted)
        self._counted = self.cloud.simulator.log.total
        return Counter(entry.operation for entry in entries if entry.operation is not None)

    def deeds(self) -> Counter[tuple[str, str]]:
        """How often what was done to which server."""
        ledger = self.cloud.world.ledger.to_json(PROJECT)
        return Counter((entry["id"], entry["action"]) for entry in ledger if entry["resource"] == "server")


async def connection(cloud: SimulatedCloud, budget: BudgetLimits) -> EcsClient:
    return await EcsClient.open(
        endpoint=cloud.url, iam_endpoint=cloud.url, project_id=PROJECT, credentials=StaticCredentials(USER), budget=budget
    )


@contextlib.asynccontextmanager
async def crowd(*, workers: int = 16, reads_per_second: float = 10_000, creates: int | None = None) -> AsyncGenerator[Crowd, None]:
    async with simulated_cloud() as cloud:
        many = {"instances": 2000, "cores": 10_000, "ram": 10_000_000}
        steering.set_project(cloud.world, PROJECT, quota=many, frozen=None, suspended_credentials=None)
        cloud.world.set_durations({"create_server": 0.2, "delete_server": 0.2, "stop_server": 0.2, "start_server": 0.2})
        client = await connection(cloud, BudgetLimits(reads_per_second=reads_per_second, writes_per_second=10_000, creates_in_flight=100))
        async with client:
            mine = Crowd(cloud, client, workers=workers, creates=creates)
            running = asyncio.create_task(mine.loop.run([mine.reconciler]))
            try:
                yield mine
            finally:
                await mine.loop.stop(grace=5)
                await running
                await mine.tenant.batches.close()
