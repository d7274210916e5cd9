"""The system disk of a server, and putting a new one in its place (ECS API reference 5.2.1, 5.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import attaching, volumes
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.resources import Server, Volume

if TYPE_CHECKING:
    from ecs_simulator.world.world import World


def find(project: Project, server: Server) -> Volume | None:
    """Return the system disk; None for a server it was detached from."""
    disks = attaching.volumes_of(project, server)
    return next((disk for disk in disks if disk.attachment is not None and disk.attachment.boot_index == 0), None)


def need(project: Project, server: Server) -> Volume:
    """Return the system disk; refused (Ecs.0105) for a server without one."""
    disk = find(project, server)
    if disk is None:
        raise Refusal("Ecs.0105", f"No system disk found. Attach the system disk to the ECS {server.id} and try again.")
    return disk


def renew(world: World, project: Project, server: Server, image_id: str, cause: Cause) -> None:
    """Take the system disk away and put a new one of the same name, size and type, made of an image, where it was."""
    old = find(project, server)
    if old is None:
        return
    attachment, position = old.attachment, server.volume_ids.index(old.id)
    world.record_attachment(project, server, old, "detach", cause)
    attaching.release(project, old)
    # A volume with snapshots stays (11.4.5).
    if not volumes.has_snapshots(project, old.id):
        del project.volumes[old.id]
        world.record_resource(project, "delete", "volume", old.id, cause, name=old.name, server=server)
    new = Volume(
        id=world.ids.uuid(),
        project_id=project.id,
        name=old.name,
        size=old.size,
        type=old.type,
        zone=old.zone,
        created=world.now(),
        status="in-use",
        bootable=True,
        scsi=old.scsi,
        image_id=image_id,
        metadata=dict(old.metadata),
        attachment=attachment,
    )
    project.volumes[new.id] = new
    server.volume_ids.insert(position, new.id)
    world.record_resource(project, "create", "volume", new.id, cause, name=new.name, server=server)
