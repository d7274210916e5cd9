"""ECS API reference 11.1: automatic recovery."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import recovery, visibility

_PATH = "/v1/{project_id}/cloudservers/{server_id}/autorecovery"
_FIELD = "support_auto_recovery"


def show_auto_recovery(call: Call) -> Reply:
    """11.1.1: "true" or "false", as text."""
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    return Reply(200, {_FIELD: "true" if server.auto_recovery else "false"})


def set_auto_recovery(call: Call) -> Reply:
    """11.1.2. Only a server whose flavor can do it may be recovered."""
    server = call.project.server(call.path["server_id"])
    body = Fields(call.body)
    wanted = body.flag(_FIELD)
    if wanted is None:
        raise body.bad(_FIELD, "is missing")
    recovery.set_recovery(call.world, call.project, server, on=wanted, cause=cause_of(call))
    return Reply(204)


OPERATIONS = (
    Operation("11.1.1", "showAutoRecovery", "GET", _PATH, ecs(show_auto_recovery)),
    Operation("11.1.2", "setAutoRecovery", "PUT", _PATH, ecs(set_auto_recovery)),
)
