"""ECS API reference 5.3: starting, rebooting and stopping many servers."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import power

_MODES = ("SOFT", "HARD")
_PATH = "/v1/{project_id}/cloudservers/action"


def start_servers(call: Call) -> Reply:
    """5.3.1."""
    return _change(call, "start", Fields.of(call.body, "os-start"), "SOFT")


def reboot_servers(call: Call) -> Reply:
    """5.3.2. The type is mandatory."""
    reboot = Fields.of(call.body, "reboot")
    mode = reboot.choice("type", _MODES)
    if mode is None:
        raise reboot.bad("type", "is missing")
    return _change(call, "reboot", reboot, mode)


def stop_servers(call: Call) -> Reply:
    """5.3.3. The type is SOFT if it is left out."""
    stop = Fields.of(call.body, "os-stop")
    return _change(call, "stop", stop, stop.choice("type", _MODES) or "SOFT")


def _change(call: Call, action: str, part: Fields, mode: str) -> Reply:
    job = power.change_power(call.world, call.project, action, part.ids("servers"), mode=mode, cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


OPERATIONS = (
    Operation("5.3.1", "startServers", "POST", _PATH, ecs(start_servers), "os-start"),
    Operation("5.3.2", "rebootServers", "POST", _PATH, ecs(reboot_servers), "reboot"),
    Operation("5.3.3", "stopServers", "POST", _PATH, ecs(stop_servers), "os-stop"),
)
