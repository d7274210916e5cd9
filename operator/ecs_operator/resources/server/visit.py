"""What a pass over an EcsServer has beyond any other visit: its incarnation, its notes, and answers that are not to be lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from ecs_operator.api.group import RESTART_ANNOTATION
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import DriftEntry, ServerSpec, ServerStatus
from ecs_operator.cloud import Server
from ecs_operator.engine.conditions import Condition, find
from ecs_operator.engine.counters import DriftCounters
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import ConflictError, UnavailableError
from ecs_operator.resources.claims import Claims
from ecs_operator.resources.ownership import Owner
from ecs_operator.resources.server import drift
from ecs_operator.resources.server.adoption import adoption_text
from ecs_operator.resources.server.consent import approval_text
from ecs_operator.resources.server.index import MarkerIndex
from ecs_operator.resources.server.notes import Answer, Change, Notes
from ecs_operator.resources.server.record import Phase, incarnation, phase
from ecs_operator.resources.server.rotation import Rotation
from ecs_operator.resources.visit import Desk, Notice, Visit
from ecs_operator.resources.volume_claims import ClaimLists

PROGRESS_PAUSE = 3.0
"""Seconds between writes of nothing but a job's progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDesk(Desk):
    """The collaborators, and what passes tell each other in memory."""

    rng: Random
    notes: Notes = field(default_factory=Notes)
    index: MarkerIndex = field(default_factory=MarkerIndex)
    rotation: Rotation
    drift: DriftCounters = field(default_factory=DriftCounters)
    claims: Claims = field(default_factory=Claims)
    volume_claims: ClaimLists = field(default_factory=ClaimLists)


class ServerVisit(Visit[ServerSpec, ServerStatus]):
    """One pass over one EcsServer."""

    desk: ServerDesk

    def __init__(self, obj: KubeObject, *, desk: ServerDesk) -> None:
        super().__init__(obj, spec=ServerSpec, status=ServerStatus, desk=desk)
        self.is_stalled = not self.is_urged and self._says_stalled()
        """Somebody must act, and has not yet."""
        self.seen: Server | None = None
        """The server, if this pass read it by its id already."""
        self.waits_for: tuple[ObjectKey, ...] = ()
        """Objects that the spec refers to and that are not there."""
        self.claimed: frozenset[str] = frozenset()
        """Volumes on the server that EcsVolumeAttachments claim; known only where it is deleted."""

    @property
    def uid(self) -> str:
        """Uid of the object."""
        return self.obj.uid

    @property
    def owner(self) -> Owner:
        """Whom the marker of this incarnation names."""
        return Owner(uid=self.obj.uid, incarnation=incarnation(self.status))

    @property
    def restart_asked(self) -> str | None:
        """The restart token in force, answered or not."""
        return self.obj.annotations.get(RESTART_ANNOTATION) or None

    @property
    def restart_token(self) -> str | None:
        """A restart that was asked for and not answered yet."""
        token = self.restart_asked
        return token if token != self.status.last_handled_restart_at else None

    async def write(self, status: ServerStatus, notice: Notice, *, action: str) -> None:
        """Write a status that this pass computed, and tell what drift appeared or ended with it. Raises StoreError."""
        before = self.stored()
        await super().write(status, notice, action=action)
        appeared, ended = drift.news(before, self.status)
        for entry in appeared:
            self._tell_drift(entry, reason=drift.DETECTED, action=action)
        if self.spec.drift_policy == "Correct":
            for entry in ended:
                self._tell_drift(entry, reason=drift.CORRECTED, action=action)

    def _tell_drift(self, entry: DriftEntry, *, reason: str, action: str) -> None:
        is_new = reason == drift.DETECTED
        counter = self.desk.drift.detected if is_new else self.desk.drift.corrected
        counter[self.obj.key.resource, drift.label(entry.path)] += 1
        text = drift.describe(entry) if is_new else f"{entry.path}: {entry.want} again, it was {entry.have or 'nothing'}"
        if self.desk.events is not None:
            self.desk.events.record(self.obj, kind="Warning" if is_new else "Normal", reason=reason, message=text, action=action)

    async def note(self, change: Change, notice: Notice, *, action: str) -> None:
        """Write down what the cloud answered, at once, on top of whatever the object is by now, for the same attempt only.

        An answer that cannot be written is kept for the next pass. Raises StoreError.
        """
        attempt = _attempt(self.status)
        try:
            await self.record(change, notice, same=_attempt, action=action)
        except (ConflictError, UnavailableError):
            self.desk.notes.keep(self.uid, Answer(attempt=attempt, change=change))
            raise

    async def recall(self, notice: Notice, *, action: str) -> bool:
        """Write the answer an earlier pass of this process could not write, if the record still waits for it. Raises StoreError."""
        answer = self.desk.notes.take(self.uid)
        create = self.status.create
        if answer is None or create is None or create.outcome not in {None, "Unknown"} or _attempt(self.status) != answer.attempt:
            return False
        await self.note(answer.change, notice, action=action)
        return True

    async def write_progress(self, status: ServerStatus, notice: Notice, *, action: str) -> None:
        """Write what only informs, if it is new and the last such write is long enough ago; else keep it to this pass.

        Raises StoreError.
        """
        written = self.desk.notes.progress_written_at(self.uid)
        is_due = written is None or self.desk.clock.monotonic() - written >= PROGRESS_PAUSE
        if not is_due or (status == self.stored() and self.says(notice.reason)):
            self.status = status
            return
        await self.write(status, notice, action=action)
        self.desk.notes.wrote_progress(self.uid, at=self.desk.clock.monotonic())

    def stored(self) -> ServerStatus:
        """The status as it is in Kubernetes: without what this pass has only seen."""
        return ServerStatus.model_validate(self.obj.status)

    def standing(self) -> str | None:
        """Id of the server, as far as Kubernetes knows that it was built and is there."""
        stored = self.stored()
        return stored.id if phase(stored) is Phase.BUILT and not self.says(Reason.DELETED_EXTERNALLY) else None

    def forget_changes(self) -> None:
        """Back to the status as it is stored."""
        self.status = self.stored()

    def saw_server(self, server: Server | None = None) -> None:
        """The server was just read by its id, or changed."""
        self.seen = server
        self.desk.notes.saw(self.uid, at=self.desk.clock.monotonic())

    def _further(self, status: ServerStatus) -> tuple[Condition, ...]:
        """ApprovalRequired stands as long as a plan waits, DriftDetected as long as there is drift, whatever else goes on."""
        drifted = drift.conditions(status)
        if status.plan is None:
            return drifted
        adoption = status.adoption
        is_adopting = adoption is not None and adoption.state == "Compared"
        text = adoption_text(status.plan, adoption.id) if adoption is not None and is_adopting else approval_text(status.plan)
        return (*drifted, Condition("ApprovalRequired", "True", Reason.WAITING_FOR_APPROVAL, text))

    def _says_stalled(self) -> bool:
        stalled = find(self.obj.status.get("conditions") or (), "Stalled")
        return self.says(Reason.REJECTED, Reason.OPERATION_FAILED) and stalled is not None and stalled.get("status") == "True"


def _attempt(status: ServerStatus) -> tuple[int, str, int]:
    """Which attempt of which incarnation the record speaks of."""
    create = status.create
    return (create.incarnation, create.token, create.attempts) if create else (1, "", 0)
