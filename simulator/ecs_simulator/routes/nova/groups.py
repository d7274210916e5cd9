"""ECS API reference 6.12: server groups, native. They are those of 5.10."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import group_rows, queries
from ecs_simulator.routes.answering import cause_of, nova, since
from ecs_simulator.world import grouping
from ecs_simulator.world.resources import ServerGroup

_GROUPS = "/v2.1/{project_id}/os-server-groups"
_GROUP = f"{_GROUPS}/{{server_group_id}}"


def create_group(call: Call) -> Reply:
    """6.12.1. Names need not be unique, and the policy is anti-affinity in every microversion."""
    name, policies = group_rows.wanted(call)
    group = grouping.create_group(call.world, call.project, name=name, policies=policies, cause=cause_of(call))
    return Reply(200, {"server_group": _row(call, group)})


def list_groups(call: Call) -> Reply:
    """6.12.2, with Nova's ``limit`` and ``offset``."""
    groups = list(call.project.groups.values())
    limit = min(queries.whole(call, "limit", queries.MAX_LIMIT), queries.MAX_LIMIT)
    offset = queries.whole(call, "offset", 0)
    return Reply(200, {"server_groups": [_row(call, group) for group in groups[offset : offset + limit]]})


def show_group(call: Call) -> Reply:
    """6.12.3."""
    return Reply(200, {"server_group": _row(call, _group(call))})


def delete_group(call: Call) -> Reply:
    """6.12.4. Its members stay."""
    grouping.delete_group(call.world, call.project, _group(call), cause=cause_of(call))
    return Reply(204)


def _group(call: Call) -> ServerGroup:
    return call.project.group(call.path["server_group_id"])


def _row(call: Call, group: ServerGroup) -> dict[str, Any]:
    row = group_rows.row(group)
    if since(call, 13):
        row |= {"project_id": call.project.id, "user_id": group.user_id}
    return row


OPERATIONS = (
    Operation("6.12.1", "createServerGroupNative", "POST", _GROUPS, nova(create_group)),
    Operation("6.12.2", "listServerGroupsNative", "GET", _GROUPS, nova(list_groups)),
    Operation("6.12.3", "showServerGroupNative", "GET", _GROUP, nova(show_group)),
    Operation("6.12.4", "deleteServerGroupNative", "DELETE", _GROUP, nova(delete_group)),
)
