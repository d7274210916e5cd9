"""The outcome of one reconcile pass: a value that says when the key is worked on next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ecs_operator.engine.objects import ObjectKey


class Lane(IntEnum):
    """Priority in the queue, the lowest number first."""

    URGENT = 0
    """A deletion or an edit by a user."""
    CREATE = 1
    POLL = 2
    """A job under way."""
    RESYNC = 3


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing to do until the next event or resync."""


@dataclass(frozen=True, slots=True)
class Again:
    """Come back after ``after`` seconds; 0 means at once, behind the keys that wait already."""

    after: float
    lane: Lane = Lane.POLL


@dataclass(frozen=True, slots=True)
class Retry:
    """Come back after the key's exponential backoff. ``floor`` (seconds) is the least pause, e.g. from ``Retry-After``."""

    cause: str
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Blocked:
    """Wait until one of ``waits_for`` changes; ``at_most`` (seconds) is the net under it for what is not watched."""

    waits_for: tuple[ObjectKey, ...]
    at_most: float = 60.0


@dataclass(frozen=True, slots=True)
class Gone:
    """A read found no such object. One 404 may lie: the key is forgotten only when a watch or a list tells the deletion as well."""


Outcome = Done | Again | Retry | Blocked | Gone
