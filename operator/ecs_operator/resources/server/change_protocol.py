"""Changes that need the server stopped: stop, one step after another, bring back as it was. The single next step, from the record. Pure.

The server's power is seen to by ``power`` as ever; while a change is under way, it is only told another wish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ecs_operator.api.server import ChangeRecord, ChangeStep, ServerStatus
from ecs_operator.cloud import Job, JobStatus, Meaning, Server, parse_time
from ecs_operator.resources.times import poll_pause, resend_at

MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0
SHOWN_AFTER = timedelta(seconds=60)
"""So long a job that succeeded may be ahead of what the server shows."""

PASSING = frozenset({Meaning.TRANSIENT, Meaning.THROTTLED, Meaning.BUSY, Meaning.UNREACHABLE, Meaning.INTERNAL})
"""Why a job may fail once and not again."""

OPEN = frozenset({"Waiting", "Sent"})

Power = Literal["Running", "Stopped"]


@dataclass(frozen=True, slots=True)
class SendChange:
    """Write the record with one attempt more of its current step, then call."""

    change: ChangeRecord


@dataclass(frozen=True, slots=True)
class WatchChange:
    """Look again in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RecordChange:
    """Write the record as it is now, and go on."""

    change: ChangeRecord


@dataclass(frozen=True, slots=True)
class DropChange:
    """It is over, and the server is as it was before."""


@dataclass(frozen=True, slots=True)
class ChangeFailed:
    """It is over, the server is as it was before, and the cause stands until somebody acts."""

    cause: str


Step = SendChange | WatchChange | RecordChange | DropChange | ChangeFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on. ``status`` shows what the server's row lacks, ``job`` is that of the current step."""

    server: Server
    status: ServerStatus
    now: datetime
    job: Job | None
    is_urged: bool
    is_wanted: Callable[[ChangeStep], bool]
    """The spec still wants it. What was not sent yet is given up when it does not; what was sent is seen to its end."""


def current(change: ChangeRecord) -> ChangeStep | None:
    """The step whose turn it is; None when it is over."""
    if failed(change) is not None:
        return None
    return next((step for step in change.steps if step.state in OPEN), None)


def failed(change: ChangeRecord) -> ChangeStep | None:
    """The step that failed for good and ended the change."""
    return next((step for step in change.steps if step.state == "Failed"), None)


def is_over(change: ChangeRecord) -> bool:
    """Nothing is left to do but to bring the server back as it was."""
    return current(change) is None


def broke(change: ChangeRecord) -> ChangeStep | None:
    """The installation that can have left the server in ERROR: it was sent, and did not end well. From there it may be made again."""
    unfinished = (step for step in change.steps if step.kind == "Install" and step.state != "Done")
    return next((step for step in unfinished if step.attempts or change.repairs), None)


def with_step(change: ChangeRecord, **news: object) -> ChangeRecord:
    """The record with news of its current step."""
    step = current(change)
    if step is None:
        return change
    return change.model_copy(update={"steps": tuple(each.model_copy(update=news) if each is step else each for each in change.steps)})


def power_during(change: ChangeRecord | None, *, wanted: Power | None) -> Power | None:
    """The power state that is wanted now. A spec that names one decides what is brought back, else what was before."""
    if change is None:
        return wanted
    return (wanted or change.restore.power_state) if is_over(change) else "Stopped"


def evidence(step: ChangeStep, server: Server, status: ServerStatus) -> str | None:
    """What is noted before a step, so that a change of it proves the step done."""
    if step.kind == "Install":
        return next((volume.id for volume in status.volumes if volume.boot_index == 0), None)
    return server.host_id or None if step.kind == "Migrate" else None


def has_arrived(step: ChangeStep, facts: Facts) -> bool:
    """The server shows what the step leads to. Of an installation only a new system disk, or its job, proves that it was this one."""
    server, membership = facts.server, facts.status.server_group
    if server.status == "ERROR":
        return False
    if step.kind == "Resize":
        return server.flavor_id == step.target
    if step.kind == "JoinGroup":
        return membership is not None and membership.id == step.target
    if step.kind == "LeaveGroup":
        return membership is not None and membership.id != step.target
    if not step.attempts:
        return False
    is_done = facts.job is not None and facts.job.status is JobStatus.SUCCESS
    seen = evidence(step, server, facts.status)
    is_done = is_done or (step.before is not None and seen is not None and seen != step.before)
    return is_done and (step.kind == "Migrate" or facts.status.image_id == step.target)


def next_step(change: ChangeRecord, facts: Facts) -> Step:
    """The next step, on a server whose power is as ``power_during`` wants it, or that an installation left in ERROR."""
    step = current(change)
    if step is None:
        lost = failed(change)
        if lost is not None and not facts.is_urged and any(facts.is_wanted(each) for each in change.steps if each.state != "Done"):
            return ChangeFailed(lost.cause or "the change failed")
        return DropChange()
    if has_arrived(step, facts):
        return RecordChange(with_step(change, state="Done", cause=None))
    if step.state == "Waiting":
        return _send(change, step, facts)
    return _follow(change, step, facts)


def next_send_at(change: ChangeRecord, step: ChangeStep) -> datetime:
    """When a call that did not help is sent again, by the record alone."""
    return resend_at(step.sent_at or change.started_at, max(step.attempts, 1), first=FIRST_PAUSE, cap=LONGEST_PAUSE)


def _send(change: ChangeRecord, step: ChangeStep, facts: Facts) -> Step:
    """Waiting: it is certain that no call is under way."""
    if not facts.is_wanted(step):
        return RecordChange(with_step(change, state="GivenUp"))
    if step.attempts >= MOST_ATTEMPTS and not facts.is_urged:
        return _failed(change, step.cause or f"the call was refused {step.attempts} times")
    due = next_send_at(change, step)
    if step.attempts and facts.now < due and not facts.is_urged:
        return WatchChange(min((due - facts.now).total_seconds(), LONGEST_PAUSE))
    news: dict[str, object] = {"state": "Sent", "attempts": step.attempts + 1, "sent_at": step.sent_at or facts.now, "job_id": None}
    if step.before is None:
        news["before"] = evidence(step, facts.server, facts.status)
    return SendChange(with_step(change, **news))


def _follow(change: ChangeRecord, step: ChangeStep, facts: Facts) -> Step:
    """Sent: the job tells, else the server itself; the cloud takes one command at a time, so a repeated call cannot do harm."""
    job, elapsed = facts.job, (facts.now - (step.sent_at or facts.now)).total_seconds()
    if job is not None and not job.is_over:
        return WatchChange(poll_pause(elapsed))
    if job is not None and job.status is JobStatus.FAIL:
        cause = f"job {step.job_id} failed: {job.failure_code or ''} {job.failure_text}".strip()
        if step.attempts >= MOST_ATTEMPTS or job.failure_meaning not in PASSING:
            return _failed(change, cause)
        return RecordChange(with_step(change, state="Waiting", cause=cause, job_id=None))
    if job is not None:
        # To do it twice because the server shows it late could cost another system disk.
        is_late = facts.now - (parse_time(job.end_time) or step.sent_at or facts.now) >= SHOWN_AFTER
        return _failed(change, f"job {step.job_id} succeeded, but the server does not show it") if is_late else WatchChange(3.0)
    if facts.server.status == "ERROR":
        return _failed(change, "the server is in state ERROR since")
    if facts.now < next_send_at(change, step) and not facts.is_urged:
        return WatchChange(3.0)
    if not facts.is_wanted(step) or (step.kind == "Install" and step.before is None):
        return _failed(change, "its end was not seen")
    return RecordChange(with_step(change, state="Waiting", job_id=None))


def _failed(change: ChangeRecord, cause: str) -> RecordChange:
    return RecordChange(with_step(change, state="Failed", cause=cause[:1000]))
