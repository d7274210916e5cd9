"""The sentences of the Ready condition that several phases need."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ecs_operator.api.common import Operation
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ChangeRecord, ChangeStep, InterfaceChange, ReplacementRecord, ServerStatus
from ecs_operator.resources.server.change_protocol import current, failed
from ecs_operator.resources.server.create_protocol import MOST_FAILURES
from ecs_operator.resources.server.interfaces import described
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
    if status.replacement is not None:
        return Notice(Reason.REPLACING, f"{replaced(status.replacement)}: {what}{before}")
    return Notice(Reason.CREATING, what + before)


def replaced(replacement: ReplacementRecord) -> str:
    """Which server gives way to another one, and why."""
    if replacement.cause == "DeletedExternally":
        return f"another server is made for {replacement.server_id}, which somebody else deleted"
    return f"server {replacement.server_id} is replaced by another one ({', '.join(replacement.paths)})"


def retrying(cause: str, *, failures: int, due: datetime | None) -> str:
    """A failure, and when it is tried again."""
    when = f" at {due:%H:%M:%S} UTC" if due else ""
    return f"{cause}. What it left is gone; try {failures + 1} of {MOST_FAILURES} follows{when}"


_DEEDS = {
    "Migrate": "moved to {}",
    "LeaveGroup": "taken out of server group {}",
    "JoinGroup": "put in server group {}",
    "Resize": "resized to flavor {}",
    "Install": "installed anew from image {}",
}
_REASONS = {"Resize": Reason.RESIZING, "Install": Reason.REINSTALLING}


def changing(status: ServerStatus, change: ChangeRecord) -> Notice:
    """How far a change is that needs the server stopped."""
    step, job = current(change), status.job
    if step is None:
        lost, done = failed(change), [deed(each) for each in change.steps if each.state == "Done"]
        if lost is not None:
            text = f"the server could not be {deed(lost)} and is brought back as it was"
        else:
            text = f"the server was {', '.join(done)} and is brought back as it was" if done else "the server is brought back as it was"
        return Notice(_reason(lost or change.steps[-1]), text + _last(lost))
    shown = f": job {job.id} is {job.status}" if job is not None and job.id == step.job_id and job.status else ""
    if step.state == "Sent":
        text = f"the server is being {deed(step)}{shown}"
    elif status.server_status == "ACTIVE":
        text = f"the server is being stopped to be {deed(step)}"
    else:
        text = f"the server is stopped and to be {deed(step)}"
    return Notice(_reason(step), text + _last(step))


def deed(step: ChangeStep) -> str:
    """What a step does to the server, as a participle."""
    place = f"dedicated host {step.target}" if step.target else "shared hosts"
    return _DEEDS[step.kind].format(place if step.kind == "Migrate" else step.target)


def _reason(step: ChangeStep) -> Reason:
    return _REASONS.get(step.kind, Reason.UPDATING)


def _last(step: ChangeStep | None) -> str:
    return f"; last answer: {step.cause}" if step is not None and step.cause else ""


def rewiring(record: InterfaceChange | None, status: ServerStatus) -> Notice:
    """How far it is to add or to remove a network interface."""
    if record is None:
        return Notice(Reason.UPDATING, "waiting for the cloud to show the network interfaces of the server")
    verb = "adding" if record.kind == "Add" else "removing"
    what = f"{verb} network interface {record.interface.name} ({described(record.interface)})"
    if record.state == "Failed":
        text = f"{what} failed: {record.cause}. Change the spec, or request a reconcile, to try again"
        return Notice(Reason(record.reason or Reason.OPERATION_FAILED), text, stalled=True)
    if record.state == "Waiting" and record.reason:
        return Notice(Reason(record.reason), f"{what} is tried again; last answer: {record.cause}", stalled=False)
    job = status.job
    shown = f": job {job.id} is {job.status}" if job is not None and job.id == record.job_id and job.status else ""
    return Notice(Reason.UPDATING, what + shown)


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


def left(notice: Notice) -> Notice:
    """Why something is not done; nothing was done instead."""
    return replace(notice, message=f"{notice.message}; the server is left as it is")
