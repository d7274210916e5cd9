"""Interfaces and the public address with the real client, over loopback, against the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_simulator.testing import SimulatedCloud
from tests.unit.resources.server.stage import KEY, SPEC, Stage
from tests.unit.resources.server.test_with_simulator import ANSWERS, PROJECT, converge, performance

ETH0 = SPEC["networkInterfaces"][0]
SUBNET_B = "3a8f2c11-5f0e-4c59-9a53-3f1d9b0c8e22"
ETH1 = {"name": "eth1", "subnetId": SUBNET_B, "ipAddress": "192.168.16.9"}
ETH2 = {"name": "eth2", "subnetId": ETH0["subnetId"]}
WEB = "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"
ADDRESS = "a2b4c6d8-1111-4222-8333-944455566677"
BASE: dict[str, Any] = {**SPEC, "flavor": "s3.medium.2"}


def edit(stage: Stage, **changes: Any) -> None:
    stage.store.edit(KEY, spec={**BASE, **changes})


def ports(cloud: SimulatedCloud) -> list[Any]:
    project = cloud.world.projects[PROJECT]
    (server,) = project.servers.values()
    return [project.ports[each] for each in server.port_ids]


def attached(cloud: SimulatedCloud) -> list[str]:
    return [each["action"] for each in cloud.world.ledger.to_json(PROJECT) if each["resource"] == "interface"]


async def test_interfaces_come_and_go() -> None:
    async with performance({**BASE, "securityGroupIds": [WEB]}) as (stage, cloud):
        await stage.until_ready()
        edit(stage, securityGroupIds=[WEB], networkInterfaces=[ETH0, ETH1, ETH2])
        await converge(stage)
        shown = [(each.network_id, each.security_group_ids) for each in ports(cloud)]
        assert shown == [(ETH0["subnetId"], [WEB]), (SUBNET_B, [WEB]), (ETH0["subnetId"], [WEB])]
        assert ports(cloud)[1].address == "192.168.16.9"
        recorded = {each["name"]: each["portId"] for each in stage.status["applied"]["interfaces"]}
        assert list(recorded.values()) == [each.id for each in ports(cloud)]
        writes = stage.store.status_writes
        for _ in range(3):
            stage.clock.advance(300)
            await stage.once()
        assert stage.store.status_writes == writes
        edit(stage, securityGroupIds=[WEB], networkInterfaces=[ETH0, {**ETH1, "ipAddress": "192.168.16.10"}])
        await converge(stage)
        assert [each.address for each in ports(cloud)[1:]] == ["192.168.16.10"]
        assert attached(cloud) == ["attach", "attach", "detach", "detach", "attach"]


async def test_a_server_with_several_interfaces_knows_its_own() -> None:
    async with performance({**BASE, "networkInterfaces": [ETH0, ETH2, ETH1]}) as (stage, cloud):
        await stage.until_ready()
        recorded = {each["name"]: each["portId"] for each in stage.status["applied"]["interfaces"]}
        assert recorded == dict(zip(("eth0", "eth2", "eth1"), (each.id for each in ports(cloud)), strict=True))


@pytest.mark.parametrize("answer", list(ANSWERS))
async def test_an_addition_whose_answer_is_lost_adds_one(answer: str) -> None:
    async with performance(BASE) as (stage, cloud):
        await stage.until_ready()
        rule = cloud.simulator.faults.add({"match": {"operation": "addInterfaces"}, "when": "after", "do": ANSWERS[answer], "times": 1})
        edit(stage, networkInterfaces=[ETH0, ETH2])
        await converge(stage)
        assert (rule.hits, attached(cloud), len(ports(cloud))) == (1, ["attach"], 2)


async def test_more_than_the_flavor_takes() -> None:
    async with performance({**BASE, "flavor": "s3.small.1"}) as (stage, cloud):
        await stage.until_ready()
        stage.store.edit(KEY, spec={**BASE, "flavor": "s3.small.1", "networkInterfaces": [ETH0, ETH1, ETH2]})
        await stage.until(lambda: stage.reason == Reason.REJECTED)
        assert "eth2" in stage.message
        assert "Ecs.0050" in stage.message
        stage.store.edit(KEY, spec={**BASE, "flavor": "s3.small.1", "networkInterfaces": [ETH0, ETH2]})
        await converge(stage)
        assert len(ports(cloud)) == 2


async def test_the_primary_interface_is_never_removed() -> None:
    """Should the record ever name the wrong port, the cloud's no is final."""
    async with performance({**BASE, "networkInterfaces": [ETH0, ETH2]}) as (stage, cloud):
        await stage.until_ready()
        first, second = stage.status["applied"]["interfaces"]
        swapped = [{**first, "portId": second["portId"]}, {**second, "portId": first["portId"]}]
        stage.store.objects[KEY].status["applied"]["interfaces"][:] = swapped
        edit(stage, networkInterfaces=[ETH0])
        await stage.until(lambda: stage.reason == Reason.REJECTED)
        assert "Ecs.0507" in stage.message
        assert (len(ports(cloud)), attached(cloud)) == (2, [])


async def test_a_public_address_comes_and_goes() -> None:
    async with performance(BASE) as (stage, cloud):
        await stage.until_ready()
        floating = cloud.world.projects[PROJECT].floating_ips[ADDRESS]
        edit(stage, publicIp={"id": ADDRESS})
        await converge(stage)
        assert (floating.server_id, floating.port_id) == (stage.status["id"], ports(cloud)[0].id)
        stage.clock.advance(300)
        await stage.once()
        assert stage.status["publicIp"] == floating.address
        edit(stage)
        await converge(stage)
        assert (floating.server_id, ADDRESS in cloud.world.projects[PROJECT].floating_ips) == (None, True)


async def test_an_address_the_server_is_created_with_can_be_taken_off() -> None:
    async with performance({**BASE, "publicIp": {"id": ADDRESS}}) as (stage, cloud):
        await stage.until_ready()
        floating = cloud.world.projects[PROJECT].floating_ips[ADDRESS]
        assert stage.status["applied"]["publicIp"] == {"id": ADDRESS, "address": floating.address}
        edit(stage)
        await converge(stage)
        assert floating.server_id is None
        edit(stage, publicIp={"id": ADDRESS})
        await converge(stage)
        assert floating.server_id == stage.status["id"]
