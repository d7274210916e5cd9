"""Carries an operation a step further: sends the call after its record is written, records the answer, follows the job."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal

from ecs_operator.api.group import FINALIZER
from ecs_operator.api.reasons import Reason
from ecs_operator.api.volume_attachment import VolumeAttachmentSpec, VolumeAttachmentStatus
from ecs_operator.cloud import CloudError, Job, JobAccepted, Meaning, Outcome
from ecs_operator.engine.outcome import Again, Blocked, Lane
from ecs_operator.engine.outcome import Outcome as PassOutcome
from ecs_operator.resources.calls import SHORTEST_LEASE
from ecs_operator.resources.jobs import failed_text
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice, Visit
from ecs_operator.resources.volume_attachment import record, steps
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.steps import Kind
from ecs_operator.resources.volume_attachment.turns import Turns

logger = logging.getLogger(__name__)

AttachmentVisit = Visit[VolumeAttachmentSpec, VolumeAttachmentStatus]
Mode = Literal["Soft", "Force"]
Check = Callable[[], Awaitable[Notice | None]]
"""Asked after the record is written and before the call is made: what forbids the call now. Whoever changes the server writes first and
looks then as well, so that of two who begin at once at least one sees the other."""

TURN_PAUSE = 10.0
"""Seconds after which it is looked again whose turn it is, should nobody tell."""
PROGRESS_AFTER = 3.0
"""Seconds after the start of an operation before its job's progress is worth a write."""

_PASSING = frozenset(
    {
        Meaning.TRANSIENT,
        Meaning.INTERNAL,
        Meaning.BUSY,
        Meaning.THROTTLED,
        Meaning.CAPACITY,
        Meaning.QUOTA,
        Meaning.CONFLICT,
        Meaning.UNREACHABLE,
    }
)
"""What may mend itself: a job that failed for it is repeated."""


def under_way(kind: Kind, cloud: Actuator, *, text: str = "", mode: Mode | None = None) -> Notice:
    """The notice while the operation goes on. ``mode``: how it is detached."""
    deed = "attached to" if kind == "Attach" else "detached by force from" if mode == "Force" else "detached from"
    pair = f"volume {cloud.volume_id} is being {deed} server {cloud.server_id}"
    return Notice(Reason.ATTACHING if kind == "Attach" else Reason.DETACHING, f"{pair}: {text}" if text else pair)


async def await_turn(visit: AttachmentVisit, cloud: Actuator, kind: Kind, turns: Turns) -> PassOutcome | None:
    """Take the turn on the server. Where it is another's, say so and wait for that one; None when it was taken. Raises StoreError."""
    holder = turns.take((cloud.tenant.name, cloud.server_id), visit.obj.key)
    if holder is None:
        return None
    name = f"EcsVolumeAttachment {holder.name}" if holder.namespace == visit.obj.key.namespace else "another object"
    deed = "be attached to" if kind == "Attach" else "be detached from"
    text = f"volume {cloud.volume_id} waits to {deed} server {cloud.server_id}: {name} is at work there; one operation at a time"
    await visit.tell(Notice(Reason.ATTACHING if kind == "Attach" else Reason.DETACHING, text), action=kind)
    return Blocked((holder,), at_most=TURN_PAUSE)


async def attach(visit: AttachmentVisit, cloud: Actuator, *, attempts: int, check: Check) -> PassOutcome:
    """Send one request to attach. Raises StoreError."""
    open_until = visit.now + timedelta(seconds=cloud.tenant.create_policy.settle_after)

    async def call() -> JobAccepted:
        return await cloud.attach(device=visit.spec.device)

    return await _send(visit, cloud, "Attach", call, attempts=attempts, open_until=open_until, check=check)


async def detach(
    visit: AttachmentVisit, cloud: Actuator, *, attempts: int, mode: Mode, open_until: datetime | None, check: Check
) -> PassOutcome:
    """Send one request to detach. ``open_until``: until when an attach can still arrive. Raises StoreError."""

    async def call() -> JobAccepted:
        return await cloud.detach(force=mode == "Force")

    return await _send(visit, cloud, "Detach", call, attempts=attempts, open_until=open_until, check=check, mode=mode)


async def _send(
    visit: AttachmentVisit,
    cloud: Actuator,
    kind: Kind,
    call: Callable[[], Awaitable[JobAccepted]],
    *,
    attempts: int,
    open_until: datetime | None,
    check: Check,
    mode: Mode | None = None,
) -> PassOutcome:
    """The record first, then the call, then its answer."""
    if visit.desk.authority.time_left() < SHORTEST_LEASE:
        return Again(1.0, Lane.CREATE)
    wanted = record.sending(
        visit.status,
        kind,
        project=cloud.tenant.name,
        server_id=cloud.server_id,
        attempts=attempts,
        now=visit.now,
        open_until=open_until,
        mode=mode,
    )
    is_deleting = visit.obj.is_deleting
    notice = under_way(kind, cloud, mode=mode)
    await visit.write(wanted, notice, action=kind)
    if FINALIZER not in visit.obj.finalizers or visit.obj.is_deleting != is_deleting:
        # Nothing was sent: it is decided anew from the object as it is now.
        return await _settle(visit, kind, notice, pause=0.0)
    if (forbidden := await check()) is not None:
        return await _settle(visit, kind, forbidden, pause=steps.MOVING_PAUSE)
    try:
        accepted = await call()
    except CloudError as error:
        return await _not_accepted(visit, cloud, kind, error)
    logger.info("%s: %s was accepted as job %s", visit.obj.key, kind, accepted.job_id)

    def make(status: VolumeAttachmentStatus) -> VolumeAttachmentStatus:
        return record.accepted(status, job_id=accepted.job_id)

    await visit.record(make, notice, same=record.attempt, action=kind)
    return Again(1.0, Lane.POLL)


async def watch(visit: AttachmentVisit, cloud: Actuator, kind: Kind, step: steps.Watch, *, job: Job | None) -> PassOutcome:
    """Something goes on by itself. Progress is written when it lasts. Raises StoreError."""
    operation = visit.status.operation
    notice = under_way(kind, cloud, text=step.text, mode=visit.status.detach_mode)
    lasts = operation is not None and (visit.now - operation.started_at).total_seconds() >= PROGRESS_AFTER
    if job is not None and lasts and (seen := record.job_seen(visit.status, job)) != visit.status:
        await visit.write(seen, notice, action=kind)
    elif operation is None or operation.step != steps.RETRYING or step.text:
        await visit.tell(notice, action=kind)
    return Again(step.seconds, Lane.POLL)


async def job_failed(visit: AttachmentVisit, kind: Kind, job: Job) -> PassOutcome:
    """The failure is durable before anything is tried again. Raises StoreError."""
    operation = visit.status.operation
    attempts = (operation.attempts or 0) if operation else 0
    for_good = attempts >= steps.MOST_ATTEMPTS or job.failure_meaning not in _PASSING
    job_id = (operation.job_id if operation else None) or job.job_id
    text = failed_text(f"the job to {kind.lower()} the volume", job, job_id=job_id)
    way_on = "request a reconcile to try again" if for_good else f"it is tried again, {attempts} of {steps.MOST_ATTEMPTS} times so far"
    notice = Notice(Reason.OPERATION_FAILED, f"{text}; {way_on}", stalled=for_good)
    await visit.record(lambda status: record.job_failed(status, job, for_good=for_good), notice, same=record.attempt, action=kind)
    return Again(steps.MOVING_PAUSE, Lane.POLL)


async def _not_accepted(visit: AttachmentVisit, cloud: Actuator, kind: Kind, error: CloudError) -> PassOutcome:
    """A definite no settles the attempt. Anything else leaves it open: the next pass looks what became of it."""
    judged = verdict(error)
    if error.outcome is Outcome.UNKNOWN:
        text = f"the answer was lost, looking what became of it: {judged.message}"
        await visit.tell(under_way(kind, cloud, text=text, mode=visit.status.detach_mode), action=kind)
        return Again(max(steps.MOVING_PAUSE, judged.retry_floor), Lane.POLL)
    if error.meaning is Meaning.BUSY:
        text = f"another command runs on the server, so it is tried again: {judged.message}"
        notice = under_way(kind, cloud, text=text, mode=visit.status.detach_mode)
        return await _settle(visit, kind, notice, pause=judged.retry_floor)
    if error.meaning in {Meaning.CONFLICT, Meaning.NOT_FOUND}:
        # The state of server or volume does not allow it now, or is another one than was seen: look again.
        return await _settle(visit, kind, Notice(Reason.WAITING_FOR_DEPENDENCY, judged.message), pause=steps.MOVING_PAUSE)
    return await _settle(
        visit, kind, Notice(judged.reason, judged.message), pause=max(judged.retry_floor, steps.FIRST_PAUSE), for_good=judged.gives_up
    )


async def _settle(visit: AttachmentVisit, kind: Kind, notice: Notice, *, pause: float, for_good: bool = False) -> PassOutcome:
    await visit.record(lambda status: record.refused(status, for_good=for_good), notice, same=record.attempt, action=kind)
    return Again(pause, Lane.POLL)
