"""The delete protocol (design: lifecycle.md, Delete) as a decision: how a server is brought to its end, and what proves it. Pure.

It serves twice: for an object that is deleted, and for what a failed create job left behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecs_operator.api.common import Operation
from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import Job, JobStatus, Server
from ecs_operator.resources.server.create_protocol import settled_at
from ecs_operator.resources.server.evidence import Look, is_gone
from ecs_operator.resources.server.record import Phase, phase
from ecs_operator.resources.server.volumes import VolumeFate
from ecs_operator.resources.tenancy import CreatePolicy
from ecs_operator.resources.times import poll_pause, resend_at

DELETE = "Delete"
"""Kind of the operation."""
SENDING, DETACHING, UNLOCKING = "Sending", "Detaching", "Unlocking"
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 120.0
"""Seconds before a delete call that did not help is repeated."""
LAG_PAUSE = 2.0
DELETING_TASKS = frozenset({"deleting", "soft-deleting"})


@dataclass(frozen=True, slots=True)
class Foreign:
    """The server does not carry our marker: it is not touched."""

    server_id: str


@dataclass(frozen=True, slots=True)
class ReadDevices:
    """Find out which disk is which, then ask again."""


@dataclass(frozen=True, slots=True)
class Unlock:
    """Open the lock, which is ours: a locked server refuses to be deleted."""

    server_id: str


@dataclass(frozen=True, slots=True)
class Detach:
    """Detach a disk that is to stay."""

    server_id: str
    volume_id: str


@dataclass(frozen=True, slots=True)
class SendDelete:
    """Ask the cloud to delete."""

    server_ids: tuple[str, ...]
    delete_volume: bool


@dataclass(frozen=True, slots=True)
class LookAround:
    """Look for servers with our marker in a list begun at ``not_before`` or later, then ask again."""

    not_before: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """The cloud is at it, or a late request could still arrive. ``until`` is set in the latter case."""

    seconds: float
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dead:
    """Proven: the server answers 404, no list shows another, and nothing can arrive any more."""


Step = Foreign | Unlock | ReadDevices | Detach | SendDelete | LookAround | Wait | Dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on."""

    now: datetime
    server: Server | None
    """The recorded server by its id; None when there is none."""
    owned: bool
    """Its marker is ours."""
    fate: VolumeFate | None
    """What becomes of its disks; None when it is gone."""
    absent_after: datetime
    """A list proves absence only if begun at this time or later."""
    operation: Operation | None
    job: Job | None
    """The job of ``operation.job_id``, None when it is forgotten or none is known."""
    look: Look | None = None
    opens_lock: bool = False
    """The spec wants the server locked: then the lock is ours to open."""
    creation_runs: bool = False
    """The create job still runs and its server was never seen: it may yet come."""


def next_step(facts: Facts) -> Step:
    """The one next step."""
    job = facts.job
    if job is not None and not job.is_over:
        return Wait(_pause(facts))
    server = facts.server
    if server is not None and not is_gone(server):
        return _end(facts, server)
    if facts.creation_runs:
        return Wait(LAG_PAUSE)
    if facts.now < facts.absent_after:
        return Wait(min(10.0, max(0.5, (facts.absent_after - facts.now).total_seconds())), until=facts.absent_after)
    return _prove(facts)


def absent_after(status: ServerStatus, policy: CreatePolicy) -> datetime | None:
    """Since when a list without our marker proves that nothing is there; None when nothing was ever sent.

    A create whose server was seen has arrived. Any other could still arrive, or be missing from lists, until it has settled.
    """
    create = status.create
    if create is None:
        return None
    if create.attempts == 0 or (create.outcome == "Refused" and status.id is None):
        return create.last_attempt_at or create.intended_at
    return (create.last_attempt_at or create.intended_at) if was_seen(status) else settled_at(create, policy)


def was_seen(status: ServerStatus) -> bool:
    """The server of this incarnation was seen: its request has arrived, and will not make another."""
    return status.server_status is not None or phase(status) is Phase.BUILT


def nothing_was_sent(status: ServerStatus) -> bool:
    """No request of this object can have made, or marked, anything that is still there: it may go without asking the cloud."""
    is_marking = status.adoption is not None and status.adoption.state == "Marking"
    return status.id is None and phase(status) is Phase.NEW and not is_marking


def next_send_at(operation: Operation) -> datetime:
    """When a call that did not help is repeated, by the record alone."""
    return resend_at(operation.started_at, operation.attempts or 0, first=FIRST_PAUSE, cap=LONGEST_PAUSE)


def _end(facts: Facts, server: Server) -> Step:
    if not facts.owned:
        return Foreign(server.id)
    if server.task_state in DELETING_TASKS:
        return Wait(_pause(facts))
    if server.locked and facts.opens_lock:
        return Unlock(server.id)
    operation = facts.operation
    if operation is not None and operation.step == SENDING and not _may_repeat(facts, operation):
        return Wait(LAG_PAUSE)
    fate = facts.fate or VolumeFate(delete_volume=False)
    if fate.needs_devices:
        return ReadDevices()
    if fate.detach_first:
        busy = operation is not None and operation.step == DETACHING and facts.now < next_send_at(operation) and facts.job is None
        return Wait(LAG_PAUSE) if busy and operation and operation.job_id is None else Detach(server.id, fate.detach_first[0])
    return SendDelete((server.id,), fate.delete_volume)


def _may_repeat(facts: Facts, operation: Operation) -> bool:
    """A call was made. After a job that failed, or one that nobody knows, it is repeated in time; a job that ended well needs some lag."""
    if facts.job is not None and facts.job.status is JobStatus.SUCCESS:
        return facts.now >= max(next_send_at(operation), operation.started_at + timedelta(seconds=60))
    return facts.now >= next_send_at(operation)


def _prove(facts: Facts) -> Step:
    look = facts.look
    if look is None:
        return LookAround(facts.absent_after)
    if look.started_at < facts.absent_after:
        return Wait(1.0)
    others = tuple(each.server for each in look.found)
    if others:
        # The list may show what died after it was begun; only a newer one tells.
        operation = facts.operation
        if operation is not None and (facts.now < next_send_at(operation) or all(each.task_state in DELETING_TASKS for each in others)):
            return Wait(LAG_PAUSE)
        return SendDelete(tuple(each.id for each in others), delete_volume=False)
    return Dead() if look.complete else Wait(5.0)


def _pause(facts: Facts) -> float:
    if facts.operation is None:
        return LAG_PAUSE
    return poll_pause((facts.now - facts.operation.started_at).total_seconds())
