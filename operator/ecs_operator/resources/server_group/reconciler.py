"""Reconciles one EcsServerGroup."""

from __future__ import annotations

from pydantic import ValidationError

from ecs_operator.api.group import FINALIZER, SERVER_GROUP
from ecs_operator.api.server_group import ServerGroupSpec, ServerGroupStatus
from ecs_operator.cloud import CloudError
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Done, Gone, Outcome
from ecs_operator.engine.ports import Authority, Clock, EventSink, KubeStore
from ecs_operator.resources.hindrances import call_failed, paused, unreadable, without_tenant
from ecs_operator.resources.server_group import creation, removal, upkeep
from ecs_operator.resources.server_group.actuator import Actuator
from ecs_operator.resources.server_group.creation import GroupVisit
from ecs_operator.resources.server_group.planner import cloud_name
from ecs_operator.resources.tenancy import Tenant, TenantDirectory, TenantUnavailable
from ecs_operator.resources.visit import Desk, Visit, Writer


class ServerGroupReconciler:
    """One anti-affinity group per EcsServerGroup."""

    resource = SERVER_GROUP.plural

    def __init__(
        self,
        *,
        store: KubeStore,
        writer: Writer,
        tenants: TenantDirectory,
        authority: Authority,
        clock: Clock,
        events: EventSink | None = None,
    ) -> None:
        """``events`` takes the remark that names what a deletion leaves; transitions of Ready are the writer's to tell."""
        self._desk = Desk(store=store, writer=writer, tenants=tenants, authority=authority, clock=clock, events=events)
        self._missed: dict[str, float] = {}

    async def reconcile(self, key: ObjectKey) -> Outcome:
        """One pass over one object. Raises StoreError."""
        obj = await self._desk.store.get(key)
        if obj is None or (obj.is_deleting and FINALIZER not in obj.finalizers):
            return Gone() if obj is None else Done()
        try:
            visit: GroupVisit = Visit(obj, spec=ServerGroupSpec, status=ServerGroupStatus, desk=self._desk)
        except ValidationError as error:
            return await unreadable(obj, error, desk=self._desk)
        if visit.is_paused:
            return await paused(visit)
        if obj.is_deleting and removal.nothing_was_sent(visit.status):
            await self._desk.store.remove_finalizer(obj)
            return Done()
        if FINALIZER not in obj.finalizers:
            visit.take(await self._desk.store.add_finalizer(obj))
        tenant = await self._tenant(visit)
        if isinstance(tenant, TenantUnavailable):
            return await without_tenant(visit, tenant)
        try:
            return await self._advance(visit, self._actuator(visit, tenant))
        except CloudError as error:
            return await call_failed(visit, error, action=removal.ACTION if obj.is_deleting else upkeep.ACTION)

    async def _advance(self, visit: GroupVisit, cloud: Actuator) -> Outcome:
        if visit.obj.is_deleting:
            outcome = await removal.advance(visit, cloud)
            if isinstance(outcome, Done):
                self._missed.pop(visit.obj.uid, None)
            return outcome
        if visit.status.id is None:
            return await creation.advance(visit, cloud)
        return await upkeep.advance(visit, cloud, visit.status.id, missed=self._missed)

    async def _tenant(self, visit: GroupVisit) -> Tenant | TenantUnavailable:
        reference = visit.spec.project_ref.name if visit.spec.project_ref else None
        return await self._desk.tenants.find(namespace=visit.obj.key.namespace, project_ref=reference, pinned=visit.status.project)

    def _actuator(self, visit: GroupVisit, tenant: Tenant) -> Actuator:
        name = cloud_name(visit.spec, object_name=visit.obj.key.name, uid=visit.obj.uid, identity=tenant.identity)
        if visit.status.intent is not None:
            # What was asked for, should the name in the spec be another one now.
            name = visit.status.intent.name
        return Actuator(tenant, name=name, authority=self._desk.authority, clock=self._desk.clock)
