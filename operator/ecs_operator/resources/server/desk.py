"""What every phase of a pass works with: the collaborators, and the one object on the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Protocol

from ecs_operator.api.group import PAUSED_ANNOTATION, RECONCILE_ANNOTATION, RESTART_ANNOTATION
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerSpec, ServerStatus
from ecs_operator.cloud import Server
from ecs_operator.engine.conditions import find, merge
from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.ports import Authority, Clock, ConflictError, EventSink, GoneError, KubeStore, StoreError, UnavailableError
from ecs_operator.resources.conditions import conditions_for
from ecs_operator.resources.ownership import Owner
from ecs_operator.resources.server.index import MarkerIndex
from ecs_operator.resources.server.notes import Answer, Change, Notes
from ecs_operator.resources.server.record import incarnation
from ecs_operator.resources.tenancy import TenantDirectory

RECORD_TRIES = 5
"""How often an answer of the cloud is written before it is left to the next pass."""
PROGRESS_PAUSE = 3.0
"""Seconds between writes of nothing but a job's progress."""


class Writer(Protocol):
    """Writes a status by compare-and-set, when it differs. Raises StoreError."""

    async def write(self, obj: KubeObject, status: Mapping[str, Any], *, action: str) -> KubeObject:
        """Make ``status`` the whole status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The collaborators."""

    store: KubeStore
    writer: Writer
    tenants: TenantDirectory
    authority: Authority
    clock: Clock
    rng: Random
    events: EventSink | None = None
    notes: Notes = field(default_factory=Notes)
    index: MarkerIndex = field(default_factory=MarkerIndex)


@dataclass(frozen=True, slots=True)
class Notice:
    """What the Ready condition says. ``stalled``: None leaves it to the table of reasons; False where it is tried again all the same."""

    reason: Reason
    message: str
    stalled: bool | None = None


class Visit:
    """One pass over one object: the object as it is now, what it wants, what its status says."""

    def __init__(self, obj: KubeObject, *, spec: ServerSpec, desk: Desk) -> None:
        self.obj = obj
        self.spec = spec
        self.desk = desk
        self.status = ServerStatus.model_validate(obj.status)
        self.seen: Server | None = None
        """The server, if this pass read it by its id already."""
        self.is_urged = self._was_asked() or self._has_news()
        self.is_stalled = self._is_stalled()

    @classmethod
    def unreadable(cls, obj: KubeObject, *, desk: Desk) -> Visit:
        """A visit to an object whose spec cannot be read: good for nothing but telling so."""
        return cls(obj, spec=ServerSpec.model_construct(**obj.spec), desk=desk)

    @property
    def uid(self) -> str:
        """Uid of the object."""
        return self.obj.uid

    @property
    def owner(self) -> Owner:
        """Whom the marker of this incarnation names."""
        return Owner(uid=self.obj.uid, incarnation=incarnation(self.status))

    @property
    def now(self) -> datetime:
        """Wall time."""
        return self.desk.clock.now()

    @property
    def is_paused(self) -> bool:
        """No change in the cloud at all."""
        return self.obj.annotations.get(PAUSED_ANNOTATION) == "true"

    @property
    def restart_token(self) -> str | None:
        """A restart that was asked for and not answered yet."""
        token = self.obj.annotations.get(RESTART_ANNOTATION)
        return token if token and token != self.status.last_handled_restart_at else None

    @property
    def restart_asked(self) -> str | None:
        """The restart token in force, answered or not."""
        return self.obj.annotations.get(RESTART_ANNOTATION) or None

    async def write(self, status: ServerStatus, notice: Notice, *, action: str) -> None:
        """Write a status that this pass computed. Raises StoreError; on a conflict the pass starts over."""
        self._take(await self.desk.writer.write(self.obj, self._body(status, notice), action=action))

    async def tell(self, notice: Notice, *, action: str) -> None:
        """Say what holds the object up. The same reason is not written again: only request ids would differ."""
        ready = find(self.obj.status.get("conditions") or (), "Ready")
        if ready is None or self.is_urged or (ready.get("reason"), ready.get("observedGeneration")) != (notice.reason, self.obj.generation):
            await self.write(self.status, notice, action=action)

    async def record(self, change: Change, notice: Notice, *, action: str) -> None:
        """Write down what the cloud answered, at once. On a conflict the object is read again and the change made on top of it.

        It is made only on the same object and the same attempt. An answer that cannot be written is kept for the next pass.
        Raises StoreError.
        """
        attempt = _attempt(self.status)
        for left in reversed(range(RECORD_TRIES)):
            try:
                await self.write(change(self.status), notice, action=action)
            except (ConflictError, UnavailableError) as error:
                if not left:
                    self._keep(attempt, change)
                    raise
                await self._read_again(attempt, error)
            else:
                return

    def forget_changes(self) -> Visit:
        """Back to the status as it is stored: what this pass saw so far is not to be written."""
        self.status = ServerStatus.model_validate(self.obj.status)
        return self

    def may_write_progress(self) -> bool:
        """The last write of a job's progress is long enough ago."""
        written = self.desk.notes.progress_written_at(self.uid)
        return written is None or self.desk.clock.monotonic() - written >= PROGRESS_PAUSE

    def saw_server(self, server: Server | None = None) -> None:
        """The server was just read by its id, or changed."""
        self.seen = server
        self.desk.notes.saw(self.uid, at=self.desk.clock.monotonic())

    async def recall(self, notice: Notice) -> bool:
        """Write the answer an earlier pass of this process could not write, if the record still waits for it. Raises StoreError."""
        answer = self.desk.notes.take(self.uid)
        if answer is None or _attempt(self.status) != (self.owner.incarnation, answer.token, answer.attempts):
            return False
        if self.status.create is None or self.status.create.outcome not in {None, "Unknown"}:
            return False
        await self.record(answer.change, notice, action="Create")
        return True

    async def _read_again(self, attempt: tuple[int, str, int], error: StoreError) -> None:
        try:
            fresh = await self.desk.store.get(self.obj.key)
        except UnavailableError:
            return
        if fresh is None or fresh.uid != self.obj.uid:
            raise GoneError(f"{self.obj.key} is gone: {error}") from error
        status = ServerStatus.model_validate(fresh.status)
        if _attempt(status) != attempt:
            # Somebody went on from the record: what this answer made is found by its marker.
            raise error
        self._take(fresh)

    def _keep(self, attempt: tuple[int, str, int], change: Change) -> None:
        self.desk.notes.keep(self.uid, Answer(token=attempt[1], attempts=attempt[2], change=change))

    def _take(self, obj: KubeObject) -> None:
        self.obj = obj
        self.status = ServerStatus.model_validate(obj.status)

    def _body(self, status: ServerStatus, notice: Notice) -> dict[str, Any]:
        echoed = status if self.is_paused else status.model_copy(update={"last_handled_reconcile_at": self._asked()})
        body = echoed.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"conditions", "observed_generation"})
        wanted = conditions_for(notice.reason, notice.message, stalled=notice.stalled)
        previous = self.obj.status.get("conditions") or ()
        body["conditions"] = merge(previous, wanted, generation=self.obj.generation, now=self.now)
        body["observedGeneration"] = self.obj.generation
        return body

    def _asked(self) -> str | None:
        return self.obj.annotations.get(RECONCILE_ANNOTATION) or self.status.last_handled_reconcile_at

    def _was_asked(self) -> bool:
        asked = self.obj.annotations.get(RECONCILE_ANNOTATION)
        return bool(asked) and asked != self.status.last_handled_reconcile_at

    def _has_news(self) -> bool:
        ready = find(self.obj.status.get("conditions") or (), "Ready")
        return ready is not None and ready.get("observedGeneration") != self.obj.generation

    def _is_stalled(self) -> bool:
        conditions = self.obj.status.get("conditions") or ()
        ready, stalled = find(conditions, "Ready"), find(conditions, "Stalled")
        is_ours = ready is not None and ready.get("reason") in {Reason.REJECTED, Reason.OPERATION_FAILED}
        return is_ours and stalled is not None and stalled.get("status") == "True" and not self.is_urged


def _attempt(status: ServerStatus) -> tuple[int, str, int]:
    """Which attempt of which incarnation the record speaks of."""
    create = status.create
    return (create.incarnation, create.token, create.attempts) if create else (1, "", 0)
