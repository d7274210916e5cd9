"""The record of an operation, and what is seen of an attachment, as changes of its status. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ecs_operator.api.common import Job as JobRecord
from ecs_operator.api.common import Operation
from ecs_operator.api.volume_attachment import VolumeAttachmentStatus
from ecs_operator.cloud import Attachment, BlockDevice, Job
from ecs_operator.resources.jobs import job_record
from ecs_operator.resources.volume_attachment import steps
from ecs_operator.resources.volume_attachment.steps import Kind


def operation_of(status: VolumeAttachmentStatus, kind: Kind) -> Operation | None:
    """The operation of this kind, if one is under way."""
    return status.operation if status.operation is not None and status.operation.kind == kind else None


def attempt(status: VolumeAttachmentStatus) -> tuple[str | None, str, int]:
    """Which attempt of which operation the record speaks of."""
    operation = status.operation
    return (operation.id, operation.step, operation.attempts or 0) if operation else (None, "", 0)


def is_at_work(status: VolumeAttachmentStatus) -> bool:
    """A call was made, or is about to be, and what became of it is not known yet."""
    return status.operation is not None and status.operation.step in {steps.SENDING, steps.RUNNING}


def sending(
    status: VolumeAttachmentStatus,
    kind: Kind,
    *,
    project: str,
    server_id: str,
    attempts: int,
    now: datetime,
    open_until: datetime | None,
    mode: Literal["Soft", "Force"] | None = None,
) -> VolumeAttachmentStatus:
    """A call is about to be made.

    ``open_until``: until when an attach without an answer, this one or an earlier one, can still arrive. It stands in ``deadline``.
    ``mode``: how the cloud is asked to detach. It is kept until the end, where a detachment by force is to be told of.
    """
    if status.server_id not in {None, server_id}:
        # Another server took the place of the one that was: what is recorded of that one is over.
        status = lost(status).model_copy(update={"operation": None, "job": None})
    before = operation_of(status, kind)
    operation = Operation(
        id=before.id if before else f"{kind.lower()}-{now:%Y%m%dT%H%M%S}",
        kind=kind,
        step=steps.SENDING,
        started_at=before.started_at if before else now,
        deadline=open_until,
        attempts=attempts,
    )
    job = status.job if before else None
    changes = {"project": project, "server_id": server_id, "operation": operation, "job": job, "detach_mode": mode}
    return status.model_copy(update=changes)


def accepted(status: VolumeAttachmentStatus, *, job_id: str) -> VolumeAttachmentStatus:
    """The cloud took the call on as a job. The first attempt's answer settles everything; that of a later one only itself."""
    operation = _operation(status)
    settles = operation.kind == "Attach" and operation.attempts == 1
    changed = operation.model_copy(update={"step": steps.RUNNING, "job_id": job_id, "deadline": None if settles else operation.deadline})
    kind = "attachVolume" if operation.kind == "Attach" else "detachVolume"
    return status.model_copy(update={"operation": changed, "job": JobRecord(id=job_id, type=kind, status="INIT")})


def refused(status: VolumeAttachmentStatus, *, for_good: bool) -> VolumeAttachmentStatus:
    """The cloud refused the call, and did nothing."""
    operation = _operation(status)
    settles = operation.kind == "Attach" and operation.attempts == 1
    step = steps.FAILED if for_good else steps.RETRYING
    changed = operation.model_copy(update={"step": step, "job_id": None, "deadline": None if settles else operation.deadline})
    return status.model_copy(update={"operation": changed})


def job_failed(status: VolumeAttachmentStatus, job: Job, *, for_good: bool) -> VolumeAttachmentStatus:
    """The job failed; its id is forgotten, its words are kept."""
    operation = _operation(status)
    step = steps.FAILED if for_good else steps.RETRYING
    seen = job_seen(status, job)
    return seen.model_copy(update={"operation": operation.model_copy(update={"step": step, "job_id": None})})


def job_seen(status: VolumeAttachmentStatus, job: Job) -> VolumeAttachmentStatus:
    """The job as it is now."""
    job_id = status.operation.job_id if status.operation and status.operation.job_id else job.job_id
    if not job_id:
        return status
    return status.model_copy(update={"job": job_record(job, job_id=job_id)})


def attached(
    status: VolumeAttachmentStatus, *, project: str, server_id: str, attachment: Attachment, device: BlockDevice | None, size: int
) -> VolumeAttachmentStatus:
    """The volume is on the server: no operation is under way any more. The device is the cloud's to name."""
    shown = device.device if device and device.device else attachment.device
    changes = {
        "project": project,
        "server_id": server_id,
        "operation": None,
        "detach_mode": None,
        "attachment_id": attachment.id or attachment.volume_id,
        "device": shown or None,
        "pci_address": (device.pci_address or None) if device else None,
        "boot_index": device.boot_index if device else None,
        "size_gib": (device.size if device else 0) or size or None,
    }
    if status.job is not None and status.job.status in {"INIT", "RUNNING"}:
        # Nobody asked the job at its end, but the volume shows how it ended.
        job = status.job.model_copy(update={"status": "SUCCESS", "progress": None})
        return status.model_copy(update={**changes, "job": job})
    return status.model_copy(update=changes)


def lost(status: VolumeAttachmentStatus) -> VolumeAttachmentStatus:
    """The volume is not on the server any more: what was seen of it no longer holds."""
    return status.model_copy(update=dict.fromkeys(("attachment_id", "device", "pci_address", "boot_index", "size_gib")))


def let_go(status: VolumeAttachmentStatus) -> VolumeAttachmentStatus:
    """The server went, or is going, without the volume, and no request is under way any more."""
    return lost(status).model_copy(update={"operation": None})


def _operation(status: VolumeAttachmentStatus) -> Operation:
    if status.operation is None:
        raise ValueError("there is no operation")
    return status.operation
