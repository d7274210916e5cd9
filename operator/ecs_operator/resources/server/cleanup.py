"""Brings servers to their end: carries out the steps of the delete protocol, for deleted objects and for what failed jobs left."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from ecs_operator.api.common import Operation
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import CloudError, Job, JobStatus, Server
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.outcome import Again, Lane, Outcome
from ecs_operator.resources.jobs import failed_text, job_record
from ecs_operator.resources.server import delete_protocol as protocol
from ecs_operator.resources.server import volumes
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.deeds import SetLock
from ecs_operator.resources.server.evidence import Look, is_gone
from ecs_operator.resources.server.record import Phase, phase
from ecs_operator.resources.server.status import glimpse, vanished
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.volumes import VolumeFate
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Delete"
FOREIGN_PAUSE = 60.0


async def clean_up(visit: ServerVisit, cloud: Actuator, notice: Notice, *, is_remains: bool) -> Outcome | None:
    """One step towards the proof that no server of the object is left. None when it is proven. Raises CloudError, StoreError.

    ``is_remains``: a failed creation left it, so everything that was made with it goes, whatever the spec keeps.
    """
    operation = _deletion(visit.status)
    job = await cloud.part(operation.job_id, server_id=visit.status.id) if operation is not None and operation.job_id else None
    if job is not None and await _note_job(visit, job, notice, is_remains=is_remains):
        return Again(0.0, Lane.POLL)
    server = await _observe(visit, cloud, job)
    step = await _decide(visit, cloud, server=server, job=job, is_remains=is_remains)
    match step:
        case protocol.Dead():
            if server is None and visit.status.server_status is not None:
                visit.status = vanished(visit.status)
            return None
        case protocol.Wait(seconds=seconds, until=until):
            await _say_waiting(visit, notice, until)
            return Again(seconds, Lane.POLL)
        case protocol.Foreign(server_id=server_id):
            text = (
                f"server {server_id} does not carry this object's mark, so it is not touched. "
                "Put the mark back, or set spec.deletionPolicy: Retain to let the object go without it"
            )
            await visit.write(visit.status, Notice(Reason.OWNERSHIP_CONFLICT, text), action=ACTION)
            return Again(FOREIGN_PAUSE, Lane.RESYNC)
        case protocol.Unlock(server_id=server_id):
            return await _unlock(visit, cloud, server_id)
        case protocol.Detach(server_id=server_id, volume_id=volume_id):
            return await _detach(visit, cloud, server_id, volume_id)
        case protocol.SendDelete():
            return await _send(visit, cloud, step, notice, server=server, is_remains=is_remains)
        case protocol.ReadDevices():
            raise ValueError("there is no server whose disks could be read")
        case protocol.LookAround():
            raise AssertionError("the list was looked at")
        case _ as unreachable:
            assert_never(unreachable)


async def _decide(visit: ServerVisit, cloud: Actuator, *, server: Server | None, job: Job | None, is_remains: bool) -> protocol.Step:
    """The next step. What it takes to know it, the server's disks or a list, is read first."""
    creation_runs = server is None and await _creation_runs(visit, cloud)
    look: Look | None = None
    while True:
        facts = _facts(visit, cloud, server=server, job=job, is_remains=is_remains)
        step = protocol.next_step(replace(facts, look=look, creation_runs=creation_runs))
        if isinstance(step, protocol.ReadDevices) and server is not None:
            await _read_devices(visit, cloud, server)
        elif isinstance(step, protocol.LookAround):
            look = await _look(visit, cloud, step.not_before)
        else:
            return step


def _facts(visit: ServerVisit, cloud: Actuator, *, server: Server | None, job: Job | None, is_remains: bool) -> protocol.Facts:
    fate = None
    if server is not None:
        fate = VolumeFate(delete_volume=True) if is_remains else volumes.fate(server, visit.status.volumes, visit.spec)
    return protocol.Facts(
        now=visit.now,
        server=server,
        owned=server is not None and cloud.owns(server),
        fate=fate,
        absent_after=protocol.absent_after(visit.status, cloud.tenant.create_policy) or visit.now,
        operation=_deletion(visit.status),
        job=job,
        keeps_locked=bool(visit.spec.locked),
    )


def _deletion(status: ServerStatus) -> Operation | None:
    return status.operation if status.operation is not None and status.operation.kind == protocol.DELETE else None


async def _observe(visit: ServerVisit, cloud: Actuator, job: Job | None) -> Server | None:
    """The recorded server; not asked for while a job is at it."""
    if visit.status.id is None or (job is not None and not job.is_over):
        return None
    server = await cloud.server(visit.status.id)
    visit.saw_server()
    return None if is_gone(server) else server


async def _look(visit: ServerVisit, cloud: Actuator, not_before: datetime) -> Look:
    """A shared list, if it is new enough; when it still shows a server, one that is begun now."""
    look = await cloud.look(not_before=not_before, now=visit.now)
    return await cloud.look_now() if look.found else look


async def _creation_runs(visit: ServerVisit, cloud: Actuator) -> bool:
    """Whether the create job may still make the server: it can queue for longer than any request takes to settle."""
    create = visit.status.create
    if create is None or create.job_id is None or protocol.was_seen(visit.status) or phase(visit.status) is not Phase.ACCEPTED:
        return False
    job = await cloud.job(create.job_id)
    return job is not None and not job.is_over


async def _read_devices(visit: ServerVisit, cloud: Actuator, server: Server) -> None:
    """Which disk is which, for a server whose creation was never seen to its end. What the cloud does not show stays."""
    devices = await cloud.devices(server.id)
    recorded = (
        volumes.refreshed(visit.status.volumes, devices) if visit.status.volumes else volumes.recorded_at_creation(devices, visit.spec)
    )
    shown = {each.id for each in recorded}
    unknown = tuple(volumes.kept(each.id) for each in server.volumes if each.id not in shown)
    visit.status = visit.status.model_copy(update={"volumes": (*recorded, *unknown)})


async def _note_job(visit: ServerVisit, job: Job, notice: Notice, *, is_remains: bool) -> bool:
    """Show the job's progress; a failed job ends the attempt, which is tried again after a pause. True when that was written.

    While remains are removed ``status.job`` keeps the failed creation: it is what people look for, and what the record's phase rests on.
    """
    operation = visit.status.operation
    if operation is None or operation.job_id is None:
        return False
    seen = visit.status.job if is_remains else job_record(job, job_id=operation.job_id)
    if job.status is JobStatus.FAIL:
        text = failed_text("the deletion" if operation.step == protocol.SENDING else "detaching a disk", job, job_id=operation.job_id)
        logger.warning("%s: %s", visit.obj.key, text)
        failed = operation.model_copy(update={"job_id": None})
        wanted = visit.status.model_copy(update={"job": seen, "operation": failed})
        await visit.note(lambda _: wanted, Notice(Reason.OPERATION_FAILED, f"{text}; it is tried again", stalled=False), action=ACTION)
        return True
    if not job.is_over:
        await visit.write_progress(visit.status.model_copy(update={"job": seen}), notice, action=ACTION)
    return False


async def _say_waiting(visit: ServerVisit, notice: Notice, until: datetime | None) -> None:
    if until is None:
        await visit.tell(notice, action=ACTION)
        return
    text = f"a create request may still arrive; the object stays until {until:%H:%M:%S} UTC, when a list can prove that no server is left"
    await visit.tell(Notice(Reason.OUTCOME_UNKNOWN, text), action=ACTION)


async def _unlock(visit: ServerVisit, cloud: Actuator, server_id: str) -> Outcome:
    """Nothing is written ahead: the object is being deleted, so whoever comes next finds the server open and goes on."""
    try:
        await cloud.edit(server_id, SetLock(on=False))
    except CloudError as error:
        return await _not_accepted(visit, error)
    return Again(0.0, Lane.POLL)


async def _detach(visit: ServerVisit, cloud: Actuator, server_id: str, volume_id: str) -> Outcome:
    text = f"detaching disk {volume_id}, which stays, before server {server_id} is deleted"
    notice = Notice(Reason.DELETING, text)
    await _write_ahead(visit, protocol.DETACHING, notice)
    try:
        accepted = await cloud.detach(server_id, volume_id)
    except CloudError as error:
        return await _not_accepted(visit, error)
    await _write_job(visit, accepted.job_id, notice)
    return Again(1.0, Lane.POLL)


async def _send(
    visit: ServerVisit, cloud: Actuator, step: protocol.SendDelete, notice: Notice, *, server: Server | None, is_remains: bool
) -> Outcome:
    """Write the operation, then ask the cloud. Deleting by id may be repeated: it hits the same server or none."""
    public_ip = visit.spec.public_ip
    if server is not None and (server.status != "ERROR" or is_remains):
        # That it was seen shortens the proof. A server in ERROR must not make the record look like a failed creation.
        visit.status = glimpse(visit.status, server)
    await _write_ahead(visit, protocol.SENDING, notice)
    release = public_ip is not None and (public_ip.allocate is not None if is_remains else public_ip.released_with_server)
    try:
        accepted = await cloud.delete(step.server_ids, delete_public_ip=release, delete_volume=step.delete_volume)
    except CloudError as error:
        return await _not_accepted(visit, error)
    await _write_job(visit, accepted.job_id, notice)
    return Again(1.0, Lane.POLL)


async def _write_ahead(visit: ServerVisit, step: str, notice: Notice) -> None:
    before = _deletion(visit.status)
    is_same = before is not None and before.step == step
    operation = Operation(
        id=before.id if before is not None else f"delete-{visit.now:%Y%m%dT%H%M%S}",
        kind=protocol.DELETE,
        step=step,
        started_at=before.started_at if before is not None and is_same else visit.now,
        attempts=(before.attempts or 0) + 1 if before is not None and is_same else 1,
    )
    await visit.write(visit.status.model_copy(update={"operation": operation}), notice, action=ACTION)


async def _write_job(visit: ServerVisit, job_id: str, notice: Notice) -> None:
    def change(status: ServerStatus) -> ServerStatus:
        return status.model_copy(update={"operation": _with_job(status.operation, job_id)})

    await visit.note(change, notice, action=ACTION)


def _with_job(operation: Operation | None, job_id: str) -> Operation | None:
    return operation.model_copy(update={"job_id": job_id}) if operation is not None else None


async def _not_accepted(visit: ServerVisit, error: CloudError) -> Outcome:
    """Whatever the answer was, the next pass looks at the server first. What holds it up is said."""
    judged = verdict(error)
    logger.info("%s: %s", visit.obj.key, error)
    if error.outcome is not CallOutcome.UNKNOWN:
        await visit.tell(Notice(judged.reason, judged.message, stalled=False), action=ACTION)
    return Again(max(judged.retry_floor, 2.0), Lane.POLL)
