"""ECS API reference 5.6: disks of a server."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import queries
from ecs_simulator.routes.answering import cause_of, ecs, nova
from ecs_simulator.routes.attachment_rows import attachment_row
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import attaching, visibility, volumes
from ecs_simulator.world.refusal import Absent, invalid
from ecs_simulator.world.resources import Server, Volume

_SERVER = "/v1/{project_id}/cloudservers/{server_id}"
_DEVICES = "/v2.1/servers/{server_id}/block_device"


def attach_volume(call: Call) -> Reply:
    """5.6.1. With dry_run the request is only checked; then the volume need not exist yet, if its type is told."""
    server = call.project.server(call.path["server_id"])
    wanted = Fields.of(call.body, "volumeAttachment")
    # The reference prints the name with a small L.
    volume_id = wanted.text("volumeId") or wanted.text("volumeld")
    device = wanted.text("device")
    if Fields(call.body).flag("dry_run"):
        if volume_id is not None:
            attaching.check_attach(call.world, call.project, server, volume_id, device)
        else:
            _check_new(call, server, wanted)
        return Reply(202)
    if volume_id is None:
        raise wanted.bad("volumeId", "is missing")
    job = attaching.attach(call.world, call.project, server, volume_id, device=device, cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


def _check_new(call: Call, server: Server, wanted: Fields) -> None:
    """Check whether so many new volumes of a type could be attached: then type and device type are mandatory (table 5-51)."""
    kind = wanted.need_text("volume_type")
    if wanted.flag("hw:passthrough") is None:
        raise wanted.bad("hw:passthrough", "is missing")
    count = wanted.integer("count", 1, 10**6) or 1
    call.world.require_disk_type(kind, server.zone, place=wanted.place("volume_type"))
    attaching.check_room(call.world, call.project, server, count)
    volumes.require_quota(call.project, count=count, gigabytes=count)


def detach_volume(call: Call) -> Reply:
    """5.6.2."""
    server = call.project.server(call.path["server_id"])
    flag = queries.first(call, "delete_flag") or "0"
    if flag not in {"0", "1"}:
        raise invalid("delete_flag must be 0 or 1")
    job = attaching.detach(call.world, call.project, server, call.path["volume_id"], force=flag == "1", cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


def list_block_devices(call: Call) -> Reply:
    """5.6.3."""
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    return Reply(200, {"volumeAttachments": [_row(volume) for volume in attaching.volumes_of(call.project, server)]})


def show_block_device(call: Call) -> Reply:
    """5.6.4."""
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    volume_id = call.path["volume_id"]
    volume = next((each for each in attaching.volumes_of(call.project, server) if each.id == volume_id), None)
    if volume is None:
        raise Absent("volume", volume_id, code="Ecs.0111")
    return Reply(200, {"volumeAttachment": _row(volume)})


def _row(volume: Volume) -> dict[str, Any]:
    attachment = volume.attachment
    return {
        **attachment_row(volume),
        "pciAddress": attachment.pci_address if attachment is not None else "",
        "bootIndex": attachment.boot_index if attachment is not None else 0,
        "size": volume.size,
        "bus": "scsi" if volume.scsi else "virtio",
    }


OPERATIONS = (
    Operation("5.6.1", "attachVolume", "POST", f"{_SERVER}/attachvolume", ecs(attach_volume)),
    Operation("5.6.2", "detachVolume", "DELETE", f"{_SERVER}/detachvolume/{{volume_id}}", ecs(detach_volume)),
    Operation("5.6.3", "listBlockDevices", "GET", _DEVICES, nova(list_block_devices)),
    Operation("5.6.4", "showBlockDevice", "GET", f"{_DEVICES}/{{volume_id}}", nova(show_block_device)),
)
