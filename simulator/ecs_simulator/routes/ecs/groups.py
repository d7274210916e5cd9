"""ECS API reference 5.10: server groups."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import group_rows, queries
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import grouping
from ecs_simulator.world.refusal import invalid
from ecs_simulator.world.resources import ServerGroup

_GROUPS = "/v1/{project_id}/cloudservers/os-server-groups"
_GROUP = f"{_GROUPS}/{{server_group_id}}"


def create_group(call: Call) -> Reply:
    """5.10.1. Names need not be unique."""
    name, policies = group_rows.wanted(call)
    group = grouping.create_group(call.world, call.project, name=name, policies=policies, cause=cause_of(call))
    return Reply(200, {"server_group": group_rows.row(group)})


def delete_group(call: Call) -> Reply:
    """5.10.2."""
    grouping.delete_group(call.world, call.project, _group(call), cause=cause_of(call))
    return Reply(204)


def add_member(call: Call) -> Reply:
    """5.10.3, at once."""
    group = _group(call)
    server = call.project.server(Fields.of(call.body, "add_member").need_text("instance_uuid"))
    grouping.join(call.world, call.project, group, server, cause=cause_of(call))
    return Reply(200)


def remove_member(call: Call) -> Reply:
    """5.10.4, at once."""
    group = _group(call)
    server = call.project.server(Fields.of(call.body, "remove_member").need_text("instance_uuid"))
    grouping.leave(call.world, call.project, group, server, cause=cause_of(call))
    return Reply(200)


def list_groups(call: Call) -> Reply:
    """5.10.5. A marker needs a limit; with a limit the answer says where the next page begins."""
    groups = list(call.project.groups.values())
    if queries.first(call, "limit") is None:
        if queries.first(call, "marker") is not None:
            raise invalid("marker must be used together with limit")
        return Reply(200, {"server_groups": [group_rows.row(group) for group in groups[: queries.MAX_LIMIT]]})
    if queries.whole(call, "limit", 0) > queries.MAX_LIMIT:
        raise invalid(f"limit must be at most {queries.MAX_LIMIT}")
    page, _ = queries.page(call, groups)
    body: dict[str, Any] = {"server_groups": [group_rows.row(group) for group in page], "page_info": {}}
    if page:
        body["page_info"] = {"next_marker": page[-1].id}
    return Reply(200, body)


def show_group(call: Call) -> Reply:
    """5.10.6."""
    return Reply(200, {"server_group": group_rows.row(_group(call))})


def _group(call: Call) -> ServerGroup:
    return call.project.group(call.path["server_group_id"])


OPERATIONS = (
    Operation("5.10.1", "createServerGroup", "POST", _GROUPS, ecs(create_group)),
    Operation("5.10.2", "deleteServerGroup", "DELETE", _GROUP, ecs(delete_group)),
    Operation("5.10.3", "addServerGroupMember", "POST", f"{_GROUP}/action", ecs(add_member), "add_member"),
    Operation("5.10.4", "removeServerGroupMember", "POST", f"{_GROUP}/action", ecs(remove_member), "remove_member"),
    Operation("5.10.5", "listServerGroups", "GET", _GROUPS, ecs(list_groups)),
    Operation("5.10.6", "showServerGroup", "GET", _GROUP, ecs(show_group)),
)
