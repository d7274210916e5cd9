"""A job of the cloud as every kind shows it."""

from __future__ import annotations

from ecs_operator.api.common import Job as JobRecord
from ecs_operator.cloud import Job, parse_time


def job_record(job: Job, *, job_id: str) -> JobRecord:
    """A job as the status shows it."""
    return JobRecord(
        id=job_id,
        type=job.job_type or None,
        status=job.status.value,
        progress=job.progress(),
        started_at=parse_time(job.begin_time),
        ended_at=parse_time(job.end_time),
        error_code=job.failure_code,
        fail_reason=job.failure_text or None,
    )


def failed_text(what: str, job: Job, *, job_id: str) -> str:
    """A failed job in one line: the cloud's code and text."""
    code = f" with {job.failure_code}" if job.failure_code else ""
    text = f": {job.failure_text}" if job.failure_text else ""
    return f"{what} failed{code}{text} [job {job_id}]"
