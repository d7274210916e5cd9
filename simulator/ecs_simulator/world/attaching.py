"""Volumes on servers (ECS API reference 5.6.1, 5.6.2, 6.8.3, 6.8.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecs_simulator.world import commands, engine
from ecs_simulator.world.catalog import Flavor
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Attachment, Server, Volume

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

_STATES = frozenset({"active", "stopped", "resized"})
MAX_LETTER = "x"
"""The last device that may be asked for natively is /dev/vdx (6.8.3)."""
_DEVICE = re.compile(r"/dev/(?:vd|sd|xvd)([a-z]{1,2})")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SLOTS = 26 * 27
_XEN = "FusionCompute"


class DeviceInUse(Refusal):
    """The device is taken: natively a conflict."""

    def __init__(self, device: str) -> None:
        super().__init__("Ecs.0005", f"The device {device} is already in use on the ECS.")


def device_name(index: int, prefix: str = "/dev/vd") -> str:
    """Return the device of a slot: 0 is /dev/vda, 26 is /dev/vdaa."""
    return prefix + (_LETTERS[index] if index < 26 else _LETTERS[index // 26 - 1] + _LETTERS[index % 26])


def slot_of(device: str) -> int:
    """Return the slot of a device, the inverse of ``device_name``."""
    letters = device.removeprefix("/dev/").removeprefix("x")[2:]
    return _LETTERS.index(letters[-1]) + (26 * (_LETTERS.index(letters[0]) + 1) if len(letters) > 1 else 0)


def place(
    project: Project,
    server: Server,
    volume: Volume,
    *,
    device: str | None = None,
    prefix: str = "/dev/vd",
    delete_on_termination: bool = False,
) -> None:
    """Put a volume on the device that is wanted, else on the server's next free slot; the first is the system disk's."""
    slot = slot_of(device) if device is not None else _free_slot(project, server, first=not server.volume_ids)
    boot_indexes = {each.attachment.boot_index for each in volumes_of(project, server) if each.attachment is not None}
    volume.attachment = Attachment(
        server_id=server.id,
        device=device or device_name(slot, prefix),
        pci_address=f"0000:{2 + (slot + 1) // 256:02x}:{(slot + 1) % 256:02x}.0",
        boot_index=0 if slot == 0 else next(number for number in range(1, len(boot_indexes) + 2) if number not in boot_indexes),
        delete_on_termination=delete_on_termination,
    )
    server.volume_ids.insert(0 if slot == 0 else len(server.volume_ids), volume.id)


def _free_slot(project: Project, server: Server, *, first: bool) -> int:
    """Return the lowest slot that is free; that of the system disk only with ``first``."""
    taken = _taken(project, server)
    return next(slot for slot in range(0 if first else 1, _SLOTS) if slot not in taken)


def _taken(project: Project, server: Server) -> set[int]:
    """Return the slots in use, and those that a detach by force left unusable (6.8.4)."""
    devices = [each.attachment.device for each in volumes_of(project, server) if each.attachment is not None]
    return {slot_of(device) for device in (*devices, *server.stuck_devices)}


def volumes_of(project: Project, server: Server) -> list[Volume]:
    """Return the volumes on a server, the system disk first. A server that is gone has none."""
    return [project.volumes[volume_id] for volume_id in server.volume_ids if volume_id in project.volumes]


def check_attach(world: World, project: Project, server: Server, volume_id: str, device: str | None) -> tuple[Volume, str]:
    """Return the volume and the device as it will be called; refused with the codes of A.2."""
    _admit(project, server)
    volume = project.volumes.get(volume_id)
    if volume is None:
        raise Refusal("Ecs.0103", f"The disk {volume_id} does not exist.")
    if volume.attachment is not None and volume.attachment.server_id == server.id:
        raise Refusal("Ecs.0057", f"The disk {volume_id} has already been attached to the ECS and you cannot repeatedly attach it.")
    if volume.status != "available":
        raise Refusal("Ecs.0103", f"The disk {volume_id} is {volume.status}; only an available one can be attached.")
    if volume.zone != server.zone:
        raise Refusal("Ecs.0121", f"The disk is in {volume.zone}, the ECS in {server.zone}.")
    name = _wanted_device(world, project, server, device)
    # A system disk that comes back to its place takes none of the data disks' slots.
    if name is None or slot_of(name) > 0:
        _require_slots(world, project, server, 1)
    if name is None:
        home = volume.bootable and 0 not in _taken(project, server)
        name = device_name(_free_slot(project, server, first=home), prefix_of(world, server))
    return volume, name


def check_room(world: World, project: Project, server: Server, count: int) -> None:
    """Refuse so many new data disks for a server that takes no volumes now, or not that many."""
    _admit(project, server)
    _require_slots(world, project, server, count)


def _admit(project: Project, server: Server) -> None:
    project.require_unfrozen()
    commands.admit(server, "attach_volume", _STATES)


def _require_slots(world: World, project: Project, server: Server, count: int) -> None:
    """Refuse more data disks than the flavor takes (Ecs.0104); a detach by force has not freed its slot (6.8.4)."""
    used = sum(slot > 0 for slot in _taken(project, server))
    most = world.flavors[server.flavor_id].max_data_volumes
    if used + count > most:
        raise Refusal("Ecs.0104", f"The ECS has {used} data disks and takes {most}.")


def require_data_disks_fit(project: Project, server: Server, flavor: Flavor) -> None:
    """Refuse a flavor that takes fewer data disks than a server has (Ecs.0042)."""
    used = sum(slot > 0 for slot in _taken(project, server))
    if used > flavor.max_data_volumes:
        raise invalid(f"The ECS has {used} data disks, flavor {flavor.id} takes {flavor.max_data_volumes}.", "Ecs.0042")


def prefix_of(world: World, server: Server) -> str:
    """Return how disks are called: /dev/sd on XEN, /dev/vd on KVM (5.6.1)."""
    return "/dev/sd" if _is_xen(world, server) else "/dev/vd"


def _is_xen(world: World, server: Server) -> bool:
    return world.flavors[server.flavor_id].specs.get("ecs:virtualization_env_types") == _XEN


def _wanted_device(world: World, project: Project, server: Server, device: str | None) -> str | None:
    if not device:
        if _is_xen(world, server):
            raise invalid("volumeAttachment.device is missing: an ECS on XEN needs one")
        return None
    found = _DEVICE.fullmatch(device)
    if found is None:
        raise invalid(f"volumeAttachment.device {device[:64]!r} is not a device such as /dev/vdb")
    # 5.6.1: what begins with /dev/sd is called /dev/vd on a KVM server, and the other way round on XEN.
    name = prefix_of(world, server) + found[1]
    if slot_of(name) in _taken(project, server):
        raise DeviceInUse(name)
    return name


def attach(world: World, project: Project, server: Server, volume_id: str, *, device: str | None, cause: Cause) -> Job:
    """Start attaching a volume."""
    volume, name = check_attach(world, project, server, volume_id, device)
    # A system disk that comes back is one again in every respect: it goes with the server.
    place(project, server, volume, device=name, delete_on_termination=slot_of(name) == 0)
    volume.status = "attaching"
    world.record_attachment(project, server, volume, "attach", cause)
    return engine.submit(world, project, ATTACH, [_part(world, server, volume)], is_batch=False, cause=cause)


def detach(world: World, project: Project, server: Server, volume_id: str, *, force: bool, cause: Cause) -> Job:
    """Start detaching a volume; ``force`` only for data disks (6.8.4), and only for VBD disks of a running KVM server does it matter."""
    commands.admit(server, "detach_volume", _STATES)
    volume = project.volumes.get(volume_id)
    if volume is None or volume.attachment is None or volume.attachment.server_id != server.id:
        raise Refusal("Ecs.0111", f"The EVS disk {volume_id} is not attached to the ECS {server.id}.")
    if volume.attachment.boot_index == 0 and (force or server.vm_state != "stopped"):
        raise Refusal("Ecs.0102", "The system disk can be detached from a stopped ECS only, and not by force.")
    online = server.vm_state != "stopped"
    if online and volume.scsi and _is_windows(world, server):
        raise Refusal("Ecs.0100", f"Cannot detach the SCSI disk {volume_id} from the Windows ECS {server.id} while it runs.")
    volume.status = "detaching"
    world.record_attachment(project, server, volume, "detach", cause)
    part = _part(world, server, volume)
    part.params["stuck"] = force and online and not volume.scsi and not _is_xen(world, server)
    return engine.submit(world, project, DETACH, [part], is_batch=False, cause=cause)


def _is_windows(world: World, server: Server) -> bool:
    image = world.images.get(server.image_id)
    return image is not None and image.os_type == "Windows"


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
    server, volume = project.servers[part.server_id], project.volumes[part.volume_id or ""]
    if part.params.get("stuck") and volume.attachment is not None:
        server.stuck_devices.append(volume.attachment.device)
    release(project, volume)
    world.touch(server)


def _still_attached(world: World, project: Project, job: Job, part: Part) -> None:
    _attached(world, project, job, part)
    server = project.servers[part.server_id]
    world.record_attachment(project, server, project.volumes[part.volume_id or ""], "attach", job.cause)


def _not_attached(world: World, project: Project, job: Job, part: Part) -> None:
    server, volume = project.servers[part.server_id], project.volumes[part.volume_id or ""]
    world.record_attachment(project, server, volume, "detach", job.cause)
    release(project, volume)
    world.touch(server)


ATTACH = engine.work_on("volume", "attach", succeed=_attached, fail=_not_attached)
DETACH = engine.work_on("volume", "detach", succeed=_detached, fail=_still_attached)
