"""Attaching and detaching: from what is wanted, what the cloud shows, and the operation under way, to the next step. Pure.

The pair of server and volume is the identity, and the cloud keeps it unique: a request that is repeated does nothing twice. So every step
looks first, and an unknown outcome needs no more than another look; only the end of a deletion waits until nothing can arrive any more.
"""

from __future__ import annotations

from datetime import datetime

from ecs_operator.api.common import Operation
from ecs_operator.cloud import Volume
from ecs_operator.resources.times import poll_pause, resend_at
from ecs_operator.resources.volume_attachment import obstacles
from ecs_operator.resources.volume_attachment.steps import (
    FAILED,
    FIRST_PAUSE,
    GONE_SERVER,
    LONGEST_PAUSE,
    MOVING_PAUSE,
    MOVING_VOLUME,
    RUNNING,
    SENDING,
    Attached,
    Detached,
    Facts,
    JobFailed,
    Send,
    Stalled,
    Step,
    Watch,
)


def attach_step(facts: Facts) -> Step:
    """The one next step towards a volume that is attached."""
    if facts.job is not None and not facts.job.is_over:
        return Watch(_job_pause(facts))
    volume = facts.volume
    if facts.attachment is not None:
        if volume is not None and _state(volume) in MOVING_VOLUME:
            return Watch(MOVING_PAUSE, f"the volume is {_state(volume)}")
        return Attached()
    if _has_failed(facts):
        return JobFailed(facts.job) if facts.job is not None else Stalled()
    return obstacles.to_attach(facts) or _send_when_due(facts)


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
    return obstacles.to_detach(facts, server) or _send_when_due(facts)


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
