"""Creates the server: carries out the steps of the create protocol, S1 to S9."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import assert_never

from ecs_operator.api.group import FINALIZER
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import CloudError, CreateServers, Job, JobStatus, Outcome, Server
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane
from ecs_operator.engine.outcome import Outcome as PassOutcome
from ecs_operator.engine.ports import GoneError
from ecs_operator.resources.calls import SHORTEST_LEASE
from ecs_operator.resources.server import create_protocol as protocol
from ecs_operator.resources.server import record
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.cleanup import clean_up
from ecs_operator.resources.server.evidence import Look, is_gone
from ecs_operator.resources.server.render import Resolved, render, render_again, stored
from ecs_operator.resources.server.resolve import Missing, Unusable, resolve, secrets_now
from ecs_operator.resources.server.status import glimpse
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import creating, failed_text, retrying
from ecs_operator.resources.times import poll_pause
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Create"
RECHECK = 60.0
"""Seconds between looks at Secrets and images, which nobody tells about."""
MISSING_PAUSE = 30.0
BUILD_PAUSE = 2.0
BROKEN_AGE = timedelta(hours=1)
"""Until so long after the request a server in ERROR, of which no job is known, counts as a failed creation."""


async def advance(visit: ServerVisit, cloud: Actuator) -> PassOutcome | None:
    """The next step of a creation that is not finished. None when the server is there, and the pass goes on.

    Raises CloudError and StoreError.
    """
    if await visit.recall(creating(visit.status), action=ACTION):
        return Again(0.0)
    look: Look | None = None
    step = protocol.next_step(_facts(visit, cloud, look))
    while isinstance(step, protocol.LookFor):
        look = await cloud.look(not_before=step.not_before, now=visit.now)
        step = protocol.next_step(_facts(visit, cloud, look))
    match step:
        case protocol.Intend() | protocol.Renew():
            return await _intend(visit, cloud)
        case protocol.Repeat(settled=settled):
            return await _repeat(visit, cloud, settled=settled)
        case protocol.Adopt():
            return await _adopt(visit, step)
        case protocol.Follow():
            return await _follow(visit, cloud, look)
        case protocol.CleanUp():
            return await _clean_up(visit, cloud)
        case protocol.Settle() | protocol.TooOld() | protocol.Conflict() | protocol.Pause() | protocol.Stalled():
            return await _wait(visit, step)
        case _ as unreachable:
            assert_never(unreachable)


def _facts(visit: ServerVisit, cloud: Actuator, look: Look | None) -> protocol.Facts:
    return protocol.Facts(
        status=visit.status,
        now=visit.now,
        policy=cloud.tenant.create_policy,
        look=look,
        is_stalled=visit.is_stalled,
        is_urged=visit.is_urged,
    )


async def _wait(
    visit: ServerVisit, step: protocol.Settle | protocol.TooOld | protocol.Conflict | protocol.Pause | protocol.Stalled
) -> PassOutcome:
    """Nothing can be done now; say why, once."""
    match step:
        case protocol.Stalled():
            return Done()
        case protocol.Pause(seconds=seconds):
            return Again(_spread(visit, seconds), Lane.CREATE)
        case protocol.Conflict(found=found):
            ids = ", ".join(each.server.id for each in found)
            text = (
                f"servers with this object's mark exist that its record does not know: {ids}. "
                "Nothing is created or deleted; remove them, or their mark"
            )
            await visit.write(visit.status, Notice(Reason.OWNERSHIP_CONFLICT, text), action=ACTION)
            return Again(RECHECK, Lane.RESYNC)
        case protocol.TooOld():
            text = (
                "the create request is too old to be repeated and its outcome was never seen; no list shows a server. "
                "Request a reconcile to send a new one, or delete the object" + _last(visit)
            )
            await visit.tell(Notice(Reason.OUTCOME_UNKNOWN, text), action=ACTION)
            return Again(RECHECK * 5, Lane.RESYNC)
        case protocol.Settle(seconds=seconds, until=until):
            when = f"until {until:%H:%M:%S} UTC" if until else "until a complete list can be had"
            text = f"a create request may or may not have been carried out; looking for the server {when}, nothing is sent meanwhile"
            await visit.tell(Notice(Reason.OUTCOME_UNKNOWN, text + _last(visit)), action=ACTION)
            return Again(seconds, Lane.POLL)
        case _ as unreachable:
            assert_never(unreachable)


def _last(visit: ServerVisit) -> str:
    create = visit.status.create
    return f". Last answer: {create.last_error}" if create and create.last_error else ""


async def _intend(visit: ServerVisit, cloud: Actuator) -> PassOutcome:
    """S1: resolve and render; then the intent and its first attempt in one compare-and-set, whose success proves the read was fresh."""
    tenant = cloud.tenant
    found = await resolve(visit.spec, key=visit.obj.key, project=tenant.name, kube=visit.desk.store, images=tenant.client.images)
    if isinstance(found, Missing):
        await visit.write(visit.status, Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for {'; '.join(found.what)}"), action=ACTION)
        return Blocked(found.waits_for, at_most=MISSING_PAUSE)
    if isinstance(found, Unusable):
        return await _unusable(visit, "; ".join(found.problems))
    try:
        request = render(visit.spec, found, marker=tenant.identity.marker(visit.owner))
    except CloudError as error:
        return await _unusable(visit, error.message)
    if visit.desk.authority.time_left() < SHORTEST_LEASE:
        return Again(1.0, Lane.CREATE)
    intent = _intent(visit, cloud, found, request)
    wanted = record.intended(visit.status, intent, now=visit.now)
    await visit.write(wanted, creating(wanted), action=ACTION)
    return await _send(visit, cloud, request, others_settled=True)


def _intent(visit: ServerVisit, cloud: Actuator, found: Resolved, request: CreateServers) -> record.Intent:
    identity = cloud.tenant.identity
    digest = request.digest(identity.key)
    create = visit.status.create
    return record.Intent(
        project=cloud.tenant.name,
        incarnation=visit.owner.incarnation,
        token=record.client_token(identity, visit.owner, digest=digest, attempt=(create.attempts if create else 0) + 1),
        digest=digest,
        request=stored(request),
        secret_versions=found.secret_versions,
        image_id=found.image_id,
    )


async def _unusable(visit: ServerVisit, problem: str) -> PassOutcome:
    await visit.write(visit.status, Notice(Reason.INVALID_CONFIGURATION, problem), action=ACTION)
    return Again(RECHECK, Lane.RESYNC)


async def _repeat(visit: ServerVisit, cloud: Actuator, *, settled: bool) -> PassOutcome:
    """S3: count another attempt of the same body, if it can still be rendered; else, when nothing was made, start with another."""
    create = visit.status.create
    if create is None or create.request is None:
        raise ValueError("there is no request to repeat")
    secrets, versions = await secrets_now(visit.spec, namespace=visit.obj.key.namespace, kube=visit.desk.store)
    request = None
    if versions == create.secret_versions:
        request = render_again(create.request, secrets, marker=cloud.tenant.identity.marker(visit.owner))
    if request is None or request.digest(cloud.tenant.identity.key) != create.digest:
        return await (_intend(visit, cloud) if settled else _wait_to_settle(visit, cloud))
    if visit.desk.authority.time_left() < SHORTEST_LEASE:
        return Again(1.0, Lane.CREATE)
    others_settled = protocol.earlier_is_settled(create, policy=cloud.tenant.create_policy, now=visit.now)
    wanted = record.repeated(visit.status, now=visit.now)
    await visit.write(wanted, creating(wanted), action=ACTION)
    return await _send(visit, cloud, request, others_settled=others_settled)


async def _wait_to_settle(visit: ServerVisit, cloud: Actuator) -> PassOutcome:
    """The Secret changed, so the same body cannot be sent: the outcome must be found out by lists alone."""
    create = visit.status.create
    until = protocol.settled_at(create, cloud.tenant.create_policy) if create else visit.now
    seconds = min(protocol.LOOK_AGAIN, max(0.5, (until - visit.now).total_seconds()))
    return await _wait(visit, protocol.Settle(seconds, until=until))


async def _send(visit: ServerVisit, cloud: Actuator, request: CreateServers, *, others_settled: bool) -> PassOutcome:
    """S4 and S5: the one place that sends a create. The attempt is durable; ``visit.obj`` is what that write returned.

    ``others_settled``: no earlier request of this record can still arrive, so that a refusal of this one settles everything.
    """
    create = visit.status.create
    if create is None:
        raise ValueError("there is no create record")
    if FINALIZER not in visit.obj.finalizers or visit.obj.is_deleting:
        return await _not_sent(visit, "not sent: the finalizer was removed or the object deleted", others_settled=others_settled)
    try:
        accepted = await cloud.create(request, token=create.token)
    except CloudError as error:
        return await _not_accepted(visit, error, others_settled=others_settled)
    logger.info("the cloud accepted the creation of a server for %s: job %s", visit.obj.key, accepted.job_id)

    def change(status: ServerStatus) -> ServerStatus:
        return record.accepted(status, job_id=accepted.job_id, server_ids=accepted.server_ids)

    try:
        await visit.note(change, creating(change(visit.status)), action=ACTION)
    except GoneError:
        logger.warning("the object %s (uid %s) vanished while its server was created: job %s", visit.obj.key, visit.uid, accepted.job_id)
        raise
    return Again(1.0, Lane.POLL)


async def _not_sent(visit: ServerVisit, cause: str, *, others_settled: bool) -> PassOutcome:
    """The request never left, and the record may say so, unless an earlier one is still open."""
    if others_settled:
        await visit.note(lambda status: record.refused(status, cause=cause), creating(visit.status), action=ACTION)
    return Again(1.0, Lane.CREATE)


async def _not_accepted(visit: ServerVisit, error: CloudError, *, others_settled: bool) -> PassOutcome:
    """A definite no settles the attempt; everything else leaves the outcome open."""
    judged = verdict(error)
    if error.outcome is Outcome.UNKNOWN or not others_settled:
        text = f"a create request may or may not have been carried out: {judged.message}"
        notice = Notice(Reason.OUTCOME_UNKNOWN, text)
        await visit.note(lambda status: record.left_unknown(status, cause=str(error)), notice, action=ACTION)
        return Again(1.0, Lane.POLL)
    await visit.note(lambda status: record.refused(status, cause=str(error)), Notice(judged.reason, judged.message), action=ACTION)
    if judged.terminal:
        return Done()
    create = visit.status.create
    due = protocol.next_attempt_at(create) if create else None
    pause = (due - visit.now).total_seconds() if due else 0.0
    return Again(_spread(visit, max(pause, judged.retry_floor, 1.0)), Lane.CREATE)


def _spread(visit: ServerVisit, seconds: float) -> float:
    """A little more than so long: those who were refused together do not come back together."""
    return seconds * visit.desk.rng.uniform(1.0, 1.2)


async def _adopt(visit: ServerVisit, step: protocol.Adopt) -> PassOutcome:
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


async def _follow(visit: ServerVisit, cloud: Actuator, look: Look | None) -> PassOutcome | None:
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
    look = look if look is not None and look.started_at >= settled else await cloud.look(not_before=settled, now=visit.now)
    own = look.of_incarnation(create.incarnation)
    if own and own[0].server.id != visit.status.id:
        return await _adopt(visit, protocol.Adopt(own[0]))
    if not look.proves_absence(after=settled):
        return Again(protocol.INCOMPLETE_PAUSE, Lane.POLL)
    if visit.status.job is not None and visit.status.job.status == "SUCCESS" and visit.status.id is not None:
        # It was made, and is gone: somebody deleted it. That is for the phase of the existing server to say.
        visit.status = record.built(visit.status)
        return None
    cause = "the server was gone before it was ready, and the cloud's job is not known any more"
    wanted = record.lost_before_ready(visit.status, cause=cause)
    await visit.write(wanted, _after_failure(wanted), action=ACTION)
    return Again(0.0, Lane.CREATE)


async def _job_failed(visit: ServerVisit, job: Job, *, job_id: str) -> PassOutcome:
    """S8 begins: the failure is durable before anything is cleaned up."""
    cause = failed_text("the creation", job, job_id=job_id)
    logger.warning("%s of %s failed: %s", job_id, visit.obj.key, cause)
    wanted = record.job_failed(visit.status, job, job_id=job_id, cause=cause)
    await visit.note(lambda _: wanted, Notice(Reason.OPERATION_FAILED, f"{cause}; removing what it left", stalled=False), action=ACTION)
    return Again(0.0, Lane.POLL)


async def _clean_up(visit: ServerVisit, cloud: Actuator) -> PassOutcome:
    """S8: what the job left goes; with the proof of death in hand the next incarnation is counted."""
    create = visit.status.create
    cause = (create.last_error if create else None) or "the creation failed"
    waiting = await clean_up(
        visit, cloud, Notice(Reason.OPERATION_FAILED, f"{cause}; removing what it left", stalled=False), is_remains=True
    )
    if waiting is not None:
        return waiting
    wanted = record.next_incarnation(visit.status)
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
