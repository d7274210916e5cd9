"""What stands in the way of attaching or detaching, found out before the cloud is asked, each with the way out. Pure."""

from __future__ import annotations

import re

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import BlockDevice, Server, Volume
from ecs_operator.resources.volume_attachment.steps import GONE_SERVER, MOVING_PAUSE, MOVING_VOLUME, Facts, Hindered, NamedServer, Watch

ATTACHABLE = frozenset({"ACTIVE", "SHUTOFF"})
_PREFIX = re.compile(r"^/dev/(?:sd|vd|xvd)")


def slot_of(device: str) -> str:
    """The letters of a device: the cloud says /dev/vdb or /dev/sdb for the same place, as it likes."""
    return _PREFIX.sub("", device)


def is_system_place(device: str | None) -> bool:
    """The place of the system disk: /dev/vda, on XEN and for SCSI disks /dev/sda (5.6.1)."""
    return device is not None and slot_of(device) == "a"


def to_attach(facts: Facts) -> Watch | Hindered | None:
    """The first thing that stands in the way of attaching."""
    server, volume = facts.server, facts.volume
    return (
        _server_hindrance(facts, server)
        or _volume_hindrance(facts, volume)
        or _zone_hindrance(server, volume)
        or _work_hindrance(facts)
        or _place_hindrance(facts, server)
    )


def to_detach(facts: Facts, server: Server) -> Watch | Hindered | None:
    """The first thing that stands in the way of detaching from a server that is there."""
    if not server.is_settled:
        return Watch(MOVING_PAUSE, f"server {facts.server_id} is busy: {server.task_state}")
    if (busy := _work_hindrance(facts)) is not None:
        return busy
    if facts.is_system_disk and _may_run(facts, server):
        what = f"volume {facts.volume_id} is the system disk of server {facts.server_id}, which {_how_it_runs(facts, server)}"
        way_out = f"{_stop_it(facts)}, or set deletionPolicy: Retain to leave the volume where it is"
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"{what}: {way_out}")
    if server.locked:
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"server {facts.server_id} is locked: unlock it")
    return None


def _server_hindrance(facts: Facts, server: Server | None) -> Watch | Hindered | None:
    server_id = facts.server_id
    if server is None or server.status in GONE_SERVER:
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"server {server_id} does not exist in the project")
    if not server.is_settled or server.status == "BUILD":
        return Watch(MOVING_PAUSE, f"server {server_id} is busy: {server.task_state or 'building'}")
    if server.status not in ATTACHABLE:
        text = f"server {server_id} is {server.status}: a volume can be attached when it is ACTIVE or SHUTOFF"
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, text)
    if server.locked:
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"server {server_id} is locked: unlock it")
    return None


def _volume_hindrance(facts: Facts, volume: Volume | None) -> Watch | Hindered | None:
    volume_id = facts.volume_id
    if volume is None:
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"volume {volume_id} does not exist in the project")
    others = [each for each in volume.server_ids if each != facts.server_id]
    if others:
        text = f"volume {volume_id} is attached to server {', '.join(others)}: it is attached here as soon as it is detached there"
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, text, is_about_volume=True)
    state = volume.status.lower()
    if state in MOVING_VOLUME or facts.server_id in volume.server_ids:
        return Watch(MOVING_PAUSE, f"the volume is {state}")
    if state != "available":
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"volume {volume_id} is in state {state}; it must be available")
    return None


def _zone_hindrance(server: Server | None, volume: Volume | None) -> Hindered | None:
    zones = (server.availability_zone if server else "", volume.availability_zone if volume else "")
    if not all(zones) or zones[0] == zones[1]:
        return None
    return Hindered(Reason.INVALID_CONFIGURATION, f"the server is in zone {zones[0]}, the volume in {zones[1]}: they must be in the same")


def _work_hindrance(facts: Facts) -> Hindered | None:
    named = facts.named
    if named is None or named.work is None:
        return None
    return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"waiting: {busy_text(named)}")


def busy_text(named: NamedServer) -> str:
    """That something else is being done to the server."""
    return f"EcsServer {named.name} is being changed ({named.work}); one operation at a time"


def _place_hindrance(facts: Facts, server: Server | None) -> Hindered | None:
    """The place that the spec wants is free, and can be filled now."""
    if facts.wanted_device is None or server is None:
        return None
    taken = _in_place(facts.wanted_device, facts.devices)
    if taken is not None:
        text = f"device {facts.wanted_device} of server {facts.server_id} is taken by volume {taken.volume_id}"
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"{text}: detach that one, or delete this object and create one with another device")
    if is_system_place(facts.wanted_device) and _may_run(facts, server):
        text = f"a system disk ({facts.wanted_device}) is attached to a stopped server, and server {facts.server_id}"
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"{text} {_how_it_runs(facts, server)}: {_stop_it(facts)}")
    return None


def _in_place(device: str, devices: tuple[BlockDevice, ...]) -> BlockDevice | None:
    slot = slot_of(device)
    return next((each for each in devices if each.device and slot_of(each.device) == slot), None)


def _may_run(facts: Facts, server: Server) -> bool:
    """It runs, or is about to be started because its EcsServer says so."""
    return server.status != "SHUTOFF" or (facts.named is not None and facts.named.wants_power == "Running")


def _how_it_runs(facts: Facts, server: Server) -> str:
    named = facts.named
    if server.status == "SHUTOFF" and named is not None:
        return f"EcsServer {named.name} wants running"
    return f"is {server.status}"


def _stop_it(facts: Facts) -> str:
    named = facts.named
    if named is None or named.is_deleting:
        return "stop the server"
    return f"stop the server (spec.powerState: Stopped of EcsServer {named.name})"
