"""Looks at jobs that many wait for: one call serves all who ask within a second, and the end of a job is asked for once."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Protocol

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.errors import CloudError, Failure, Meaning, Outcome
from ecs_operator.cloud.models.jobs import Job

HOLDS = 1.0
"""Seconds for which an answer serves. A job only ever gets further: an older answer shows less, never anything else."""
ENDED_HOLDS = 60.0
"""Seconds for which the answer is kept that a job has ended: it changes no more."""


class JobReader(Protocol):
    """What is needed of ``client.jobs``."""

    async def get(self, job_id: str) -> Job:
        """5.8.1. Raises CloudError."""


class JobLooks:
    """The shared looks at the jobs of one project. A batch of 500 servers has one job, and 500 objects that wait for it."""

    def __init__(self, jobs: JobReader, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._running: dict[str, asyncio.Task[Job]] = {}
        self._seen: dict[str, tuple[float, Job]] = {}

    async def get(self, job_id: str) -> Job:
        """A job as it was at most a second ago. Raises CloudError; an error serves only those who waited for it."""
        seen = self._seen.get(job_id)
        if seen is not None and self._holds(*seen):
            return seen[1]
        running = self._running.get(job_id)
        if running is None:
            # Its own context: the call is no more the pass's that asked first than anybody else's.
            running = asyncio.get_running_loop().create_task(self._look(job_id), name="look at a job", context=Context())
            self._running[job_id] = running
            running.add_done_callback(lambda task: self._ended(job_id, task))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if running.cancelled() and not (me and me.cancelling()):
                raise _closed() from None  # the look was broken off, not the one who waits
            raise

    async def close(self) -> None:
        """Break off the looks under way. Whoever waits for one gets a CloudError (not sent)."""
        running = tuple(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _look(self, job_id: str) -> Job:
        begun = self._clock.monotonic()
        job = await self._jobs.get(job_id)
        self._seen = {key: seen for key, seen in self._seen.items() if self._holds(*seen)} | {job_id: (begun, job)}
        return job

    def _holds(self, begun: float, job: Job) -> bool:
        return self._clock.monotonic() - begun < (ENDED_HOLDS if job.is_over else HOLDS)

    def _ended(self, job_id: str, task: asyncio.Task[Job]) -> None:
        self._running.pop(job_id, None)
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits any more


def _closed() -> CloudError:
    message = "the connection to the project was closed"
    return CloudError(Failure(operation="showJob", method="GET", outcome=Outcome.NOT_SENT, meaning=Meaning.UNREACHABLE, message=message))
