"""Shows whether the volume is on the server, and never changes that: spec.managementPolicy: Observe. Only reads leave from here."""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome
from ecs_operator.resources.times import resync_pause
from ecs_operator.resources.visit import Notice
from ecs_operator.resources.volume_attachment import record
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.attaching import Target
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit

ACTION = "Observe"


async def advance(visit: AttachmentVisit, cloud: Actuator, target: Target) -> Outcome:
    """One look; in steady state by the shared list alone. Raises CloudError and StoreError."""
    status = visit.status
    is_known = status.attachment_id is not None and status.server_id == cloud.server_id and visit.says(Reason.OBSERVED)
    if is_known and not visit.is_urged and await cloud.is_listed():
        return _later(visit, cloud, target)
    attachment = await cloud.attachment()
    if attachment is None:
        text = f"volume {cloud.volume_id} is not attached to server {cloud.server_id}; it is only observed, so nothing is attached"
        await visit.write(record.lost(status), Notice(Reason.WAITING_FOR_DEPENDENCY, text), action=ACTION)
        return _later(visit, cloud, target)
    volume = await cloud.volume()
    seen = record.attached(
        status,
        project=cloud.tenant.name,
        server_id=cloud.server_id,
        attachment=attachment,
        device=await cloud.device(),
        size=volume.size if volume else 0,
    )
    place = f" as {seen.device}" if seen.device else ""
    text = f"volume {cloud.volume_id} is attached to server {cloud.server_id}{place}; it is only observed"
    await visit.write(seen, Notice(Reason.OBSERVED, text), action=ACTION)
    return _later(visit, cloud, target)


async def release(visit: AttachmentVisit) -> Outcome:
    """Let the object go, and the volume where it is. Raises StoreError."""
    await visit.release("", reason=Reason.DETACHING, action=ACTION)
    return Done()


def _later(visit: AttachmentVisit, cloud: Actuator, target: Target) -> Outcome:
    pause = resync_pause(cloud.tenant.resync_seconds, uid=visit.obj.uid)
    return Blocked((target.key,), at_most=pause) if target.key else Again(pause, Lane.RESYNC)
