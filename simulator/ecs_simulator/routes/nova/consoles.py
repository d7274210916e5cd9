"""ECS API reference 6.14: the console log. It is there up to microversion 2.5 only."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import until
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import console, visibility

_LAST = (2, 5)
_MOST = 2**31 - 1


def show_console_output(call: Call) -> Reply:
    """6.14.1. Without ``length``, and with -1, all lines; as a number or as text. A lock does not matter."""
    wanted = Fields.of(call.body, "os-getConsoleOutput")
    wanted.only({"length"})
    length = wanted.integer("length", -1, _MOST)
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    return Reply(200, {"output": console.output(server, length)})


OPERATIONS = (
    Operation(
        "6.14.1",
        "showConsoleOutput",
        "POST",
        "/v2.1/{project_id}/servers/{server_id}/action",
        until(_LAST, show_console_output),
        "os-getConsoleOutput",
    ),
)
