"""What a server writes to its console (ECS API reference 6.14): it boots, and it shuts down, with its name, address and image."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ecs_simulator.world.refusal import Absent, Refusal
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

KEPT_BLOCKS = 64
"""Boots and shutdowns that are remembered."""
_SOFT_ENDS = frozenset({"powering-off", "rebooting", "reboot_pending", "reboot_started"})


def came_to_rest(world: World, server: Server, *, before: str, task_state: str | None) -> None:
    """Write down what a change of state looks like from inside; ``before`` and ``task_state`` are what the server comes from.

    A server that boots has its devices sorted again: what a detach by force left behind is gone (6.8.4).
    """
    boots = server.vm_state == "active"
    if before == "active" and (boots or server.vm_state == "stopped"):
        _write(server, _shutdown(world, server, soft=task_state in _SOFT_ENDS, again=boots))
    if boots:
        server.stuck_devices.clear()
        _write(server, _boot(world, server))


def output(server: Server, length: int | None) -> str:
    """Return the last lines, all with None or -1. Refused while there is nothing to read from: 409 without a host, 404 before it runs."""
    if server.vm_state == "building" and server.task_state == "scheduling":
        raise Refusal("Ecs.0100", f"Instance {server.id} is not ready")
    if server.launched is None:
        raise Absent("guest console of instance", server.id, code="Ecs.0114")
    lines = [line for block in server.console for line in block.split("\n")]
    if length is None or length < 0:
        return "\n".join(lines)
    return "\n".join(lines[len(lines) - length :] if length < len(lines) else lines)


def _write(server: Server, lines: list[str]) -> None:
    server.console.append("\n".join(lines))
    del server.console[:-KEPT_BLOCKS]


def _boot(world: World, server: Server) -> list[str]:
    now = world.now()
    image = world.images.get(server.image_id)
    name, windows = (image.name, image.os_type == "Windows") if image is not None else (server.image_id, False)
    hostname = server.name.lower().replace("_", "-").replace(".", "-")
    project = world.projects[server.project_id]
    ports = [project.ports[port_id] for port_id in server.port_ids if port_id in project.ports]
    if windows:
        return [
            f"Starting {name}",
            f"{_date(now)} cloudbase-init: hostname {hostname}, instance {server.id}",
            *(f"{_date(now)} cloudbase-init: adapter {index} {port.mac} {port.address}" for index, port in enumerate(ports)),
            f"{_date(now)} cloudbase-init: finished, {server.name} is ready",
        ]
    return [
        f"[    0.000000] Booting {name}, {server.flavor_id}, instance {server.id}",
        "[    0.000000] Command line: root=/dev/vda1 ro console=tty0 console=ttyS0,115200n8",
        f"[    1.204211] systemd[1]: Hostname set to <{hostname}>.",
        f"[    2.817340] cloud-init[612]: running 'init' at {_date(now)}",
        *(f"ci-info: | eth{index} | True | {port.address} | {port.mac} |" for index, port in enumerate(ports)),
        f"[    4.950127] cloud-init[801]: finished at {_date(now)}, datasource OpenStack",
        "",
        f"{name} {hostname} ttyS0",
        "",
        f"{hostname} login: ",
    ]


def _shutdown(world: World, server: Server, *, soft: bool, again: bool) -> list[str]:
    lines = [f"{_date(world.now())} {server.name}: stopping all services"] if soft else []
    return [*lines, "reboot: Restarting system" if again else "reboot: Power down"]


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, tz=UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
