"""What a pass over an object in a project begins and ends with, for the kinds that need nothing else there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import ValidationError

from ecs_operator.api.group import FINALIZER
from ecs_operator.cloud import CloudError
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Done, Gone, Outcome
from ecs_operator.resources.hindrances import call_failed, halted, paused, unreadable, without_tenant
from ecs_operator.resources.tenancy import Tenant, TenantUnavailable
from ecs_operator.resources.visit import Desk, SpecT, StatusT, Visit


async def opened(key: ObjectKey, *, spec: type[SpecT], status: type[StatusT], desk: Desk) -> Visit[SpecT, StatusT] | Outcome:
    """The visit, or the outcome of the pass when there is nothing to do, or nothing may be done. Raises StoreError."""
    obj = await desk.store.get(key)
    if obj is None:
        return Gone()
    if obj.is_deleting and FINALIZER not in obj.finalizers:
        return Done()
    try:
        visit = Visit(obj, spec=spec, status=status, desk=desk)
    except ValidationError as error:
        return await unreadable(obj, error, writer=desk.writer, clock=desk.clock)
    return await paused(visit) if visit.is_paused else visit


async def in_project(visit: Visit[SpecT, StatusT], advance: Callable[[Tenant], Awaitable[Outcome]], *, action: str) -> Outcome:
    """Finalizer first, then what the kind does in its project. ``action`` names it where a call fails. Raises StoreError."""
    if FINALIZER not in visit.obj.finalizers:
        visit.take(await visit.desk.store.add_finalizer(visit.obj))
    tenant = await visit.tenant()
    if isinstance(tenant, TenantUnavailable):
        return await without_tenant(visit, tenant)
    halt = await halted(visit, tenant)
    if halt is not None:
        return await without_tenant(visit, halt)
    try:
        return await advance(tenant)
    except CloudError as error:
        return await call_failed(visit, error, action=action)
