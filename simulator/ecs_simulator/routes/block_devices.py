"""The disks of a server that is created natively: ``block_device_mapping_v2`` (ECS API reference, table 6-13) and the image."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecs_simulator.call import Call
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.references import last_segment
from ecs_simulator.world.refusal import invalid
from ecs_simulator.world.resources import Volume
from ecs_simulator.world.wishes import VolumeWish

SOURCES = ("volume", "image", "snapshot", "blank")
MAX_DATA_SIZE = 32768


@dataclass(frozen=True, slots=True)
class Disks:
    """The disks that are wanted. ``image_id`` is what runs, empty if that is unknown; ``zone`` is where existing disks are."""

    root: VolumeWish
    data: tuple[VolumeWish, ...]
    image_id: str
    zone: str | None


@dataclass(frozen=True, slots=True)
class _Device:
    """One entry: the disk, whether the server boots from it, what is installed on it, and where it is already."""

    disk: VolumeWish
    boots: bool
    image_id: str
    zone: str | None
    is_local: bool


def read_disks(call: Call, server: Fields) -> Disks:
    """Return the disks. Without an entry to boot from, the image gets a system disk of its own, which goes with the server."""
    reference = server.text("imageRef")
    image_id = last_segment(reference) if reference is not None else ""
    devices = [_device(call, item, image_id) for item in server.parts("block_device_mapping_v2")]
    boots = [device for device in devices if device.boots]
    if len(boots) > 1:
        raise invalid("Block Device Mapping is Invalid: there is more than one device with boot_index 0.")
    if not boots and not image_id:
        raise invalid(
            "Block Device Mapping is Invalid: Boot sequence for the instance and image/block device mapping combination is not valid."
        )
    boot = boots[0] if boots else None
    of_its_own = VolumeWish(type=call.world.disk_types[0], goes=True, place="server.imageRef")
    existing = [disk.volume_id for disk in (device.disk for device in devices) if disk.volume_id is not None]
    if len(set(existing)) < len(existing):
        raise invalid("Block Device Mapping is Invalid: a volume is wanted twice.")
    return Disks(
        root=of_its_own if boot is None or boot.is_local else boot.disk,
        data=tuple(_data(device) for device in devices if not device.boots),
        image_id=(boot.image_id if boot is not None and not boot.is_local else image_id) or image_id,
        zone=next((device.zone for device in (*boots, *devices) if device.zone is not None), None),
    )


def _device(call: Call, item: Fields, image_id: str) -> _Device:
    source = item.choice("source_type", SOURCES)
    if source is None:
        raise item.bad("source_type", "is missing")
    boots = item.integer("boot_index", -1, 2**31) == 0
    is_local = item.choice("destination_type", ("volume", "local")) == "local"
    item.text("device_name")
    identity = item.text("uuid")
    if identity is None and source != "blank":
        raise item.bad("uuid", f"is needed for source_type {source}")
    if is_local:
        # Clients put the image itself in front of the other disks this way; a local disk for anything else there is none.
        if source != "image" or not boots or (image_id and identity != image_id):
            raise item.bad("destination_type", "must be volume")
        return _Device(disk=VolumeWish(type=""), boots=True, image_id=identity or "", zone=None, is_local=True)
    if boots and source == "blank":
        raise item.bad("boot_index", "must not be 0 for a blank disk")
    if boots and source == "image" and image_id and identity != image_id:
        raise item.bad("uuid", "is another image than imageRef")
    disk = VolumeWish(
        type=item.text("volume_type") or call.world.disk_types[0],
        size=item.integer("volume_size", 1, MAX_DATA_SIZE),
        goes=bool(item.flag("delete_on_termination")),
        place=item.where,
    )
    return _of_source(call, item, disk, source=source, identity=identity or "", boots=boots)


def _of_source(call: Call, item: Fields, disk: VolumeWish, *, source: str, identity: str, boots: bool) -> _Device:
    if source == "volume":
        volume = call.project.volumes.get(identity)
        if boots and volume is not None:
            _require_bootable(item, volume)
        return _Device(
            disk=replace(disk, volume_id=identity, size=None),
            boots=boots,
            image_id=(volume.image_id or "") if volume is not None else "",
            zone=volume.zone if volume is not None else None,
            is_local=False,
        )
    if source == "snapshot":
        snapshot = call.project.snapshots.get(identity)
        origin = call.project.volumes[snapshot.volume_id] if snapshot is not None else None
        if boots and origin is not None:
            _require_bootable(item, origin)
        kind = item.text("volume_type") or (origin.type if origin is not None else disk.type)
        return _Device(
            disk=replace(disk, snapshot_id=identity, type=kind, size=disk.size or (snapshot.size if snapshot is not None else None)),
            boots=boots,
            image_id=(origin.image_id or "") if origin is not None else "",
            zone=origin.zone if origin is not None else None,
            is_local=False,
        )
    if disk.size is None:
        raise item.bad("volume_size", f"is needed for source_type {source}")
    image_id = last_segment(identity) if source == "image" else ""
    return _Device(disk=disk, boots=boots, image_id=image_id, zone=None, is_local=False)


def _data(device: _Device) -> VolumeWish:
    """Return a data disk; one of an image is filled from it."""
    disk = device.disk
    is_filled = device.image_id and disk.volume_id is None and disk.snapshot_id is None
    return replace(disk, image_id=device.image_id) if is_filled else disk


def _require_bootable(item: Fields, volume: Volume) -> None:
    if not volume.bootable:
        raise item.bad("uuid", f"Block Device {volume.id} is not bootable.")
