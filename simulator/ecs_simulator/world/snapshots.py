"""Snapshots of volumes (ECS API reference 11.6; states as Cinder has them)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import engine, volumes
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal, invalid
from ecs_simulator.world.resources import Snapshot

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

RESERVED_PREFIX = "autobk_snapshot"
"""Names of snapshots that backups make (11.6.1)."""
_DELETABLE = frozenset({"available", "error"})


def snapshot(project: Project, snapshot_id: str) -> Snapshot:
    """Return a snapshot; Absent if there is none of this id."""
    found = project.snapshots.get(snapshot_id)
    if found is None:
        raise Absent("snapshot", snapshot_id, code="Ecs.0103")
    return found


def create(world: World, project: Project, *, volume_id: str, name: str, description: str | None, force: bool, cause: Cause) -> Snapshot:
    """Start making a snapshot of an available volume; with ``force`` also of one that is in use."""
    project.require_unfrozen()
    source = volumes.volume(project, volume_id)
    if source.status != "available" and not (force and source.status == "in-use"):
        raise invalid(f"The volume {source.id} is {source.status}; it must be available, or in-use with force.")
    limit, have = project.quota.snapshots, len(project.snapshots)
    if 0 <= limit < have + 1:
        raise Refusal("Ecs.0021", f"The quota of snapshots is reached: {have} of {limit}.")
    made = Snapshot(id=world.ids.uuid(), volume_id=source.id, name=name, size=source.size, created=world.now(), description=description)
    project.snapshots[made.id] = made
    world.record_resource(project, "create", "snapshot", made.id, cause, name=name)
    engine.submit(world, project, CREATE, [_part(world, made)], is_batch=False, cause=cause)
    return made


def delete(world: World, project: Project, found: Snapshot, *, cause: Cause) -> None:
    """Start deleting a snapshot. Volumes made of it stay."""
    if found.status not in _DELETABLE:
        raise invalid(f"The snapshot {found.id} is {found.status}; only one that is available or in error can be deleted.")
    found.status = "deleting"
    world.record_resource(project, "delete-requested", "snapshot", found.id, cause, name=found.name)
    engine.submit(world, project, DELETE, [_part(world, found)], is_batch=False, cause=cause)


def _part(world: World, subject: Snapshot) -> Part:
    return Part(id=world.ids.job(), server_id="", begin=world.now(), params={"snapshot_id": subject.id})


def _made(_: World, project: Project, __: Job, part: Part) -> None:
    project.snapshots[part.params["snapshot_id"]].status = "available"


def _not_made(_: World, project: Project, __: Job, part: Part) -> None:
    project.snapshots[part.params["snapshot_id"]].status = "error"


def _deleted(world: World, project: Project, job: Job, part: Part) -> None:
    gone = project.snapshots.pop(part.params["snapshot_id"])
    world.record_resource(project, "delete", "snapshot", gone.id, job.cause, name=gone.name)


def _not_deleted(_: World, project: Project, __: Job, part: Part) -> None:
    project.snapshots[part.params["snapshot_id"]].status = "error_deleting"


CREATE = engine.work_on("snapshot", "create", succeed=_made, fail=_not_made)
DELETE = engine.work_on("snapshot", "delete", succeed=_deleted, fail=_not_deleted)
