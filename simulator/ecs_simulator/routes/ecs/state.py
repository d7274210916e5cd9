"""ECS API reference 5.2.4: giving a server another flavor."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import resizing


def resize_server(call: Call) -> Reply:
    """5.2.4. With dry_run the request is only checked. The reference has no dedicated host here, but a code that asks for it."""
    server = call.project.server(call.path["server_id"])
    wanted = Fields.of(call.body, "resize")
    flavor_id, host_id = wanted.need_text("flavorRef"), wanted.text("dedicated_host_id")
    if Fields(call.body).flag("dry_run"):
        resizing.check_resize(call.world, call.project, server, flavor_id, dedicated_host_id=host_id)
        return Reply(202)
    job = resizing.resize(call.world, call.project, server, flavor_id, dedicated_host_id=host_id, cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


OPERATIONS = (Operation("5.2.4", "resizeServer", "POST", "/v1/{project_id}/cloudservers/{server_id}/resize", ecs(resize_server)),)
