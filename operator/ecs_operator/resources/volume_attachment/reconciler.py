"""Reconciles one EcsVolumeAttachment."""

from __future__ import annotations

from functools import partial

from ecs_operator.api.group import VOLUME_ATTACHMENT
from ecs_operator.api.volume_attachment import VolumeAttachmentSpec, VolumeAttachmentStatus
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Done, Outcome
from ecs_operator.resources.frame import in_project, opened
from ecs_operator.resources.tenancy import Tenant
from ecs_operator.resources.visit import Desk, Notice, Visit
from ecs_operator.resources.volume_attachment import attaching, detaching, observing, record, releasing
from ecs_operator.resources.volume_attachment.actuator import Actuator
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit
from ecs_operator.resources.volume_attachment.turns import Turns
from ecs_operator.resources.volume_claims import ClaimLists


class VolumeAttachmentReconciler:
    """One volume on one server per EcsVolumeAttachment."""

    resource = VOLUME_ATTACHMENT.plural

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turns = Turns()
        self._others = attaching.Others(ClaimLists(), self._turns)

    async def reconcile(self, key: ObjectKey) -> Outcome:
        """One pass over one object. Raises StoreError."""
        visit = await opened(key, spec=VolumeAttachmentSpec, status=VolumeAttachmentStatus, desk=self._desk)
        if not isinstance(visit, Visit):
            self._turns.give_back(key)
            return visit
        outcome = await self._go_on(visit)
        if isinstance(outcome, Done) or not record.is_at_work(visit.status):
            self._turns.give_back(key)
        return outcome

    async def _go_on(self, visit: AttachmentVisit) -> Outcome:
        is_deleting = visit.obj.is_deleting
        if is_deleting and visit.spec.management_policy == "Observe":
            return await observing.release(visit)
        if is_deleting and (released := await detaching.release(visit)) is not None:
            return released
        action = detaching.ACTION if is_deleting else attaching.ACTION
        return await in_project(visit, partial(self._advance, visit), action=action)

    async def _advance(self, visit: AttachmentVisit, tenant: Tenant) -> Outcome:
        recorded = self._actuator(visit, tenant, visit.status.server_id or "")
        if record.is_at_work(visit.status):
            # After a restart nobody has the turn that this object had.
            self._turns.take((tenant.name, recorded.server_id), visit.obj.key)
        if visit.obj.is_deleting:
            return await detaching.advance(visit, recorded, self._turns)
        target = await attaching.target_of(visit, project=tenant.name)
        if isinstance(target, Notice):
            return await attaching.wait_for_server(visit, recorded if releasing.has_begun(visit) else None, target)
        cloud = self._actuator(visit, tenant, target.server_id)
        if visit.spec.management_policy == "Observe":
            return await observing.advance(visit, cloud, target)
        return await attaching.advance(visit, cloud, target, self._others)

    def _actuator(self, visit: AttachmentVisit, tenant: Tenant, server_id: str) -> Actuator:
        return Actuator(tenant, server_id=server_id, volume_id=visit.spec.volume_id, authority=self._desk.authority)
