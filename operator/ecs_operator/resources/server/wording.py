"""The sentences of the Ready condition that several phases need."""

from __future__ import annotations

from datetime import datetime

from ecs_operator.api.common import Operation
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ChangeRecord, ServerStatus
from ecs_operator.resources.server.create_protocol import MOST_FAILURES
from ecs_operator.resources.visit import Notice


def creating(status: ServerStatus) -> Notice:
    """What goes on while a server is made, with the last failure of an earlier try."""
    create, job = status.create, status.job
    if create is None or create.outcome != "Accepted":
        what = "asking the cloud for the server"
    elif job is not None and job.id == create.job_id:
        progress = f", {job.progress} parts done" if job.progress and job.status == "RUNNING" else ""
        what = f"the server is being built: job {job.id} is {job.status or 'INIT'}{progress}"
    else:
        what = f"the server {status.id} is being built"
    before = ""
    if create is not None and create.failures:
        before = f"; try {create.failures + 1} of {MOST_FAILURES} after: {create.last_error}"
    return Notice(Reason.CREATING, what + before)


def retrying(cause: str, *, failures: int, due: datetime | None) -> str:
    """A failure, and when it is tried again."""
    when = f" at {due:%H:%M:%S} UTC" if due else ""
    return f"{cause}. What it left is gone; try {failures + 1} of {MOST_FAILURES} follows{when}"


def changing(status: ServerStatus, change: ChangeRecord) -> Notice:
    """How far a change is that needs the server stopped."""
    what = f"to flavor {change.target}"
    job = status.job
    shown = f": job {job.id} is {job.status}" if job is not None and job.id == change.job_id and job.status else ""
    text = {
        "Stop": f"the server is being stopped to be resized {what}",
        "Send": f"the server is stopped and to be resized {what}",
        "Sent": f"the server is being resized {what}{shown}",
        "Done": f"the server was resized {what} and is brought back as it was",
        "Failed": "resizing the server failed, it is brought back as it was",
    }[change.step]
    return Notice(Reason.RESIZING, text + (f"; last answer: {change.cause}" if change.cause else ""))


def under_way(status: ServerStatus, operation: Operation | None) -> Notice:
    """What goes on with a server that is there: our own operation, or a task somebody else began."""
    job = status.job
    shown = (
        f": job {job.id} is {job.status}" if job is not None and operation is not None and job.id == operation.job_id and job.status else ""
    )
    task = f", task {status.task_state}" if status.task_state else ""
    if status.change is not None:
        return changing(status, status.change)
    if operation is None:
        return Notice(Reason.UPDATING, f"the cloud is at work on the server{task}")
    if operation.kind == "Start":
        return Notice(Reason.STARTING, f"the server is being started{shown}{task}")
    if operation.kind == "Restart":
        return Notice(Reason.RESTARTING, f"the server is being restarted{shown}{task}")
    until = f" softly, until {operation.deadline:%H:%M:%S} UTC" if operation.deadline else ""
    return Notice(Reason.STOPPING, f"the server is being stopped{until}{shown}{task}")
