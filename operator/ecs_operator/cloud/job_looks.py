"""Looks at jobs that many wait for: a batch of 500 servers has one job, and 500 objects that wait for it."""

from __future__ import annotations

from typing import Protocol

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.models.jobs import Job
from ecs_operator.cloud.shared_looks import SharedLooks

HOLDS = 1.0
"""Seconds for which an answer serves. A job only ever gets further: an older answer shows less, never anything else."""
ENDED_HOLDS = 60.0
"""Seconds for which the answer is kept that a job has ended: it changes no more."""


class JobReader(Protocol):
    """What is needed of ``client.jobs``."""

    async def get(self, job_id: str) -> Job:
        """5.8.1. Raises CloudError."""


class JobLooks:
    """The shared looks at the jobs of one project."""

    def __init__(self, jobs: JobReader, clock: Clock) -> None:
        self._looks = SharedLooks(jobs.get, holds=_holds, clock=clock, what="showJob")

    async def get(self, job_id: str) -> Job:
        """A job as it was at most a second ago. Raises CloudError; an error serves only those who waited for it."""
        return await self._looks.get(job_id)

    async def close(self) -> None:
        """Break off the looks under way. Whoever waits for one gets a CloudError (not sent)."""
        await self._looks.close()


def _holds(job: Job) -> float:
    return ENDED_HOLDS if job.is_over else HOLDS
