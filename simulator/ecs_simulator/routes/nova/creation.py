"""ECS API reference 6.2.1, 6.2.3: creating and deleting a server, native."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import links, native_request
from ecs_simulator.routes.answering import cause_of, nova
from ecs_simulator.world import creation, removal, visibility

_SERVERS = "/v2.1/{project_id}/servers"
# What older programs of OpenStack call when they boot from volumes.
_BOOT_FROM_VOLUME = "/v2.1/{project_id}/os-volumes_boot"


def create_server(call: Call) -> Reply:
    """6.2.1. The answer is about the first server, or names the reservation of all of them."""
    wanted = native_request.read(call)
    servers = creation.create_natively(call.world, call.project, wanted.wish, cause=cause_of(call))
    first = servers[0]
    if wanted.wants_reservation:
        return Reply(202, {"reservation_id": first.reservation_id})
    row: dict[str, Any] = {
        "id": first.id,
        "links": links.pair(call, f"servers/{first.id}"),
        "OS-DCF:diskConfig": "MANUAL",
        "security_groups": [{"name": name} for name in wanted.group_names],
        "adminPass": wanted.password or call.world.ids.text(12),
    }
    return Reply(202, {"server": row}, {"Location": f"{links.native(call)}/servers/{first.id}"})


def delete_server(call: Call) -> Reply:
    """6.2.3."""
    shown = visibility.shown(call.world, call.project, call.path["server_id"])
    removal.delete_natively(call.world, call.project, call.project.server(shown.id), cause=cause_of(call))
    return Reply(204)


OPERATIONS = (
    Operation("6.2.1", "createServer", "POST", _SERVERS, nova(create_server), also=(_BOOT_FROM_VOLUME,)),
    Operation("6.2.3", "deleteServer", "DELETE", f"{_SERVERS}/{{server_id}}", nova(delete_server)),
)
