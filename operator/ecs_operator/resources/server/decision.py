"""What is decided about a server that is there, and what that rests on: the vocabulary of the planner. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecs_operator.api.server import ChangeRecord, Plan, ReplacementRecord, ServerStatus
from ecs_operator.cloud import Job, Server
from ecs_operator.resources.server import change_protocol, interface_protocol, power
from ecs_operator.resources.server.deeds import Cost, Edit
from ecs_operator.resources.server.differences import Difference
from ecs_operator.resources.visit import Notice


@dataclass(frozen=True, slots=True)
class Settle:
    """Nothing is to be done; this is how it is."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class Amend:
    """Make these edits, which cost nothing."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class BeginChange:
    """Write the record of what needs the server stopped, all of it in one stop."""

    change: ChangeRecord


@dataclass(frozen=True, slots=True)
class BeginReplacement:
    """Write the record of a server that gives way to another one, once it is certain that the other one can be had."""

    replacement: ReplacementRecord


@dataclass(frozen=True, slots=True)
class Destroy:
    """The record is written, and it is still wanted: delete the server, so that another one can be made."""

    replacement: ReplacementRecord


Rewire = interface_protocol.SendInterface | interface_protocol.RecordInterface | interface_protocol.WatchInterface
"""A step for a network interface."""

Step = (
    Settle
    | Amend
    | BeginChange
    | BeginReplacement
    | Destroy
    | Rewire
    | change_protocol.Step
    | power.Send
    | power.Echo
    | power.Watch
    | power.Fail
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on. ``job`` in ``power`` is that of its operation, ``change_job`` that of the current step of the change.

    ``status`` is the status as the observation made it; ``unresolved`` says what the spec refers to and is not there.
    """

    power: power.Facts
    status: ServerStatus
    unresolved: Notice | None = None
    change: ChangeRecord | None = None
    change_job: Job | None = None
    replacement: ReplacementRecord | None = None
    found: tuple[Difference, ...] = ()
    allowed: Cost = Cost.NONE
    approved: str | None = None
    """The hash of the plan that was approved."""
    interfaces: interface_protocol.Facts | None = None
    """What adding and removing interfaces rests on, where it was read."""
    reported: Notice | None = None
    """What others changed, and the policy leaves as it is."""
    keeps_locked: bool = False
    """The spec wants the server locked: then the lock is ours to open for what the spec wants too."""

    @property
    def server(self) -> Server:
        """The server as it was seen."""
        return self.power.server

    @property
    def now(self) -> datetime:
        """Wall time."""
        return self.power.now


@dataclass(frozen=True, slots=True)
class Decision:
    """``finished`` is the job id (perhaps empty) of an operation that has ended and is dropped in the same write.

    ``ends_change``: the change is over and its record dropped likewise; ``ends_replacement``: so with the replacement, because the new
    server is as the former one was, or because nothing is deleted after all. ``plan`` is what waits for consent.
    """

    step: Step
    finished: str | None = None
    ends_change: bool = False
    ends_replacement: bool = False
    plan: Plan | None = None

    @property
    def is_settled(self) -> bool:
        """Nothing is to be changed or waited for."""
        return isinstance(self.step, Settle)
