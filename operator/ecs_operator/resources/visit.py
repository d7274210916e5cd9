"""One pass over one object of a kind that lives in a project: what it wants, what its status says, and how that is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from ecs_operator.api.common import ApiModel
from ecs_operator.api.group import PAUSED_ANNOTATION, RECONCILE_ANNOTATION
from ecs_operator.api.reasons import Reason
from ecs_operator.engine.conditions import Condition, find, merge
from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.ports import Authority, Clock, ConflictError, EventSink, GoneError, KubeStore, UnavailableError
from ecs_operator.resources.conditions import conditions_for
from ecs_operator.resources.tenancy import Tenant, TenantDirectory, TenantUnavailable

RECORD_TRIES = 5
"""How often an answer of the cloud is written before it is left to the next pass to find it out again."""

_IDS = re.compile(r" \[[^\[\]]*request [^\[\]]*\]")

SpecT = TypeVar("SpecT", bound=ApiModel)
StatusT = TypeVar("StatusT", bound=ApiModel)


class Writer(Protocol):
    """Writes a status by compare-and-set, when it differs. Raises StoreError."""

    async def write(self, obj: KubeObject, status: Mapping[str, Any], *, action: str, trouble: bool) -> KubeObject:
        """Make ``status`` the whole status. ``trouble``: the event about it is a warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The collaborators of a reconciler."""

    store: KubeStore
    writer: Writer
    tenants: TenantDirectory
    authority: Authority
    clock: Clock
    events: EventSink | None = None
    """Takes the remark that names what a deletion leaves; transitions of Ready are the writer's to tell."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What the Ready condition says. ``stalled`` is asked only where the reason leaves it open (OperationFailed)."""

    reason: Reason
    message: str
    stalled: bool | None = None


class Visit(Generic[SpecT, StatusT]):
    """The object as it is now; every write moves it on."""

    def __init__(self, obj: KubeObject, *, spec: type[SpecT], status: type[StatusT], desk: Desk) -> None:
        self.obj = obj
        self.desk = desk
        self.spec = spec.model_validate(obj.spec)
        self._model = status
        self.status = status.model_validate(obj.status)
        self.is_urged = self._was_asked() or self._has_news()
        """A reconcile was requested, or the spec changed since: do not wait, and try again what was given up."""

    @property
    def now(self) -> datetime:
        """Wall time."""
        return self.desk.clock.now()

    @property
    def is_paused(self) -> bool:
        """No change in the cloud at all."""
        return self.obj.annotations.get(PAUSED_ANNOTATION) == "true"

    def says(self, *reasons: Reason) -> bool:
        """The Ready condition gives one of these reasons."""
        ready = self._ready()
        return ready is not None and ready.get("reason") in reasons

    def take(self, obj: KubeObject) -> None:
        """Go on with the object as it is now. Raises GoneError when it is another one."""
        if obj.uid != self.obj.uid:
            raise GoneError(f"{self.obj.key} is another object now")
        self.obj = obj
        self.status = self._model.model_validate(obj.status)

    async def tenant(self) -> Tenant | TenantUnavailable:
        """The project the object is in, or will be."""
        reference = (self.obj.spec.get("projectRef") or {}).get("name")
        return await self.desk.tenants.find(namespace=self.obj.key.namespace, project_ref=reference, pinned=self.obj.status.get("project"))

    async def write(self, status: StatusT, notice: Notice, *, action: str) -> None:
        """Write a status that this pass computed. Raises StoreError; on a conflict the pass starts over."""
        body = self._body(status, notice)
        self.take(await self.desk.writer.write(self.obj, body, action=action, trouble=notice.reason.is_trouble))

    async def tell(self, notice: Notice, *, action: str) -> None:
        """Say what holds the object up. What differs in nothing but request ids is not written again. Raises StoreError."""
        ready = self._ready()
        said = None if ready is None else (ready.get("reason"), ready.get("observedGeneration"), _IDS.sub("", str(ready.get("message"))))
        if self.is_urged or said != (notice.reason, self.obj.generation, _IDS.sub("", notice.message)):
            await self.write(self.status, notice, action=action)

    async def record(self, make: Callable[[StatusT], StatusT], notice: Notice, *, same: Callable[[StatusT], Hashable], action: str) -> None:
        """Write down what the cloud answered, at once. On a conflict the object is read again and the change made on top of it.

        ``same`` tells which attempt the answer belongs to: it is not written on top of another one. Raises StoreError.
        """
        attempt = same(self.status)
        for left in reversed(range(RECORD_TRIES)):
            try:
                await self.write(make(self.status), notice, action=action)
            except (ConflictError, UnavailableError):
                if not left or not await self._read_again(same, attempt):
                    raise
            else:
                return

    def remark(self, text: str, *, reason: Reason, action: str) -> None:
        """Tell something that no condition will say for long, as an event."""
        if self.desk.events is not None:
            self.desk.events.record(self.obj, kind="Normal", reason=reason.value, message=text, action=action)

    async def release(self, remark: str, *, reason: Reason, action: str) -> None:
        """Take the finalizer off: the last thing that is done. ``remark`` becomes an event. Raises StoreError."""
        if remark:
            self.remark(remark, reason=reason, action=action)
        await self.desk.store.remove_finalizer(self.obj)

    async def _read_again(self, same: Callable[[StatusT], Hashable], attempt: Hashable) -> bool:
        """Whether it makes sense to write again."""
        try:
            fresh = await self.desk.store.get(self.obj.key)
        except UnavailableError:
            return True
        if fresh is None:
            raise GoneError(f"{self.obj.key} is gone")
        self.take(fresh)
        return same(self.status) == attempt

    def _body(self, status: StatusT, notice: Notice) -> dict[str, Any]:
        body = status.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"conditions", "observed_generation"})
        asked = self.obj.annotations.get(RECONCILE_ANNOTATION)
        if asked and not self.is_paused:
            body["lastHandledReconcileAt"] = asked
        wanted = conditions_for(notice.reason, notice.message, stalled=notice.stalled)
        previous = self.obj.status.get("conditions") or ()
        body["conditions"] = merge(previous, (*wanted, *self._further(status)), generation=self.obj.generation, now=self.now)
        body["observedGeneration"] = self.obj.generation
        return body

    def _further(self, status: StatusT) -> tuple[Condition, ...]:
        """Conditions of the kind's own, beyond Ready and what goes with it."""
        del status
        return ()

    def _ready(self) -> Mapping[str, Any] | None:
        return find(self.obj.status.get("conditions") or (), "Ready")

    def _was_asked(self) -> bool:
        asked = self.obj.annotations.get(RECONCILE_ANNOTATION)
        return bool(asked) and asked != self.obj.status.get("lastHandledReconcileAt")

    def _has_news(self) -> bool:
        ready = self._ready()
        return ready is not None and ready.get("observedGeneration") != self.obj.generation
