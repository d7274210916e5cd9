"""The same reconciler with the real client, over loopback, against the simulator: its time is the stage's, so nothing waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import BudgetLimits, EcsClient, PasswordCredentials, ServerSnapshots, StaticCredentials
from ecs_operator.engine.ports import SecretData
from ecs_operator.resources.tenancy import Tenant
from ecs_simulator.simulator import Simulator
from ecs_simulator.testing import SimulatedCloud, simulated_cloud
from ecs_simulator.world import World, steering
from tests.unit.resources.server.stage import KEY, SPEC, FakeClock, Stage

WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"
PROJECT = "9a56640e5503b8dc39231cdb52a0f3e2"
USER = PasswordCredentials(username="lab-user", password="Lab-Passw0rd!", domain_name="lab")


class ClientClock:
    """The stage's wall time, and the loop's own for timers."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@contextlib.asynccontextmanager
async def performance(spec: Mapping[str, Any] | None = None) -> AsyncGenerator[tuple[Stage, SimulatedCloud], None]:
    stage = Stage(spec=spec)

    def wall() -> float:
        return stage.clock.now().timestamp()

    simulator = Simulator(wall=wall)
    simulator._enter(World.from_seed(None, wall=wall))
    async with simulated_cloud(simulator=simulator) as cloud:
        client = await EcsClient.open(
            endpoint=cloud.url,
            iam_endpoint=cloud.url,
            project_id=PROJECT,
            credentials=StaticCredentials(USER),
            clock=ClientClock(stage.clock),
            budget=BudgetLimits(reads_per_second=10_000, writes_per_second=10_000),
        )
        async with client:
            stage.wire(client, ServerSnapshots(client.servers, stage.clock))
            yield stage, cloud


def servers(cloud: SimulatedCloud, action: str) -> list[str]:
    return [entry["id"] for entry in cloud.world.ledger.to_json(PROJECT) if entry["resource"] == "server" and entry["action"] == action]


async def test_a_whole_life() -> None:
    spec = {
        **SPEC,
        "powerState": "Running",
        "keyPairName": "ops",
        "metadata": {"role": "front"},
        "networkInterfaces": [{**SPEC["networkInterfaces"][0], "ipAddress": "192.168.0.20", "mtu": 8888}],
        "publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 5}}},
        "dataVolumes": [
            {"name": "scratch", "type": "SSD", "sizeGiB": 20, "deleteWithServer": True},
            {"name": "data", "type": "SSD", "sizeGiB": 10},
        ],
    }
    async with performance(spec) as (stage, cloud):
        await stage.until_ready()
        status = stage.status
        assert (status["serverStatus"], status["vmState"], status["powerState"]) == ("ACTIVE", "active", "Running")
        assert status["privateIp"] == "192.168.0.20"
        assert status["publicIp"]
        assert all(each["portId"] for each in status["addresses"])
        assert [(each["device"], each["deleteWithServer"]) for each in status["volumes"]] == [
            ("/dev/vda", True),
            ("/dev/vdb", True),
            ("/dev/vdc", False),
        ]
        assert status["job"]["status"] == "SUCCESS"
        writes = stage.store.status_writes
        for _ in range(3):
            stage.clock.advance(300)
            await stage.once()
        assert stage.store.status_writes == writes
        for wanted, reason in (("Stopped", Reason.STOPPED_AS_DESIRED), ("Running", Reason.AVAILABLE)):
            stage.store.edit(KEY, spec={**stage.obj.spec, "powerState": wanted})
            await stage.until(lambda reason=reason: stage.reason == reason)
        stage.delete()
        await stage.until_gone()
        project = cloud.world.projects[PROJECT]
        assert project.servers == {}
        assert status["volumes"][2]["id"] in project.volumes, "kept, because the spec does not let it go"
        assert status["volumes"][1]["id"] not in project.volumes
        assert len(servers(cloud, "create")) == len(servers(cloud, "delete")) == 1
        told = [(each["action"], each["name"]) for each in cloud.world.ledger.to_json(PROJECT) if each["resource"] == "floating_ip"]
        assert told[-1] == ("delete", status["publicIp"]), "an address that was made with it goes with it"


ANSWERS: dict[str, dict[str, Any]] = {
    "dropped": {"drop": True},
    "reset": {"reset": True},
    "500": {"status": 500},
    "502": {"status": 502},
    "504": {"status": 504},
    "Ecs.0002": {"status": 400, "code": "Ecs.0002"},
    "garbage": {"garbage": True},
}


async def test_a_committed_request_whose_answer_is_lost_makes_one_server() -> None:
    async with performance() as (stage, cloud):
        for number, (name, answer) in enumerate(ANSWERS.items(), start=1):
            stage.put(uid=f"0f3d1c0a-0000-4000-8000-{number:012}")
            rule = cloud.simulator.faults.add({"match": {"operation": "createServers"}, "when": "after", "do": answer, "times": 1})
            await stage.once()
            assert rule.hits == 1, name
            assert stage.reason == Reason.OUTCOME_UNKNOWN, name
            await stage.until_ready()
            assert len(servers(cloud, "create")) == number, name
            stage.delete()
            await stage.until_gone()
        assert cloud.world.projects[PROJECT].servers == {}


@pytest.mark.parametrize("leave", ["server", "nothing"])
async def test_a_failing_job_is_cleaned_up_and_the_next_incarnation_succeeds(leave: str) -> None:
    async with performance() as (stage, cloud):
        steering.order_failure(cloud.world, PROJECT, job_type="createServer", code="Ecs.0219", reason="no luck", leave=leave)
        await stage.until(lambda: stage.reason == Reason.OPERATION_FAILED)
        assert "Ecs.0219" in stage.message
        assert "no luck" in stage.message
        await stage.until_ready()
        assert len(servers(cloud, "create")) == 2
        assert list(cloud.world.projects[PROJECT].servers) == [stage.status["id"]]


OBSTACLES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a flavor that nobody sells": ({"flavor": "no.such.flavor"}, Reason.INVALID_CONFIGURATION, "there is no flavor no.such.flavor"),
    "a flavor that is sold out": ({"availabilityZone": "eu-west-0b"}, Reason.CAPACITY_EXHAUSTED, "s3.small.1 is sellout in eu-west-0b"),
    "an image that is not there": ({"image": {"id": str(UUID(int=7))}}, Reason.INVALID_CONFIGURATION, f"there is no image {UUID(int=7)}"),
    "a disk too small for the image": ({"rootVolume": {"type": "SSD", "sizeGiB": 9}}, Reason.INVALID_CONFIGURATION, "disk of 10 GiB"),
    "memory too small for the image": (
        {"image": {"id": WINDOWS}, "rootVolume": {"type": "SSD", "sizeGiB": 40}},
        Reason.INVALID_CONFIGURATION,
        "needs 2048 MiB of memory",
    ),
}


@pytest.mark.parametrize("name", OBSTACLES)
async def test_what_the_cloud_cannot_make_is_said_before_it_is_asked(name: str) -> None:
    changes, reason, text = OBSTACLES[name]
    async with performance({**SPEC, **changes}) as (stage, cloud):
        steering.sell_out(cloud.world, "s3.small.1", ("eu-west-0b",))
        await stage.once()
        assert (stage.reason, text in stage.message) == (reason, True), stage.message
        assert "create" not in stage.status, "nothing is written ahead of what is not sent"
        asked = Counter(entry.operation for entry in cloud.simulator.log.select())
        for _ in range(10):
            await stage.once()
        assert Counter(entry.operation for entry in cloud.simulator.log.select()) == asked, "all look at the same answers"
        stage.store.edit(KEY, spec=SPEC)
        await stage.until_ready()
        assert len(servers(cloud, "create")) == 1


async def test_an_exhausted_quota_is_waited_out() -> None:
    async with performance() as (stage, cloud):
        steering.set_project(cloud.world, PROJECT, quota={"instances": 0}, frozen=None, suspended_credentials=None)
        await stage.once()
        assert stage.reason == Reason.QUOTA_EXCEEDED
        steering.set_project(cloud.world, PROJECT, quota={"instances": 10}, frozen=None, suspended_credentials=None)
        await stage.until_ready()
        assert len(servers(cloud, "create")) == 1


LARGE: Mapping[str, Any] = {
    **SPEC,
    "flavor": "s3.large.2",
    "powerState": "Running",
    "keyPairName": "ops",
    "rootVolume": {"type": "SSD", "sizeGiB": 40},
    "disruption": {"allow": "Reinstall"},
}


async def converge(stage: Stage) -> None:
    await stage.until(lambda: stage.ready.get("status") == "True" and stage.ready.get("observedGeneration") == stage.obj.generation)


def deeds(cloud: SimulatedCloud) -> list[str]:
    return [entry["action"] for entry in cloud.world.ledger.to_json(PROJECT) if entry["resource"] in {"server", "server_group"}]


async def test_everything_that_needs_a_stop_shares_one() -> None:
    async with performance(LARGE) as (stage, cloud):
        project = cloud.world.projects[PROJECT]
        tenant = stage.tenants.tenant
        assert isinstance(tenant, Tenant)
        groups = [await tenant.client.groups.create(name, ["anti-affinity"]) for name in ("a", "b")]
        stage.store.edit(KEY, spec={**LARGE, "serverGroupId": groups[0].id})
        await converge(stage)
        (server,) = project.servers.values()
        root, position = server.volume_ids[0], len(deeds(cloud))
        host = {"tenancy": "dedicated", "dedicatedHostId": "host-1"}
        spec = {**LARGE, "flavor": "s3.xlarge.2", "serverGroupId": groups[1].id, "scheduling": host, "image": {"id": WINDOWS}}
        stage.store.edit(KEY, spec=spec)
        await converge(stage)
        assert (server.flavor_id, server.group_id, server.image_id, server.key_name) == ("s3.xlarge.2", groups[1].id, WINDOWS, "ops")
        assert (server.hints["dedicated_host_id"], server.vm_state, server.volume_ids[0] != root) == (["host-1"], "active", True)
        assert deeds(cloud)[position:] == ["stop", "migrate", "leave", "join", "resize", "change-image", "start"]
        writes = stage.store.status_writes
        for _ in range(3):
            stage.clock.advance(300)
            await stage.once()
        assert stage.store.status_writes == writes


async def test_another_key_pair_is_a_reinstallation() -> None:
    async with performance({**LARGE, "keyPairName": None, "adminPasswordSecretRef": {"name": "one", "key": "password"}}) as (stage, cloud):
        stage.spec = {key: value for key, value in stage.spec.items() if value is not None}
        stage.put()
        stage.store.secrets["shop/one"] = SecretData(data={"password": b"First-Passw0rd!"}, resource_version="1")
        await converge(stage)
        stage.store.edit(KEY, spec=LARGE)
        await converge(stage)
        (server,) = cloud.world.projects[PROJECT].servers.values()
        assert (server.key_name, deeds(cloud)[1:]) == ("ops", ["stop", "reinstall", "start"])


async def test_an_installation_that_failed_is_made_again_on_request() -> None:
    async with performance(LARGE) as (stage, cloud):
        await converge(stage)
        steering.order_failure(cloud.world, PROJECT, job_type="changeServerImage", code="Ecs.0319", reason="no luck", leave="server")
        stage.store.edit(KEY, spec={**LARGE, "image": {"id": WINDOWS}})
        await stage.until(lambda: stage.reason == Reason.SERVER_ERROR and "Ecs.0319" in stage.message)
        assert "no luck" in stage.message
        stage.annotate(**{"reconcile-requested-at": "now"})
        await converge(stage)
        (server,) = cloud.world.projects[PROJECT].servers.values()
        assert (server.image_id, server.vm_state) == (WINDOWS, "active")
        assert deeds(cloud)[1:] == ["stop", "change-image", "error", "change-image", "start"]


async def test_what_no_list_shows_is_noticed_in_slow_rotation() -> None:
    async with performance({**LARGE, "autoRecovery": True, "driftPolicy": "Report"}) as (stage, cloud):
        tenant = stage.tenants.tenant
        assert isinstance(tenant, Tenant)
        groups = [await tenant.client.groups.create(name, ["anti-affinity"]) for name in ("a", "b")]
        stage.store.edit(KEY, spec={**stage.spec, "serverGroupId": groups[0].id})
        await converge(stage)
        server_id = stage.status["id"]
        await tenant.client.groups.remove(groups[0].id, server_id)
        await tenant.client.auto_recovery.set(server_id, enabled=False)
        done = len(deeds(cloud))
        await stage.until(lambda: len(stage.status.get("drift", ())) == 2)
        shown = [(each["path"], each["want"], each["have"]) for each in stage.status["drift"]]
        assert shown == [("spec.autoRecovery", "true", "false"), ("spec.serverGroupId", groups[0].id, "")]
        assert stage.clock.monotonic() < 3 * 3600
        stage.store.edit(KEY, spec={**stage.obj.spec, "driftPolicy": "Correct"})
        await converge(stage)
        assert deeds(cloud)[done:] == ["update", "stop", "join", "start"]
        assert await tenant.client.auto_recovery.get(server_id)
