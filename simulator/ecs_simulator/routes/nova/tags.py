"""ECS API reference 6.15: tags as texts, from microversion 2.26 on. The pairs of 5.9 are shown as ``k=v``."""

from __future__ import annotations

from urllib.parse import quote

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes import links
from ecs_simulator.routes.answering import cause_of, from_version
from ecs_simulator.world import tagging, visibility
from ecs_simulator.world.refusal import invalid
from ecs_simulator.world.resources import Server

_TAGS = "/v2.1/{project_id}/servers/{server_id}/tags"
_TAG = f"{_TAGS}/{{tag}}"
_SINCE = (2, 26)
# What the reference prints for 6.15.4, where Nova sends no body.
_CREATED = {"message": "<br /><br />\n\n\n", "code": "201 Created", "title": "Created"}


def list_tags(call: Call) -> Reply:
    """6.15.1."""
    return Reply(200, {"tags": list(_shown(call).tags)})


def replace_tags(call: Call) -> Reply:
    """6.15.2."""
    server = _server(call)
    tags = call.body.get("tags") if isinstance(call.body, dict) else None
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise invalid("tags is missing or no list of texts")
    tagging.replace(call.world, call.project, server, tags, cause=cause_of(call))
    return Reply(200, {"tags": list(server.tags)})


def clear_tags(call: Call) -> Reply:
    """6.15.3."""
    tagging.replace(call.world, call.project, _server(call), (), cause=cause_of(call))
    return Reply(204)


def add_tag(call: Call) -> Reply:
    """6.15.4: 204, as in Nova, if it is there already."""
    server = _server(call)
    if not tagging.add(call.world, call.project, server, call.path["tag"], cause=cause_of(call)):
        return Reply(204)
    place = f"{links.native(call)}/servers/{server.id}/tags/{quote(call.path['tag'], safe='')}"
    return Reply(201, _CREATED, headers={"Location": place})


def check_tag(call: Call) -> Reply:
    """6.15.5."""
    if call.path["tag"] not in _shown(call).tags:
        raise _absent(call)
    return Reply(204)


def remove_tag(call: Call) -> Reply:
    """6.15.6."""
    if not tagging.remove(call.world, call.project, _server(call), call.path["tag"], cause=cause_of(call)):
        raise _absent(call)
    return Reply(204)


def _shown(call: Call) -> Server:
    return visibility.shown(call.world, call.project, call.path["server_id"])


def _server(call: Call) -> Server:
    return call.project.server(_shown(call).id)


def _absent(call: Call) -> ApiError:
    return ApiError(404, "Ecs.0005", f"Server {call.path['server_id']} has no tag '{call.path['tag'][:80]}'", nova=True)


OPERATIONS = (
    Operation("6.15.1", "listServerTags", "GET", _TAGS, from_version(_SINCE, list_tags)),
    Operation("6.15.2", "replaceServerTags", "PUT", _TAGS, from_version(_SINCE, replace_tags)),
    Operation("6.15.3", "deleteAllServerTags", "DELETE", _TAGS, from_version(_SINCE, clear_tags)),
    Operation("6.15.4", "addServerTag", "PUT", _TAG, from_version(_SINCE, add_tag)),
    Operation("6.15.5", "checkServerTag", "GET", _TAG, from_version(_SINCE, check_tag)),
    Operation("6.15.6", "deleteServerTag", "DELETE", _TAG, from_version(_SINCE, remove_tag)),
)
