"""Reconciles one EcsServerGroup."""

from __future__ import annotations

from functools import partial

from ecs_operator.api.group import SERVER_GROUP
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server_group import ServerGroupSpec, ServerGroupStatus
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Done, Outcome
from ecs_operator.resources.claims import Claims
from ecs_operator.resources.frame import in_project, opened
from ecs_operator.resources.protection import hold_back
from ecs_operator.resources.server_group import adopting, creation, removal, upkeep
from ecs_operator.resources.server_group.actuator import Actuator
from ecs_operator.resources.server_group.creation import GroupVisit
from ecs_operator.resources.server_group.planner import cloud_name
from ecs_operator.resources.server_group.roster import Roster
from ecs_operator.resources.tenancy import Tenant
from ecs_operator.resources.visit import Desk, Visit


class ServerGroupReconciler:
    """One anti-affinity group per EcsServerGroup."""

    resource = SERVER_GROUP.plural

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._roster = Roster(store=desk.store, clock=desk.clock)
        self._missed: dict[str, float] = {}
        self._claims = Claims()

    async def reconcile(self, key: ObjectKey) -> Outcome:
        """One pass over one object. Raises StoreError."""
        visit = await opened(key, spec=ServerGroupSpec, status=ServerGroupStatus, desk=self._desk)
        if not isinstance(visit, Visit):
            return visit
        is_deleting = visit.obj.is_deleting
        if is_deleting and removal.nothing_was_sent(visit.status):
            await self._desk.store.remove_finalizer(visit.obj)
            return Done()
        if is_deleting and visit.spec.deletion_protection and not visit.says(Reason.DELETING):
            return await hold_back(visit, action=removal.ACTION)
        if is_deleting and (released := await removal.release_what_stays(visit)) is not None:
            self._missed.pop(visit.obj.uid, None)
            return released
        action = removal.ACTION if is_deleting else upkeep.ACTION
        return await in_project(visit, partial(self._advance, visit), action=action)

    async def _advance(self, visit: GroupVisit, tenant: Tenant) -> Outcome:
        cloud = self._actuator(visit, tenant)
        if visit.obj.is_deleting:
            outcome = await removal.advance(visit, cloud)
            if isinstance(outcome, Done):
                self._missed.pop(visit.obj.uid, None)
            return outcome
        if visit.spec.management_policy == "Observe":
            if (hindered := await adopting.observed(visit, cloud)) is not None:
                return hindered
        elif adopting.is_due(visit):
            return await adopting.advance(visit, cloud, self._claims)
        if visit.status.id is None:
            return await creation.advance(visit, cloud)
        return await upkeep.advance(visit, cloud, visit.status.id, roster=self._roster, missed=self._missed)

    def _actuator(self, visit: GroupVisit, tenant: Tenant) -> Actuator:
        name = cloud_name(visit.spec, object_name=visit.obj.key.name, uid=visit.obj.uid, identity=tenant.identity)
        if visit.status.intent is not None:
            # What was asked for, should the name in the spec be another one now.
            name = visit.status.intent.name
        return Actuator(tenant, name=name, authority=self._desk.authority, clock=self._desk.clock)
