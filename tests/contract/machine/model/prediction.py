"""What the cloud will answer, and how the rules of the reference come together in it.

Where several rules forbid a command, the reference does not say which one answers: any of them may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.contract.machine.model.state import State

ANY_CODE = "any"
"""Where table A.2 has no code for it, or several that fit."""


class Family(StrEnum):
    """Which API is called, for they refuse alike with different statuses."""

    ECS = "ecs"
    NATIVE = "native"


@dataclass(frozen=True, order=True, slots=True)
class Refusal:
    """A status, and the code of table A.2 that goes with it; the native API tells none."""

    status: int
    code: str | None = None

    def __str__(self) -> str:
        return f"{self.status} {self.code}" if self.code else str(self.status)

    def covers(self, other: Refusal) -> bool:
        """Tell whether an answer is this one."""
        return self.status == other.status and self.code in {ANY_CODE, other.code}


Refusals = frozenset[Refusal]
FINE: Refusals = frozenset()


def no(status: int, *codes: str) -> Refusals:
    """Refuse: with this status and one of these codes."""
    return frozenset(Refusal(status, code) for code in codes) if codes else frozenset({Refusal(status)})


def unless(condition: bool, refusals: Refusals) -> Refusals:  # noqa: FBT001 -- reads as a sentence: unless(it fits, no(400))
    """Refuse unless a condition holds."""
    return FINE if condition else refusals


@dataclass(frozen=True, slots=True)
class Prediction:
    """One of ``refusals``; if there are none, one of ``statuses``, and the state that comes of it."""

    statuses: frozenset[int]
    after: State
    refusals: Refusals = FINE

    def __str__(self) -> str:
        expected = map(str, sorted(self.refusals, key=str)) if self.refusals else map(str, sorted(self.statuses))
        return " or ".join(expected)


def predict(state: State, status: int | tuple[int, ...], after: Callable[[], State], *rules: Refusals) -> Prediction:
    """Put rules together. ``after`` is asked only if all of them allow it."""
    refusals = frozenset().union(*rules)
    statuses = frozenset({status} if isinstance(status, int) else status)
    return Prediction(statuses, state if refusals else after(), refusals)
