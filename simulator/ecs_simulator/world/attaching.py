"""Volumes on servers (ECS API reference 5.6.1, 5.6.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecs_simulator.world import commands, engine
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Attachment, Server, Volume

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

MAX_DATA_VOLUMES = 59
_STATES = frozenset({"active", "stopped"})
_DEVICE = re.compile(r"/dev/(?:vd|sd|xvd)([a-z]{1,2})")


def device_name(index: int) -> str:
    """Return the device of a slot: 0 is /dev/vda, 26 is /dev/vdaa."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "/dev/vd" + (letters[index] if index < 26 else letters[index // 26 - 1] + letters[index % 26])


def place(project: Project, server: Server, volume: Volume, *, device: str | None = None, delete_on_termination: bool = False) -> None:
    """Put a volume on a server's next free slot, or on the device that is wanted."""
    taken = {each.attachment.device: each.attachment for each in volumes_of(project, server) if each.attachment is not None}
    slots = [device_name(index) for index in range(MAX_DATA_VOLUMES + 2)]
    chosen = device or next(slot for slot in slots if slot not in taken and (slot != slots[0] or not server.volume_ids))
    index = slots.index(chosen) if chosen in slots else len(taken)
    boot_indexes = {attachment.boot_index for attachment in taken.values()}
    boot_index = next(number for number in range(len(boot_indexes) + 2) if number not in boot_indexes and (number or not server.volume_ids))
    volume.attachment = Attachment(
        server_id=server.id,
        device=chosen,
        pci_address=f"0000:02:{index + 1:02x}.0",
        boot_index=boot_index,
        delete_on_termination=delete_on_termination,
    )
    server.volume_ids.append(volume.id)


def volumes_of(project: Project, server: Server) -> list[Volume]:
    """Return the volumes on a server, the system disk first. A server that is gone has none."""
    return [project.volumes[volume_id] for volume_id in server.volume_ids if volume_id in project.volumes]


def check_attach(project: Project, server: Server, volume_id: str, device: str | None) -> tuple[Volume, str | None]:
    """Return the volume and the device as it will be called; refused with the codes of A.2."""
    project.require_unfrozen()
    commands.admit(server, "attach_volume", _STATES)
    volume = project.volumes.get(volume_id)
    if volume is None:
        raise Refusal("Ecs.0103", f"The disk {volume_id} does not exist.")
    if volume.attachment is not None and volume.attachment.server_id == server.id:
        raise Refusal("Ecs.0057", f"The disk {volume_id} has already been attached to the ECS and you cannot repeatedly attach it.")
    if volume.status != "available":
        raise Refusal("Ecs.0103", f"The disk {volume_id} is {volume.status}; only an available one can be attached.")
    if volume.zone != server.zone:
        raise Refusal("Ecs.0121", f"The disk is in {volume.zone}, the ECS in {server.zone}.")
    if len(server.volume_ids) > MAX_DATA_VOLUMES:
        raise Refusal("Ecs.0104", f"The ECS has {len(server.volume_ids)} disks and takes no more.")
    return volume, _wanted_device(project, server, device)


def _wanted_device(project: Project, server: Server, device: str | None) -> str | None:
    if not device:
        return None
    found = _DEVICE.fullmatch(device)
    if found is None:
        raise invalid(f"volumeAttachment.device {device} is not a device such as /dev/vdb")
    # 5.6.1: what begins with /dev/sd is called /dev/vd on a KVM server.
    name = f"/dev/vd{found[1]}"
    if name in {each.attachment.device for each in volumes_of(project, server) if each.attachment is not None}:
        raise invalid(f"The device {name} is already in use on the ECS.")
    return name


def attach(world: World, project: Project, server: Server, volume_id: str, *, device: str | None, cause: Cause) -> Job:
    """Start attaching a volume."""
    volume, name = check_attach(project, server, volume_id, device)
    place(project, server, volume, device=name)
    volume.status = "attaching"
    world.record_attachment(project, server, volume, "attach", cause)
    return engine.submit(world, project, ATTACH, [_part(world, server, volume)], is_batch=False, cause=cause)


def detach(world: World, project: Project, server: Server, volume_id: str, *, force: bool, cause: Cause) -> Job:
    """Start detaching a volume; ``force`` only for data disks (6.8.4)."""
    commands.admit(server, "detach_volume", _STATES)
    volume = project.volumes.get(volume_id)
    if volume is None or volume.attachment is None or volume.attachment.server_id != server.id:
        raise Refusal("Ecs.0111", f"The EVS disk {volume_id} is not attached to the ECS {server.id}.")
    if volume.attachment.boot_index == 0 and (force or server.vm_state != "stopped"):
        raise Refusal("Ecs.0102", "The system disk can be detached from a stopped ECS only, and not by force.")
    volume.status = "detaching"
    world.record_attachment(project, server, volume, "detach", cause)
    return engine.submit(world, project, DETACH, [_part(world, server, volume)], is_batch=False, cause=cause)


def release(project: Project, volume: Volume) -> None:
    """Take a volume off whatever it is on."""
    if volume.attachment is not None:
        server = project.servers.get(volume.attachment.server_id)
        if server is not None and volume.id in server.volume_ids:
            server.volume_ids.remove(volume.id)
    volume.attachment = None
    volume.status = "available"


def _part(world: World, server: Server, volume: Volume) -> Part:
    part = commands.new_part(world, server)
    part.volume_id = volume.id
    return part


def _attached(world: World, project: Project, _: Job, part: Part) -> None:
    project.volumes[part.volume_id or ""].status = "in-use"
    world.touch(project.servers[part.server_id])


def _detached(world: World, project: Project, _: Job, part: Part) -> None:
    release(project, project.volumes[part.volume_id or ""])
    world.touch(project.servers[part.server_id])


def _still_attached(world: World, project: Project, job: Job, part: Part) -> None:
    _attached(world, project, job, part)
    server = project.servers[part.server_id]
    world.record_attachment(project, server, project.volumes[part.volume_id or ""], "attach", job.cause)


def _not_attached(world: World, project: Project, job: Job, part: Part) -> None:
    server, volume = project.servers[part.server_id], project.volumes[part.volume_id or ""]
    world.record_attachment(project, server, volume, "detach", job.cause)
    _detached(world, project, job, part)


def _work(action: str, *, succeed: engine.Effect, fail: engine.Effect) -> engine.Work:
    return engine.Work(
        job_type=f"{action}Volume",
        part_type=f"{action}Volume",
        duration=f"{action}_volume",
        begin=engine.nothing,
        show=engine.nothing,
        succeed=succeed,
        fail=fail,
    )


ATTACH = _work("attach", succeed=_attached, fail=_not_attached)
DETACH = _work("detach", succeed=_detached, fail=_still_attached)
