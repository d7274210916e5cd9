"""Keeps a server that is there as the spec wants it: observes, sees to its power, and says how it is."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from ecs_operator.api.common import Operation
from ecs_operator.api.group import APPROVE_ANNOTATION
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import Applied, ServerStatus
from ecs_operator.cloud import CloudError, Job, JobStatus, Meaning, Server
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.outcome import Again, Blocked, Lane, Outcome
from ecs_operator.resources.jobs import failed_text, job_record
from ecs_operator.resources.server import adoption, amending, change_protocol, drift, interface_protocol, power, replacing, volumes, wiring
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.consent import approval_text
from ecs_operator.resources.server.decision import Amend, BeginChange, BeginReplacement, Decision, Destroy, Facts, Settle
from ecs_operator.resources.server.deeds import Cost, SetLock
from ecs_operator.resources.server.details import details
from ecs_operator.resources.server.differences import Difference, Wanted, differences, settled
from ecs_operator.resources.server.interfaces import ports_by_mac
from ecs_operator.resources.server.observation import MISSING_PAUSE, Absence, Observed, observe
from ecs_operator.resources.server.origin import known_origin
from ecs_operator.resources.server.planner import plan
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
    is_at_work = change is not None or interface_protocol.is_under_way(visit.status.interface_change)
    is_at_work = is_at_work or (operation is not None and not is_on_its_way)
    fresh = is_new or is_at_work or visit.is_urged or visit.restart_token is not None
    seen = await observe(visit, cloud, fresh=fresh or visit.desk.notes.is_missing(visit.uid))
    if isinstance(seen, Absence):
        return await _absent(visit, cloud, seen)
    step = change_protocol.current(change) if change is not None else None
    change_job = await cloud.job(step.job_id) if step is not None and step.job_id and step.state == "Sent" else None
    wanted = await _plan(visit, cloud, seen, job, change_job)
    is_as_known = wanted.is_settled and visit.status.drift == visit.stored().drift
    if not seen.fresh and not (is_as_known or (is_on_its_way and isinstance(wanted.step, power.Watch))):
        # A list told it; before anything is changed, or said of others, the server itself is asked.
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
    status, nics = visit.status, None
    if cloud.owns(server) and lacks_details(status, server):
        devices = await cloud.devices(server.id)
        recorded = volumes.refreshed(status.volumes, devices) if status.volumes else volumes.recorded_at_creation(devices, visit.spec)
        status = status.model_copy(update={"volumes": recorded})
        nics = await cloud.interfaces(server.id)
    visit.status = fold(status, server, spec=visit.spec, ports=ports_by_mac(nics or ())) if cloud.owns(server) else status
    spec = visit.spec
    found: tuple[Difference, ...] = ()
    unresolved: Notice | None = None
    interfaces: interface_protocol.Facts | None = None
    reported: Notice | None = None
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
    if cloud.owns(server) and server.is_settled:
        resolved = await wanted_now(visit, cloud)
        wanted, unresolved, visit.status = resolved.wanted, resolved.unresolved, resolved.status
        visit.waits_for = resolved.waits_for
        visit.status = await details(visit, cloud, server, wanted=wanted)
        wired = await wiring.look(visit, cloud, server, wanted=wanted, seen=nics)
        wanted, interfaces, visit.status, unresolved = wired.wanted, wired.interfaces, wired.status, unresolved or wired.hindrance
        _note_origin(visit)
        found = differences(spec, server, status=visit.status, wanted=wanted)
        judged = _judged(visit, server, found, wanted=wanted, facts=facts)
        if not judged.edits:
            visit.status = visit.status.model_copy(update={"applied": settled(spec, visit.status.applied, wanted=wanted)})
        visit.status = judged.noted(visit.status)
        if not found:
            visit.status = visit.status.model_copy(update={"adoption": adoption.settled(visit.status.adoption)})
        if spec.drift_policy == "Report":
            found, reported = judged.edits, drift.reported(judged.entries)
            facts = replace(facts, wanted=None) if judged.is_powered_by_others else facts
    return plan(
        Facts(
            power=facts,
            status=visit.status,
            unresolved=unresolved,
            change=visit.status.change,
            change_job=change_job,
            replacement=visit.status.replacement,
            found=found,
            interfaces=interfaces,
            reported=reported,
            allowed=Cost.named(spec.disruption.allow),
            approved=visit.obj.annotations.get(APPROVE_ANNOTATION),
            keeps_locked=bool(spec.locked),
        ),
        owned=cloud.owns(server),
        others=seen.others,
    )


def _note_origin(visit: ServerVisit) -> None:
    """What a server was created with of which that was never recorded: from here on edits of the spec can be told."""
    applied = visit.status.applied or Applied()
    if applied.origin is None:
        visit.status = visit.status.model_copy(update={"applied": applied.model_copy(update={"origin": known_origin(visit.spec)})})


def _judged(visit: ServerVisit, server: Server, found: tuple[Difference, ...], *, wanted: Wanted, facts: power.Facts) -> drift.Judgement:
    """Which of the differences are somebody else's doing."""
    return drift.judge(
        found,
        drift.Sight(
            spec=visit.spec,
            server=server,
            status=visit.status,
            stored=visit.stored(),
            wanted=wanted,
            busy=drift.busy(facts, visit.status),
            now=visit.now,
        ),
    )


async def _carry_out(visit: ServerVisit, cloud: Actuator, wanted: Decision, job: Job | None) -> Outcome:
    if wanted.finished is not None:
        seen = job_record(job, job_id=wanted.finished) if job is not None and wanted.finished else visit.status.job
        visit.status = visit.status.model_copy(update={"operation": None, "job": seen})
    if wanted.ends_change:
        visit.status = visit.status.model_copy(update={"change": None})
    if wanted.ends_replacement:
        visit.status = visit.status.model_copy(update={"replacement": None})
    if isinstance(wanted.step, Settle | Amend | BeginChange | BeginReplacement | interface_protocol.SendInterface):
        visit.status = visit.status.model_copy(update={"plan": wanted.plan})
    if visit.is_urged and visit.status.interface_change is not None:
        opened = interface_protocol.reopened(visit.status.interface_change)
        visit.status = visit.status.model_copy(update={"interface_change": opened})
    step = wanted.step
    match step:
        case Amend(edits=edits):
            if visit.spec.locked and SetLock(on=False) in edits:
                visit.status = drift.disturbed(visit.status, drift.LOCK)
            return await amending.amend(visit, cloud, edits)
        case BeginChange(change=change):
            visit.status = drift.disturbed(visit.status, drift.POWER)
            return await amending.begin(visit, cloud, change)
        case BeginReplacement(replacement=replacement):
            return await replacing.begin(visit, cloud, replacement)
        case Destroy():
            return await replacing.destroy(visit, cloud)
        case interface_protocol.SendInterface() | interface_protocol.RecordInterface() | interface_protocol.WatchInterface():
            return await wiring.carry_out(visit, cloud, step)
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
            if visit.waits_for or notice.reason is Reason.WAITING_FOR_DEPENDENCY:
                return Blocked(visit.waits_for, at_most=MISSING_GROUP_PAUSE)
            return _resync(visit, cloud)
        case power.Send(kind=kind):
            if kind == "Restart":
                visit.status = drift.disturbed(visit.status, drift.POWER)
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
    """A server that is gone is made anew only with consent: somebody wanted it gone, or something is badly wrong."""
    if absence is Absence.SUSPECTED:
        return Again(MISSING_PAUSE, Lane.POLL)
    if absence is Absence.DOUBTED:
        return Again(0.0, Lane.POLL)  # the next pass says why nothing is done
    visit.desk.notes.believed(visit.uid)
    agreed = replacing.agreed_to_another(visit)
    if agreed.plan is None:
        return await replacing.make_anew(visit, cloud)
    text = f"server {visit.status.id} was deleted by somebody else. Delete this object, or have another server made: "
    wanted = vanished(visit.status).model_copy(update={"operation": None, "replacement": None, "plan": agreed.plan})
    await visit.write(wanted, Notice(Reason.DELETED_EXTERNALLY, text + approval_text(agreed.plan)), action="Observe")
    return _resync(visit, cloud)


def _resync(visit: ServerVisit, cloud: Actuator) -> Again:
    return Again(resync_pause(cloud.tenant.resync_seconds, uid=visit.uid), Lane.RESYNC)


def _operation(status: ServerStatus) -> Operation | None:
    return status.operation if status.operation is not None and status.operation.kind in POWER_KINDS else None


def _with(status: ServerStatus, **changes: object) -> ServerStatus:
    operation = status.operation
    return status if operation is None else status.model_copy(update={"operation": operation.model_copy(update=changes)})
