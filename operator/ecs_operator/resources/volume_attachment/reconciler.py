"""Reconciles one EcsVolumeAttachment."""

from __future__ import annotations

from pydantic import ValidationError

from ecs_operator.api.group import FINALIZER, VOLUME_ATTACHMENT
from ecs_operator.api.volume_attachment import VolumeAttachmentSpec, VolumeAttachmentStatus
from ecs_operator.cloud import CloudError
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Done, Gone, Outcome
from ecs_operator.engine.ports import Authority, Clock, EventSink, KubeStore
from ecs_operator.resources.hindrances import call_failed, paused, unreadable, without_tenant
from ecs_operator.resources.tenancy import Tenant, TenantDirectory, TenantUnavailable
from ecs_operator.resources.visit import Desk, Notice, Visit, Writer
from ecs_operator.resources.volume_attachment import attaching, detaching
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit


class VolumeAttachmentReconciler:
    """One volume on one server per EcsVolumeAttachment."""

    resource = VOLUME_ATTACHMENT.plural

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

    async def reconcile(self, key: ObjectKey) -> Outcome:
        """One pass over one object. Raises StoreError."""
        obj = await self._desk.store.get(key)
        if obj is None or (obj.is_deleting and FINALIZER not in obj.finalizers):
            return Gone() if obj is None else Done()
        try:
            visit: AttachmentVisit = Visit(obj, spec=VolumeAttachmentSpec, status=VolumeAttachmentStatus, desk=self._desk)
        except ValidationError as error:
            return await unreadable(obj, error, desk=self._desk)
        if visit.is_paused:
            return await paused(visit)
        if obj.is_deleting and (released := await detaching.release(visit)) is not None:
            return released
        if FINALIZER not in obj.finalizers:
            visit.take(await self._desk.store.add_finalizer(obj))
        tenant = await self._tenant(visit)
        if isinstance(tenant, TenantUnavailable):
            return await without_tenant(visit, tenant)
        try:
            return await self._advance(visit, tenant)
        except CloudError as error:
            return await call_failed(visit, error, action=detaching.ACTION if obj.is_deleting else attaching.ACTION)

    async def _advance(self, visit: AttachmentVisit, tenant: Tenant) -> Outcome:
        if visit.obj.is_deleting:
            return await detaching.advance(visit, self._actuator(visit, tenant, visit.status.server_id or ""))
        target = await attaching.target_of(visit, project=tenant.name)
        if isinstance(target, Notice):
            return await attaching.wait_for_server(visit, target)
        return await attaching.advance(visit, self._actuator(visit, tenant, target.server_id), target)

    async def _tenant(self, visit: AttachmentVisit) -> Tenant | TenantUnavailable:
        reference = visit.spec.project_ref.name if visit.spec.project_ref else None
        return await self._desk.tenants.find(namespace=visit.obj.key.namespace, project_ref=reference, pinned=visit.status.project)

    def _actuator(self, visit: AttachmentVisit, tenant: Tenant, server_id: str) -> Actuator:
        return Actuator(tenant, server_id=server_id, volume_id=visit.spec.volume_id, authority=self._desk.authority)
