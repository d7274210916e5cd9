"""What ``invariants`` finds: each kind of damage to a world is told in a sentence, and a world that is well has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ecs_simulator.world import Project, World
from ecs_simulator.world.catalog import Network
from ecs_simulator.world.resources import Server, Volume
from tests.contract.invariants import assert_consistent, violations, within_quota
from tests.unit.simulator.stage import EIP, SMALL_SUBNET, Stage

Damage = Callable[[World, Project, Server], object]


def _stage() -> Stage:
    """A world with a bit of everything."""
    stage = Stage()
    group = stage.call("createServerGroup", {"server_group": {"name": "g", "policies": ["anti-affinity"]}}).body["server_group"]["id"]
    stage.create(
        count=2,
        data_volumes=[{"volumetype": "SSD", "size": 10}],
        nics=[{"subnet_id": "157ee789-03ea-45b1-a698-76c92660dd83"}, {"subnet_id": SMALL_SUBNET}],
        **{"os:scheduler_hints": {"group": group}},
    )
    first = next(iter(stage.project.servers))
    stage.call("addFloatingIp", {"addFloatingIp": {"address": "80.158.1.2"}}, server_id=first)
    return stage


def test_a_world_that_is_well() -> None:
    stage = _stage()
    assert_consistent(stage.world)
    assert within_quota(stage.world) == []
    stage.call("stopServers", {"os-stop": {"servers": [{"id": each} for each in stage.project.servers]}})
    assert_consistent(stage.world)
    stage.pass_time(60)
    stage.ended(stage.call("deleteServers", {"servers": [{"id": each} for each in stage.project.servers], "delete_volume": True}))
    assert_consistent(stage.world)
    assert stage.project.servers == {}


def _volume(project: Project, server: Server) -> Volume:
    return project.volumes[server.volume_ids[1]]


def _two_at_one_place(_: World, project: Project, server: Server) -> None:
    first, second = (project.volumes[each] for each in server.volume_ids)
    assert first.attachment is not None
    assert second.attachment is not None
    second.attachment = replace(second.attachment, device=first.attachment.device.replace("/dev/vd", "/dev/sd"))


def _unknown_to_the_ledger(_: World, project: Project, server: Server) -> None:
    project.servers["x"] = replace(server, id="x", port_ids=[], volume_ids=[], floating_ip_ids=[], security_group_ids=[], group_id=None)


def _loose(_: World, project: Project, server: Server) -> None:
    project.volumes[server.volume_ids.pop()].attachment = None


def _on_one_host(_: World, project: Project, __: Server) -> None:
    for server in project.servers.values():
        server.host = "h"


DAMAGES: dict[str, tuple[Damage, str]] = {
    "an address is freed": (lambda _, project, server: _network(project, server).used.clear(), "which is not its own in its network"),
    "an address is nobody's": (
        lambda _, project, server: _network(project, server).used.update({"192.168.0.77": "x"}),
        "belongs to port x, which is not there",
    ),
    "the gateway's address is used": (
        lambda _, project, server: _network(project, server).used.update({"192.168.0.1": server.port_ids[0]}),
        "192.168.0.1 cannot be an address",
    ),
    "a port is an orphan": (lambda _, project, server: _drop_port(project, server), "is an orphan"),
    "a port is on no server that knows it": (lambda _, __, server: server.port_ids.pop(), "which does not have it"),
    "a port is gone": (lambda _, project, server: project.ports.pop(server.port_ids[1]), "has an interface that is not on it"),
    "a group protects and is not shown": (
        lambda _, __, server: server.security_group_ids.clear(),
        "other security groups than its interfaces",
    ),
    "a volume does not know its server": (
        lambda _, project, server: setattr(_volume(project, server), "attachment", None),
        "which does not know it",
    ),
    "a volume is loose and in use": (
        _loose,
        "is in-use and loose",
    ),
    "a volume is attaching for ever": (
        lambda _, project, server: setattr(_volume(project, server), "status", "attaching"),
        "is attaching, and nobody is at it",
    ),
    "a volume is gone": (lambda _, project, server: project.volumes.pop(server.volume_ids[1]), "was created, and is not there"),
    "two disks at one place": (_two_at_one_place, "has two disks at a"),
    "an address is bound on one side": (lambda _, __, server: server.floating_ip_ids.clear(), "which does not know it"),
    "an address is bound and down": (lambda _, project, __: setattr(project.floating_ips[EIP], "status", "DOWN"), "is DOWN with port"),
    "a public address twice": (
        lambda _, project, __: project.floating_ips.update({"x": replace(project.floating_ips[EIP], id="x")}),
        "was given out twice",
    ),
    "a member is gone": (lambda _, project, __: next(iter(project.groups.values())).members.append("x"), "has member x"),
    "a member does not know": (lambda _, __, server: setattr(server, "group_id", None), "which is not there or does not know it"),
    "two members on one host": (
        _on_one_host,
        "run on h",
    ),
    "a state that is none": (lambda _, __, server: setattr(server, "task_state", "spawning"), "which table A-4 lacks"),
    "busy for ever": (lambda _, __, server: setattr(server, "command", "j"), "is busy with a job that is over"),
    "a resize for ever": (lambda _, __, server: setattr(server, "target_flavor_id", "s3.small.1"), "is being resized by nobody"),
    "deleted and there": (lambda _, project, server: project.deleted.update({server.id: server}), "is among the deleted ones too"),
    "a server from nowhere": (_unknown_to_the_ledger, "was never created"),
    "a server gone to nowhere": (lambda _, project, server: project.servers.pop(server.id), "was created, and is not there"),
    "a job that never ends": (
        lambda world, _, __: next(iter(world.jobs.values())).parts[0].__setattr__("status", "RUNNING"),
        "will never end",
    ),
}


def _network(project: Project, server: Server) -> Network:
    return project.networks[project.ports[server.port_ids[0]].network_id]


def _drop_port(project: Project, server: Server) -> None:
    port = project.ports[server.port_ids.pop()]
    port.server_id = None


@pytest.mark.parametrize("case", DAMAGES)
def test_damage_is_found(case: str) -> None:
    damage, sentence = DAMAGES[case]
    stage = _stage()
    damage(stage.world, stage.project, next(iter(stage.project.servers.values())))
    found = violations(stage.world)
    assert any(sentence in each for each in found), found
    with pytest.raises(AssertionError, match="not consistent"):
        assert_consistent(stage.world)


def test_an_exceeded_quota_is_found() -> None:
    stage = _stage()
    stage.project.quota.change({"instances": 1, "cores": 1, "volumes": 2, "serverGroupMembers": 1})
    assert [each.partition(": ")[2] for each in within_quota(stage.world)] == [
        "2 instances, 1 are allowed",
        "4 cores, 1 are allowed",
        "5 volumes, 2 are allowed",
        "2 members, 1 are allowed",
    ]
