"""The disks of a server: which were made with it, and what becomes of each when it goes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ecs_operator.api.server import DataVolume, ServerSpec, Volume
from ecs_operator.cloud import BlockDevice, Server


@dataclass(frozen=True, slots=True)
class VolumeFate:
    """What a delete call must do. ``delete_volume`` of 5.1.2 concerns all attached data disks, so those to keep are detached first."""

    delete_volume: bool
    detach_first: tuple[str, ...] = ()
    needs_devices: bool = False
    """Which disk is which is not known yet: read the block devices first."""


def recorded_at_creation(devices: Sequence[BlockDevice], spec: ServerSpec) -> tuple[Volume, ...]:
    """The disks right after the creation, each with its fate.

    The cloud names no disk of the request: they are told apart by their order (the devices follow the order of ``data_volumes``) and size.
    Where these disagree and the spec wants different fates, a disk is kept: it can be deleted by hand, but not brought back.
    """
    ordered = sorted(devices, key=_by_device)
    root = next((each for each in ordered if each.boot_index == 0), ordered[0] if ordered else None)
    data = [each for each in ordered if each is not root]
    fates = _fates(data, spec.data_volumes)
    return tuple(
        Volume(
            id=each.volume_id,
            device=each.device or None,
            boot_index=each.boot_index,
            size_gib=each.size or None,
            delete_with_server=True if each is root else fates[each.volume_id],
        )
        for each in ordered
    )


def refreshed(recorded: Sequence[Volume], devices: Sequence[BlockDevice]) -> tuple[Volume, ...]:
    """The disks as they are now. Those that came later were attached by somebody: they are not deleted with the server.

    A system disk that came later is one of an installation, and goes with the server like the one before.
    """
    known = {each.id: each for each in recorded}
    return tuple(
        Volume(
            id=each.volume_id,
            device=each.device or None,
            boot_index=each.boot_index,
            size_gib=each.size or None,
            delete_with_server=known[each.volume_id].delete_with_server if each.volume_id in known else each.boot_index == 0,
        )
        for each in sorted(devices, key=_by_device)
    )


def kept(volume_id: str) -> Volume:
    """A disk of which nothing is known: it stays."""
    return Volume(id=volume_id, delete_with_server=False)


def fate(server: Server, recorded: Sequence[Volume], spec: ServerSpec, *, claimed: Collection[str] = ()) -> VolumeFate:
    """What to do about the disks when the server is deleted. ``claimed``: those that EcsVolumeAttachments put on it; they stay.

    A system disk that stays is detached first in any case: the cloud always deletes it with the server.
    """
    attached = [each.id for each in server.volumes]
    takes_disks = any(volume.delete_with_server for volume in spec.data_volumes)
    known = {each.id: each for each in recorded}
    if any(volume_id not in known for volume_id in attached if takes_disks or volume_id in claimed):
        return VolumeFate(delete_volume=False, needs_devices=True)
    system = tuple(each for each in attached if each in claimed and known[each].boot_index == 0)
    if not takes_disks:
        return VolumeFate(delete_volume=False, detach_first=system)
    data = [known[volume_id] for volume_id in attached if known[volume_id].boot_index != 0]
    going = [each for each in data if each.delete_with_server and each.id not in claimed]
    staying = tuple(each.id for each in data if each not in going)
    return VolumeFate(delete_volume=bool(going), detach_first=(*(staying if going else ()), *system))


def _fates(data: Sequence[BlockDevice], wanted: Sequence[DataVolume]) -> dict[str, bool]:
    flags = [bool(each.delete_with_server) for each in wanted]
    fits = len(data) == len(wanted) and all(device.size in {0, volume.size_gib} for device, volume in zip(data, wanted, strict=True))
    if fits:
        return {device.volume_id: flag for device, flag in zip(data, flags, strict=True)}
    everything_goes = bool(flags) and all(flags) and len(data) <= len(wanted)
    return {device.volume_id: everything_goes for device in data}


def _by_device(device: BlockDevice) -> tuple[bool, int, str, str]:
    """The system disk first, then in the order of device names: /dev/vdz comes before /dev/vdaa."""
    return (device.boot_index != 0, len(device.device), device.device, device.volume_id)
