"""How long a group needs no look, if none of our servers joins or leaves it."""

from __future__ import annotations

from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.outcome import Blocked
from ecs_operator.resources.keys import members_of
from ecs_operator.resources.tenancy import Tenant
from ecs_operator.resources.times import resync_pause


def until_news(obj: KubeObject, tenant: Tenant, *, at_most: float | None = None) -> Blocked:
    """Until a member comes or goes; the resync, or ``at_most`` seconds, for what is done to the group by others."""
    period = resync_pause(tenant.resync_seconds, uid=obj.uid)
    pause = period if at_most is None else min(period, at_most)
    return Blocked((members_of(obj.key.namespace, obj.key.name),), at_most=pause)
