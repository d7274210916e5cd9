"""Whatever is edited, in whatever order: nothing dearer than what was allowed or approved is ever done, and the ledger is the witness.

Played by the real client against the simulator. Between two edits the operator gets as many passes as chance wants, so edits also meet
changes under way.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ecs_operator.api.server import PlannedChange
from ecs_operator.cloud import NewInterface
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome
from ecs_operator.engine.ports import StoreError
from ecs_operator.resources.server.deeds import Cost
from ecs_operator.resources.tenancy import Tenant
from ecs_simulator.testing import SimulatedCloud
from tests.unit.resources.server.stage import KEY, Stage, pause_of
from tests.unit.resources.server.test_with_simulator import LARGE, PROJECT, WINDOWS, performance

UBUNTU = "67f433d8-ed0e-4321-a8a2-a71838539e09"
DEFAULT_GROUP, WEB_GROUP = "507ca48f-814c-4293-8706-300564d54620", "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDvW3lGmTBuCR2JzaOeF6c8oQ7ZKjQd0Z0e8l8m3hV2p new"
SUBNET_A, SUBNET_B = "157ee789-03ea-45b1-a698-76c92660dd83", "3a8f2c11-5f0e-4c59-9a53-3f1d9b0c8e22"
ETH0, ETH1 = {"name": "eth0", "subnetId": SUBNET_A}, {"name": "eth1", "subnetId": SUBNET_A}
ADDRESS = "a2b4c6d8-1111-4222-8333-944455566677"
FOREIGN_VOLUME = "b104b8db-170d-441b-897a-3c8ba9c5a214"

COSTS: Mapping[str, Cost] = {
    "stop": Cost.RESTART,
    "start": Cost.NONE,
    "reboot": Cost.RESTART,
    "resize": Cost.RESTART,
    "migrate": Cost.RESTART,
    "join": Cost.RESTART,
    "leave": Cost.NONE,
    "reinstall": Cost.REINSTALL,
    "change-image": Cost.REINSTALL,
    "update": Cost.NONE,
    "lock": Cost.NONE,
    "unlock": Cost.NONE,
    "tag": Cost.NONE,
    "add-security-group": Cost.NONE,
    "remove-security-group": Cost.NONE,
    "delete-requested": Cost.REPLACE,
    "delete": Cost.REPLACE,
    "create": Cost.REPLACE,
}
"""What each entry of the ledger cost who uses the server. One that is not named here fails the test."""

VALUES: Mapping[str, Sequence[Any]] = {
    "name": ("web-0", "web-0-b"),
    "description": ("front", "back"),
    "metadata": ({}, {"role": "front"}, {"role": "back", "more": "1"}),
    "tags": ({}, {"team": "shop"}, {"team": "web", "more": "1"}),
    "securityGroupIds": ([DEFAULT_GROUP], [WEB_GROUP], [DEFAULT_GROUP, WEB_GROUP]),
    "autoRecovery": (True, False),
    "locked": (None, True, False),
    "flavor": ("s3.large.2", "s3.xlarge.2", "s3.2xlarge.2"),
    "image": ({"id": UBUNTU}, {"id": WINDOWS}),
    "keyPairName": ("ops", "new"),
    "serverGroupId": (None, 0, 1),
    "scheduling": (None, {"tenancy": "dedicated", "dedicatedHostId": "host-1"}, {"tenancy": "dedicated", "dedicatedHostId": "host-2"}),
    "powerState": (None, "Running", "Stopped"),
    "networkInterfaces": ([ETH0], [ETH0, ETH1], [ETH0, {**ETH1, "subnetId": SUBNET_B}], [{**ETH0, "subnetId": SUBNET_B}, ETH1]),
    "publicIp": (None, {"id": ADDRESS}),
    "availabilityZone": (None, "eu-west-0a", "eu-west-0b"),
    "rootVolume": ({"type": "SSD", "sizeGiB": 40}, {"type": "SSD", "sizeGiB": 41}),
}
FIELDS = tuple(VALUES)


@dataclass(frozen=True)
class Move:
    """One edit, and how long the operator works before the next one. ``passes`` None: until it has nothing left to do."""

    values: Mapping[str, Any]
    allow: Literal["None", "Restart", "Reinstall", "Replace"]
    approve: Literal["nothing", "plan", "other"]
    passes: int | None


field_values = st.sampled_from(FIELDS).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(VALUES[name])))
moves = st.lists(
    st.builds(
        Move,
        values=st.lists(field_values, min_size=1, max_size=4).map(dict),
        allow=st.sampled_from(("None", "None", "Restart", "Reinstall", "Replace")),
        approve=st.sampled_from(("nothing", "nothing", "plan", "other")),
        passes=st.one_of(st.none(), st.none(), st.integers(1, 12)),
    ),
    min_size=1,
    max_size=6,
)


@dataclass
class Auditor:
    """Reads the ledger after every pass, and holds each entry against what was allowed since the operator last had nothing to do.

    That long, because what was begun while it was allowed is seen to its end: a server is not left stopped half way.
    """

    stage: Stage
    cloud: SimulatedCloud
    allowed: Cost = Cost.NONE
    flavors: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)
    stops: bool = False
    """The spec wanted it stopped: then to stop it costs nothing that was not asked for."""
    read: int = 0

    def note(self) -> None:
        """What is allowed now, by the spec or by an approval, is added to what was."""
        spec = self.stage.obj.spec
        named = Cost.named(spec["disruption"]["allow"])
        plan = self.stage.status.get("plan")
        approval = self.stage.obj.annotations.get("ecs.huaweicloud.com/approve-plan")
        approved = [PlannedChange.model_validate(each) for each in plan["changes"]] if plan and plan["hash"] == approval else []
        self.allowed = max(self.allowed, named, *(Cost.named(each.cost) for each in approved))
        # A server that takes the place of another is made as the spec says by then: for that nothing else is stopped.
        is_replaced = "replacement" in self.stage.status
        if named >= Cost.RESTART or is_replaced:
            self.flavors.add(spec["flavor"])
        if named >= Cost.REINSTALL or is_replaced:
            self.images.add(spec["image"]["id"])
        self.flavors |= {each.want for each in approved if each.path == "spec.flavor"}
        self.images |= {each.want.split()[-1].strip("()") for each in approved if each.path == "spec.image"}
        self.stops = self.stops or spec.get("powerState") == "Stopped"

    def audit(self) -> None:
        """Every entry since the last look was allowed."""
        entries = self.cloud.world.ledger.to_json(PROJECT)
        for entry in entries[self.read :]:
            if entry["resource"] not in {"server", "server_group"}:
                continue
            cost = COSTS[entry["action"]]
            assert cost <= self.allowed or (entry["action"] == "stop" and self.stops), (entry, self.allowed)
        self.read = len(entries)
        servers = tuple(self.cloud.world.projects[PROJECT].servers.values())
        assert len(servers) <= 1, "never two"
        for server in servers:
            assert server.flavor_id in self.flavors
            assert server.image_id in self.images

    def forget(self) -> None:
        """The operator has nothing left to do: only what is allowed now counts from here on, and what the server has."""
        servers = tuple(self.cloud.world.projects[PROJECT].servers.values())
        self.allowed, self.stops = Cost.NONE, False
        self.flavors, self.images = {each.flavor_id for each in servers}, {each.image_id or "" for each in servers}
        self.note()


def is_idle(outcome: Outcome | StoreError) -> bool:
    return isinstance(outcome, Blocked | Done) or (isinstance(outcome, Again) and outcome.lane is Lane.RESYNC)


async def work(stage: Stage, auditor: Auditor, *, most: int | None = None) -> None:
    """Passes until there is nothing left to do, or so many."""
    for number in itertools.count(1):
        assert number < 200, (stage.ready, stage.status.get("change"))
        auditor.note()
        outcome = await stage.once()
        auditor.audit()
        if is_idle(outcome) or number == most:
            return
        stage.clock.advance(pause_of(outcome))


def edit(stage: Stage, move: Move, groups: Sequence[str]) -> None:
    changes = dict(move.values)
    if changes.get("serverGroupId") is not None:
        changes["serverGroupId"] = groups[changes["serverGroupId"]]
    spec = {**stage.obj.spec, **changes, "disruption": {"allow": move.allow}}
    stage.store.edit(KEY, spec={name: value for name, value in spec.items() if value is not None})


def foreign(cloud: SimulatedCloud, port_id: str) -> dict[str, Any]:
    """What is on the server and not ours."""
    (server,) = cloud.world.projects[PROJECT].servers.values()
    return {
        "metadata": server.metadata.get("theirs"),
        "tag": "theirs=kept" in server.tags,
        "volume": FOREIGN_VOLUME in server.volume_ids,
        "interface": next((each for each in server.port_ids if each == port_id), None),
    }


@pytest.mark.parametrize("power", ["Running", "Stopped", None])
@given(plan=moves)
@settings(
    max_examples=15, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)
async def test_nothing_dearer_than_allowed_is_done(power: str | None, plan: list[Move]) -> None:
    start = {**LARGE, "image": {"id": UBUNTU}, "disruption": {"allow": "None"}, "powerState": power}
    async with performance({name: value for name, value in start.items() if value is not None}) as (stage, cloud):
        tenant = stage.tenants.tenant
        assert isinstance(tenant, Tenant)
        groups = [(await tenant.client.groups.create(name, ["anti-affinity"])).id for name in ("a", "b")]
        await tenant.client.key_pairs.create("new", public_key=PUBLIC_KEY)
        await stage.until_ready()
        server_id = stage.status["id"]
        await tenant.client.metadata.merge(server_id, {"theirs": "kept"})
        await tenant.client.tags.add(server_id, {"theirs": "kept"})
        await tenant.client.volumes.attach(server_id, FOREIGN_VOLUME)
        stage.clock.advance(60)
        before = {each.port_id for each in await tenant.client.interfaces.list(server_id)}
        await tenant.client.interfaces.add(server_id, [NewInterface(subnet_id=SUBNET_B)])
        stage.clock.advance(60)
        cloud.world.settle()
        (port_id,) = {each.port_id for each in await tenant.client.interfaces.list(server_id)} - before
        untouched = foreign(cloud, port_id)
        auditor = Auditor(stage, cloud, read=len(cloud.world.ledger.to_json(PROJECT)))
        auditor.forget()
        for move in plan:
            edit(stage, move, groups)
            if move.approve != "nothing":
                # The plan is only known once the operator has looked.
                await work(stage, auditor, most=30)
                shown = (stage.status.get("plan") or {}).get("hash", "none")
                stage.annotate(**{"approve-plan": shown if move.approve == "plan" else "0123456789ab"})
            await work(stage, auditor, most=move.passes)
            if move.passes is None:
                auditor.forget()
        # A lock that the spec says nothing of is nobody's here, and is not opened.
        last = {"disruption": {"allow": "Replace"}, "locked": bool(stage.obj.spec.get("locked"))}
        stage.store.edit(KEY, spec={**stage.obj.spec, **last})
        await work(stage, auditor)
        assert stage.ready["status"] == "True", stage.message
        assert "plan" not in stage.status
        (server,) = cloud.world.projects[PROJECT].servers.values()
        assert stage.status["id"] == server.id
        # What others gave a server goes with it.
        assert server.id != server_id or foreign(cloud, port_id) == untouched
        wanted = stage.obj.spec
        assert (server.flavor_id, server.image_id, server.group_id) == (
            wanted["flavor"],
            wanted["image"]["id"],
            wanted.get("serverGroupId") or server.group_id,
        )
        if wanted.get("powerState") is not None:
            assert server.vm_state == {"Running": "active", "Stopped": "stopped"}[wanted["powerState"]]
