"""A change that needs the server stopped: stop, change, bring back as it was. The single next step, from the record. Pure.

The server's power is seen to by ``power`` as ever; while a change is under way, it is only told another wish.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecs_operator.api.server import ChangeRecord
from ecs_operator.cloud import Job, JobStatus, Meaning, Server
from ecs_operator.resources.times import poll_pause, resend_at

MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0

PASSING = frozenset({Meaning.TRANSIENT, Meaning.THROTTLED, Meaning.BUSY, Meaning.UNREACHABLE, Meaning.INTERNAL})
"""Why a job may fail once and not again."""

Power = Literal["Running", "Stopped"]


@dataclass(frozen=True, slots=True)
class SendChange:
    """Write the record with one attempt more, then call."""

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


ChangeStep = SendChange | WatchChange | RecordChange | DropChange | ChangeFailed


def is_over(change: ChangeRecord) -> bool:
    """Nothing is left to do but to bring the server back as it was."""
    return change.step in {"Done", "Failed"}


def power_during(change: ChangeRecord | None, *, wanted: Power | None) -> Power | None:
    """The power state that is wanted now. A spec that names one decides what is brought back, else what was before."""
    if change is None:
        return wanted
    return (wanted or change.restore.power_state) if is_over(change) else "Stopped"


def has_arrived(change: ChangeRecord, server: Server) -> bool:
    """The server shows what the change leads to."""
    return server.flavor_id == change.target


def next_step(change: ChangeRecord, server: Server, *, job: Job | None, now: datetime, is_urged: bool, is_wanted: bool) -> ChangeStep:
    """The next step, on a server whose power is as ``power_during`` wants it.

    ``is_wanted``: the spec still wants it. What was not sent yet is given up when it is not; what was sent is seen to its end.
    """
    if is_over(change):
        if change.step == "Failed" and is_wanted and not is_urged:
            return ChangeFailed(change.cause or "the change failed")
        return DropChange()
    if has_arrived(change, server):
        return RecordChange(change.model_copy(update={"step": "Done", "cause": None}))
    if change.step in {"Stop", "Send"}:
        return _send(change, now=now, is_urged=is_urged, is_wanted=is_wanted)
    return _follow(change, job=job, now=now, is_urged=is_urged, is_wanted=is_wanted)


def next_send_at(change: ChangeRecord) -> datetime:
    """When a call that did not help is sent again, by the record alone."""
    return resend_at(change.sent_at or change.started_at, max(change.attempts, 1), first=FIRST_PAUSE, cap=LONGEST_PAUSE)


def _send(change: ChangeRecord, *, now: datetime, is_urged: bool, is_wanted: bool) -> ChangeStep:
    """Stop and Send: it is certain that no call is under way."""
    if not is_wanted:
        return RecordChange(change.model_copy(update={"step": "Done"}))
    if change.attempts >= MOST_ATTEMPTS and not is_urged:
        return _failed(change, change.cause or f"the call was refused {change.attempts} times")
    if change.attempts and now < next_send_at(change) and not is_urged:
        return WatchChange(min((next_send_at(change) - now).total_seconds(), LONGEST_PAUSE))
    sent = {"step": "Sent", "attempts": change.attempts + 1, "sent_at": change.sent_at or now, "job_id": None}
    return SendChange(change.model_copy(update=sent))


def _follow(change: ChangeRecord, *, job: Job | None, now: datetime, is_urged: bool, is_wanted: bool) -> ChangeStep:
    """Sent: the job tells, else the server itself; the cloud takes one command at a time, so a repeated call cannot do harm."""
    if job is not None and not job.is_over:
        return WatchChange(poll_pause((now - (change.sent_at or now)).total_seconds()))
    if job is not None and job.status is JobStatus.FAIL:
        cause = f"job {change.job_id} failed: {job.failure_code or ''} {job.failure_text}".strip()
        if change.attempts >= MOST_ATTEMPTS or job.failure_meaning not in PASSING:
            return _failed(change, cause)
        return RecordChange(change.model_copy(update={"step": "Send", "cause": cause, "job_id": None}))
    if now < next_send_at(change) and not is_urged:
        return WatchChange(3.0)
    return (
        RecordChange(change.model_copy(update={"step": "Send", "job_id": None})) if is_wanted else _failed(change, "its end was not seen")
    )


def _failed(change: ChangeRecord, cause: str) -> RecordChange:
    return RecordChange(change.model_copy(update={"step": "Failed", "cause": cause[:1000]}))
