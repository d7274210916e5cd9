"""Keeps the volume on the server: in steady state by the shared list alone, else by looking at the pair itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from ecs_operator.api.reasons import Reason
from ecs_operator.api.volume_attachment import VolumeAttachmentStatus
from ecs_operator.cloud import Attachment, Volume
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome
from ecs_operator.resources.times import resync_pause
from ecs_operator.resources.visit import Notice
from ecs_operator.resources.volume_attachment import operation, planner, record, releasing, steps
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.named_server import named_server, seen_as, server_key
from ecs_operator.resources.volume_attachment.obstacles import busy_text
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit
from ecs_operator.resources.volume_attachment.rivals import conflict, rival_of
from ecs_operator.resources.volume_attachment.turns import Turns
from ecs_operator.resources.volume_claims import ClaimLists

ACTION = "Attach"
RIVAL_PAUSE = 60.0
SERVER_PAUSE = 60.0
"""Seconds after which an EcsServer that is waited for is looked at again, should its event be lost."""
DETAILS_PAUSE = 10.0
"""Seconds after which the device is asked for again, where the cloud does not show it yet."""


@dataclass(frozen=True, slots=True)
class Others:
    """What passes over attachments tell each other."""

    claims: ClaimLists
    turns: Turns


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
    seen = seen_as(server)
    if seen.work is not None and not releasing.has_begun(visit):
        return _waiting(busy_text(seen))
    return Target(server_id, key)


async def wait_for_server(visit: AttachmentVisit, cloud: Actuator | None, notice: Notice) -> Outcome:
    """Until the EcsServer changes. ``cloud``: where the volume was put before. Raises CloudError and StoreError."""
    if cloud is not None and (outcome := await releasing.follow(visit, cloud, notice, action=ACTION)) is not None:
        return outcome
    await visit.tell(notice, action=ACTION)
    key = server_key(visit)
    return Blocked((key,) if key else (), at_most=SERVER_PAUSE)


async def advance(visit: AttachmentVisit, cloud: Actuator, target: Target, others: Others) -> Outcome:
    """The next step. Raises CloudError and StoreError."""
    if _is_settled(visit, cloud) and await cloud.is_listed():
        return await _keep(visit, cloud, target)
    facts = await _look(visit, cloud)
    if facts.attachment is None and visit.status.attachment_id is not None:
        _tell_loss(visit, cloud, facts)
        visit.status = record.lost(visit.status)
    step = planner.attach_step(facts)
    held_up = await _others_first(visit, cloud, others, step)
    if held_up is not None:
        return held_up
    match step:
        case steps.Attached():
            return await _finish(visit, cloud, target, attachment=facts.attachment, volume=facts.volume)
        case steps.Send(attempts=attempts):

            async def check() -> Notice | None:
                return await _target_is_lost(visit, cloud, target)

            return await operation.attach(visit, cloud, attempts=attempts, check=check)
        case steps.Watch():
            return await operation.watch(visit, cloud, "Attach", step, job=facts.job)
        case steps.Hindered(reason=reason, text=text, seconds=seconds):
            await visit.tell(Notice(reason, text), action=ACTION)
            return Blocked((target.key,), at_most=seconds) if target.key else Again(seconds, Lane.RESYNC)
        case steps.JobFailed(job=job):
            return await operation.job_failed(visit, "Attach", job)
        case steps.Stalled():
            return Done()
        case steps.Detached():
            raise AssertionError("a detachment was not planned")
        case _ as unreachable:
            assert_never(unreachable)


async def _others_first(visit: AttachmentVisit, cloud: Actuator, others: Others, step: steps.Step) -> Outcome | None:
    """Another object that has the volume, or whose turn it is on the server. None when there is none. Raises StoreError."""
    is_sending = isinstance(step, steps.Send)
    is_new = visit.status.attachment_id is None and visit.status.operation is None
    is_found = isinstance(step, steps.Attached) and is_new
    if not is_sending and not is_found and not (isinstance(step, steps.Hindered) and step.is_about_volume):
        return None
    rival = await rival_of(visit, others.claims)
    if rival is not None:
        await visit.tell(conflict(rival, volume_id=cloud.volume_id), action=ACTION)
        return Blocked((rival.key,), at_most=RIVAL_PAUSE)
    return await operation.await_turn(visit, cloud, "Attach", others.turns) if is_sending else None


async def _target_is_lost(visit: AttachmentVisit, cloud: Actuator, target: Target) -> Notice | None:
    """What forbids the call after all: the EcsServer is going, is another server, or something is being done to it."""
    if target.key is None:
        return None
    named = await named_server(visit, server_id=cloud.server_id)
    if named is None:
        return _waiting(f"EcsServer {target.key.name} does not stand for server {cloud.server_id} any more")
    if named.is_deleting:
        return _waiting(f"EcsServer {named.name} is being deleted (spec.serverRef)")
    return _waiting(busy_text(named)) if named.work is not None else None


def _tell_loss(visit: AttachmentVisit, cloud: Actuator, facts: steps.Facts) -> None:
    """Somebody took the volume off a server that is still there: to put it back is free, but it is not done in silence."""
    is_there = facts.server is not None and visit.status.server_id == cloud.server_id
    if visit.desk.events is None or not is_there or facts.operation is not None:
        return
    text = f"volume {cloud.volume_id} is not on server {cloud.server_id} any more, and not by this object: it is attached again"
    visit.desk.events.record(visit.obj, kind="Warning", reason=Reason.ATTACHING.value, message=text, action=ACTION)


async def _look(visit: AttachmentVisit, cloud: Actuator) -> steps.Facts:
    """The pair as the cloud shows it now. What decides nothing is not asked."""
    status = visit.status
    is_same = status.server_id in {None, cloud.server_id}
    under_way = record.operation_of(status, "Attach") if is_same else None
    job = await cloud.job(under_way.job_id) if under_way and under_way.job_id else None
    is_running = job is not None and not job.is_over
    attachment = None if is_running else await cloud.attachment()
    volume = None if is_running else await cloud.volume()
    is_wanted = not is_running and attachment is None
    device = visit.spec.device
    return steps.Facts(
        now=visit.now,
        server_id=cloud.server_id,
        volume_id=cloud.volume_id,
        server=await cloud.server() if is_wanted else None,
        volume=volume,
        attachment=attachment,
        operation=under_way,
        job=job,
        is_urged=visit.is_urged,
        wanted_device=device,
        devices=await cloud.devices() if is_wanted and device is not None else (),
        named=await named_server(visit, server_id=cloud.server_id) if is_wanted else None,
    )


def _is_settled(visit: AttachmentVisit, cloud: Actuator) -> bool:
    """The record says that all is well, and nobody asked for another look."""
    status = visit.status
    is_known = status.operation is None and status.attachment_id is not None and _has_details(status)
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
    is_first = not visit.says(Reason.AVAILABLE)
    await visit.write(seen, _available(visit, cloud, device=seen.device), action=ACTION)
    # What the cloud does not show yet is asked for once more soon, and then whenever the pair is looked at.
    return Again(DETAILS_PAUSE, Lane.POLL) if is_first and not _has_details(seen) else _later(visit, cloud, target)


def _has_details(status: VolumeAttachmentStatus) -> bool:
    is_placed = status.device is not None and (status.pci_address is not None or status.boot_index is not None)
    return is_placed and status.size_gib is not None


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
