"""ECS API reference 5.5: adding and removing interfaces, several at a time."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import interfaces
from ecs_simulator.world.interfaces import InterfaceWish

_NICS = "/v1/{project_id}/cloudservers/{server_id}/nics"


def add_interfaces(call: Call) -> Reply:
    """5.5.1. One sub-job an interface."""
    server = call.project.server(call.path["server_id"])
    wishes = [
        InterfaceWish(
            network_id=nic.need_text("subnet_id"), address=nic.text("ip_address"), security_group_ids=tuple(nic.ids("security_groups"))
        )
        for nic in Fields(call.body).parts("nics")
    ]
    job = interfaces.add(call.world, call.project, server, wishes, cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


def remove_interfaces(call: Call) -> Reply:
    """5.5.2. One sub-job an interface; the primary one stays, with 403."""
    server = call.project.server(call.path["server_id"])
    job = interfaces.remove(call.world, call.project, server, Fields(call.body).ids("nics"), cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


OPERATIONS = (
    Operation("5.5.1", "addInterfaces", "POST", _NICS, ecs(add_interfaces)),
    Operation("5.5.2", "removeInterfaces", "POST", f"{_NICS}/delete", ecs(remove_interfaces)),
)
