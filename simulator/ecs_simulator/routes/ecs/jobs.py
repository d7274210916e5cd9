"""ECS API reference 5.8: how a job gets on."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import stamps
from ecs_simulator.routes.answering import ecs
from ecs_simulator.world.jobs import FAIL, INIT, Job, Part
from ecs_simulator.world.works import WORKS


def show_job(call: Call) -> Reply:
    """5.8.1. Batches show one sub-job a server; a server's id is in a create's sub-job only after a while."""
    job = call.world.job(call.project, call.path["job_id"])
    failure = job.failure
    return Reply(
        200,
        {
            "status": job.status,
            "entities": _entities(job),
            "job_id": job.id,
            "job_type": job.type,
            "begin_time": stamps.milliseconds(job.begin),
            "end_time": _end(job.end),
            "error_code": failure.code if failure is not None else None,
            "fail_reason": failure.reason if failure is not None else None,
        },
    )


def _entities(job: Job) -> dict[str, Any]:
    if not job.is_batch:
        return _part_entities(job.parts[0])
    if job.status == INIT:
        return {}
    part_type = WORKS[job.type].part_type
    return {"sub_jobs_total": len(job.parts), "sub_jobs": [_sub_job(part, part_type) for part in job.parts]}


def _sub_job(part: Part, part_type: str) -> dict[str, Any]:
    failure = part.failure if part.status == FAIL else None
    entities = _part_entities(part)
    if failure is not None:
        entities["errorcode_message"] = failure.reason
    return {
        "status": part.status,
        "entities": entities,
        "job_id": part.id,
        "job_type": part_type,
        "begin_time": stamps.milliseconds(part.begin),
        "end_time": _end(part.end),
        "error_code": failure.code if failure is not None else None,
        "fail_reason": failure.reason if failure is not None else None,
    }


def _part_entities(part: Part) -> dict[str, Any]:
    entities: dict[str, Any] = {"server_id": part.server_id} if part.shown and part.server_id else {}
    if part.volume_id is not None:
        entities["volume_id"] = part.volume_id
    if part.port_id is not None:
        entities["nic_id"] = part.port_id
    return entities


def _end(moment: float | None) -> str:
    return stamps.milliseconds(moment) if moment is not None else ""


OPERATIONS = (Operation("5.8.1", "showJob", "GET", "/v1/{project_id}/jobs/{job_id}", ecs(show_job)),)
