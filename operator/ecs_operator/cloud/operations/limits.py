"""Quotas and what of them is used (ECS API reference 5.7, 6.10)."""

from __future__ import annotations

from ecs_operator.cloud.models.quotas import Limits, LimitsAnswer, NativeLimitsAnswer, QuotaSet, QuotaSetAnswer
from ecs_operator.cloud.operation import Family, Lane, Operation
from ecs_operator.cloud.session import Session

_SETS = "/v2.1/{project_id}/os-quota-sets/{project_id}"

SHOW_LIMITS = Operation(section="5.7.1", name="showLimits", method="GET", path="/v1/{project_id}/cloudservers/limits", lane=Lane.RESYNC)
# Without a microversion: later ones leave out what belongs to other services by now.
SHOW_NATIVE = Operation(
    section="6.10.1", name="showLimitsNative", method="GET", path="/v2.1/{project_id}/limits", family=Family.NOVA, lane=Lane.RESYNC
)
SHOW_SET = Operation(section="6.10.2", name="showQuotaSet", method="GET", path=_SETS, family=Family.NOVA, lane=Lane.RESYNC)
SHOW_DEFAULTS = Operation(
    section="6.10.3", name="showDefaultQuotaSet", method="GET", path=f"{_SETS}/defaults", family=Family.NOVA, lane=Lane.RESYNC
)


class ProjectLimits:
    """Quota and use of the project. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self) -> Limits:
        """5.7.1: quota and use of the project."""
        return (await self._session.call(SHOW_LIMITS)).read(LimitsAnswer).absolute

    async def native(self) -> Limits:
        """6.10.1: the same, from the native API."""
        return (await self._session.call(SHOW_NATIVE)).read(NativeLimitsAnswer).limits.absolute


class Quotas:
    """Quota sets. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, *, user_id: str | None = None) -> QuotaSet:
        """6.10.2: the quotas of the project, or of one of its users. For a user that does not exist the cloud answers the defaults."""
        answer = await self._session.call(SHOW_SET, query={"user_id": user_id} if user_id else {})
        return answer.read(QuotaSetAnswer).quota_set

    async def defaults(self) -> QuotaSet:
        """6.10.3: the quotas a new project has."""
        return (await self._session.call(SHOW_DEFAULTS)).read(QuotaSetAnswer).quota_set
