"""ECS API reference 6.5: security groups of a server."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, nova
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.security_group_rows import group_row
from ecs_simulator.world import security_groups, visibility
from ecs_simulator.world.catalog import SecurityGroup
from ecs_simulator.world.resources import Server

_SERVER = "/v2.1/{project_id}/servers/{server_id}"
_ACTION = f"{_SERVER}/action"


def add_security_group(call: Call) -> Reply:
    """6.5.1, at once, whatever the server does."""
    server, group = _server(call), _group(call, "addSecurityGroup")
    security_groups.add_to_server(call.world, call.project, server, group, cause=cause_of(call))
    return Reply(202)


def remove_security_group(call: Call) -> Reply:
    """6.5.2, at once. The last one may go too."""
    server, group = _server(call), _group(call, "removeSecurityGroup")
    security_groups.remove_from_server(call.world, call.project, server, group, cause=cause_of(call))
    return Reply(202)


def list_server_groups(call: Call) -> Reply:
    """6.5.3."""
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    groups = security_groups.of_server(call.project, server)
    return Reply(200, {"security_groups": [group_row(call.project, group) for group in groups]})


def _server(call: Call) -> Server:
    visibility.shown(call.world, call.project, call.path["server_id"])
    return call.project.server(call.path["server_id"])


def _group(call: Call, action: str) -> SecurityGroup:
    return security_groups.find_by_name_or_id(call.project, Fields.of(call.body, action).need_text("name"))


OPERATIONS = (
    Operation("6.5.1", "addSecurityGroup", "POST", _ACTION, nova(add_security_group), "addSecurityGroup"),
    Operation("6.5.2", "removeSecurityGroup", "POST", _ACTION, nova(remove_security_group), "removeSecurityGroup"),
    Operation("6.5.3", "listServerSecurityGroups", "GET", f"{_SERVER}/os-security-groups", nova(list_server_groups)),
)
