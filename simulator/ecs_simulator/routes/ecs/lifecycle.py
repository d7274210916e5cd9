"""ECS API reference 5.1: creating and deleting servers."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import create_request
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import admission, creation, removal, tokens


def create_servers(call: Call) -> Reply:
    """5.1.1. With dry_run the request is only checked."""
    world, project = call.world, call.project
    if Fields(call.body).flag("dry_run"):
        admission.plan(world, project, create_request.read(call))
        return Reply(202)
    token = call.headers.get("x-client-token")
    known = tokens.recall(world, project, token, call.body)
    if known is not None:
        return _accepted(call, known.job_id, known.server_ids)
    job = creation.create_servers(world, project, create_request.read(call), cause=cause_of(call))
    tokens.remember(world, project, token, call.body, job)
    return _accepted(call, job.id, [part.server_id for part in job.parts])


def _accepted(call: Call, job_id: str, server_ids: list[str]) -> Reply:
    body: dict[str, Any] = {"job_id": job_id}
    if call.world.behaviour.server_ids:
        body["serverIds"] = list(server_ids)
    return Reply(200, body)


def delete_servers(call: Call) -> Reply:
    """5.1.2."""
    body = Fields(call.body)
    job = removal.delete_servers(
        call.world,
        call.project,
        body.ids("servers"),
        delete_public_ip=body.flag("delete_publicip"),
        delete_volume=bool(body.flag("delete_volume")),
        cause=cause_of(call),
    )
    return Reply(200, {"job_id": job.id})


OPERATIONS = (
    Operation("5.1.1", "createServers", "POST", "/v1/{project_id}/cloudservers", ecs(create_servers)),
    Operation("5.1.2", "deleteServers", "POST", "/v1/{project_id}/cloudservers/delete", ecs(delete_servers)),
)
