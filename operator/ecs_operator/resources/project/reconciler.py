"""Reconciles one EcsProject: its connection, whether the cloud takes its credentials, and its quota."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ecs_operator.api.group import CONFIRM_ABSENCE_ANNOTATION, FINALIZER, PAUSED_ANNOTATION, PROJECT, RECONCILE_ANNOTATION
from ecs_operator.api.project import ProjectSpec, ProjectStatus
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError, Meaning
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.conditions import Condition, find, merge
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Gone, Lane, Outcome, Retry
from ecs_operator.engine.ports import Clock, EventSink, KubeStore
from ecs_operator.resources.absence import LOOK_AGAIN
from ecs_operator.resources.conditions import conditions_for
from ecs_operator.resources.hindrances import unreadable
from ecs_operator.resources.keys import alarm_key
from ecs_operator.resources.project import status as fold
from ecs_operator.resources.project.credentials import BAD_FOR, GOOD_FOR, secret_name
from ecs_operator.resources.project.guard import LOOK_TWICE, Departure, SecretGuard
from ecs_operator.resources.project.orphans import OrphanSearch
from ecs_operator.resources.project.registry import TenantRegistry
from ecs_operator.resources.project.users import listed, users_of
from ecs_operator.resources.tenancy import Tenant, TenantUnavailable
from ecs_operator.resources.times import resync_pause
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Writer

USERS_PAUSE = 60.0
ORPHANS_FOUND = "OrphansFound"
"""Reason of the event about servers without an object."""
WAKING_USERS = 50
"""So many users at most are waited for by name; one of them going is news enough."""


@dataclass(frozen=True, slots=True)
class _Probe:
    """The last visit to the cloud that succeeded, and under which circumstances."""

    at: float
    uid: str
    generation: int
    secret_version: str


class ProjectReconciler:
    """Says whether a project can be used, and keeps it as long as it is used."""

    resource = PROJECT.plural

    def __init__(
        self,
        *,
        store: KubeStore,
        writer: Writer,
        registry: TenantRegistry,
        guard: SecretGuard,
        clock: Clock,
        orphans: OrphanSearch,
        events: EventSink | None = None,
    ) -> None:
        """``events`` takes the remark about servers without an object; transitions of Ready are the writer's to tell."""
        self._orphans = orphans
        self._events = events
        self._store = store
        self._guard = guard
        self._writer = writer
        self._registry = registry
        self._clock = clock
        self._probes: dict[str, _Probe] = {}
        self._unused_since: dict[str, float] = {}
        self._let_go_for: dict[str, tuple[str, int]] = {}
        """Uid and generation for which Secrets that are not named any more were looked for."""

    async def reconcile(self, key: ObjectKey) -> Outcome:
        """One pass over one project. Raises StoreError."""
        await self._registry.tidy()
        obj = await self._store.get(key)
        if obj is None or (obj.is_deleting and FINALIZER not in obj.finalizers):
            await self._forget(key.name)
            if obj is None:
                # Also one that was removed by force: its Secret must not be kept for ever.
                await self._guard.let_go()
            return Gone() if obj is None else Done()
        try:
            self._registry.note(obj)
        except ValidationError as error:
            return await unreadable(obj, error, writer=self._writer, clock=self._clock)
        if obj.is_deleting:
            return await self._remove(obj)
        if FINALIZER not in obj.finalizers:
            obj = await self._store.add_finalizer(obj)
        outcome = await self._keep(obj, ProjectSpec.model_validate(obj.spec))
        await self._let_go_of_others(obj)
        return outcome

    async def _let_go_of_others(self, obj: KubeObject) -> None:
        """The project may have named another Secret before: look once for each version of the spec, and after each start."""
        version = (obj.uid, obj.generation)
        if self._let_go_for.get(obj.key.name) != version:
            await self._guard.let_go()
            self._let_go_for[obj.key.name] = version

    async def _keep(self, obj: KubeObject, spec: ProjectSpec) -> Outcome:
        before = ProjectStatus.model_validate(obj.status)
        if obj.annotations.get(PAUSED_ANNOTATION) == "true":
            text = "nothing is changed in this project while the annotation ecs.huaweicloud.com/paused is true; remove it to go on"
            await self._write(obj, before, Reason.PAUSED, text, fold.authenticated(Reason.PAUSED, text), echo=False)
            return Done()
        if _is_asked(obj):
            self._registry.read_secret_again(obj.key.name)
        tenant = await self._registry.tenant(obj.key.name)
        leaving: Departure | None = None
        if self._registry.secret_is_leaving(obj.key.name):
            leaving = await self._guard.departure(secret_name(spec.credentials))
            if leaving is None:
                self._registry.read_secret_again(obj.key.name)
                return Again(0.0, Lane.URGENT)
        remark = f"; {leaving.remark}" if leaving else ""
        latest = leaving.look_again if leaving else GOOD_FOR
        if isinstance(tenant, TenantUnavailable):
            proof = fold.authenticated(tenant.reason, tenant.message)
            await self._write(obj, before, tenant.reason, tenant.message + remark, proof)
            return Blocked((self._registry.secret_key(spec),), at_most=min(BAD_FOR, latest))
        absence = self._registry.absence
        absence.confirm(obj.key.name, obj.annotations.get(CONFIRM_ABSENCE_ANNOTATION))
        alarm = await absence.alarm(obj.key.name, tenant.snapshots, suspected=_reason(obj) == Reason.MASS_ABSENCE)
        waits_for = (self._registry.secret_key(spec), alarm_key(obj.key.name))
        if alarm is not None:
            await self._write(obj, before, Reason.MASS_ABSENCE, alarm.text + remark, fold.authenticated(Reason.AVAILABLE, ""))
            return Blocked(waits_for, at_most=min(LOOK_AGAIN, latest))
        pause = resync_pause(tenant.resync_seconds, uid=obj.uid)
        text = f"signed in to project {tenant.project_id} in region {spec.region}{remark}"
        left = self._probe_due_in(obj, pause)
        if left <= 0:
            failure = await self._probe(obj, spec, before, tenant, text=text)
            if failure is not None:
                return failure
            left = pause
        else:
            await self._write(obj, before, Reason.AVAILABLE, text, fold.authenticated(Reason.AVAILABLE, ""))
        return Blocked(waits_for, at_most=min(latest, left))

    async def _probe(self, obj: KubeObject, spec: ProjectSpec, before: ProjectStatus, tenant: Tenant, *, text: str) -> Outcome | None:
        """Visit the cloud. None when it went well; ``text`` says so."""
        self._probes.pop(obj.key.name, None)
        try:
            limits = await tenant.client.limits.get()
            microversion = await tenant.client.versions.for_reads()
        except CloudError as error:
            judged = verdict(error)
            proof = fold.authenticated_after(error, obj.status.get("conditions") or (), judged.message)
            await self._write(obj, before, judged.reason, judged.message, proof)
            if error.outcome is CallOutcome.NOT_SENT and error.retry_after is not None:
                # The endpoint's breaker is open. A look at a quota is the best call to find out whether it answers again: come in time.
                return Again(error.retry_after)
            if error.meaning is not Meaning.AUTH:
                return Retry(judged.message, floor=judged.retry_floor)
            self._registry.credentials_refused(obj.key.name)
            return Blocked((self._registry.secret_key(spec),), at_most=BAD_FOR)
        was_ready = _ready(obj) == "True"
        seen = fold.signed_in(before, project_id=tenant.project_id, microversion=microversion, limits=limits)
        obj = await self._write(obj, seen, Reason.AVAILABLE, text, fold.authenticated(Reason.AVAILABLE, ""))
        self._probes[obj.key.name] = _Probe(self._clock.monotonic(), obj.uid, obj.generation, self._registry.secret_version(obj.key.name))
        if was_ready:
            await self._look_for_orphans(obj, seen, tenant, text=text)
        else:
            # Not now: a list of all servers takes long, and others wait to hear that the project can be used.
            self._registry.changed(obj.key.name)
        return None

    async def _look_for_orphans(self, obj: KubeObject, seen: ProjectStatus, tenant: Tenant, *, text: str) -> None:
        """Told once, and shown as long as they are there."""
        report = await self._orphans.look(tenant, seen.orphans)
        if report.news and self._events is not None:
            self._events.record(obj, kind="Warning", reason=ORPHANS_FOUND, message=report.message, action="LookForOrphans")
        if report.orphans != seen.orphans:
            now = seen.model_copy(update={"orphans": report.orphans})
            await self._write(obj, now, Reason.AVAILABLE, text, fold.authenticated(Reason.AVAILABLE, ""))

    def _probe_due_in(self, obj: KubeObject, pause: float) -> float:
        """Seconds until the cloud is visited again: at once when anything is another than at the last visit."""
        probe = self._probes.get(obj.key.name)
        same = (obj.uid, obj.generation, self._registry.secret_version(obj.key.name))
        if probe is None or _is_asked(obj) or _ready(obj) != "True" or (probe.uid, probe.generation, probe.secret_version) != same:
            return 0.0
        return probe.at + pause - self._clock.monotonic()

    async def _remove(self, obj: KubeObject) -> Outcome:
        """It stays as long as an object is in it: without the connection that one could not be deleted."""
        users = await users_of(self._store, obj.key.name)
        if users:
            self._unused_since.pop(obj.uid, None)
            text = f"the project is used by {listed(users)}: delete them first"
            before = ProjectStatus.model_validate(obj.status)
            await self._write(obj, before, Reason.IN_USE, text, _kept(obj))
            return Blocked(tuple(each.key for each in users[:WAKING_USERS]), at_most=USERS_PAUSE)
        since = self._unused_since.setdefault(obj.uid, self._clock.monotonic())
        left = since + LOOK_TWICE - self._clock.monotonic()
        if left > 0:
            return Again(left, Lane.URGENT)
        # The Secret first: were the project gone, nobody might be left to let go of it.
        await self._guard.let_go(leaving=obj.key.name)
        await self._store.remove_finalizer(obj)
        self._unused_since.pop(obj.uid, None)
        await self._forget(obj.key.name)
        return Done()

    async def _forget(self, name: str) -> None:
        self._probes.pop(name, None)
        self._let_go_for.pop(name, None)
        self._orphans.forget(name)
        await self._registry.forget(name)

    async def _write(
        self, obj: KubeObject, status: ProjectStatus, reason: Reason, message: str, proof: Condition, *, echo: bool = True
    ) -> KubeObject:
        body = status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"conditions", "observed_generation"})
        asked = obj.annotations.get(RECONCILE_ANNOTATION)
        if asked and echo:
            body["lastHandledReconcileAt"] = asked
        body |= _conditions(obj, (*conditions_for(reason, message), proof), self._clock)
        return await self._writer.write(obj, body, action="SignIn" if not obj.is_deleting else "Delete", trouble=reason.is_trouble)


def _is_asked(obj: KubeObject) -> bool:
    """A reconcile was requested, and not done yet."""
    asked = obj.annotations.get(RECONCILE_ANNOTATION)
    return bool(asked) and asked != obj.status.get("lastHandledReconcileAt")


def _ready(obj: KubeObject) -> str | None:
    ready = find(obj.status.get("conditions") or (), "Ready")
    return None if ready is None else ready.get("status")


def _reason(obj: KubeObject) -> str | None:
    ready = find(obj.status.get("conditions") or (), "Ready")
    return None if ready is None else ready.get("reason")


def _kept(obj: KubeObject) -> Condition:
    """The Authenticated condition as it was."""
    before = find(obj.status.get("conditions") or (), "Authenticated")
    if before is None:
        return fold.authenticated(Reason.IN_USE, "")
    return Condition("Authenticated", before["status"], before["reason"], before["message"])


def _conditions(obj: KubeObject, wanted: tuple[Condition, ...], clock: Clock) -> dict[str, Any]:
    previous = obj.status.get("conditions") or ()
    merged = merge(previous, wanted, generation=obj.generation, now=clock.now())
    return {"conditions": merged, "observedGeneration": obj.generation}
