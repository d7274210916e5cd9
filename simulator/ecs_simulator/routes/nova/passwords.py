"""ECS API reference 6.11.5, 6.11.6: the password that a Windows server made up itself."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, nova
from ecs_simulator.world import initial_passwords, visibility

_PASSWORD = "/v2.1/{project_id}/servers/{server_id}/os-server-password"  # noqa: S105 -- a path


def show_password(call: Call) -> Reply:
    """6.11.5: empty for Linux, too early, and once it was cleared."""
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    return Reply(200, {"password": initial_passwords.shown(call.world, server)})


def clear_password(call: Call) -> Reply:
    """6.11.6: what is not there is fine."""
    server = call.project.server(visibility.shown(call.world, call.project, call.path["server_id"]).id)
    initial_passwords.clear(call.world, call.project, server, cause=cause_of(call))
    return Reply(204)


OPERATIONS = (
    Operation("6.11.5", "showServerPassword", "GET", _PASSWORD, nova(show_password)),
    Operation("6.11.6", "clearServerPassword", "DELETE", _PASSWORD, nova(clear_password)),
)
