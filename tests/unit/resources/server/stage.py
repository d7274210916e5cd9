"""The stage: one object, the fake store and cloud, and the reconciler, driven by its own outcomes without waiting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from ecs_operator.api.group import API_VERSION, SERVER
from ecs_operator.cloud import Catalog, EcsClient, JobLooks, ServerSnapshots
from ecs_operator.engine.conditions import find
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Outcome, Retry
from ecs_operator.engine.ports import ConflictError, GoneError, StoreError
from ecs_operator.engine.status_writer import StatusWriter
from ecs_operator.resources.absence import AbsenceWatch
from ecs_operator.resources.batches import Batches, BatchPace
from ecs_operator.resources.confirmations import Confirmations
from ecs_operator.resources.ownership import ClusterIdentity, Owner
from ecs_operator.resources.server.reconciler import ServerReconciler
from ecs_operator.resources.tenancy import CreatePolicy, Tenant, TenantUnavailable
from tests.unit.resources.server.effects import Crash, Effects
from tests.unit.resources.server.fake_cloud import UBUNTU, FakeCloud
from tests.unit.resources.server.fake_network import FakeNetwork
from tests.unit.resources.server.fake_settings import FakeSettings, Servers
from tests.unit.resources.server.fake_store import FakeStore
from tests.unit.resources.server.fake_systems import FakeSystems

KEY = ObjectKey(SERVER.plural, "shop", "web-0")
UID = "0f3d1c0a-0000-4000-8000-000000000001"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
IDENTITY = ClusterIdentity(cluster_id="lab", key=b"k" * 32)
SETTLE = 150.0
AT_ONCE = BatchPace(window=0.0, linger=0.0)
"""Nobody else is on the stage to wait for."""

SPEC: Mapping[str, Any] = {
    "flavor": "s3.small.1",
    "image": {"id": UBUNTU.id},
    "vpcId": "0dae26c9-9a70-4392-93f3-87d53115d171",
    "networkInterfaces": [{"name": "eth0", "subnetId": "157ee789-03ea-45b1-a698-76c92660dd83"}],
    "rootVolume": {"type": "SSD", "sizeGiB": 10},
}


@dataclass
class FakeClock:
    moment: datetime = START

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class FakeLease:
    left: float = 25.0

    def time_left(self) -> float:
        return self.left


@dataclass
class FakeEvents:
    recorded: list[tuple[str, str, str]] = field(default_factory=list)

    def record(self, obj: KubeObject, *, kind: str, reason: str, message: str, action: str) -> None:
        del obj, action
        self.recorded.append((kind, reason, message))


@dataclass
class FakeTenants:
    tenant: Tenant | TenantUnavailable
    asked: int = 0

    async def find(self, *, namespace: str, project_ref: str | None, pinned: str | None) -> Tenant | TenantUnavailable:
        del namespace, project_ref, pinned
        self.asked += 1
        return self.tenant


class Stage:
    """``restart`` is what a killed and restarted operator is: only the objects and the cloud are the same."""

    def __init__(self, *, idempotency: Any = "Auto", spec: Mapping[str, Any] | None = None, settle: float = SETTLE) -> None:
        self.clock = FakeClock()
        self.effects = Effects()
        self.store = FakeStore(self.effects)
        self.cloud = FakeCloud(self.effects, now=self.clock.now)
        self.settings = FakeSettings(self.cloud)
        self.systems = FakeSystems(self.cloud)
        self.network = FakeNetwork(self.cloud)
        self.lease = FakeLease()
        self.events = FakeEvents()
        self.policy = CreatePolicy(idempotency=idempotency, request_deadline=60.0, settle_after=settle)
        self.woken: list[ObjectKey] = []
        self.spec = dict(spec or SPEC)
        self.put()
        self.restart()

    def put(self, *, uid: str = UID, finalizers: tuple[str, ...] = (), annotations: Mapping[str, str] | None = None) -> None:
        self.store.put(
            KubeObject(
                key=KEY,
                kind=SERVER.kind,
                api_version=API_VERSION,
                uid=uid,
                resource_version="",
                generation=1,
                created_at=self.clock.now(),
                deleted_at=None,
                finalizers=finalizers,
                annotations=dict(annotations or {}),
                labels={},
                spec=self.spec,
                status={"observedGeneration": -1},
            )
        )

    def restart(self) -> None:
        settings, systems = self.settings, self.systems
        client = cast(
            "EcsClient",
            SimpleNamespace(
                servers=Servers(self.cloud, settings),
                server_actions=settings,
                jobs=self.cloud,
                images=self.cloud,
                flavors=settings,
                limits=SimpleNamespace(get=settings.limits),
                interfaces=self.network.interfaces,
                floating_ips=self.network.floating_ips,
                metadata=SimpleNamespace(merge=settings.merge, remove=self.cloud.remove),
                tags=SimpleNamespace(add=settings.add_tags, remove=settings.remove_tags),
                security_groups=SimpleNamespace(add=settings.add_group, remove=settings.remove_group, of_server=settings.groups_of_server),
                auto_recovery=SimpleNamespace(get=settings.get_recovery, set=settings.set_recovery),
                volumes=self.cloud,
                systems=systems,
                groups=SimpleNamespace(get=systems.get_group, list=systems.list_groups, add=systems.join, remove=systems.leave),
                key_pairs=SimpleNamespace(get=systems.key_pair),
                user_id=systems.user_id,
            ),
        )
        self.wire(client, ServerSnapshots(self.cloud, self.clock))

    def wire(self, client: EcsClient, snapshots: ServerSnapshots) -> None:
        """A new process around these connections."""
        tenant = Tenant(
            name="lab",
            project_id="9a56640e5503b8dc39231cdb52a0f3e2",
            client=client,
            snapshots=snapshots,
            batches=Batches(client.servers, pace=AT_ONCE),
            confirmations=Confirmations(client.servers, snapshots, linger=0.0),
            catalog=Catalog(flavors=client.flavors, images=client.images, limits=client.limits, clock=self.clock),
            jobs=JobLooks(client.jobs, self.clock),
            absence=AbsenceWatch(store=self.store, clock=self.clock, wake=self.woken.append),
            identity=IDENTITY,
            create_policy=self.policy,
            resync_seconds=300.0,
        )
        self.tenants = FakeTenants(tenant)
        self.writer = StatusWriter(self.store, self.events, self.clock)
        self.reconciler = ServerReconciler(
            store=self.store,
            writer=self.writer,
            tenants=self.tenants,
            authority=self.lease,
            clock=self.clock,
            rng=Random(7),  # noqa: S311
            wake=self.woken.append,
            events=self.events,
        )

    # Driving

    async def once(self) -> Outcome | StoreError:
        """One pass, with the loop's treatment of store errors."""
        try:
            return await self.reconciler.reconcile(KEY)
        except StoreError as error:
            return error

    async def until(self, reached: Any, *, passes: int = 200) -> list[Outcome | StoreError]:
        """Passes, each when the one before asked for it, until ``reached()``."""
        outcomes = []
        for _ in range(passes):
            outcome = await self.once()
            outcomes.append(outcome)
            self.cloud.settle()
            if reached():
                return outcomes
            self.clock.advance(pause_of(outcome))
        raise AssertionError(f"not reached after {passes} passes: {self.ready}, last {outcomes[-1]}")

    async def until_ready(self) -> None:
        await self.until(lambda: self.ready.get("status") == "True")

    async def until_gone(self) -> None:
        await self.until(lambda: KEY not in self.store.objects)

    async def until_crash(self) -> bool:
        """Passes until the planned crash, then a restarted operator. False when it became Ready, or was gone, without one."""
        try:
            await self.until(lambda: KEY not in self.store.objects or self.ready.get("status") == "True")
        except Crash:
            self.restart()
            return True
        return False

    # Seeing

    @property
    def obj(self) -> KubeObject:
        return self.store.objects[KEY]

    @property
    def status(self) -> Mapping[str, Any]:
        return self.obj.status

    @property
    def create(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self.status.get("create", {}))

    @property
    def ready(self) -> Mapping[str, Any]:
        if KEY not in self.store.objects:
            return {}
        return find(self.status.get("conditions") or (), "Ready") or {}

    @property
    def reason(self) -> str:
        return str(self.ready.get("reason", ""))

    @property
    def message(self) -> str:
        return str(self.ready.get("message", ""))

    def types(self) -> set[str]:
        return {each["type"] for each in self.status.get("conditions", ())}

    def owner(self, incarnation: int = 1, uid: str = UID) -> Owner:
        return Owner(uid=uid, incarnation=incarnation)

    def exactly_one(self) -> None:
        """I1 and I2, asked of the ledger: one creation, one server alive."""
        assert len(self.cloud.created()) == 1, self.cloud.ledger
        assert len(self.cloud.alive()) == 1
        assert self.cloud.most_alive == 1

    def none_left(self) -> None:
        """Nothing of ours is there, and the finalizer went last."""
        assert self.cloud.alive() == []
        assert KEY not in self.store.objects
        assert self.cloud.most_alive <= 1

    def delete(self) -> None:
        self.store.delete(KEY, at=self.clock.now())

    def annotate(self, **annotations: str) -> None:
        self.store.edit(
            KEY, annotations={**self.obj.annotations, **{f"ecs.huaweicloud.com/{name}": value for name, value in annotations.items()}}
        )


def pause_of(outcome: Outcome | StoreError) -> float:
    match outcome:
        case Again(after=after):
            return after
        case Retry(floor=floor):
            return max(floor, 1.0)
        case Blocked(at_most=at_most):
            return at_most
        case Done():
            return 300.0
        case ConflictError() | GoneError():
            return 0.05
        case _:
            return 1.0
