"""Keeps the volume on the server: in steady state by the shared list alone, else by looking at the pair itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from ecs_operator.api.group import SERVER
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Attachment, Volume
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome
from ecs_operator.resources.times import resync_pause
from ecs_operator.resources.visit import Notice
from ecs_operator.resources.volume_attachment import operation, planner, record
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit

ACTION = "Attach"
SERVER_PAUSE = 60.0
"""Seconds after which an EcsServer that is waited for is looked at again, should its event be lost."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server to attach to, and the EcsServer it belongs to, if one is named."""

    server_id: str
    key: ObjectKey | None


async def target_of(visit: AttachmentVisit, *, project: str) -> Target | Notice:
    """The server, or what it is waited for. Raises StoreError."""
    if visit.spec.server_ref is None:
        return Target(visit.spec.server_id or "", None)
    key = server_key(visit)
    server = await visit.desk.store.get(key) if key else None
    name = f"EcsServer {visit.spec.server_ref.name}"
    if server is None:
        return _waiting(f"{name} does not exist (spec.serverRef)")
    if server.is_deleting:
        return _waiting(f"{name} is being deleted (spec.serverRef)")
    server_id = server.status.get("id")
    if not isinstance(server_id, str) or not server_id or server.status.get("serverStatus") in {None, "BUILD"}:
        return _waiting(f"{name} is not created yet (spec.serverRef)")
    if server.status.get("replacement"):
        return _waiting(f"{name} is being replaced: the volume is attached to the new server (spec.serverRef)")
    if server.status.get("project") not in {None, project}:
        text = f"{name} is in EcsProject {server.status['project']}, this attachment in {project}: they must be in the same"
        return Notice(Reason.INVALID_CONFIGURATION, text)
    if server.status.get("operation") and not visit.status.attachment_id and not visit.status.operation:
        return _waiting(f"{name} is being changed ({server.status['operation'].get('kind')}); one operation at a time")
    return Target(server_id, key)


def server_key(visit: AttachmentVisit) -> ObjectKey | None:
    """The EcsServer that the spec names."""
    return ObjectKey(SERVER.plural, visit.obj.key.namespace, visit.spec.server_ref.name) if visit.spec.server_ref else None


async def wait_for_server(visit: AttachmentVisit, notice: Notice) -> Outcome:
    """Until the EcsServer changes. Raises StoreError."""
    await visit.tell(notice, action=ACTION)
    key = server_key(visit)
    return Blocked((key,) if key else (), at_most=SERVER_PAUSE)


async def advance(visit: AttachmentVisit, cloud: Actuator, target: Target) -> Outcome:
    """The next step. Raises CloudError and StoreError."""
    if _is_settled(visit, cloud) and await cloud.is_listed():
        return await _keep(visit, cloud, target)
    facts = await _look(visit, cloud)
    if facts.attachment is None and visit.status.attachment_id is not None:
        visit.status = record.lost(visit.status)
    step = planner.attach_step(facts)
    match step:
        case planner.Attached():
            return await _finish(visit, cloud, target, attachment=facts.attachment, volume=facts.volume)
        case planner.Send(attempts=attempts):
            return await operation.attach(visit, cloud, attempts=attempts)
        case planner.Watch():
            return await operation.watch(visit, cloud, "Attach", step, job=facts.job)
        case planner.Hindered(reason=reason, text=text, seconds=seconds):
            await visit.tell(Notice(reason, text), action=ACTION)
            return Blocked((target.key,), at_most=seconds) if target.key else Again(seconds, Lane.RESYNC)
        case planner.JobFailed(job=job):
            return await operation.job_failed(visit, "Attach", job)
        case planner.Stalled():
            return Done()
        case planner.Detached():
            raise AssertionError("a detachment was not planned")
        case _ as unreachable:
            assert_never(unreachable)


async def _look(visit: AttachmentVisit, cloud: Actuator) -> planner.Facts:
    """The pair as the cloud shows it now. What decides nothing is not asked."""
    status = visit.status
    is_same = status.server_id in {None, cloud.server_id}
    under_way = record.operation_of(status, "Attach") if is_same else None
    job = await cloud.job(under_way.job_id) if under_way and under_way.job_id else None
    is_running = job is not None and not job.is_over
    attachment = None if is_running else await cloud.attachment()
    volume = None if is_running else await cloud.volume()
    return planner.Facts(
        now=visit.now,
        server_id=cloud.server_id,
        volume_id=cloud.volume_id,
        server=None if is_running or attachment is not None else await cloud.server(),
        volume=volume,
        attachment=attachment,
        operation=under_way,
        job=job,
        is_urged=visit.is_urged,
    )


def _is_settled(visit: AttachmentVisit, cloud: Actuator) -> bool:
    """The record says that all is well, and nobody asked for another look."""
    status = visit.status
    is_known = status.operation is None and status.attachment_id is not None and status.size_gib is not None
    return is_known and status.server_id == cloud.server_id and visit.says(Reason.AVAILABLE) and not visit.is_urged


async def _finish(
    visit: AttachmentVisit, cloud: Actuator, target: Target, *, attachment: Attachment | None, volume: Volume | None
) -> Outcome:
    """It is attached, whoever did it: read the details once and write them."""
    if attachment is None:
        raise ValueError("there is no attachment")
    seen = record.attached(
        visit.status,
        project=cloud.tenant.name,
        server_id=cloud.server_id,
        attachment=attachment,
        device=await cloud.device(),
        size=volume.size if volume else 0,
    )
    await visit.write(seen, _available(visit, cloud, device=seen.device), action=ACTION)
    return _later(visit, cloud, target)


async def _keep(visit: AttachmentVisit, cloud: Actuator, target: Target) -> Outcome:
    """Nothing changed: the same status is not written again."""
    await visit.write(visit.status, _available(visit, cloud, device=visit.status.device), action=ACTION)
    return _later(visit, cloud, target)


def _available(visit: AttachmentVisit, cloud: Actuator, *, device: str | None) -> Notice:
    place = f" as {device}" if device else ""
    return Notice(Reason.AVAILABLE, f"volume {visit.spec.volume_id} is attached to server {cloud.server_id}{place}")


def _later(visit: AttachmentVisit, cloud: Actuator, target: Target) -> Outcome:
    """At the next resync, or when the EcsServer changes: it may go, or become another server."""
    pause = resync_pause(cloud.tenant.resync_seconds, uid=visit.obj.uid)
    return Blocked((target.key,), at_most=pause) if target.key else Again(pause, Lane.RESYNC)


def _waiting(text: str) -> Notice:
    return Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting: {text}")
