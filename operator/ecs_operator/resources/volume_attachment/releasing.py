"""While there is no server to attach to, because it is being deleted or made anew: what was begun is followed to its end."""

from __future__ import annotations

from ecs_operator.engine.outcome import Again, Lane, Outcome
from ecs_operator.resources.visit import Notice
from ecs_operator.resources.volume_attachment import record
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit

LOOK_PAUSE = 5.0


def has_begun(visit: AttachmentVisit) -> bool:
    """The volume is on a server, or on its way there, as far as the record knows."""
    status = visit.status
    return status.server_id is not None and (status.attachment_id is not None or status.operation is not None)


async def follow(visit: AttachmentVisit, cloud: Actuator, notice: Notice, *, action: str) -> Outcome | None:
    """One look at the server the volume was on. None when it has let go of it, which is written then. Raises CloudError, StoreError."""
    operation = visit.status.operation
    job = await cloud.job(operation.job_id) if operation and operation.job_id else None
    if job is not None and not job.is_over:
        await visit.tell(notice, action=action)
        return Again(LOOK_PAUSE, Lane.POLL)
    if (attachment := await cloud.attachment()) is not None:
        status = visit.status
        if operation is not None and operation.kind == "Attach":
            device, size = await cloud.device(), status.size_gib or 0
            status = record.attached(
                status, project=cloud.tenant.name, server_id=cloud.server_id, attachment=attachment, device=device, size=size
            )
        await visit.write(status, notice, action=action)
        return None
    is_open = operation is not None and operation.deadline is not None and visit.now < operation.deadline
    if is_open and await cloud.server() is not None:
        await visit.tell(notice, action=action)
        return Again(LOOK_PAUSE, Lane.POLL)
    await visit.write(record.let_go(visit.status), notice, action=action)
    return None
