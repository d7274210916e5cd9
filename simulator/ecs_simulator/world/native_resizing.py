"""The native resize, which waits for its confirmation or goes back (ECS API reference 6.3.8 to 6.3.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import commands, engine, resizing
from ecs_simulator.world.jobs import Failure, Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

_STATES = frozenset({"active", "stopped"})
_RESIZED = frozenset({"resized"})


def resize(world: World, project: Project, server: Server, flavor_id: str, *, cause: Cause) -> None:
    """Start giving a server another flavor. A running one is shut down first; where the flavor is sold out it comes back by itself."""
    project.require_unfrozen()
    commands.admit(server, "resize", _STATES)
    flavor = resizing.fitting(world, server, flavor_id)
    resizing.require_quota(world, project, server, flavor)
    server.resumes_as = server.vm_state
    if server.vm_state == "active":
        server.task_state = "powering-off"
        world.touch(server, vm_state="stopped")
    server.target_flavor_id = flavor.id
    server.task_state = "resize_prep"
    world.record(project, server, "resize", cause, flavor=flavor.id)
    part = commands.new_part(world, server)
    if not flavor.is_sold_in(server.zone):
        part.failure = Failure(code="Ecs.0319", reason=resizing.sold_out(flavor, server))
    engine.submit(world, project, RESIZE, [part], is_batch=False, cause=cause)


def confirm(world: World, project: Project, server: Server, *, cause: Cause) -> None:
    """Let a resized server keep its new flavor; it runs again if it ran before."""
    commands.admit(server, "confirmResize", _RESIZED)
    world.record(project, server, "confirm-resize", cause, flavor=server.flavor_id)
    settle(world, server)


def revert(world: World, project: Project, server: Server, *, cause: Cause) -> None:
    """Start giving a resized server its former flavor back."""
    commands.admit(server, "revertResize", _RESIZED)
    server.task_state = "resize_reverting"
    world.record(project, server, "revert-resize", cause, flavor=server.previous_flavor_id)
    engine.submit(world, project, REVERT, [commands.new_part(world, server)], is_batch=False, cause=cause)


def settle(world: World, server: Server) -> None:
    """End the wait for a confirmation at once, if there is one: who deletes a resized server confirms it too, as in Nova."""
    if server.vm_state != "resized":
        return
    server.previous_flavor_id = None
    _resume(world, server)


def _resume(world: World, server: Server) -> None:
    """Let a server be again what it was before: running or stopped."""
    state = server.resumes_as or "stopped"
    server.resumes_as = ""
    if state == "active":
        server.launched = world.now()
    world.touch(server, vm_state=state)


def _resized(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    server.previous_flavor_id = server.flavor_id
    resizing.take_over(server, server.target_flavor_id or server.flavor_id)
    world.touch(server, vm_state="resized")


def _rolled_back(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    server.target_flavor_id = None
    _resume(world, server)


def _reverted(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    resizing.take_over(server, server.previous_flavor_id or server.flavor_id)
    server.previous_flavor_id = None
    _resume(world, server)


def _still_resized(world: World, project: Project, _: Job, part: Part) -> None:
    world.touch(project.servers[part.server_id])


RESIZE = engine.Work(
    job_type="nativeResizeServer",
    part_type="nativeResizeServer",
    duration="resize_server",
    begin=resizing.migrating,
    show=resizing.finishing,
    succeed=_resized,
    fail=_rolled_back,
)
REVERT = engine.Work(
    job_type="revertResizeServer",
    part_type="revertResizeServer",
    duration="resize_server",
    succeed=_reverted,
    fail=_still_resized,
)
