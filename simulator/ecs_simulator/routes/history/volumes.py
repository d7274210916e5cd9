"""ECS API reference 11.4: volumes. Nova took these away after microversion 2.35."""

from __future__ import annotations

import re
from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import links, queries, stamps
from ecs_simulator.routes.answering import cause_of, until
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.pairs import read_pairs
from ecs_simulator.world import volumes
from ecs_simulator.world.resources import Volume
from ecs_simulator.world.volumes import VolumeOrder

_VOLUMES = "/v2.1/{project_id}/os-volumes"
_VOLUME = f"{_VOLUMES}/{{volume_id}}"
_LAST = (2, 35)
_MAX_TEXT = 255
_ANY_KEY = re.compile(r"(?s).{1,255}")
# imageRef is Cinder's; the reference leaves it out.
_FIELDS = frozenset(
    {"availability_zone", "display_description", "snapshot_id", "size", "display_name", "volume_type", "metadata", "imageRef"}
)


def list_volumes(call: Call) -> Reply:
    """11.4.1 and 11.4.2, which answer the same. ``limit`` and ``offset`` as in Nova."""
    found = list(call.project.volumes.values())
    offset, limit = queries.whole(call, "offset", 0), queries.whole(call, "limit", queries.MAX_LIMIT)
    return Reply(200, {"volumes": [_row(volume) for volume in found[offset : offset + min(limit, queries.MAX_LIMIT)]]})


def show_volume(call: Call) -> Reply:
    """11.4.3."""
    return Reply(200, {"volume": _row(volumes.volume(call.project, call.path["volume_id"]))})


def create_volume(call: Call) -> Reply:
    """11.4.4. A new volume shows one empty attachment, as in the example."""
    wanted = Fields.of(call.body, "volume")
    wanted.only(_FIELDS)
    for field in ("display_name", "display_description"):
        if len(wanted.text(field) or "") > _MAX_TEXT:
            raise wanted.bad(field, f"is longer than {_MAX_TEXT} characters")
    order = VolumeOrder(
        size=wanted.integer("size", 1, volumes.MAX_SIZE),
        type=wanted.text("volume_type"),
        zone=wanted.text("availability_zone"),
        name=wanted.text("display_name") or "",
        description=wanted.text("display_description"),
        snapshot_id=wanted.text("snapshot_id"),
        image_id=wanted.text("imageRef"),
        metadata=read_pairs(wanted.data.get("metadata"), where=wanted.place("metadata"), key=_ANY_KEY),
    )
    made = volumes.create(call.world, call.project, order, cause=cause_of(call))
    location = f"{links.native(call)}/os-volumes/{made.id}"
    return Reply(200, {"volume": {**_row(made), "attachments": [{}]}}, {"Location": location})


def delete_volume(call: Call) -> Reply:
    """11.4.5."""
    volumes.delete(call.world, call.project, volumes.volume(call.project, call.path["volume_id"]), cause=cause_of(call))
    return Reply(202)


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
        "snapshotId": volume.snapshot_id,
        "metadata": dict(volume.metadata),
        "attachments": attachments,
    }


OPERATIONS = (
    Operation("11.4.1", "listVolumes", "GET", _VOLUMES, until(_LAST, list_volumes)),
    Operation("11.4.2", "listVolumesDetails", "GET", f"{_VOLUMES}/detail", until(_LAST, list_volumes)),
    Operation("11.4.3", "showVolume", "GET", _VOLUME, until(_LAST, show_volume)),
    Operation("11.4.4", "createVolume", "POST", _VOLUMES, until(_LAST, create_volume)),
    Operation("11.4.5", "deleteVolume", "DELETE", _VOLUME, until(_LAST, delete_volume)),
)
