"""Keeps a server that is there as the spec wants it: observes, sees to its power, and says how it is."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import assert_never

from ecs_operator.api.common import Operation
from ecs_operator.api.group import APPROVE_ANNOTATION
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import CloudError, Job, JobStatus, Meaning
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.outcome import Again, Blocked, Lane, Outcome
from ecs_operator.resources.jobs import failed_text, job_record
from ecs_operator.resources.server import amending, change_protocol, power, volumes
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.deeds import Cost
from ecs_operator.resources.server.differences import Difference, differences, settled
from ecs_operator.resources.server.observation import MISSING_PAUSE, Absence, Observed, observe
from ecs_operator.resources.server.planner import Amend, BeginChange, Decision, Facts, Settle, plan
from ecs_operator.resources.server.record import Phase, phase
from ecs_operator.resources.server.status import fold, lacks_details, vanished
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wanted import wanted_now
from ecs_operator.resources.server.wording import under_way
from ecs_operator.resources.times import resync_pause
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

MISSING_GROUP_PAUSE = 60.0
"""Seconds after which what is missing is looked for again, should nobody tell."""
POWER_KINDS = frozenset({"Start", "Stop", "Restart"})


async def advance(visit: ServerVisit, cloud: Actuator) -> Outcome:
    """The next step for a server that was made. Raises CloudError and StoreError."""
    operation, change = _operation(visit.status), visit.status.change
    is_new = phase(visit.stored()) is not Phase.BUILT
    job = await cloud.part(operation.job_id, server_id=visit.status.id) if operation is not None and operation.job_id else None
    # While its job runs, the server is on its way. A list, begun after the call, tells that as well.
    is_on_its_way = job is not None and not job.is_over
    fresh = (
        is_new or change is not None or visit.is_urged or visit.restart_token is not None or (operation is not None and not is_on_its_way)
    )
    seen = await observe(visit, cloud, fresh=fresh or visit.desk.notes.is_missing(visit.uid))
    if isinstance(seen, Absence):
        return await _absent(visit, cloud, seen)
    step = change_protocol.current(change) if change is not None else None
    change_job = await cloud.job(step.job_id) if step is not None and step.job_id and step.state == "Sent" else None
    wanted = await _plan(visit, cloud, seen, job, change_job)
    if not seen.fresh and not (wanted.is_settled or (is_on_its_way and isinstance(wanted.step, power.Watch))):
        # A list told it; before anything is changed the server itself is asked.
        seen = await observe(visit, cloud, fresh=True)
        if isinstance(seen, Absence):
            return await _absent(visit, cloud, seen)
        wanted = await _plan(visit, cloud, seen, job, change_job)
    if change_job is not None and step is not None and step.job_id:
        visit.status = visit.status.model_copy(update={"job": job_record(change_job, job_id=step.job_id)})
    return await _carry_out(visit, cloud, wanted, job)


async def _plan(visit: ServerVisit, cloud: Actuator, seen: Observed, job: Job | None, change_job: Job | None) -> Decision:
    """Decide, on the status as the observation makes it."""
    server = seen.server
    status, ports = visit.status, None
    if cloud.owns(server) and lacks_details(status, server):
        devices = await cloud.devices(server.id)
        recorded = volumes.refreshed(status.volumes, devices) if status.volumes else volumes.recorded_at_creation(devices, visit.spec)
        status = status.model_copy(update={"volumes": recorded})
        ports = await cloud.ports(server.id)
    visit.status = fold(status, server, spec=visit.spec, ports=ports) if cloud.owns(server) else status
    spec = visit.spec
    found: tuple[Difference, ...] = ()
    unresolved: Notice | None = None
    if cloud.owns(server) and server.is_settled:
        resolved = await wanted_now(visit, cloud)
        wanted, unresolved, visit.status = resolved.wanted, resolved.unresolved, resolved.status
        visit.waits_for = resolved.waits_for
        visit.status = await amending.details(visit, cloud, server, wanted=wanted)
        found = differences(spec, server, status=visit.status, wanted=wanted)
        if not found:
            visit.status = visit.status.model_copy(update={"applied": settled(spec, visit.status.applied, wanted=wanted)})
    facts = power.Facts(
        server=server,
        now=visit.now,
        wanted=spec.power_state,
        shutdown=spec.shutdown,
        operation=_operation(visit.status),
        job=job,
        restart_token=visit.restart_token,
        is_urged=visit.is_urged,
    )
    return plan(
        Facts(
            power=facts,
            status=visit.status,
            unresolved=unresolved,
            change=visit.status.change,
            change_job=change_job,
            found=found,
            allowed=Cost.named(spec.disruption.allow),
            approved=visit.obj.annotations.get(APPROVE_ANNOTATION),
            keeps_locked=bool(spec.locked),
        ),
        owned=cloud.owns(server),
        others=seen.others,
    )


async def _carry_out(visit: ServerVisit, cloud: Actuator, wanted: Decision, job: Job | None) -> Outcome:
    if wanted.finished is not None:
        seen = job_record(job, job_id=wanted.finished) if job is not None and wanted.finished else visit.status.job
        visit.status = visit.status.model_copy(update={"operation": None, "job": seen})
    if wanted.ends_change:
        visit.status = visit.status.model_copy(update={"change": None})
    if isinstance(wanted.step, Settle | Amend | BeginChange):
        visit.status = visit.status.model_copy(update={"plan": wanted.plan})
    step = wanted.step
    match step:
        case Amend(edits=edits):
            return await amending.amend(visit, cloud, edits)
        case BeginChange(change=change):
            return await amending.begin(visit, cloud, change)
        case change_protocol.SendChange(change=change):
            return await amending.send(visit, cloud, change)
        case change_protocol.RecordChange(change=change):
            return await amending.write_change(visit, change)
        case change_protocol.WatchChange(seconds=seconds):
            await _watch(visit, job)
            return Again(seconds, Lane.POLL)
        case change_protocol.DropChange() | change_protocol.ChangeFailed():
            raise AssertionError("the plan looks further after these")
        case Settle(notice=notice):
            await visit.write(visit.status, notice, action="Observe")
            return Blocked(visit.waits_for, at_most=MISSING_GROUP_PAUSE) if visit.waits_for else _resync(visit, cloud)
        case power.Send():
            return await _send(visit, cloud, step)
        case power.Echo(token=token):
            visit.status = visit.status.model_copy(update={"last_handled_restart_at": token})
            reason = Reason.STOPPED_AS_DESIRED if visit.spec.power_state == "Stopped" else Reason.AVAILABLE
            notice = Notice(reason, "the server is stopped: there was nothing to restart")
            await visit.write(visit.status, notice, action="Restart")
            return Again(0.0, Lane.POLL)
        case power.Watch(seconds=seconds):
            await _watch(visit, job)
            return Again(seconds, Lane.POLL)
        case power.Fail():
            return await _fail(visit, cloud, job)
        case _ as unreachable:
            assert_never(unreachable)


async def _watch(visit: ServerVisit, job: Job | None) -> None:
    """Show how far it is, every few seconds at most."""
    operation = _operation(visit.status)
    wanted = visit.status
    if job is not None and operation is not None and operation.job_id:
        wanted = wanted.model_copy(update={"job": job_record(job, job_id=operation.job_id)})
    notice = under_way(wanted, operation)
    await visit.write_progress(wanted, notice, action=operation.kind if operation else "Observe")


async def _send(visit: ServerVisit, cloud: Actuator, step: power.Send) -> Outcome:
    """Write the operation, and the restart token it answers, then call: what was not written is never sent."""
    server_id = visit.status.id
    if server_id is None:
        raise ValueError("the record names no server")
    before = _operation(visit.status)
    is_same = before is not None and not step.is_new and (before.kind, before.step) == (step.kind, step.step)
    operation = Operation(
        id=before.id if before is not None and not step.is_new else f"{step.kind.lower()}-{visit.now:%Y%m%dT%H%M%S}",
        kind=step.kind,
        step=step.step,
        started_at=before.started_at if before is not None and is_same else visit.now,
        deadline=step.deadline,
        attempts=step.attempts,
    )
    wanted = visit.status.model_copy(
        update={"operation": operation, "last_handled_restart_at": step.echo or visit.status.last_handled_restart_at}
    )
    notice = under_way(wanted, operation)
    await visit.write(wanted, notice, action=step.kind)
    try:
        accepted = await cloud.power(server_id, step.kind, step.mode)
    except CloudError as error:
        return await _not_accepted(visit, step, error)
    visit.saw_server()
    await visit.note(lambda status: _with(status, job_id=accepted.job_id), notice, action=step.kind)
    return Again(1.0, Lane.POLL)


async def _not_accepted(visit: ServerVisit, step: power.Send, error: CloudError) -> Outcome:
    """A call that certainly did nothing may be sent again; of any other the server tells what it did."""
    judged = verdict(error)
    logger.info("%s: %s", visit.obj.key, error)
    if error.outcome is CallOutcome.UNKNOWN:
        return Again(1.0, Lane.POLL)
    notice = Notice(judged.reason, judged.message, stalled=False)
    if error.meaning is Meaning.THROTTLED:
        await visit.note(lambda status: _not_tried(status, step, now=visit.now), notice, action=step.kind)
    else:
        next_step = power.WAITING if step.kind == "Restart" else step.step
        await visit.note(lambda status: _with(status, step=next_step), notice, action=step.kind)
    return Again(max(judged.retry_floor, 2.0), Lane.POLL)


def _not_tried(status: ServerStatus, step: power.Send, *, now: datetime) -> ServerStatus:
    """There was no room for the call, which says nothing about the server: it counts as no attempt, and no time runs.

    A guest that was never asked to shut down must not have its power cut because its time is up.
    """
    if step.is_new and step.kind != "Restart":
        return status.model_copy(update={"operation": None})
    next_step = power.WAITING if step.kind == "Restart" else step.step
    return _with(status, step=next_step, attempts=max(0, step.attempts - 1), started_at=now)


async def _fail(visit: ServerVisit, cloud: Actuator, job: Job | None) -> Outcome:
    operation = _operation(visit.status)
    if operation is None:
        raise ValueError("there is no operation")
    if operation.step != power.FAILED:
        what = {"Start": "starting the server", "Stop": "stopping the server"}.get(operation.kind, "restarting the server")
        if job is not None and job.status is JobStatus.FAIL and operation.job_id:
            cause = failed_text(what, job, job_id=operation.job_id)
            visit.status = visit.status.model_copy(update={"job": job_record(job, job_id=operation.job_id)})
        else:
            cause = f"{what} was tried {operation.attempts or 0} times in vain"
        logger.warning("%s: %s", visit.obj.key, cause)
        text = f"{cause}. Change spec.powerState, or request a reconcile, to try again"
        await visit.write(
            _with(visit.status, step=power.FAILED), Notice(Reason.OPERATION_FAILED, text, stalled=True), action=operation.kind
        )
    return _resync(visit, cloud)


async def _absent(visit: ServerVisit, cloud: Actuator, absence: Absence) -> Outcome:
    """A server that is gone is never made anew by itself: somebody wanted it gone, or something is badly wrong."""
    if absence is Absence.SUSPECTED:
        return Again(MISSING_PAUSE, Lane.POLL)
    if absence is Absence.DOUBTED:
        return Again(0.0, Lane.POLL)  # the next pass says why nothing is done
    text = f"server {visit.status.id} was deleted by somebody else. Delete this object, or create another one"
    visit.desk.notes.believed(visit.uid)
    wanted = vanished(visit.status).model_copy(update={"operation": None})
    await visit.write(wanted, Notice(Reason.DELETED_EXTERNALLY, text), action="Observe")
    return _resync(visit, cloud)


def _resync(visit: ServerVisit, cloud: Actuator) -> Again:
    return Again(resync_pause(cloud.tenant.resync_seconds, uid=visit.uid), Lane.RESYNC)


def _operation(status: ServerStatus) -> Operation | None:
    return status.operation if status.operation is not None and status.operation.kind in POWER_KINDS else None


def _with(status: ServerStatus, **changes: object) -> ServerStatus:
    operation = status.operation
    return status if operation is None else status.model_copy(update={"operation": operation.model_copy(update=changes)})
