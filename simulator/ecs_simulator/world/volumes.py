"""Volumes on their own, made and deleted without a server (ECS API reference 11.4.4, 11.4.5; states as Cinder has them)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ecs_simulator.world import engine, images
from ecs_simulator.world.jobs import Failure, Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal, invalid
from ecs_simulator.world.resources import Volume

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

MAX_SIZE = 32768
"""GiB, as of a data disk (5.1.1)."""
_DELETABLE = frozenset({"available", "error", "error_restoring", "error_extending"})


@dataclass(frozen=True, slots=True)
class VolumeOrder:
    """A volume to make. ``size`` in GiB, None for that of the snapshot; ``type`` and ``zone`` None let the cloud choose."""

    size: int | None = None
    type: str | None = None
    zone: str | None = None
    name: str = ""
    description: str | None = None
    snapshot_id: str | None = None
    image_id: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def volume(project: Project, volume_id: str) -> Volume:
    """Return a volume; Absent if there is none of this id."""
    found = project.volumes.get(volume_id)
    if found is None:
        raise Absent("volume", volume_id, code="Ecs.0103")
    return found


def require_quota(project: Project, *, count: int, gigabytes: int) -> None:
    """Refuse what the quota of volumes does not allow (Ecs.0021)."""
    have, used = len(project.volumes), sum(each.size for each in project.volumes.values())
    quota = project.quota
    if 0 <= quota.volumes < have + count or 0 <= quota.gigabytes < used + gigabytes:
        raise Refusal("Ecs.0021", f"The EVS disk quota is exceeded: {have} disks with {used} GB are in use.")


def create(world: World, project: Project, order: VolumeOrder, *, cause: Cause) -> Volume:
    """Start making a volume; one in a zone that does not exist comes out in status error (11.4.4)."""
    project.require_unfrozen()
    source = _source(project, order)
    size = _size(world, project, order)
    zone = order.zone or (source.zone if source is not None else world.zones[0])
    if source is not None and zone != source.zone:
        raise invalid(f"volume.availability_zone {zone} is not {source.zone}, where the snapshot is.")
    kind = order.type or (source.type if source is not None else world.disk_types[0])
    world.require_disk_type(kind, zone, place="volume.volume_type")
    require_quota(project, count=1, gigabytes=size)
    made = Volume(
        id=world.ids.uuid(),
        project_id=project.id,
        name=order.name,
        size=size,
        type=kind,
        zone=zone,
        created=world.now(),
        status="creating",
        description=order.description,
        bootable=order.image_id is not None or (source is not None and source.bootable),
        scsi=source is not None and source.scsi,
        snapshot_id=order.snapshot_id,
        image_id=order.image_id or (source.image_id if source is not None else None),
        metadata={**order.metadata, "resourceSpecCode": kind},
    )
    project.volumes[made.id] = made
    world.record_resource(project, "create", "volume", made.id, cause, name=made.name)
    part = Part(id=world.ids.job(), server_id="", begin=world.now(), volume_id=made.id)
    if zone not in world.zones:
        part.failure = Failure(code="Ecs.0203", reason=f"The availability zone {zone} does not exist.")
    engine.submit(world, project, CREATE, [part], is_batch=False, cause=cause)
    return made


def _source(project: Project, order: VolumeOrder) -> Volume | None:
    """Return the volume of the snapshot that is wanted; it lives as long as its snapshots."""
    if order.snapshot_id is None:
        return None
    snapshot = project.snapshots.get(order.snapshot_id)
    if snapshot is None:
        raise Absent("snapshot", order.snapshot_id, code="Ecs.0103")
    if snapshot.status != "available":
        raise invalid(f"volume.snapshot_id: the snapshot {snapshot.id} is {snapshot.status}, not available.")
    if order.image_id is not None:
        raise invalid("volume.snapshot_id and imageRef exclude each other.")
    return volume(project, snapshot.volume_id)


def _size(world: World, project: Project, order: VolumeOrder) -> int:
    least = 1
    if order.snapshot_id is not None:
        least = project.snapshots[order.snapshot_id].size
    elif order.image_id is not None:
        least = max(1, images.usable(world, project, order.image_id, zone=order.zone).min_disk)
    size = order.size if order.size is not None else least if order.snapshot_id is not None else None
    if size is None:
        raise invalid("volume.size is missing")
    if size < least:
        raise invalid(f"volume.size {size} is less than the {least} GB of what it is made from.")
    return size


def delete(world: World, project: Project, found: Volume, *, cause: Cause) -> None:
    """Start deleting a volume that is on no server and has no snapshots (11.4.5)."""
    if found.attachment is not None or found.status not in _DELETABLE:
        raise invalid(f"The volume {found.id} is {found.status}; only one that is {', '.join(sorted(_DELETABLE))} can be deleted.")
    if has_snapshots(project, found.id):
        raise invalid(f"The volume {found.id} has snapshots and cannot be deleted.")
    found.status = "deleting"
    world.record_resource(project, "delete-requested", "volume", found.id, cause, name=found.name)
    part = Part(id=world.ids.job(), server_id="", begin=world.now(), volume_id=found.id)
    engine.submit(world, project, DELETE, [part], is_batch=False, cause=cause)


def has_snapshots(project: Project, volume_id: str) -> bool:
    """Tell whether a volume has snapshots: then it stays."""
    return any(snapshot.volume_id == volume_id for snapshot in project.snapshots.values())


def _made(_: World, project: Project, __: Job, part: Part) -> None:
    project.volumes[part.volume_id or ""].status = "available"


def _not_made(_: World, project: Project, __: Job, part: Part) -> None:
    project.volumes[part.volume_id or ""].status = "error"


def _deleted(world: World, project: Project, job: Job, part: Part) -> None:
    gone = project.volumes.pop(part.volume_id or "")
    world.record_resource(project, "delete", "volume", gone.id, job.cause, name=gone.name)


def _not_deleted(_: World, project: Project, __: Job, part: Part) -> None:
    project.volumes[part.volume_id or ""].status = "error_deleting"


CREATE = engine.work_on("volume", "create", succeed=_made, fail=_not_made)
DELETE = engine.work_on("volume", "delete", succeed=_deleted, fail=_not_deleted)
