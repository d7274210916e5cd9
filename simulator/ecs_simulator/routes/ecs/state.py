"""ECS API reference 5.2: what changes a server as a whole."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import resizing


def resize_server(call: Call) -> Reply:
    """5.2.4. With dry_run the request is only checked."""
    server = call.project.server(call.path["server_id"])
    flavor_id = Fields.of(call.body, "resize").need_text("flavorRef")
    if Fields(call.body).flag("dry_run"):
        resizing.check_resize(call.world, call.project, server, flavor_id)
        return Reply(202)
    job = resizing.resize(call.world, call.project, server, flavor_id, cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


OPERATIONS = (Operation("5.2.4", "resizeServer", "POST", "/v1/{project_id}/cloudservers/{server_id}/resize", ecs(resize_server)),)
