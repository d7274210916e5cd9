"""States of servers, account and cloud in which an operation may find them, and the things of another project."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from ecs_simulator.routes import OPERATIONS
from ecs_simulator.world import Project
from tests.contract.fuzz.targets import Target


def _of_all_servers(do: Callable[[Target, Project, str], object]) -> Callable[[Target], None]:
    """Return what does something to every server of the project."""

    def change(target: Target) -> None:
        project = target.scene.project
        for server_id in list(project.servers):
            do(target, project, server_id)

    return change


def _lock(_: Target, project: Project, server_id: str) -> None:
    project.servers[server_id].locked = True


def _by_hand(do: str) -> Callable[[Target, Project, str], object]:
    return lambda target, _, server_id: target.world.set_server(server_id, do)


def _start_on(name: str, body: Any) -> Callable[[Target, Project, str], object]:
    """Return what begins a command on a server, if it can be begun, and does not wait for its end."""

    def begin(target: Target, _: Project, server_id: str) -> None:
        operation = next(each for each in OPERATIONS if each.name == name)
        target.scene.send(operation, body, {"server_id": server_id})

    return begin


def _resize(target: Target, project: Project, server_id: str) -> None:
    _start_on("resizeServerNative", {"resize": {"flavorRef": "c3.2xlarge.2"}})(target, project, server_id)
    target.scene.api.pass_time(60)


def _freeze(target: Target) -> None:
    target.scene.project.frozen = True


def _exhaust(target: Target) -> None:
    quota = target.scene.project.quota
    quota.change({each.name: 0 for each in fields(quota)})


def _sell_out(target: Target) -> None:
    for flavor_id in target.world.flavors:
        target.world.sell_out(flavor_id, target.world.zones)
    target.world.disks_sold_out = {name: list(target.world.zones) for name in target.world.disk_types}


def _lag(target: Target) -> None:
    target.world.set_behaviour({"listLag": 3600, "readLag": 3600})


STATES: Mapping[str, Callable[[Target], None]] = MappingProxyType(
    {
        "as it is": lambda _: None,
        "locked": _of_all_servers(_lock),
        "in ERROR": _of_all_servers(_by_hand("error")),
        "stopped": _of_all_servers(_by_hand("stop")),
        "running": _of_all_servers(_by_hand("start")),
        "deleted": _of_all_servers(_by_hand("delete")),
        "being started": _of_all_servers(_start_on("startServer", {"os-start": {}})),
        "being rebooted": _of_all_servers(_start_on("rebootServer", {"reboot": {"type": "HARD"}})),
        "being deleted": _of_all_servers(_start_on("deleteServer", None)),
        "being rebuilt": _of_all_servers(_start_on("rebuildServer", {"rebuild": {"imageRef": "imageid_123"}})),
        "being resized": _of_all_servers(_start_on("resizeServerNative", {"resize": {"flavorRef": "c3.2xlarge.2"}})),
        "resized": _of_all_servers(_resize),
        "account frozen": _freeze,
        "quota exhausted": _exhaust,
        "everything sold out": _sell_out,
        "everything lags": _lag,
    }
)


def foreign(target: Target) -> dict[str, str]:
    """Return the ids of another project's things, made in the target's world if they are not there yet."""
    world = target.world
    other = next((project for project in world.projects.values() if project.name == "others"), None)
    if other is None:
        other = world.projects[str(world.add_project("others")["projectId"])]
        server_id = world.plant_server(other.id, name="theirs", metadata={})
        server = other.servers[server_id]
        floating = next(iter(other.floating_ips.values()))
        floating.status, floating.server_id, floating.port_id = "ACTIVE", server.id, server.port_ids[0]
        server.floating_ip_ids.append(floating.id)
        target.start = target.scene.api.simulator.snapshot()
        target.reset()
        other = target.world.projects[other.id]
    server = next(iter(other.servers.values()))
    return {
        "project_id": other.id,
        "server_id": server.id,
        "volume_id": server.volume_ids[0],
        "port_id": server.port_ids[0],
        "floating_ip_id": server.floating_ip_ids[0],
        "address": other.floating_ips[server.floating_ip_ids[0]].address,
        "security_group_id": next(iter(other.security_groups)),
        "network": next(iter(other.networks)),
    }
