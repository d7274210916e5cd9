"""Quotas and what of them is used (ECS API reference 5.7, 6.10)."""

from __future__ import annotations

from ecs_operator.cloud.models.catalog import Limits, LimitsAnswer
from ecs_operator.cloud.operation import Lane, Operation
from ecs_operator.cloud.session import Session

SHOW_LIMITS = Operation(section="5.7.1", name="showLimits", method="GET", path="/v1/{project_id}/cloudservers/limits", lane=Lane.RESYNC)


class ProjectLimits:
    """Quota. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self) -> Limits:
        """5.7.1: quota and use of the project."""
        return (await self._session.call(SHOW_LIMITS)).read(LimitsAnswer).absolute


class Quotas:
    """Quota sets. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
