"""Power: from what is wanted, what is, and the operation under way, to the next step (ECS API reference 5.3). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ecs_operator.api.common import Operation
from ecs_operator.api.server import Shutdown
from ecs_operator.cloud import Job, JobStatus, Server
from ecs_operator.resources.times import poll_pause, resend_at

Kind = Literal["Start", "Stop", "Restart"]
Mode = Literal["SOFT", "HARD"]

MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 120.0
WATCH_PAUSE = 3.0
"""Seconds between looks at a server on which a task runs."""

SENDING, WAITING, SOFT, HARD, FAILED = "Sending", "Waiting", "Soft", "Hard", "Failed"
"""Steps of an operation. Sending, Soft and Hard are written before the call; Waiting: it is certain that the call did nothing."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Power is as it should be, and nothing is under way."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """The server is in a state from which it cannot be started or stopped here."""

    wanted: str


@dataclass(frozen=True, slots=True)
class Send:
    """Write the operation, then call. ``echo``: the restart token this call answers."""

    kind: Kind
    mode: Mode
    step: str
    deadline: datetime | None = None
    attempts: int = 1
    echo: str | None = None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Echo:
    """A restart was asked of a server that does not run: there is nothing to restart."""

    token: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The operation has ended, in the state it was to reach or because it is no longer wanted."""

    kind: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Look again in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """Tried as often as makes sense."""


Step = Settled | Unfit | Send | Echo | Finish | Watch | Fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on. ``job`` is that of ``operation.job_id``, None when it is forgotten or none is known."""

    server: Server
    now: datetime
    wanted: Literal["Running", "Stopped"] | None
    shutdown: Shutdown
    operation: Operation | None = None
    job: Job | None = None
    restart_token: str | None = None
    """The token in the annotation, None when it was answered already."""
    is_urged: bool = False
    """A reconcile was requested, or the spec changed since: try again what failed."""


def is_running(server: Server) -> bool:
    """It runs, and no task is changing that."""
    return server.is_settled and server.status == "ACTIVE"


def is_stopped(server: Server) -> bool:
    """It is shut down, and no task is changing that."""
    return server.is_settled and server.status == "SHUTOFF"


def next_step(facts: Facts) -> Step:
    """The one next step."""
    return _continue(facts, facts.operation) if facts.operation is not None else _begin(facts)


def next_send_at(operation: Operation) -> datetime:
    """When a call that did not help is sent again, by the record alone."""
    return resend_at(operation.started_at, operation.attempts or 1, first=FIRST_PAUSE, cap=LONGEST_PAUSE)


def has_arrived(facts: Facts) -> bool:
    """The operation under way has led to what it was for, and nothing of it can still happen."""
    operation, job = facts.operation, facts.job
    return operation is not None and (job is None or job.is_over) and _has_arrived(operation, facts.server, job)


def _begin(facts: Facts) -> Step:
    server, token = facts.server, facts.restart_token
    if not server.is_settled:
        return Watch(WATCH_PAUSE)
    if facts.wanted == "Running" and is_stopped(server):
        return Send("Start", "SOFT", SENDING, echo=token, is_new=True)
    if facts.wanted == "Stopped" and is_running(server):
        return _stop(facts, echo=token)
    if token is not None and is_running(server):
        return Send("Restart", "SOFT" if facts.shutdown.mode == "Soft" else "HARD", SENDING, echo=token, is_new=True)
    if token is not None and is_stopped(server):
        return Echo(token)
    if (facts.wanted == "Running" and not is_running(server)) or (facts.wanted == "Stopped" and not is_stopped(server)):
        return Unfit(facts.wanted)
    return Settled()


def _stop(facts: Facts, *, echo: str | None) -> Send:
    if facts.shutdown.mode == "Hard":
        return Send("Stop", "HARD", HARD, echo=echo, is_new=True)
    return Send("Stop", "SOFT", SOFT, deadline=facts.now + timedelta(seconds=facts.shutdown.timeout_seconds), echo=echo, is_new=True)


def _continue(facts: Facts, operation: Operation) -> Step:
    server, job = facts.server, facts.job
    job_runs = job is not None and not job.is_over
    if not job_runs and _has_arrived(operation, server, job):
        return Finish(operation.kind)
    if operation.kind == "Stop" and operation.step == SOFT and _has_expired(operation, facts.now) and not is_stopped(server):
        if facts.wanted == "Stopped":
            return Send("Stop", "HARD", HARD, attempts=1)
        return Watch(WATCH_PAUSE) if job_runs or not server.is_settled else Finish(operation.kind)
    if job_runs or (not server.is_settled and not _is_stuck(operation, facts.now)):
        return Watch(_watch_pause(facts, operation))
    if not _is_wanted(operation.kind, facts.wanted):
        return Finish(operation.kind)
    return _again(facts, operation)


def _again(facts: Facts, operation: Operation) -> Step:
    """No job runs, no task either, and the state is not what it should be."""
    asked_again = facts.is_urged or facts.restart_token is not None
    if (
        operation.kind == "Stop"
        and operation.step == SOFT
        and (facts.job is None or facts.job.status is JobStatus.SUCCESS)
        and operation.job_id
    ):
        # The guest was asked and takes its time: until the deadline there is nothing to repeat.
        return Watch(WATCH_PAUSE)
    was_refused = facts.job is not None and facts.job.was_refused
    if operation.kind == "Restart" and operation.step == SENDING and not was_refused:
        return Fail() if not asked_again else Finish(operation.kind)
    if operation.step == FAILED or (operation.attempts or 0) >= MOST_ATTEMPTS:
        return Finish(operation.kind) if asked_again else Fail()
    due = next_send_at(operation)
    if facts.now < due and not facts.is_urged:
        return Watch(min((due - facts.now).total_seconds(), LONGEST_PAUSE))
    step = SENDING if operation.step == WAITING else operation.step
    mode: Mode = "HARD" if step == HARD or (operation.kind == "Restart" and facts.shutdown.mode == "Hard") else "SOFT"
    return Send(_kind(operation), mode, step, deadline=operation.deadline, attempts=(operation.attempts or 0) + 1)


def _kind(operation: Operation) -> Kind:
    return "Start" if operation.kind == "Start" else "Stop" if operation.kind == "Stop" else "Restart"


def _has_arrived(operation: Operation, server: Server, job: Job | None) -> bool:
    if operation.kind == "Stop":
        return is_stopped(server)
    if operation.kind == "Start":
        return is_running(server)
    # A restart leaves no trace in the state: it is over when its job ended well, or when nobody can tell any more. Never twice.
    return is_running(server) and operation.step == SENDING and (job is None or job.status is JobStatus.SUCCESS)


def _is_wanted(kind: str, wanted: str | None) -> bool:
    return kind == "Restart" or (kind == "Start" and wanted == "Running") or (kind == "Stop" and wanted == "Stopped")


def _is_stuck(operation: Operation, now: datetime) -> bool:
    """The power was to be cut, the call was not taken, and the soft stop before it still hangs in the guest."""
    return operation.step == HARD and operation.job_id is None and now >= next_send_at(operation)


def _has_expired(operation: Operation, now: datetime) -> bool:
    return operation.deadline is not None and now >= operation.deadline


def _watch_pause(facts: Facts, operation: Operation) -> float:
    elapsed = (facts.now - operation.started_at).total_seconds()
    pause = poll_pause(elapsed)
    if operation.deadline is not None and operation.step == SOFT and facts.now < operation.deadline:
        return min(pause, max(0.5, (operation.deadline - facts.now).total_seconds()))
    return pause
