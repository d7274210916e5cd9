"""ECS API reference 6.3.6 to 6.3.11: rebuilding, imaging and resizing a server, native; and registering it for monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import links, server_rows
from ecs_simulator.routes.answering import cause_of, ecs, nova, since
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.pairs import NATIVE_KEY, read_pairs
from ecs_simulator.routes.references import last_segment
from ecs_simulator.routes.user_data import read_user_data
from ecs_simulator.world import imaging, native_resizing, recovery, reinstalling

_ACTION = "/v2.1/{project_id}/servers/{server_id}/action"
_MONITOR = "/v1.0/servers/{server_id}/action"
MAX_NAME = 254
MAX_IMAGE_NAME = 242
MAX_PROPERTY = 254
"""Bytes: the reference says less than 255, 243 and 255."""
_MAX_DESCRIPTION = 255
# What Nova takes beside the image, and from which microversion on.
_REBUILD_FIELDS = {
    **dict.fromkeys(
        ("imageRef", "name", "metadata", "adminPass", "OS-DCF:diskConfig", "preserve_ephemeral", "accessIPv4", "accessIPv6"), 1
    ),
    "description": 19,
    "key_name": 54,
    "user_data": 57,
}


def rebuild_server(call: Call) -> Reply:
    """6.3.6. The password in the answer is as good as one that was sent: neither is set."""
    server = call.project.server(call.path["server_id"])
    wanted = Fields.of(call.body, "rebuild")
    wanted.only([name for name, least in _REBUILD_FIELDS.items() if least == 1 or since(call, least)])
    image_id = last_segment(wanted.need_text("imageRef"))
    wanted.text("adminPass")
    wanted.choice("OS-DCF:diskConfig", ("AUTO", "MANUAL"))
    wanted.flag("preserve_ephemeral")
    metadata = read_pairs(wanted.data["metadata"], where=wanted.place("metadata"), key=NATIVE_KEY) if wanted.has("metadata") else None
    reinstalling.rebuild(call.world, call.project, server, image_id, metadata=metadata, changes=_changes(wanted), cause=cause_of(call))
    row = {**server_rows.updated(call, server), "adminPass": call.world.ids.text(12)}
    return Reply(202, {"server": row}, {"Location": f"{links.native(call)}/servers/{server.id}"})


def _changes(wanted: Fields) -> dict[str, Any]:
    """Return what else changes, by attribute. null takes description, key pair and user data away."""
    changes: dict[str, Any] = {}
    if "name" in wanted.data:
        changes["name"] = _name(wanted, "name", MAX_NAME)
    if "description" in wanted.data:
        changes["description"] = wanted.text("description") or ""
        if len(changes["description"].encode()) > _MAX_DESCRIPTION:
            raise wanted.bad("description", f"is longer than {_MAX_DESCRIPTION} bytes")
    if "key_name" in wanted.data:
        changes["key_name"] = wanted.text("key_name")
    if "user_data" in wanted.data:
        changes["user_data"] = read_user_data(wanted)
    return changes


def _name(wanted: Fields, field: str, longest: int) -> str:
    name = wanted.need_text(field)
    if not name.strip() or len(name.encode()) > longest:
        raise wanted.bad(field, f"must have 1 to {longest} bytes")
    return name.strip()


def create_image(call: Call) -> Reply:
    """6.3.7. The new image's URL is in a header up to 2.44, from then on its id in the body."""
    server = call.project.server(call.path["server_id"])
    wanted = Fields.of(call.body, "createImage")
    name = _name(wanted, "name", MAX_IMAGE_NAME)
    metadata = _properties(wanted)
    image = imaging.create_image(call.world, call.project, server, name=name, metadata=metadata, cause=cause_of(call))
    if since(call, 45):
        return Reply(202, {"image_id": image.id})
    return Reply(202, headers={"Location": f"{links.native(call)}/images/{image.id}"})


def _properties(wanted: Fields) -> Mapping[str, str]:
    pairs = read_pairs(wanted.data.get("metadata"), where=wanted.place("metadata"), key=NATIVE_KEY)
    if any(len(name) > MAX_PROPERTY for name in pairs):
        raise wanted.bad("metadata", f"has a name longer than {MAX_PROPERTY} bytes")
    return pairs


def resize_server(call: Call) -> Reply:
    """6.3.8. It ends in VERIFY_RESIZE, and waits there."""
    server = call.project.server(call.path["server_id"])
    flavor_id = last_segment(Fields.of(call.body, "resize").need_text("flavorRef"))
    native_resizing.resize(call.world, call.project, server, flavor_id, cause=cause_of(call))
    return Reply(202)


def confirm_resize(call: Call) -> Reply:
    """6.3.9: at once, with 204 as in Nova."""
    native_resizing.confirm(call.world, call.project, call.project.server(call.path["server_id"]), cause=cause_of(call))
    return Reply(204)


def revert_resize(call: Call) -> Reply:
    """6.3.10."""
    native_resizing.revert(call.world, call.project, call.project.server(call.path["server_id"]), cause=cause_of(call))
    return Reply(202)


def monitor_metrics(call: Call) -> Reply:
    """6.3.11. The project is the one of the credentials."""
    recovery.monitor(call.world, call.project, call.project.server(call.path["server_id"]), cause=cause_of(call))
    return Reply(202)


OPERATIONS = (
    Operation("6.3.6", "rebuildServer", "POST", _ACTION, nova(rebuild_server), "rebuild"),
    Operation("6.3.7", "createServerImage", "POST", _ACTION, nova(create_image), "createImage"),
    Operation("6.3.8", "resizeServerNative", "POST", _ACTION, nova(resize_server), "resize"),
    Operation("6.3.9", "confirmResize", "POST", _ACTION, nova(confirm_resize), "confirmResize"),
    Operation("6.3.10", "revertResize", "POST", _ACTION, nova(revert_resize), "revertResize"),
    Operation("6.3.11", "monitorMetrics", "POST", _MONITOR, ecs(monitor_metrics), "monitorMetrics"),
)
