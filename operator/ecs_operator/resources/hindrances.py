"""What can hold up a pass over any kind: the pause annotation, a project that cannot be used now, a call that failed."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError
from ecs_operator.engine.conditions import merge
from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome, Retry
from ecs_operator.engine.ports import Clock
from ecs_operator.resources.absence import halted_text
from ecs_operator.resources.conditions import conditions_for
from ecs_operator.resources.keys import project_key
from ecs_operator.resources.tenancy import Tenant, TenantUnavailable
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice, Visit, Writer

TENANT_PAUSE = 30.0
"""Seconds after which a project that could not be used is asked for again, should nobody tell."""
UNREADABLE_PAUSE = 300.0


async def unreadable(obj: KubeObject, error: ValidationError, *, writer: Writer, clock: Clock) -> Outcome:
    """The schema lets such a spec not pass; one that an older schema let in must not make the operator do anything. Raises StoreError."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    text = f"{'.'.join(['spec', *map(str, first['loc'])])}: {first['msg']}"
    reason = Reason.INVALID_CONFIGURATION
    previous = obj.status.get("conditions") or ()
    merged = merge(previous, conditions_for(reason, text), generation=obj.generation, now=clock.now())
    body = {**obj.status, "conditions": merged, "observedGeneration": obj.generation}
    await writer.write(obj, body, action="Validate", trouble=reason.is_trouble)
    return Again(UNREADABLE_PAUSE, Lane.RESYNC)


async def paused(visit: Visit[Any, Any]) -> Outcome:
    """Nothing is changed in the cloud while the annotation stands; taking it away is an event. Raises StoreError."""
    text = "nothing is changed in the cloud while the annotation ecs.huaweicloud.com/paused is true; remove it to go on"
    await visit.tell(Notice(Reason.PAUSED, text), action="Pause")
    return Done()


async def without_tenant(visit: Visit[Any, Any], tenant: TenantUnavailable) -> Outcome:
    """There is no project to work in now. Raises StoreError."""
    await visit.tell(Notice(tenant.reason, tenant.message), action="FindProject")
    return Blocked(tenant.waits_for, at_most=TENANT_PAUSE)


async def halted(visit: Visit[Any, Any], tenant: Tenant) -> TenantUnavailable | None:
    """Why nothing may be changed in the project now, though it can be reached. Deletions go on: they are one way out. Raises StoreError."""
    if visit.obj.is_deleting:
        return None
    alarm = await tenant.absence.alarm(tenant.name, tenant.snapshots, suspected=visit.says(Reason.MASS_ABSENCE))
    if alarm is None:
        return None
    return TenantUnavailable(Reason.MASS_ABSENCE, halted_text(tenant.name), (project_key(tenant.name),))


async def call_failed(visit: Visit[Any, Any], error: CloudError, *, action: str) -> Outcome:
    """A call failed of which nothing needs to be recorded: a read, or a change that is looked for before it is repeated.

    Raises StoreError.
    """
    judged = verdict(error)
    await visit.tell(Notice(judged.reason, judged.message), action=action)
    return Retry(judged.message, floor=judged.retry_floor)
