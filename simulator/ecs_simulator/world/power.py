"""Starting, stopping and rebooting (ECS API reference 5.3, 6.3.1 to 6.3.3), and locks (6.3.4, 6.3.5)."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ecs_simulator.world import commands, engine, system_disks
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

WINDOW_SECONDS = 60.0

_STATES = MappingProxyType({"start": frozenset({"stopped"}), "stop": frozenset({"active"}), "reboot": frozenset({"active"})})


def change_power(world: World, project: Project, action: str, server_ids: list[str], *, mode: str, cause: Cause) -> Job:
    """Start, stop or reboot servers; ``mode`` is SOFT or HARD. At most 1000 are taken in a minute."""
    if action == "start":
        project.require_unfrozen()
    window = _room(world, project, action, len(server_ids))
    hard = mode == "HARD"
    task_state = {"start": "powering-on", "stop": "powering-off", "reboot": "rebooting_hard" if hard else "rebooting"}[action]

    def take_up(server: Server) -> Part:
        commands.admit(server, action, _STATES[action])
        if action == "start":
            system_disks.need(project, server)
        server.task_state = task_state
        world.record(project, server, action, cause, mode=mode)
        part = commands.new_part(world, server)
        part.params["hard"] = hard
        return part

    job = commands.batch(world, project, server_ids, work=WORKS[action], start=take_up, cause=cause)
    project.recent[action] = [*window, [world.now(), float(len(server_ids))]]
    return job


def _room(world: World, project: Project, action: str, count: int) -> list[list[float]]:
    """Return the batches of the last minute; refused (Common.1503) if this one would be too much."""
    window = [entry for entry in project.recent.get(action, []) if entry[0] > world.now() - WINDOW_SECONDS]
    if count <= commands.MAX_BATCH < sum(entry[1] for entry in window) + count:
        raise Refusal(
            "Common.1503", f"Api flow control Error because more than {commands.MAX_BATCH} servers would {action} within a minute."
        )
    return window


def _settled(vm_state: str) -> engine.Effect:
    """Return the effect that ends a command in a state."""

    def effect(world: World, project: Project, _: Job, part: Part) -> None:
        server = project.servers[part.server_id]
        if vm_state == "active" and server.vm_state != "active":
            server.launched = world.now()
        world.touch(server, vm_state=vm_state)

    return effect


def _gave_up(world: World, project: Project, _: Job, part: Part) -> None:
    """The command failed: the server stays as it was."""
    world.touch(project.servers[part.server_id])


def _rebooting(_: World, project: Project, __: Job, part: Part) -> None:
    project.servers[part.server_id].task_state = "reboot_started_hard" if part.params["hard"] else "reboot_started"


def _work(action: str, vm_state: str) -> engine.Work:
    return engine.Work(
        job_type=f"{action}Server",
        part_type=f"{action}SingleServer",
        duration=f"{action}_server",
        succeed=_settled(vm_state),
        fail=_gave_up,
    )


WORKS = MappingProxyType(
    {"start": _work("start", "active"), "stop": _work("stop", "stopped"), "reboot": replace(_work("reboot", "active"), begin=_rebooting)}
)


def set_lock(world: World, project: Project, server: Server, *, locked: bool, cause: Cause) -> None:
    """Lock or unlock a server, in any state."""
    server.locked = locked
    server.updated = world.now()
    world.record(project, server, "lock" if locked else "unlock", cause)
