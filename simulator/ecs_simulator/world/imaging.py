"""Making an image of a server (ECS API reference 6.3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecs_simulator.world import commands, engine, system_disks
from ecs_simulator.world.catalog import Image
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.resources import Server, Snapshot

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

_STATES = frozenset({"active", "stopped"})


def create_image(world: World, project: Project, server: Server, *, name: str, metadata: Mapping[str, str], cause: Cause) -> Image:
    """Start making a private image of a server's system disk, by way of a snapshot that outlives the image.

    The server goes on as it is, and, as in Nova, a lock does not matter. Refused: another state (Ecs.0100), a busy server (Ecs.0603), no
    system disk (Ecs.0105), too many snapshots (Ecs.0021).
    """
    project.require_unfrozen()
    commands.require_idle(server, "createImage")
    commands.require_state(server, "createImage", _STATES)
    disk = system_disks.need(project, server)
    if 0 <= project.quota.snapshots <= len(project.snapshots):
        raise Refusal("Ecs.0021", f"The snapshot quota is exceeded: {len(project.snapshots)} of {project.quota.snapshots}.")
    now = world.now()
    snapshot = Snapshot(id=world.ids.uuid(), volume_id=disk.id, name=f"snapshot for {name}", size=disk.size, created=now)
    source = world.images.get(server.image_id)
    image = Image(
        id=world.ids.uuid(),
        name=name,
        os_type=source.os_type if source is not None else server.metadata.get("os_type", "Linux"),
        min_disk=disk.size,
        min_ram=source.min_ram if source is not None else 0,
        size=disk.size * 1024**3,
        status="queued",
        created=now,
        updated=now,
        project_id=project.id,
        server_id=server.id,
        zone=server.zone,
        cloud_init=source is None or source.cloud_init,
    )
    inherited = source.metadata if source is not None else {"__os_type": image.os_type}
    image.metadata = {**inherited, **metadata, **_properties(world, server, cause)}
    project.snapshots[snapshot.id] = snapshot
    world.images[image.id] = image
    world.record(project, server, "create-image", cause, image=image.id)
    world.record_resource(project, "create", "image", image.id, cause, name=name, server=server)
    world.record_resource(project, "create", "snapshot", snapshot.id, cause, name=snapshot.name, server=server)
    # On no server's behalf: it stays free for other commands, and the image is made even if the server is deleted meanwhile.
    part = Part(id=world.ids.job(), server_id="", begin=now, params={"image_id": image.id, "snapshot_id": snapshot.id})
    engine.submit(world, project, CREATE_IMAGE, [part], is_batch=False, cause=cause)
    return image


def _properties(world: World, server: Server, cause: Cause) -> dict[str, str]:
    """Return what an image says about the server it was made of, as in the example of 11.2.2."""
    flavor = world.flavors[server.flavor_id]
    return {
        "image_type": "snapshot",
        "image_location": "snapshot",
        "base_image_ref": server.image_id,
        "instance_uuid": server.id,
        "instance_type_flavorid": flavor.id,
        "instance_type_name": flavor.id,
        "instance_type_memory_mb": str(flavor.ram),
        "instance_type_vcpus": str(flavor.vcpus),
        "owner_id": server.project_id,
        "user_id": cause.user_id,
    }


def _saving(world: World, _: Project, __: Job, part: Part) -> None:
    image = world.images.get(part.params["image_id"])
    if image is not None:
        image.status = "saving"


def _saved(world: World, project: Project, _: Job, part: Part) -> None:
    """Both are there now, unless somebody deleted one of them meanwhile."""
    image, snapshot = world.images.get(part.params["image_id"]), project.snapshots.get(part.params["snapshot_id"])
    if image is not None:
        image.status = "active"
        image.updated = world.now()
        image.metadata = {**image.metadata, "image_state": "available"}
    if snapshot is not None:
        snapshot.status = "available"


def _not_saved(world: World, project: Project, job: Job, part: Part) -> None:
    """Neither is left behind."""
    image, snapshot = world.images.pop(part.params["image_id"], None), project.snapshots.pop(part.params["snapshot_id"], None)
    if image is not None:
        world.record_resource(project, "delete", "image", image.id, job.cause, name=image.name)
    if snapshot is not None:
        world.record_resource(project, "delete", "snapshot", snapshot.id, job.cause, name=snapshot.name)


CREATE_IMAGE = engine.Work(
    job_type="createImage",
    part_type="createImage",
    duration="create_image",
    begin=_saving,
    succeed=_saved,
    fail=_not_saved,
)
