"""Project, group and attachment with the real client against the simulated cloud, over loopback; only Kubernetes is a fake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import httpx
import pytest
import pytest_asyncio

from ecs_operator.api.group import PROJECT, SERVER_GROUP, VOLUME_ATTACHMENT
from ecs_operator.engine.conditions import find
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.ports import Reconciler
from ecs_operator.engine.status_writer import StatusWriter
from ecs_operator.resources.project.guard import SecretGuard
from ecs_operator.resources.project.link import RegistrySettings
from ecs_operator.resources.project.orphans import OrphanPolicy, OrphanSearch
from ecs_operator.resources.project.reconciler import ProjectReconciler
from ecs_operator.resources.project.registry import TenantRegistry
from ecs_operator.resources.server_group.reconciler import ServerGroupReconciler
from ecs_operator.resources.visit import Desk
from ecs_operator.resources.volume_attachment.reconciler import VolumeAttachmentReconciler
from ecs_simulator.testing import SimulatedCloud, simulated_cloud
from tests.fakes.clock import FakeAuthority
from tests.fakes.cloud import IDENTITY
from tests.fakes.effects import Effects
from tests.fakes.events import RecordingEvents
from tests.fakes.store import FakeStore

NAMESPACE = "ecs-operator-system"
PROJECT_ID = "9a56640e5503b8dc39231cdb52a0f3e2"
VOLUME = "b104b8db-170d-441b-897a-3c8ba9c5a214"
LAB = ObjectKey(PROJECT.plural, "", "lab")
GROUP = ObjectKey(SERVER_GROUP.plural, "shop", "web")
ATTACHMENT = ObjectKey(VOLUME_ATTACHMENT.plural, "shop", "data")
PASSES = 30


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()


@dataclass
class Stage:
    cloud: SimulatedCloud
    admin: httpx.AsyncClient
    store: FakeStore
    effects: Effects
    registry: TenantRegistry
    reconcilers: dict[str, Reconciler]

    async def until_ready(self, key: ObjectKey) -> dict[str, Any]:
        """Pass after pass. The simulator's jobs take no time here."""
        for _ in range(PASSES):
            await self.reconcilers[key.resource].reconcile(key)
            ready = find(self.store[key].status.get("conditions") or (), "Ready")
            if ready is not None and ready["status"] == "True":
                return dict(self.store[key].status)
        raise AssertionError(self.store[key].status)

    async def until_gone(self, key: ObjectKey) -> None:
        self.store.delete(key)
        for _ in range(PASSES):
            await self.reconcilers[key.resource].reconcile(key)
            if key not in self.store:
                return
        raise AssertionError(self.store[key].status)

    async def say(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.admin.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def ledger(self, resource: str) -> list[str]:
        entries = (await self.say("GET", f"/_sim/ledger?project={PROJECT_ID}"))["entries"]
        return [entry["action"] for entry in entries if entry["resource"] == resource]


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    clock, effects, events = RealClock(), Effects(), RecordingEvents()
    store = FakeStore(clock, effects)
    store.set_secret(NAMESPACE, "lab", username="lab-user", password="Lab-Passw0rd!", domainName="lab")
    writer, authority = StatusWriter(store, events, clock), FakeAuthority(100.0)
    async with simulated_cloud() as cloud, httpx.AsyncClient(base_url=cloud.admin_url) as admin:
        guard = SecretGuard(store=store, held=store, namespace=NAMESPACE, clock=clock)
        registry = TenantRegistry(
            store=store,
            guard=guard,
            identity=IDENTITY,
            clock=clock,
            settings=RegistrySettings(namespace=NAMESPACE, allow_http=True),
            wake=lambda _: None,
        )
        spec = {
            "default": True,
            "region": "eu-west-0",
            "endpoints": {"ecs": cloud.url, "iam": cloud.url},
            "projectName": "eu-west-0",
            "credentials": {"password": {"secretRef": {"name": "lab"}}},
        }
        store.create(LAB.resource, LAB.name, spec)
        desk = Desk(store=store, writer=writer, tenants=registry, authority=authority, clock=clock, events=events)
        orphans = OrphanSearch(store=store, clock=clock, policy=OrphanPolicy(), sees_all=True)
        reconcilers: list[Reconciler] = [
            ProjectReconciler(store=store, writer=writer, registry=registry, guard=guard, clock=clock, orphans=orphans),
            ServerGroupReconciler(desk),
            VolumeAttachmentReconciler(desk),
        ]
        made = Stage(cloud, admin, store, effects, registry, {each.resource: each for each in reconcilers})
        await made.say("POST", "/_sim/durations", {"attach_volume": 0, "detach_volume": 0, "jitter": 0})
        yield made
        await registry.close()


async def plant(stage: Stage) -> str:
    server = await stage.say("POST", "/_sim/servers", {"project": PROJECT_ID, "name": "planted", "metadata": {}})
    return str(server["id"])


async def test_a_project_signs_in_and_shows_its_quota(stage: Stage) -> None:
    status = await stage.until_ready(LAB)
    assert status["projectId"] == PROJECT_ID
    assert status["microversion"] == "2.46"
    assert status["quota"]["instances"] == {"used": 0, "limit": 1000}
    assert find(status["conditions"], "Authenticated")["status"] == "True"  # type: ignore[index]


async def test_a_wrong_password_is_unauthorized(stage: Stage) -> None:
    stage.store.set_secret(NAMESPACE, "lab", username="lab-user", password="wrong", domainName="lab")
    await stage.reconcilers[LAB.resource].reconcile(LAB)
    conditions = {each["type"]: (each["status"], each["reason"]) for each in stage.store[LAB].status["conditions"]}
    assert conditions["Ready"] == ("False", "Unauthorized")
    assert conditions["Authenticated"] == ("False", "Unauthorized")
    assert "wrong" not in str(stage.store[LAB].status)


async def test_a_group_comes_and_goes(stage: Stage) -> None:
    stage.store.create(GROUP.resource, GROUP.name, {}, namespace=GROUP.namespace)
    status = await stage.until_ready(GROUP)
    assert status["intent"]["name"].startswith("web-")
    stage.effects.log.clear()
    for _ in range(3):
        await stage.reconcilers[GROUP.resource].reconcile(GROUP)
    assert stage.effects.log == []
    await stage.until_gone(GROUP)
    assert await stage.ledger("server_group") == ["create", "delete"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"drop": True}, id="dropped"),
        pytest.param({"status": 502, "code": "Ecs.0002", "message": "bad gateway"}, id="502"),
        pytest.param({"status": 400, "code": "Ecs.0002", "message": "submitting failed"}, id="400 Ecs.0002"),
        pytest.param({"garbage": True}, id="garbage"),
    ],
)
async def test_a_group_whose_answer_is_lost_is_made_once(stage: Stage, fault: dict[str, Any]) -> None:
    await stage.say("POST", "/_sim/faults", {"match": {"section": "5.10.1"}, "when": "after", "do": fault, "times": 1})
    stage.store.create(GROUP.resource, GROUP.name, {}, namespace=GROUP.namespace)
    await stage.until_ready(GROUP)
    assert await stage.ledger("server_group") == ["create"]


async def test_a_volume_is_attached_and_detached(stage: Stage) -> None:
    server_id = await plant(stage)
    stage.store.create(ATTACHMENT.resource, ATTACHMENT.name, {"serverId": server_id, "volumeId": VOLUME}, namespace="shop")
    status = await stage.until_ready(ATTACHMENT)
    assert status["serverId"] == server_id
    assert status["attachmentId"] == VOLUME
    assert status["device"].startswith("/dev/vd")
    assert status["pciAddress"]
    assert (status["sizeGiB"], status["job"]["status"]) == (10, "SUCCESS")
    stage.effects.log.clear()
    for _ in range(3):
        await stage.reconcilers[ATTACHMENT.resource].reconcile(ATTACHMENT)
    assert stage.effects.log == []
    await stage.until_gone(ATTACHMENT)
    assert await stage.ledger("attachment") == ["attach", "detach"]


@pytest.mark.parametrize("section", ["5.6.1", "5.6.2"])
async def test_a_lost_answer_of_attach_or_detach_is_found_out(stage: Stage, section: str) -> None:
    server_id = await plant(stage)
    fault = {"match": {"section": section}, "when": "after", "do": {"drop": True}, "times": 1}
    await stage.say("POST", "/_sim/faults", fault)
    stage.store.create(ATTACHMENT.resource, ATTACHMENT.name, {"serverId": server_id, "volumeId": VOLUME}, namespace="shop")
    await stage.until_ready(ATTACHMENT)
    await stage.until_gone(ATTACHMENT)
    assert await stage.ledger("attachment") == ["attach", "detach"]


async def test_a_failed_job_is_shown_with_the_cloud_s_words(stage: Stage) -> None:
    server_id = await plant(stage)
    failure = {"project": PROJECT_ID, "type": "attachVolume", "do": "fail", "code": "Ecs.0205", "reason": "the array is away"}
    await stage.say("POST", "/_sim/next-job", failure)
    stage.store.create(ATTACHMENT.resource, ATTACHMENT.name, {"serverId": server_id, "volumeId": VOLUME}, namespace="shop")
    for _ in range(3):
        await stage.reconcilers[ATTACHMENT.resource].reconcile(ATTACHMENT)
    ready = find(stage.store[ATTACHMENT].status["conditions"], "Ready")
    assert ready is not None
    assert ready["reason"] == "OperationFailed"
    assert "Ecs.0205" in ready["message"]
    assert "the array is away" in ready["message"]
    stage.store.annotate(ATTACHMENT, reconcile_requested_at="now")
    await stage.until_ready(ATTACHMENT)
