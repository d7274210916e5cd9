"""ECS API reference 6.3: actions on one server. They answer 202 without a body, and there is no job to ask for."""

from __future__ import annotations

from ecs_simulator.call import Call, Handler, Operation, Reply
from ecs_simulator.routes.answering import cause_of, nova
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import power

_PATH = "/v2.1/{project_id}/servers/{server_id}/action"
_MODES = ("SOFT", "HARD")


def start_server(call: Call) -> Reply:
    """6.3.1: null and {} are the same."""
    return _change(call, "start", "SOFT")


def reboot_server(call: Call) -> Reply:
    """6.3.2. The type is mandatory."""
    reboot = Fields.of(call.body, "reboot")
    mode = reboot.choice("type", _MODES)
    if mode is None:
        raise reboot.bad("type", "is missing")
    return _change(call, "reboot", mode)


def stop_server(call: Call) -> Reply:
    """6.3.3. The type is SOFT if it is left out."""
    stop = Fields(call.body).optional_part("os-stop")
    return _change(call, "stop", (stop.choice("type", _MODES) if stop is not None else None) or "SOFT")


def _change(call: Call, action: str, mode: str) -> Reply:
    server = call.project.server(call.path["server_id"])
    power.change_power(call.world, call.project, action, [server.id], mode=mode, cause=cause_of(call))
    return Reply(202)


def _lock(*, locked: bool) -> Handler:
    def answer(call: Call) -> Reply:
        server = call.project.server(call.path["server_id"])
        power.set_lock(call.world, call.project, server, locked=locked, cause=cause_of(call))
        return Reply(202)

    return answer


OPERATIONS = (
    Operation("6.3.1", "startServer", "POST", _PATH, nova(start_server), "os-start"),
    Operation("6.3.2", "rebootServer", "POST", _PATH, nova(reboot_server), "reboot"),
    Operation("6.3.3", "stopServer", "POST", _PATH, nova(stop_server), "os-stop"),
    Operation("6.3.4", "lockServer", "POST", _PATH, nova(_lock(locked=True)), "lock"),
    Operation("6.3.5", "unlockServer", "POST", _PATH, nova(_lock(locked=False)), "unlock"),
)
