"""Installing a server anew: reinstalling, changing the system, and the native rebuild (ECS API reference 5.2.1, 5.2.2, 6.3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ecs_simulator.world import commands, engine, images, initial_passwords, system_disks, volumes
from ecs_simulator.world.catalog import Image
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import invalid
from ecs_simulator.world.resources import Fault, Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

_STOPPED = frozenset({"stopped"})
_REBUILDABLE = frozenset({"active", "stopped"})
_REINSTALL, _CHANGE = "reinstall", "change-image"
# After whose failure a server in ERROR may be installed again.
_AFTER = {_REINSTALL: frozenset({_REINSTALL}), _CHANGE: frozenset({_REINSTALL, _CHANGE})}
_OWN_PAIRS = frozenset(
    {
        "charging_mode",
        "vpc_id",
        "EcmResStatus",
        "metering.image_id",
        "metering.imagetype",
        "metering.resourcecode",
        "metering.resourcetype",
        "image_name",
        "os_bit",
        "os_type",
    }
)
"""The cloud's own pairs of table 8-17: who replaces a server's metadata by rebuilding it does not lose them."""


@dataclass(frozen=True, slots=True)
class Access:
    """How one gets into the new system: a key pair of a user, without one by password; and what is injected."""

    key_name: str | None
    user_id: str
    user_data: str | None = field(default=None, repr=False)


def reinstall(world: World, project: Project, server: Server, access: Access, *, cause: Cause) -> Job:
    """Start putting a server's own image on a new system disk (5.2.1)."""
    return _install(world, project, server, server.image_id, access, action=_REINSTALL, cause=cause)


def change(world: World, project: Project, server: Server, image_id: str, access: Access, *, cause: Cause) -> Job:
    """Start putting another image on a new system disk (5.2.2)."""
    return _install(world, project, server, image_id, access, action=_CHANGE, cause=cause)


def _install(world: World, project: Project, server: Server, image_id: str, access: Access, *, action: str, cause: Cause) -> Job:
    """Start it; refused: a server that neither is stopped nor failed at this before, has no system disk, or an image it cannot have."""
    project.require_unfrozen()
    failed_before = server.vm_state == "error" and server.broken_by in _AFTER[action]
    commands.admit(server, action, commands.ANY_STATE if failed_before else _STOPPED)
    image = _suitable(world, project, server, image_id)
    disk = system_disks.need(project, server)
    if volumes.has_snapshots(project, disk.id):
        # It will stay beside the new one.
        volumes.require_quota(project, count=1, gigabytes=disk.size)
    if not image.cloud_init:
        raise invalid(f"The image {image.id} has neither Cloud-init nor Cloudbase-init.")
    if access.key_name is not None:
        require_key(project, access.key_name, access.user_id)
    server.task_state = "rebuilding"
    world.record(project, server, action, cause, image=image.id)
    part = commands.new_part(world, server)
    # The image may be gone when the job ends: what is needed of it is taken along.
    part.params |= {"image_id": image.id, "pairs": images.system_pairs(image), "key_name": access.key_name, "user_data": access.user_data}
    return engine.submit(world, project, WORKS[action], [part], is_batch=False, cause=cause)


def _suitable(world: World, project: Project, server: Server, image_id: str) -> Image:
    image = images.usable(world, project, image_id, zone=server.zone)
    images.require_fit(image, flavor=world.flavors[server.flavor_id], disk=system_disks.need(project, server))
    return image


def require_key(project: Project, name: str, user_id: str) -> None:
    """Refuse a key pair that is not there for this user (Ecs.0314)."""
    if project.key_pair(user_id, name) is None:
        raise invalid(f"The key pair {name} does not exist.", "Ecs.0314")


def rebuild(
    world: World,
    project: Project,
    server: Server,
    image_id: str,
    *,
    metadata: Mapping[str, str] | None,
    changes: Mapping[str, Any],
    cause: Cause,
) -> None:
    """Start installing an image on the system disk there is (6.3.6). What else is to change, ``changes`` by attribute, changes at once."""
    project.require_unfrozen()
    commands.admit(server, "rebuild", _REBUILDABLE)
    image = _suitable(world, project, server, image_id)
    if changes.get("key_name") is not None:
        require_key(project, changes["key_name"], cause.user_id)
    for name, value in changes.items():
        setattr(server, name, value)
    _run_image(server, image.id, images.system_pairs(image), users=metadata)
    server.task_state = "rebuilding"
    server.updated = world.now()
    world.record(project, server, "rebuild", cause, image=image.id)
    engine.submit(world, project, REBUILD, [commands.new_part(world, server)], is_batch=False, cause=cause)


def _run_image(server: Server, image_id: str, pairs: Mapping[str, str], *, users: Mapping[str, str] | None = None) -> None:
    """Let a server say that it runs an image; ``users`` replace the pairs that are not the cloud's own."""
    kept = server.metadata
    if users is not None:
        kept = {**users, **{key: value for key, value in kept.items() if key in _OWN_PAIRS}}
    server.image_id = image_id
    server.metadata = {**kept, **pairs}


def _preparing(_: World, project: Project, __: Job, part: Part) -> None:
    project.servers[part.server_id].task_state = "rebuild_block_device_mapping"


def _spawning(_: World, project: Project, __: Job, part: Part) -> None:
    project.servers[part.server_id].task_state = "rebuild_spawning"


def _installed(world: World, project: Project, job: Job, part: Part) -> None:
    """Give the server its new disk and image. A password of the former system is worth nothing any more, and no longer shown."""
    server, params = project.servers[part.server_id], part.params
    system_disks.renew(world, project, server, params["image_id"], job.cause)
    users = {key: value for key, value in server.metadata.items() if key != "admin_pass"}
    _run_image(server, params["image_id"], params["pairs"], users=users)
    server.key_name = params["key_name"]
    if params["user_data"] is not None:
        server.user_data = params["user_data"]
    server.broken_by = ""
    initial_passwords.issue(world, project, server)
    server.fault = None
    world.touch(server, vm_state="stopped")


def _rebuilt(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    disk = system_disks.find(project, server)
    if disk is not None:
        disk.image_id = server.image_id
    initial_passwords.issue(world, project, server)
    if server.vm_state == "active":
        server.launched = world.now()
    # Named, because it boots: the console shows it.
    world.touch(server, vm_state=server.vm_state)


def _broken(action: str) -> engine.Effect:
    """Return the effect of a failure: the server is in ERROR, with the disk and the image it had."""

    def effect(world: World, project: Project, job: Job, part: Part) -> None:
        server, failure = project.servers[part.server_id], part.failure
        reason, code = (failure.reason, failure.code) if failure is not None else ("", "")
        server.broken_by = action
        server.fault = Fault(code=500, message=reason, created=world.now())
        world.touch(server, vm_state="error")
        world.record(project, server, "error", job.cause, code=code)

    return effect


def _work(job_type: str, duration: str, action: str, succeed: engine.Effect) -> engine.Work:
    return engine.Work(
        job_type=job_type,
        part_type=job_type,
        duration=duration,
        begin=_preparing,
        show=_spawning,
        succeed=succeed,
        fail=_broken(action),
    )


WORKS = {
    _REINSTALL: _work("reinstallServer", "reinstall_server", _REINSTALL, _installed),
    _CHANGE: _work("changeServerImage", "change_server_image", _CHANGE, _installed),
}
REBUILD = _work("rebuildServer", "rebuild_server", "rebuild", _rebuilt)
