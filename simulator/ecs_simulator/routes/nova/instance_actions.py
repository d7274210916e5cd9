"""ECS API reference 6.13: what was done to a server. From microversion 2.21 on also to one that is deleted."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import queries, stamps
from ecs_simulator.routes.answering import nova, since
from ecs_simulator.world import actions, visibility
from ecs_simulator.world.refusal import Absent, invalid
from ecs_simulator.world.resources import ActionEvent, InstanceAction, Server

_PATH = "/v2.1/{project_id}/servers/{server_id}/os-instance-actions"


def list_actions(call: Call) -> Reply:
    """6.13.1, newest first. Pages and ``changes-since`` come with microversion 2.58, as in Nova."""
    server = _server(call)
    found = list(reversed(server.actions))
    if not since(call, 58):
        return Reply(200, {"instanceActions": [_row(call, server, action) for action in found]})
    text = queries.first(call, "changes-since")
    if text is not None:
        # In microseconds, as the times are shown.
        start = round(stamps.parse(text, where="changes-since"), 6)
        found = [action for action in found if round(actions.updated(action), 6) >= start]
    limit = min(queries.whole(call, "limit", queries.MAX_LIMIT), queries.MAX_LIMIT)
    marker = queries.first(call, "marker")
    if marker is not None:
        index = next((number for number, action in enumerate(found) if action.request_id == marker), None)
        if index is None:
            raise invalid(f"marker [{marker[:64]}] not found")
        found = found[index + 1 :]
    page = found[:limit]
    body: dict[str, Any] = {"instanceActions": [_row(call, server, action) for action in page]}
    if page and len(page) == limit:
        body["links"] = queries.next_links(call, f"servers/{server.id}/os-instance-actions", page[-1].request_id)
    return Reply(200, body)


def show_action(call: Call) -> Reply:
    """6.13.2."""
    server = _server(call)
    action = actions.find(server, call.path["request_id"])
    if action is None:
        raise Absent("action for request", call.path["request_id"], code="Ecs.0114")
    events = [_event(event) for event in reversed(action.events)]
    return Reply(200, {"instanceAction": {**_row(call, server, action), "events": events}})


def _server(call: Call) -> Server:
    server_id = call.path["server_id"]
    gone = call.project.deleted.get(server_id) if since(call, 21) else None
    return gone or visibility.shown(call.world, call.project, server_id)


def _row(call: Call, server: Server, action: InstanceAction) -> dict[str, Any]:
    row = {
        "action": action.action,
        "instance_uuid": server.id,
        "request_id": action.request_id,
        "user_id": action.user_id,
        "project_id": action.project_id,
        "start_time": stamps.microseconds(action.start),
        "message": action.message,
    }
    if since(call, 58):
        row["updated_at"] = stamps.microseconds(actions.updated(action))
    return row


def _event(event: ActionEvent) -> dict[str, Any]:
    return {
        "event": event.event,
        "start_time": stamps.microseconds(event.start),
        "finish_time": stamps.microseconds(event.finish) if event.finish is not None else None,
        "result": event.result,
        "traceback": event.traceback,
    }


OPERATIONS = (
    Operation("6.13.1", "listServerActions", "GET", _PATH, nova(list_actions)),
    Operation("6.13.2", "showServerAction", "GET", f"{_PATH}/{{request_id}}", nova(show_action)),
)
