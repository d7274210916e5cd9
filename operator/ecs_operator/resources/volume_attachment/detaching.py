"""Takes the volume off the server before the object goes: the finalizer is removed only after proof."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from ecs_operator.api.reasons import Reason
from ecs_operator.api.volume_attachment import VolumeAttachmentStatus
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome
from ecs_operator.resources.visit import Notice
from ecs_operator.resources.volume_attachment import operation, planner, record, steps
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.named_server import named_server, server_key
from ecs_operator.resources.volume_attachment.obstacles import busy_text
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit, Mode
from ecs_operator.resources.volume_attachment.turns import Turns

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


async def advance(visit: AttachmentVisit, cloud: Actuator, turns: Turns) -> Outcome:
    """The next step. Raises CloudError and StoreError."""
    facts = await _look(visit, cloud)
    step = planner.detach_step(facts)
    if isinstance(step, steps.Send) and (held_up := await operation.await_turn(visit, cloud, "Detach", turns)) is not None:
        return held_up
    match step:
        case steps.Detached():
            await visit.release(_left_taken(visit.status, cloud), reason=Reason.DETACHING, action=ACTION)
            return Done()
        case steps.Send(attempts=attempts):

            async def check() -> Notice | None:
                named = await named_server(visit, server_id=cloud.server_id)
                is_busy = named is not None and named.work is not None
                return Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting: {busy_text(named)}") if named and is_busy else None

            return await operation.detach(
                visit, cloud, attempts=attempts, mode=_mode(visit, facts), open_until=facts.open_until, check=check
            )
        case steps.Watch():
            return await operation.watch(visit, cloud, "Detach", step, job=facts.job)
        case steps.Hindered(reason=reason, text=text, seconds=seconds):
            await visit.tell(Notice(reason, text), action=ACTION)
            key = server_key(visit)
            return Blocked((key,), at_most=seconds) if key else Again(seconds, Lane.RESYNC)
        case steps.JobFailed(job=job):
            return await operation.job_failed(visit, "Detach", job)
        case steps.Stalled():
            return Done()
        case steps.Attached():
            raise AssertionError("an attachment was not planned")
        case _ as unreachable:
            assert_never(unreachable)


def _mode(visit: AttachmentVisit, facts: steps.Facts) -> Mode:
    """By force only where it means something: a data disk of a server that runs. From a stopped one nothing needs to be forced."""
    is_running = facts.server is not None and facts.server.status != "SHUTOFF"
    return "Force" if visit.spec.detach.mode == "Force" and is_running and not facts.is_system_disk else "Soft"


def _left_taken(status: VolumeAttachmentStatus, cloud: Actuator) -> str:
    """What a detachment by force leaves on the server (6.8.4): somebody has to know it when the object is gone."""
    if status.detach_mode != "Force":
        return ""
    places = " and ".join(each for each in (status.device, f"PCI address {status.pci_address}" if status.pci_address else "") if each)
    what = f"volume {cloud.volume_id} was detached by force from server {cloud.server_id}"
    return (
        f"{what}: {places or 'its device'} cannot be used again there, and a slot for disks stays taken; a restart of the server is advised"
    )


async def _look(visit: AttachmentVisit, cloud: Actuator) -> steps.Facts:
    """The pair as the cloud shows it now. The job of an attach that is still under way is waited for."""
    status = visit.status
    current = status.operation
    job = await cloud.job(current.job_id) if current and current.job_id else None
    is_running = job is not None and not job.is_over
    attachment = None if is_running else await cloud.attachment()
    server = None if is_running else await cloud.server()
    return steps.Facts(
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
        named=await named_server(visit, server_id=cloud.server_id) if attachment is not None else None,
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
