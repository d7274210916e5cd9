"""ECS API reference 6.8: volume attachments, native. Both those that are there and those being made are shown."""

from __future__ import annotations

import re

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes import queries
from ecs_simulator.routes.answering import cause_of, nova, since
from ecs_simulator.routes.attachment_rows import attachment_row
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import attaching, visibility, volumes
from ecs_simulator.world.attaching import DeviceInUse
from ecs_simulator.world.refusal import Absent, invalid
from ecs_simulator.world.resources import Server, Volume

_PATH = "/v2.1/{project_id}/servers/{server_id}/os-volume_attachments"
_ATTACHMENT = f"{_PATH}/{{volume_id}}"
_DEVICE = re.compile(r"/dev/x?[a-z]?d?[a-z]+[0-9]*")


def list_attachments(call: Call) -> Reply:
    """6.8.1. ``limit`` and ``offset`` as in Nova."""
    rows = [attachment_row(volume) for volume in attaching.volumes_of(call.project, _shown(call))]
    offset, limit = queries.whole(call, "offset", 0), queries.whole(call, "limit", queries.MAX_LIMIT)
    return Reply(200, {"volumeAttachments": rows[offset : offset + min(limit, queries.MAX_LIMIT)]})


def show_attachment(call: Call) -> Reply:
    """6.8.2."""
    return Reply(200, {"volumeAttachment": attachment_row(_attached(call))})


def attach_volume(call: Call) -> Reply:
    """6.8.3. The device is told at once, the volume is attached a while later."""
    wanted = Fields.of(call.body, "volumeAttachment")
    wanted.only({"volumeId", "device", "tag"} if since(call, 49) else {"volumeId", "device"})
    volume_id, device = wanted.need_text("volumeId"), wanted.text("device")
    _shown(call)
    server, volume = call.project.server(call.path["server_id"]), volumes.volume(call.project, volume_id)
    _require_device(wanted, volume, device)
    try:
        attaching.attach(call.world, call.project, server, volume_id, device=device, cause=cause_of(call))
    except DeviceInUse as refusal:
        raise ApiError(409, refusal.code, refusal.message, nova=True) from None
    return Reply(200, {"volumeAttachment": attachment_row(volume)})


def _require_device(wanted: Fields, volume: Volume, device: str | None) -> None:
    """Refuse a device that this section does not allow: a bootable volume needs one, VBD disks end at /dev/vdx."""
    if device is None:
        if volume.bootable:
            raise wanted.bad("device", "is missing: a bootable volume needs one")
        return
    if not _DEVICE.fullmatch(device) or len(device) > 255:
        raise wanted.bad("device", "is no device such as /dev/vdb")
    letters = re.sub(r"^/dev/(?:x?vd|sd)", "", device)
    if not volume.scsi and (len(letters) > 1 or letters > attaching.MAX_LETTER):
        raise wanted.bad("device", f"must be within /dev/vdb and /dev/vd{attaching.MAX_LETTER}")


def detach_volume(call: Call) -> Reply:
    """6.8.4."""
    flag = queries.first(call, "delete_flag") or "0"
    if flag not in {"0", "1"}:
        raise invalid("delete_flag must be 0 or 1")
    volume = _attached(call)
    server = call.project.server(call.path["server_id"])
    attaching.detach(call.world, call.project, server, volume.id, force=flag == "1", cause=cause_of(call))
    return Reply(202)


def _shown(call: Call) -> Server:
    return visibility.shown(call.world, call.project, call.path["server_id"])


def _attached(call: Call) -> Volume:
    volume_id = call.path["volume_id"]
    volume = next((each for each in attaching.volumes_of(call.project, _shown(call)) if each.id == volume_id), None)
    if volume is None:
        raise Absent("volume attachment", volume_id, code="Ecs.0111")
    return volume


OPERATIONS = (
    Operation("6.8.1", "listVolumeAttachments", "GET", _PATH, nova(list_attachments)),
    Operation("6.8.2", "showVolumeAttachment", "GET", _ATTACHMENT, nova(show_attachment)),
    Operation("6.8.3", "createVolumeAttachment", "POST", _PATH, nova(attach_volume)),
    Operation("6.8.4", "deleteVolumeAttachment", "DELETE", _ATTACHMENT, nova(detach_volume)),
)
