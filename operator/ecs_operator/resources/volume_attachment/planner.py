"""Attaching and detaching: from what is wanted, what the cloud shows, and the operation under way, to the next step. Pure.

The pair of server and volume is the identity, and the cloud keeps it unique: a request that is repeated does nothing twice. So every step
looks first, and an unknown outcome needs no more than another look; only the end of a deletion waits until nothing can arrive any more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecs_operator.api.common import Operation
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Attachment, Job, Server, Volume
from ecs_operator.resources.times import poll_pause, resend_at

Kind = Literal["Attach", "Detach"]

SENDING, RUNNING, RETRYING, FAILED = "Sending", "Running", "Retrying", "Failed"
"""Steps of an operation. Sending: written before the call, whose outcome is unknown until the next step is written. Running: the job is
known. Retrying: the last call did nothing, or its job failed. Failed: given up until somebody asks for another try."""

MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 120.0
"""Seconds before a call that did not help is repeated."""
MOVING_PAUSE = 3.0
"""Seconds between looks at something that changes by itself."""
WAITING_PAUSE = 30.0
"""Seconds between looks at something that somebody else must change."""
ATTACHABLE = frozenset({"ACTIVE", "SHUTOFF"})
MOVING_VOLUME = frozenset({"attaching", "detaching", "creating", "downloading", "reserved", "extending"})
GONE_SERVER = frozenset({"DELETED"})
"""A row of a server that is no more. SOFT_DELETED is not among them: it can come back, with its volumes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on. ``server``, ``volume``, ``attachment`` and ``job`` are None when the cloud knows no such thing."""

    now: datetime
    server_id: str
    volume_id: str
    server: Server | None
    volume: Volume | None
    attachment: Attachment | None
    operation: Operation | None = None
    """The operation of this kind."""
    open_until: datetime | None = None
    """Until when an attach that was never answered can still arrive."""
    job: Job | None = None
    """The job of whichever operation is under way."""
    is_urged: bool = False
    is_system_disk: bool = False


@dataclass(frozen=True, slots=True)
class Attached:
    """The volume is on the server."""


@dataclass(frozen=True, slots=True)
class Detached:
    """Proven: the volume is not on the server, and no request can put it there any more."""


@dataclass(frozen=True, slots=True)
class Send:
    """Write the operation, then call."""

    attempts: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Look again in ``seconds``."""

    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hindered:
    """It cannot be done as things are; ``seconds`` until the next look, should nobody tell."""

    reason: Reason
    text: str
    seconds: float = WAITING_PAUSE


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The operation's job failed, and the failure is not recorded yet."""

    job: Job


@dataclass(frozen=True, slots=True)
class Stalled:
    """Given up; somebody must ask for another try."""


Step = Attached | Detached | Send | Watch | Hindered | JobFailed | Stalled


def attach_step(facts: Facts) -> Step:
    """The one next step towards a volume that is attached."""
    if facts.job is not None and not facts.job.is_over:
        return Watch(_job_pause(facts))
    server, volume = facts.server, facts.volume
    if facts.attachment is not None:
        if volume is not None and _state(volume) in MOVING_VOLUME:
            return Watch(MOVING_PAUSE, f"the volume is {_state(volume)}")
        return Attached()
    if _has_failed(facts):
        return JobFailed(facts.job) if facts.job is not None else Stalled()
    hindrance = _server_hindrance(facts, server) or _volume_hindrance(facts, volume) or _zone_hindrance(server, volume)
    return hindrance or _send_when_due(facts)


def detach_step(facts: Facts) -> Step:
    """The one next step towards a volume that is not attached."""
    if facts.job is not None and not facts.job.is_over:
        return Watch(_job_pause(facts))
    if facts.attachment is None:
        return _prove(facts)
    if facts.volume is not None and _state(facts.volume) in {"detaching", "attaching"}:
        return Watch(MOVING_PAUSE, f"the volume is {_state(facts.volume)}")
    if _has_failed(facts):
        return JobFailed(facts.job) if facts.job is not None else Stalled()
    server = facts.server
    if server is None or server.status in GONE_SERVER:
        return Watch(MOVING_PAUSE, f"server {facts.server_id} is gone; the cloud has yet to let go of the volume")
    if not server.is_settled:
        return Watch(MOVING_PAUSE, f"server {facts.server_id} is busy: {server.task_state}")
    if facts.is_system_disk and server.status != "SHUTOFF":
        text = f"volume {facts.volume_id} is the system disk of server {facts.server_id}, which is {server.status}: stop the server"
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"{text}, or set deletionPolicy: Retain")
    if server.locked:
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"server {facts.server_id} is locked: unlock it")
    return _send_when_due(facts)


def next_send_at(operation: Operation) -> datetime:
    """When a call that did not help is repeated, by the record alone."""
    return resend_at(operation.started_at, operation.attempts or 0, first=FIRST_PAUSE, cap=LONGEST_PAUSE)


def _prove(facts: Facts) -> Step:
    """No attachment is shown. A volume that still names the server contradicts that, unless the server is gone."""
    is_gone = facts.server is None or facts.server.status in GONE_SERVER
    if not is_gone and facts.volume is not None and facts.server_id in facts.volume.server_ids:
        return Watch(MOVING_PAUSE, f"the volume still names server {facts.server_id}")
    if not is_gone and facts.open_until is not None and facts.now < facts.open_until:
        left = (facts.open_until - facts.now).total_seconds()
        text = f"a request to attach the volume may still arrive; looking until {facts.open_until:%H:%M:%S} UTC"
        return Watch(min(10.0, max(0.5, left)), text)
    return Detached()


def _has_failed(facts: Facts) -> bool:
    operation = facts.operation
    if operation is None:
        return False
    if operation.step == RUNNING:
        # A job that ended well, or that nobody knows any more, is given until the next call is due to show in the volume.
        return facts.job is not None and facts.job.status == "FAIL"
    return operation.step == FAILED and not facts.is_urged


def _server_hindrance(facts: Facts, server: Server | None) -> Watch | Hindered | None:
    server_id = facts.server_id
    if server is None or server.status in GONE_SERVER:
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"server {server_id} does not exist in the project")
    if not server.is_settled or server.status == "BUILD":
        return Watch(MOVING_PAUSE, f"server {server_id} is busy: {server.task_state or 'building'}")
    if server.status not in ATTACHABLE:
        text = f"server {server_id} is {server.status}: a volume can be attached when it is ACTIVE or SHUTOFF"
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, text)
    if server.locked:
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"server {server_id} is locked: unlock it")
    return None


def _volume_hindrance(facts: Facts, volume: Volume | None) -> Watch | Hindered | None:
    volume_id = facts.volume_id
    if volume is None:
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"volume {volume_id} does not exist in the project")
    others = [each for each in volume.server_ids if each != facts.server_id]
    if others:
        text = f"volume {volume_id} is attached to server {', '.join(others)}: it is attached here as soon as it is detached there"
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, text)
    if _state(volume) in MOVING_VOLUME or facts.server_id in volume.server_ids:
        return Watch(MOVING_PAUSE, f"the volume is {_state(volume)}")
    if _state(volume) != "available":
        return Hindered(Reason.WAITING_FOR_DEPENDENCY, f"volume {volume_id} is in state {_state(volume)}; it must be available")
    return None


def _zone_hindrance(server: Server | None, volume: Volume | None) -> Hindered | None:
    zones = (server.availability_zone if server else "", volume.availability_zone if volume else "")
    if not all(zones) or zones[0] == zones[1]:
        return None
    return Hindered(Reason.INVALID_CONFIGURATION, f"the server is in zone {zones[0]}, the volume in {zones[1]}: they must be in the same")


def _send_when_due(facts: Facts) -> Step:
    operation = facts.operation
    if operation is None or facts.is_urged or operation.attempts is None:
        return Send(attempts=1 if operation is None else (operation.attempts or 0) + 1)
    due = next_send_at(operation)
    if facts.now < due:
        return Watch(min((due - facts.now).total_seconds(), MOVING_PAUSE if operation.step in {SENDING, RUNNING} else LONGEST_PAUSE))
    return Send(attempts=operation.attempts + 1)


def _job_pause(facts: Facts) -> float:
    begun = facts.operation.started_at if facts.operation is not None else facts.now
    return poll_pause((facts.now - begun).total_seconds())


def _state(volume: Volume) -> str:
    return volume.status.lower()
