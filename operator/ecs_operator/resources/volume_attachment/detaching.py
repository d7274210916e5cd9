"""Takes the volume off the server before the object goes: the finalizer is removed only after proof."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from ecs_operator.api.reasons import Reason
from ecs_operator.api.volume_attachment import VolumeAttachmentStatus
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome
from ecs_operator.resources.visit import Notice
from ecs_operator.resources.volume_attachment import operation, planner, record
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.attaching import server_key
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit

ACTION = "Detach"


def nothing_was_sent(status: VolumeAttachmentStatus) -> bool:
    """The volume was neither found on a server nor asked to be put there: the object may go without asking the cloud."""
    return status.server_id is None


async def release(visit: AttachmentVisit) -> Outcome | None:
    """Let an object go that leaves things as they are; None when it has to be detached. Raises StoreError."""
    if nothing_was_sent(visit.status):
        await visit.release("", reason=Reason.DETACHING, action=ACTION)
        return Done()
    if visit.spec.deletion_policy == "Retain":
        remark = f"volume {visit.spec.volume_id} stays on server {visit.status.server_id}, as spec.deletionPolicy says"
        await visit.release(remark, reason=Reason.DETACHING, action=ACTION)
        return Done()
    return None


async def advance(visit: AttachmentVisit, cloud: Actuator) -> Outcome:
    """The next step. Raises CloudError and StoreError."""
    facts = await _look(visit, cloud)
    step = planner.detach_step(facts)
    match step:
        case planner.Detached():
            await visit.release("", reason=Reason.DETACHING, action=ACTION)
            return Done()
        case planner.Send(attempts=attempts):
            force = visit.spec.detach.mode == "Force" and not facts.is_system_disk
            return await operation.detach(visit, cloud, attempts=attempts, force=force, open_until=facts.open_until)
        case planner.Watch():
            return await operation.watch(visit, cloud, "Detach", step, job=facts.job)
        case planner.Hindered(reason=reason, text=text, seconds=seconds):
            await visit.tell(Notice(reason, text), action=ACTION)
            key = server_key(visit)
            return Blocked((key,), at_most=seconds) if key else Again(seconds, Lane.RESYNC)
        case planner.JobFailed(job=job):
            return await operation.job_failed(visit, "Detach", job)
        case planner.Stalled():
            return Done()
        case planner.Attached():
            raise AssertionError("an attachment was not planned")
        case _ as unreachable:
            assert_never(unreachable)


async def _look(visit: AttachmentVisit, cloud: Actuator) -> planner.Facts:
    """The pair as the cloud shows it now. The job of an attach that is still under way is waited for."""
    status = visit.status
    current = status.operation
    job = await cloud.job(current.job_id) if current and current.job_id else None
    is_running = job is not None and not job.is_over
    attachment = None if is_running else await cloud.attachment()
    server = None if is_running else await cloud.server()
    return planner.Facts(
        now=visit.now,
        server_id=cloud.server_id,
        volume_id=cloud.volume_id,
        server=server,
        volume=None if is_running else await cloud.volume(),
        attachment=attachment,
        operation=record.operation_of(status, "Detach"),
        open_until=_open_until(status, now=visit.now, is_attached=attachment is not None),
        job=job,
        is_urged=visit.is_urged,
        is_system_disk=attachment is not None and await _is_system_disk(status, cloud),
    )


def _open_until(status: VolumeAttachmentStatus, *, now: datetime, is_attached: bool) -> datetime | None:
    """Until when an attach that was never answered can still arrive; None when none can."""
    operation = status.operation
    if operation is None or operation.deadline is None or operation.deadline <= now:
        return None
    has_arrived = is_attached and operation.kind == "Attach" and operation.attempts == 1
    return None if has_arrived else operation.deadline


async def _is_system_disk(status: VolumeAttachmentStatus, cloud: Actuator) -> bool:
    if status.boot_index is None:
        device = await cloud.device()
        return device is not None and device.boot_index == 0
    return status.boot_index == 0
