"""Giving a stopped server another flavor (ECS API reference 5.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import commands, engine
from ecs_simulator.world.catalog import Flavor
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project, Usage
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

_STATES = frozenset({"stopped"})


def check_resize(world: World, project: Project, server: Server, flavor_id: str) -> Flavor:
    """Return the flavor a server may have; refused: unknown, unchanged or sold out flavor, exhausted quota, wrong state."""
    project.require_unfrozen()
    commands.admit(server, "resize", _STATES)
    flavor = world.flavor(flavor_id)
    if flavor.id == server.flavor_id:
        raise Refusal("Ecs.0810", "The ECS flavor is the same as the target flavor.")
    if flavor.sale_status(server.zone) == "sellout":
        raise Refusal("Ecs.0319", f"Insufficient resources for flavor {flavor.id} in {server.zone}. Try another flavor.")
    present = world.flavors[server.flavor_id]
    more = Usage(cores=max(0, flavor.vcpus - present.vcpus), ram=max(0, flavor.ram - present.ram))
    project.require_quota(more, world.flavors)
    return flavor


def resize(world: World, project: Project, server: Server, flavor_id: str, *, cause: Cause) -> Job:
    """Start giving a server another flavor."""
    flavor = check_resize(world, project, server, flavor_id)
    server.target_flavor_id = flavor.id
    server.task_state = "resize_prep"
    world.record(project, server, "resize", cause, flavor=flavor.id)
    return engine.submit(world, project, RESIZE, [commands.new_part(world, server)], is_batch=False, cause=cause)


def _migrating(_: World, project: Project, __: Job, part: Part) -> None:
    project.servers[part.server_id].task_state = "resize_migrating"


def _resized(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    server.flavor_id = server.target_flavor_id or server.flavor_id
    server.target_flavor_id = None
    server.metadata = {**server.metadata, "metering.resourcecode": server.flavor_id}
    world.touch(server)


def _unchanged(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    server.target_flavor_id = None
    world.touch(server)


RESIZE = engine.Work(
    job_type="resizeServer",
    part_type="resizeServer",
    duration="resize_server",
    begin=_migrating,
    show=engine.nothing,
    succeed=_resized,
    fail=_unchanged,
)
