"""Follows a creation that the cloud took on: job, server, or what a failed one left behind (S6 to S9)."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import Job, JobStatus, Server
from ecs_operator.engine.outcome import Again, Lane
from ecs_operator.engine.outcome import Outcome as PassOutcome
from ecs_operator.resources.jobs import failed_text
from ecs_operator.resources.server import create_protocol as protocol
from ecs_operator.resources.server import record
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.cleanup import clean_up
from ecs_operator.resources.server.evidence import Look, is_gone
from ecs_operator.resources.server.status import glimpse
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import creating, retrying
from ecs_operator.resources.times import poll_pause
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Create"
BUILD_PAUSE = 2.0
BROKEN_AGE = timedelta(hours=1)
"""Until so long after the request a server in ERROR, of which no job is known, counts as a failed creation."""


async def adopt(visit: ServerVisit, step: protocol.Adopt) -> PassOutcome:
    """S6 by marker: the server of this incarnation is there, whatever became of the answer."""
    server = step.found.server
    logger.info("found the server of %s by its marker: %s", visit.obj.key, server.id)
    others = ", ".join(each.server.id for each in step.others)
    notice = creating(record.adopted(visit.status, server_id=server.id))
    if others:
        text = f"server {server.id} is kept; others carry this object's mark as well and are left alone: {others}"
        notice = Notice(Reason.OWNERSHIP_CONFLICT, text)
    await visit.note(lambda status: record.adopted(status, server_id=server.id), notice, action=ACTION)
    return Again(0.0 if not others else 1.0, Lane.POLL)


async def follow(visit: ServerVisit, cloud: Actuator, look: Look | None) -> PassOutcome | None:
    """S7: the job tells how far it is; its success is a reason to look at the server, not the proof."""
    create = visit.status.create
    if create is None:
        raise ValueError("there is no create record")
    ended = visit.status.job is not None and visit.status.job.status == "SUCCESS"
    if create.job_id and not ended:
        job = await cloud.job(create.job_id)
        if job is not None and job.status is JobStatus.FAIL:
            return await _job_failed(visit, job, job_id=create.job_id)
        if job is not None:
            known_before = visit.status.id
            await _note_progress(visit, cloud, job, job_id=create.job_id)
            if job.status is not JobStatus.SUCCESS:
                begun = create.last_attempt_at or create.intended_at
                return Again(1.0 if known_before is None else poll_pause((visit.now - begun).total_seconds()), Lane.POLL)
    return await _inspect(visit, cloud, look)


async def _note_progress(visit: ServerVisit, cloud: Actuator, job: Job, *, job_id: str) -> None:
    """Write what is new: the server's id at once, mere progress every few seconds."""
    wanted = record.job_seen(visit.status, job, job_id=job_id)
    is_new_id = wanted.id != visit.status.id
    if job.is_over and not is_new_id:
        visit.status = wanted
        return
    if wanted.id is not None and wanted.server_status is None and not job.is_over:
        server = await cloud.server(wanted.id)
        wanted = glimpse(wanted, server) if server is not None and cloud.owns(server) else wanted
    if is_new_id:
        await visit.note(lambda _: wanted, creating(wanted), action=ACTION)
    else:
        await visit.write_progress(wanted, creating(wanted), action=ACTION)


async def _inspect(visit: ServerVisit, cloud: Actuator, look: Look | None) -> PassOutcome | None:
    """Look at the server itself. 404 proves nothing until the request has settled and a complete list does not show it either."""
    status = visit.status
    server = await cloud.server(status.id) if status.id else None
    if server is not None and not is_gone(server):
        is_done = server.is_settled and server.status != "BUILD"
        if server.status == "ERROR" and _is_a_failed_creation(visit) and cloud.owns(server):
            return await _arrived_broken(visit, server)
        if is_done or server.status == "ERROR":
            visit.saw_server(server)
            # A server that is new need not be restarted for a request that was there before it.
            handled = visit.restart_asked or status.last_handled_restart_at
            visit.status = record.built(glimpse(status, server)).model_copy(update={"last_handled_restart_at": handled})
            return None
        wanted = glimpse(status, server)
        await visit.write_progress(wanted, creating(wanted), action=ACTION)
        return Again(BUILD_PAUSE, Lane.POLL)
    return await _absent(visit, cloud, look)


def _is_a_failed_creation(visit: ServerVisit) -> bool:
    """No job tells how a server in ERROR came to be so. Soon after the request it can only be the creation that failed.

    Later somebody may have used the server in the meantime: then a person decides.
    """
    create, job = visit.status.create, visit.status.job
    if create is None or (job is not None and job.status == "SUCCESS"):
        return False
    return visit.now - (create.last_attempt_at or create.intended_at) < BROKEN_AGE


async def _arrived_broken(visit: ServerVisit, server: Server) -> PassOutcome:
    """S8 without a job: the failure is durable before anything is cleaned up."""
    fault = f": {server.fault.message} (code {server.fault.code})" if server.fault else ""
    cause = f"server {server.id} came up in state ERROR{fault}"
    wanted = record.arrived_broken(glimpse(visit.status, server), cause=cause)
    await visit.note(lambda _: wanted, Notice(Reason.OPERATION_FAILED, f"{cause}; removing it", stalled=False), action=ACTION)
    return Again(0.0, Lane.POLL)


async def _absent(visit: ServerVisit, cloud: Actuator, look: Look | None) -> PassOutcome | None:
    """There should be a server, and there is none: still on its way, or gone before it was ready."""
    create = visit.status.create
    if create is None:
        raise ValueError("there is no create record")
    settled = protocol.settled_at(create, cloud.tenant.create_policy)
    if visit.now < settled:
        return Again(BUILD_PAUSE, Lane.POLL)
    look = look if look is not None and look.started_at >= settled else await cloud.look_believed(not_before=settled, now=visit.now)
    own = look.of_incarnation(create.incarnation)
    if own and own[0].server.id != visit.status.id:
        return await adopt(visit, protocol.Adopt(own[0]))
    if not look.proves_absence(after=settled):
        return Again(protocol.INCOMPLETE_PAUSE, Lane.POLL)
    if visit.status.job is not None and visit.status.job.status == "SUCCESS" and visit.status.id is not None:
        # It was made, and is gone: somebody deleted it. That is for the phase of the existing server to say.
        visit.status = record.built(visit.status)
        return None
    cause = "the server was gone before it was ready, and the cloud's job is not known any more"
    wanted = record.lost_before_ready(visit.status, cause=cause, now=visit.now)
    await visit.write(wanted, _after_failure(wanted), action=ACTION)
    return Again(0.0, Lane.CREATE)


async def _job_failed(visit: ServerVisit, job: Job, *, job_id: str) -> PassOutcome:
    """S8 begins: the failure is durable before anything is cleaned up."""
    cause = failed_text("the creation", job, job_id=job_id)
    logger.warning("%s of %s failed: %s", job_id, visit.obj.key, cause)
    wanted = record.job_failed(visit.status, job, job_id=job_id, cause=cause)
    await visit.note(lambda _: wanted, Notice(Reason.OPERATION_FAILED, f"{cause}; removing what it left", stalled=False), action=ACTION)
    return Again(0.0, Lane.POLL)


async def clean_up_failed(visit: ServerVisit, cloud: Actuator) -> PassOutcome:
    """S8: what the job left goes; with the proof of death in hand the next incarnation is counted."""
    create = visit.status.create
    cause = (create.last_error if create else None) or "the creation failed"
    waiting = await clean_up(
        visit, cloud, Notice(Reason.OPERATION_FAILED, f"{cause}; removing what it left", stalled=False), is_remains=True
    )
    if waiting is not None:
        return waiting
    wanted = record.next_incarnation(visit.status, now=visit.now)
    await visit.write(wanted, _after_failure(wanted), action=ACTION)
    return Again(0.0, Lane.CREATE)


def _after_failure(status: ServerStatus) -> Notice:
    """What is said between two incarnations: the cloud's code and text, and whether it goes on."""
    create = status.create
    failures = create.failures if create else 0
    cause = (create.last_error if create else None) or "the creation failed"
    if failures >= protocol.MOST_FAILURES:
        text = f"{cause}. That was failure {failures}: change the spec, or request a reconcile, to try again"
        return Notice(Reason.OPERATION_FAILED, text, stalled=True)
    return Notice(Reason.OPERATION_FAILED, retrying(cause, failures=failures, due=_due(status)), stalled=False)


def _due(status: ServerStatus) -> datetime | None:
    return protocol.next_attempt_at(status.create) if status.create else None
