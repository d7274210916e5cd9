"""ECS API reference 6.2: servers, native."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import queries, server_filters, server_rows
from ecs_simulator.routes.answering import cause_of, nova, since
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import visibility
from ecs_simulator.world.refusal import invalid

_SERVERS = "/v2.1/{project_id}/servers"
_SERVER = f"{_SERVERS}/{{server_id}}"


def update_server(call: Call) -> Reply:
    """6.2.2. Name and, from 2.19 on, description; a lock does not matter here, as in Nova."""
    visibility.shown(call.world, call.project, call.path["server_id"])
    server = call.project.server(call.path["server_id"])
    changes = Fields.of(call.body, "server")
    allowed = {"name", "description"} if since(call, 19) else {"name"}
    unknown = sorted(set(changes.data) - allowed)
    if unknown:
        raise invalid(f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")
    name, description = server.name, server.description
    if "name" in changes.data:
        name = changes.need_text("name").strip()
        if not 1 <= len(name) <= 255:
            raise changes.bad("name", "must have 1 to 255 characters")
    if "description" in changes.data:
        description = changes.text("description") or ""
        if len(description.encode()) > 255:
            raise changes.bad("description", "is longer than 255 bytes")
    if (name, description) != (server.name, server.description):
        server.name, server.description, server.updated = name, description, call.world.now()
        call.world.record(call.project, server, "update", cause_of(call), fields=sorted(changes.data))
    return Reply(200, {"server": server_rows.updated(call, server)})


def list_servers(call: Call) -> Reply:
    """6.2.4."""
    return _list(call, "servers", server_rows.brief)


def list_servers_details(call: Call) -> Reply:
    """6.2.5."""
    return _list(call, "servers/detail", server_rows.detailed)


def _list(call: Call, path: str, row: Any) -> Reply:  # noqa: ANN401 -- a function of server_rows
    servers = server_filters.select(call)
    if queries.first(call, "image") is not None:
        return Reply(200, {"servers": [row(call, server) for server in servers]})
    page, has_next = queries.page(call, servers)
    body: dict[str, Any] = {"servers": [row(call, server) for server in page]}
    if has_next:
        body["servers_links"] = queries.next_links(call, path, page[-1].id)
    return Reply(200, body)


def show_server(call: Call) -> Reply:
    """6.2.6."""
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    return Reply(200, {"server": server_rows.detailed(call, server)})


OPERATIONS = (
    Operation("6.2.2", "updateServer", "PUT", _SERVER, nova(update_server)),
    Operation("6.2.4", "listServers", "GET", _SERVERS, nova(list_servers)),
    Operation("6.2.5", "listServersDetails", "GET", f"{_SERVERS}/detail", nova(list_servers_details)),
    Operation("6.2.6", "showServer", "GET", _SERVER, nova(show_server)),
)
