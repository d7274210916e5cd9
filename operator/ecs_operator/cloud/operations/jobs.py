"""Jobs (ECS API reference 5.8)."""

from __future__ import annotations

from ecs_operator.cloud.models.jobs import Job
from ecs_operator.cloud.operation import Operation
from ecs_operator.cloud.session import Session

SHOW_JOB = Operation(section="5.8.1", name="showJob", method="GET", path="/v1/{project_id}/jobs/{job_id}")


class Jobs:
    """Asynchronous tasks. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, job_id: str) -> Job:
        """5.8.1: one task. ``NOT_FOUND`` (404, or 400 ``Common.0011``) when it is forgotten: then look at the server."""
        return (await self._session.call(SHOW_JOB, path={"job_id": job_id})).read(Job)
