"""What the admin API does by hand, behind everybody's back. LookupError for what does not exist, ValueError for what makes no sense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecs_simulator.world import admission, creation, engine, interfaces, removal
from ecs_simulator.world.jobs import Failure, Order
from ecs_simulator.world.ledger import BY_HAND
from ecs_simulator.world.project import Project
from ecs_simulator.world.resources import Fault, Server
from ecs_simulator.world.wishes import NicWish, ServerWish, VolumeWish
from ecs_simulator.world.works import WORKS

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

LEFTOVERS = ("server", "nothing")
DEEDS = ("error", "stop", "start", "delete")


def set_project(
    world: World, project_id: str, *, quota: Mapping[str, int] | None, frozen: bool | None, suspended_credentials: bool | None
) -> None:
    """Change quota, freeze the account or suspend its credentials. A frozen account's servers say so (table 8-17)."""
    project = world.project(project_id)
    if quota is not None:
        project.quota.change(quota)
    if suspended_credentials is not None:
        project.suspended_credentials = suspended_credentials
    if frozen is not None and frozen != project.frozen:
        project.frozen = frozen
        for server in project.servers.values():
            server.metadata = {**server.metadata, "EcmResStatus": "freeze" if frozen else "normal"}
            server.updated = world.now()


def end_job(world: World, job_id: str, *, code: str | None, reason: str) -> None:
    """End a running job now: badly with a code, well without."""
    job = world.jobs.get(job_id)
    if job is None:
        raise LookupError(f"there is no job {job_id}")
    if job.is_over:
        raise ValueError(f"job {job_id} is over: {job.status}")
    for part in list(job.open_parts()):
        if code is None:
            engine.finish_part(world, WORKS[job.type], job, part)
        else:
            leave = "server" if code in creation.ROLLBACK_FAILED else "nothing"
            engine.fail_part(world, WORKS[job.type], job, part, Failure(code=code, reason=reason, leave=leave))


def order_failure(world: World, project_id: str, *, job_type: str, code: str, reason: str, leave: str) -> None:
    """Let the next job of a type fail when it would have ended."""
    project = world.project(project_id)
    if job_type not in WORKS:
        raise ValueError(f"type must be one of {', '.join(sorted(WORKS))}, not {job_type}")
    if leave not in LEFTOVERS:
        raise ValueError(f"leave must be one of {', '.join(LEFTOVERS)}, not {leave}")
    project.orders.append(Order(job_type=job_type, failure=Failure(code=code, reason=reason, leave=leave)))


def set_server(world: World, server_id: str, do: str) -> None:
    """Change a server at once, whatever runs on it: a job that does ends in failure for this server."""
    if do not in DEEDS:
        raise ValueError(f"do must be one of {', '.join(DEEDS)}, not {do}")
    project, server = _find(world, server_id)
    engine.abandon_parts(world, project, server_id, reason=f"The server was changed by hand: {do}.")
    server.target_flavor_id = server.previous_flavor_id = None
    server.resumes_as = server.broken_by = ""
    server.command = None
    for volume_id in server.volume_ids:
        project.volumes[volume_id].status = "in-use"
    for port in interfaces.of_server(project, server):
        port.attaching = False
    if do == "delete":
        removal.erase(world, project, server, delete_public_ip=None, delete_volume=False, cause=BY_HAND)
        return
    if do == "error":
        server.fault = Fault(code=500, message="The server was put into ERROR by hand.", created=world.now())
    else:
        server.fault = None
    if do == "start":
        server.launched = world.now()
    world.touch(server, vm_state={"error": "error", "stop": "stopped", "start": "active"}[do])
    world.record(project, server, do, BY_HAND)


def put_beside(world: World, server_id: str, other_id: str) -> None:
    """Move a server to the host of another one at once, also where a server group forbids it."""
    project, server = _find(world, server_id)
    _, other = _find(world, other_id)
    server.host = other.host
    world.touch(server)
    world.record(project, server, "migrate", BY_HAND)


def _find(world: World, server_id: str) -> tuple[Project, Server]:
    for project in world.projects.values():
        server = project.servers.get(server_id)
        if server is not None:
            return project, server
    raise LookupError(f"there is no server {server_id}")


def plant_server(world: World, project_id: str, *, name: str, metadata: Mapping[str, str]) -> str:
    """Make a running server of the first flavor that takes the first image, on the first network. Quota does not matter here."""
    project = world.project(project_id)
    network = next(iter(project.networks.values()), None)
    image = next(iter(world.images.values()), None)
    flavor = next((each for each in world.flavors.values() if image is not None and each.ram >= image.min_ram), None)
    if network is None or image is None or flavor is None or network.free < 1:
        raise ValueError(f"project {project_id} has no network with a free address, or the world no flavor for its first image")
    wish = ServerWish(
        name=name,
        image_id=image.id,
        flavor_id=flavor.id,
        vpc_id=network.vpc_id,
        user_id=next(iter(project.users), ""),
        nics=(NicWish(network_id=network.id),),
        root=VolumeWish(type=world.disk_types[0]),
        metadata=dict(metadata),
    )
    plan = admission.Plan(
        wish=wish,
        flavor=flavor,
        image=image,
        zone=world.zones[0],
        security_group_ids=tuple(group.id for group in project.security_groups.values() if group.name == "default")[:1],
        group=None,
    )
    server = creation.build(world, project, plan, name=name, cause=BY_HAND)
    creation.make_ready(world, project, server)
    return server.id


def sell_out(world: World, flavor_id: str, zones: tuple[str, ...]) -> None:
    """Say in which zones a flavor is sold out."""
    flavor = world.flavors.get(flavor_id)
    if flavor is None:
        raise LookupError(f"there is no flavor {flavor_id}")
    unknown = next((zone for zone in zones if zone not in world.zones), None)
    if unknown is not None:
        raise ValueError(f"there is no zone {unknown}; there are {', '.join(world.zones)}")
    flavor.sold_out = list(dict.fromkeys(zones))
