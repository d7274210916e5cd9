"""Giving a stopped server another flavor (ECS API reference 5.2.4), and which flavor a server may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import attaching, commands, engine, hosting, images
from ecs_simulator.world.catalog import Flavor
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project, Usage
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

_STATES = frozenset({"stopped"})


def check_resize(world: World, project: Project, server: Server, flavor_id: str, *, dedicated_host_id: str | None = None) -> Flavor:
    """Return the flavor a server may have; refused: wrong state, a flavor that does not fit or is sold out, exhausted quota.

    A dedicated host is for servers that are on one (table 8-9).
    """
    project.require_unfrozen()
    commands.admit(server, "resize", _STATES)
    flavor = fitting(world, server, flavor_id)
    if not flavor.is_sold_in(server.zone):
        raise Refusal("Ecs.0319", sold_out(flavor, server))
    if dedicated_host_id is not None and not hosting.is_dedicated(server):
        raise invalid(f"resize.dedicated_host_id: the ECS {server.id} is on no dedicated host.")
    require_quota(world, project, server, flavor)
    return flavor


def fitting(world: World, server: Server, flavor_id: str) -> Flavor:
    """Return a flavor that suits what a server is made of.

    Refused: an unknown one (Ecs.0029), the present one (Ecs.0810), too little memory for the image (Ecs.0007), too few interfaces
    (Ecs.0050) or data disks (Ecs.0042), one without automatic recovery for a server that is to be recovered (Ecs.0036), and one of another
    ``resource_type`` for a server that was made natively of an image (6.2.1).
    """
    flavor = world.flavor(flavor_id)
    if flavor.id == server.flavor_id:
        raise Refusal("Ecs.0810", "The ECS flavor is the same as the target flavor.")
    image = world.images.get(server.image_id)
    if image is not None:
        images.require_fit(image, flavor=flavor)
    if len(server.port_ids) > flavor.max_nics:
        raise invalid(f"The ECS has {len(server.port_ids)} NICs, flavor {flavor.id} takes {flavor.max_nics}.", "Ecs.0050")
    attaching.require_data_disks_fit(world.projects[server.project_id], server, flavor)
    present = world.flavors[server.flavor_id]
    if server.keeps_resource_type and flavor.specs.get("resource_type") != present.specs.get("resource_type"):
        raise invalid(f"The flavor {flavor.id} is of another resource_type than {present.id}; a server made natively of an image keeps it.")
    if server.auto_recovery and not flavor.recovers:
        raise Refusal("Ecs.0036", f"The flavor {flavor.id} does not support automatic recovery.")
    return flavor


def require_quota(world: World, project: Project, server: Server, flavor: Flavor) -> None:
    """Refuse a flavor that the quota has no room for: while it is resized a server counts with the greater of both."""
    present = world.flavors[server.flavor_id]
    project.require_quota(Usage(cores=max(0, flavor.vcpus - present.vcpus), ram=max(0, flavor.ram - present.ram)), world.flavors)


def sold_out(flavor: Flavor, server: Server) -> str:
    """Say that a flavor is sold out where a server is."""
    return f"Insufficient resources for flavor {flavor.id} in {server.zone}. Try another flavor."


def resize(world: World, project: Project, server: Server, flavor_id: str, *, dedicated_host_id: str | None = None, cause: Cause) -> Job:
    """Start giving a server another flavor, and if one is named, another dedicated host."""
    flavor = check_resize(world, project, server, flavor_id, dedicated_host_id=dedicated_host_id)
    part = commands.new_part(world, server)
    if dedicated_host_id is not None and dedicated_host_id != hosting.wanted(server.hints):
        host = hosting.choose(world, project, server.zone, project.groups.get(server.group_id or ""), dedicated_host_id)
        part.params |= {"host": host, "dedicated_host_id": dedicated_host_id}
    server.target_flavor_id = flavor.id
    server.task_state = "resize_prep"
    world.record(project, server, "resize", cause, flavor=flavor.id)
    return engine.submit(world, project, RESIZE, [part], is_batch=False, cause=cause)


def migrating(_: World, project: Project, __: Job, part: Part) -> None:
    """Show that a server is on its way."""
    project.servers[part.server_id].task_state = "resize_migrating"


def finishing(_: World, project: Project, __: Job, part: Part) -> None:
    """Show that a server has arrived."""
    project.servers[part.server_id].task_state = "resize_finish"


def take_over(server: Server, flavor_id: str) -> None:
    """Let a server have another flavor at once, and its metadata say so."""
    server.flavor_id = flavor_id
    server.target_flavor_id = None
    server.metadata = {**server.metadata, "metering.resourcecode": flavor_id}


def _resized(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    take_over(server, server.target_flavor_id or server.flavor_id)
    if "host" in part.params:
        hosting.move(server, part.params["host"], part.params["dedicated_host_id"])
    world.touch(server)


def _unchanged(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    server.target_flavor_id = None
    world.touch(server)


RESIZE = engine.Work(
    job_type="resizeServer",
    part_type="resizeServer",
    duration="resize_server",
    begin=migrating,
    show=finishing,
    succeed=_resized,
    fail=_unchanged,
)
