"""Reconciles one EcsServer: a pass is a list of phases over one visit, and its outcome says when the next one is due."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from pydantic import ValidationError

from ecs_operator.api.group import FINALIZER, SERVER
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError
from ecs_operator.engine.counters import DriftCounters
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Blocked, Done, Gone, Outcome
from ecs_operator.engine.ports import Authority, Clock, EventSink, KubeStore
from ecs_operator.resources.hindrances import TENANT_PAUSE, call_failed, halted, unreadable
from ecs_operator.resources.keys import members_of
from ecs_operator.resources.protection import hold_back
from ecs_operator.resources.server import adopting, cleanup, creation, following, observing, removal, replacing, running, turns
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.adoption import is_due
from ecs_operator.resources.server.drift import label
from ecs_operator.resources.server.record import Phase, phase
from ecs_operator.resources.server.rotation import DETAILS_PERIOD, Rotation
from ecs_operator.resources.server.visit import ServerDesk, ServerVisit
from ecs_operator.resources.tenancy import Tenant, TenantDirectory, TenantUnavailable
from ecs_operator.resources.visit import Notice, Writer

logger = logging.getLogger(__name__)

HALT_PAUSE = 300.0
"""Seconds after which an object of a project in which nothing is changed looks again, should nobody tell that it goes on."""


@dataclass(slots=True)
class _Known:
    """What is remembered of an object between passes, and when it is gone."""

    uid: str
    group: ObjectKey | None
    """What waits for its server to come or go."""
    standing: str | None = None
    """The server that was there when it was looked at last."""
    membership: str | None = None
    """The server group it was in then, as far as that was read."""
    former: ObjectKey | None = None
    """What the spec named before ``group``."""


class ServerReconciler:
    """One elastic cloud server per EcsServer (design: lifecycle.md)."""

    resource = SERVER.plural

    def __init__(
        self,
        *,
        store: KubeStore,
        writer: Writer,
        tenants: TenantDirectory,
        authority: Authority,
        clock: Clock,
        rng: Random,
        wake: Callable[[ObjectKey], None],
        events: EventSink | None = None,
        details_period: float = DETAILS_PERIOD,
    ) -> None:
        """``events`` takes the remark at a deletion that names what stays, and drift; transitions of Ready are the writer's to tell.

        ``details_period``: seconds in which one detail of each server is read again that no list shows, 0 for never.

        ``wake``: called with what a group waits for when a server of it has come or gone.
        """
        self._desk = ServerDesk(
            store=store,
            writer=writer,
            tenants=tenants,
            authority=authority,
            clock=clock,
            rng=rng,
            events=events,
            rotation=Rotation(period=details_period, rng=rng),
        )
        self._wake = wake
        self._known: dict[ObjectKey, _Known] = {}

    @property
    def drift(self) -> DriftCounters:
        """What others changed, in numbers."""
        return self._desk.drift

    async def reconcile(self, key: ObjectKey) -> Outcome:
        """One pass over one object. Raises StoreError."""
        obj = await self._desk.store.get(key)
        self._remember(key, obj)
        if obj is None or (obj.is_deleting and FINALIZER not in obj.finalizers):
            return Gone() if obj is None else Done()
        try:
            visit = ServerVisit(obj, desk=self._desk)
        except ValidationError as error:
            return await unreadable(obj, error, writer=self._desk.writer, clock=self._desk.clock)
        self._compare(visit)
        try:
            return await self._advance(visit)
        finally:
            self._compare(visit)
            self._desk.drift.stands(visit.uid, key.resource, (label(each.path) for each in visit.stored().drift))

    async def _advance(self, visit: ServerVisit) -> Outcome:
        if visit.is_paused:
            return await self._paused(visit)
        if visit.obj.is_deleting:
            return await self._remove(visit)
        return await self._keep(visit)

    async def _keep(self, visit: ServerVisit) -> Outcome:
        """The object is wanted: finalizer, tenant, creation, then the server as it is."""
        if FINALIZER not in visit.obj.finalizers:
            visit.obj = await self._desk.store.add_finalizer(visit.obj)
        tenant = await visit.tenant()
        if isinstance(tenant, TenantUnavailable):
            return await self._unavailable(visit, tenant, action=following.ACTION)
        halt = await halted(visit, tenant)
        if halt is not None:
            return await self._halted(visit, halt)
        cloud = self._actuator(visit, tenant)
        try:
            if visit.spec.management_policy == "Observe":
                return await observing.advance(visit, cloud)
            if removal.is_replaced(visit.status):
                return await replacing.destroy(visit, cloud)
            outcome: Outcome | None = None
            if is_due(visit.spec, visit.status):
                outcome = await adopting.advance(visit, cloud)
            elif phase(visit.status) is not Phase.BUILT:
                outcome = await self._create(visit, cloud)
            if outcome is not None:
                return outcome
            return await running.advance(visit, cloud)
        except CloudError as error:
            return await self._troubled(visit, error)

    async def _create(self, visit: ServerVisit, cloud: Actuator) -> Outcome | None:
        """As ``creation.advance``; the place among the project's creations is kept or given back."""
        outcome: Outcome | None = None
        try:
            outcome = await creation.advance(visit, cloud)
        finally:
            turns.settle(visit, cloud, outcome)
        return outcome

    async def _remove(self, visit: ServerVisit) -> Outcome:
        """The object is to go: its server first, the finalizer last."""
        if await removal.release_untouched(visit):
            return Done()
        if visit.spec.deletion_protection and (not removal.has_begun(visit.status) or removal.is_replaced(visit.status)):
            return await hold_back(visit, action=cleanup.ACTION)
        if visit.spec.management_policy == "Observe":
            return await observing.release(visit)
        tenant = await visit.tenant()
        if isinstance(tenant, TenantUnavailable):
            return await self._unavailable(visit, tenant, action=cleanup.ACTION)
        tenant.creations.ended(visit.uid, now=self._desk.clock.monotonic())
        try:
            return await removal.advance(visit, self._actuator(visit, tenant))
        except CloudError as error:
            return await self._troubled(visit, error)

    async def _unavailable(self, visit: ServerVisit, why: TenantUnavailable, *, action: str) -> Outcome:
        text = f"the deletion waits: {why.message}" if visit.obj.is_deleting else why.message
        await visit.write(visit.status, Notice(why.reason, text), action=action)
        return Blocked(why.waits_for, at_most=TENANT_PAUSE)

    async def _halted(self, visit: ServerVisit, why: TenantUnavailable) -> Outcome:
        """What is known of the object, that it is gone or must be changed by somebody, is not overwritten."""
        if not visit.is_stalled and not visit.says(Reason.DELETED_EXTERNALLY):
            await visit.write(visit.status, Notice(why.reason, why.message), action="Observe")
        return Blocked(why.waits_for, at_most=HALT_PAUSE)

    async def _troubled(self, visit: ServerVisit, error: CloudError) -> Outcome:
        """A look at the cloud failed. Nothing was changed by it; it is looked again later."""
        logger.info("%s: %s", visit.obj.key, error)
        visit.forget_changes()
        return await call_failed(visit, error, action="Observe")

    def _actuator(self, visit: ServerVisit, tenant: Tenant) -> Actuator:
        return Actuator(tenant, uid=visit.uid, authority=self._desk.authority)

    async def _paused(self, visit: ServerVisit) -> Outcome:
        what = "the deletion waits" if visit.obj.is_deleting else "nothing is changed in the cloud"
        text = f"paused by the annotation ecs.huaweicloud.com/paused: {what} until it is removed"
        await visit.write(visit.status, Notice(Reason.PAUSED, text), action="Pause")
        return Done()

    def _remember(self, key: ObjectKey, obj: KubeObject | None) -> None:
        """Drop the notes of an object that is gone or was made anew under the same name; its server has left the group."""
        before = self._known.get(key)
        if before is not None and (obj is None or obj.uid != before.uid):
            self._desk.notes.forget(before.uid)
            self._desk.rotation.forget(before.uid)
            self._desk.drift.forget(before.uid)
            self._tell_group(key)
            del self._known[key]

    def _compare(self, visit: ServerVisit) -> None:
        """Tell the group when the server has come or gone since the last look, in this pass or by a write whose answer was lost.

        So it is when the server joins or leaves one: the group the spec named before is told as well as that it names now.
        """
        key, group, membership = visit.obj.key, _group(visit.obj), visit.stored().server_group
        seen = _Known(visit.uid, group, visit.standing(), membership.id if membership is not None else None)
        known = self._known.setdefault(key, seen)
        has_come_or_gone = known.standing != seen.standing
        has_moved = membership is not None and known.membership != seen.membership
        if known.group != group:
            known.group, known.former = group, known.group
        known.standing = seen.standing
        if membership is not None:
            known.membership = seen.membership
        if has_come_or_gone or has_moved:
            self._tell_group(key)
        if has_moved and known.former is not None:
            self._wake(known.former)

    def _tell_group(self, key: ObjectKey) -> None:
        group = self._known[key].group
        if group is not None:
            self._wake(group)


def _group(obj: KubeObject) -> ObjectKey | None:
    name = (obj.spec.get("serverGroupRef") or {}).get("name")
    return members_of(obj.key.namespace, name) if name else None
