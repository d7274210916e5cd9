"""ECS API reference 6.8: volume attachments, native. Both those that are there and those being made are shown."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import nova
from ecs_simulator.routes.attachment_rows import attachment_row
from ecs_simulator.world import attaching, visibility
from ecs_simulator.world.refusal import Absent
from ecs_simulator.world.resources import Volume

_PATH = "/v2.1/{project_id}/servers/{server_id}/os-volume_attachments"


def list_attachments(call: Call) -> Reply:
    """6.8.1."""
    return Reply(200, {"volumeAttachments": [attachment_row(volume) for volume in _volumes(call)]})


def show_attachment(call: Call) -> Reply:
    """6.8.2."""
    volume = next((each for each in _volumes(call) if each.id == call.path["volume_id"]), None)
    if volume is None:
        raise Absent("volume attachment", call.path["volume_id"], code="Ecs.0111")
    return Reply(200, {"volumeAttachment": attachment_row(volume)})


def _volumes(call: Call) -> list[Volume]:
    return attaching.volumes_of(call.project, visibility.shown(call.world, call.project, call.path["server_id"]))


OPERATIONS = (
    Operation("6.8.1", "listVolumeAttachments", "GET", _PATH, nova(list_attachments)),
    Operation("6.8.2", "showVolumeAttachment", "GET", f"{_PATH}/{{volume_id}}", nova(show_attachment)),
)
