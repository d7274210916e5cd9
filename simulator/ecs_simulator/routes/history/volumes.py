"""ECS API reference 11.4: volumes. Nova took these away after microversion 2.35."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import queries, stamps
from ecs_simulator.routes.answering import until
from ecs_simulator.world.refusal import Absent
from ecs_simulator.world.resources import Volume

_VOLUMES = "/v2.1/{project_id}/os-volumes"
_LAST = (2, 35)


def list_volumes(call: Call) -> Reply:
    """11.4.1 and 11.4.2, which answer the same. ``limit`` and ``offset`` as in Nova."""
    volumes = list(call.project.volumes.values())
    offset, limit = queries.whole(call, "offset", 0), queries.whole(call, "limit", queries.MAX_LIMIT)
    return Reply(200, {"volumes": [_row(volume) for volume in volumes[offset : offset + min(limit, queries.MAX_LIMIT)]]})


def show_volume(call: Call) -> Reply:
    """11.4.3."""
    volume = call.project.volumes.get(call.path["volume_id"])
    if volume is None:
        raise Absent("volume", call.path["volume_id"], code="Ecs.0103")
    return Reply(200, {"volume": _row(volume)})


def _row(volume: Volume) -> dict[str, Any]:
    attachment = volume.attachment
    attachments = (
        [{"id": volume.id, "volumeId": volume.id, "serverId": attachment.server_id, "device": attachment.device}]
        if attachment is not None
        else []
    )
    return {
        "id": volume.id,
        "displayName": volume.name,
        "displayDescription": volume.description,
        "status": volume.status,
        "size": volume.size,
        "volumeType": volume.type,
        "availabilityZone": volume.zone,
        "createdAt": stamps.microseconds(volume.created),
        "snapshotId": None,
        "metadata": dict(volume.metadata),
        "attachments": attachments,
    }


OPERATIONS = (
    Operation("11.4.1", "listVolumes", "GET", _VOLUMES, until(_LAST, list_volumes)),
    Operation("11.4.2", "listVolumesDetails", "GET", f"{_VOLUMES}/detail", until(_LAST, list_volumes)),
    Operation("11.4.3", "showVolume", "GET", f"{_VOLUMES}/{{volume_id}}", until(_LAST, show_volume)),
)
