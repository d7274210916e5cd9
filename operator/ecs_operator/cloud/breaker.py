"""Keeps calls from an endpoint that does not answer: a circuit breaker (design: cloud-client.md, Budgets). A state machine without I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.errors import CloudError, Meaning, Outcome


class BreakerState(StrEnum):
    """Whether calls leave."""

    CLOSED = "Closed"
    """All of them."""
    OPEN = "Open"
    """None."""
    HALF_OPEN = "HalfOpen"
    """One at a time, to see whether the endpoint answers again."""


class Sign(StrEnum):
    """What the end of a call says about its endpoint."""

    ALIVE = "alive"
    DEAD = "dead"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """When it opens, and for how many seconds: longer each time the try after a pause fails as well."""

    failures: int = 10
    first_pause: float = 5.0
    longest_pause: float = 60.0
    probe_pause: float = 2.0
    """For those who come while the one call that is let through is under way."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A call may leave. ``era`` counts how often the breaker had opened by then."""

    era: int
    is_probe: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """A call must not leave. ``until`` is when the next one may, by wall time; ``seconds`` the least pause before asking again."""

    seconds: float
    until: datetime
    failures: int
    cause: str
    """How the last call ended."""


def sign_of(error: CloudError | None) -> Sign:
    """What an answer, or its absence, says. Whoever refuses is alive; a server error that may be a gateway's is not taken for life."""
    if error is None:
        return Sign.ALIVE
    if error.status is None:
        return Sign.DEAD if error.meaning is Meaning.UNREACHABLE else Sign.NONE
    is_server_error = error.status >= 500 or error.status == 408
    return Sign.DEAD if is_server_error and error.outcome is Outcome.UNKNOWN else Sign.ALIVE


class Breaker:
    """The breaker of one endpoint. Each permit it gives must be handed back by ``ended``."""

    def __init__(self, *, clock: Clock, policy: BreakerPolicy | None = None) -> None:
        self._clock = clock
        self._policy = policy or BreakerPolicy()
        self._failures = 0
        self._openings_in_a_row = 0
        self._era = 0
        self._closed_to: float | None = None
        """Until when no call leaves, by monotonic time; None while all may."""
        self._until = clock.now()
        self._cause = ""
        self._is_probed = False

    @property
    def state(self) -> BreakerState:
        """As it is now."""
        if self._closed_to is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock.monotonic() < self._closed_to else BreakerState.HALF_OPEN

    @property
    def openings(self) -> int:
        """How often it opened so far."""
        return self._era

    def hold(self) -> Hold | None:
        """Why a call could not leave now; None when it could."""
        if self._closed_to is None:
            return None
        left = self._closed_to - self._clock.monotonic()
        if left <= 0 and not self._is_probed:
            return None
        return Hold(left if left > 0 else self._policy.probe_pause, self._until, self._failures, self._cause)

    def enter(self) -> Permit | Hold:
        """Ask for a call to leave at once."""
        held = self.hold()
        if held is not None:
            return held
        self._is_probed = self._closed_to is not None
        return Permit(self._era, self._is_probed)

    def ended(self, permit: Permit, sign: Sign, *, cause: str = "") -> None:
        """A call that had left is over. One that left before the breaker opened does not count against it once more."""
        if permit.is_probe and permit.era == self._era:
            self._is_probed = False
        if sign is Sign.ALIVE:
            self._failures = self._openings_in_a_row = 0
            self._closed_to = None
            self._is_probed = False
        elif sign is Sign.DEAD and permit.era == self._era:
            self._failures += 1
            self._cause = cause
            if permit.is_probe or self._failures >= self._policy.failures:
                self._open()

    def _open(self) -> None:
        pause = min(self._policy.first_pause * 2.0 ** min(self._openings_in_a_row, 30), self._policy.longest_pause)
        self._openings_in_a_row += 1
        self._era += 1
        self._closed_to = self._clock.monotonic() + pause
        self._until = self._clock.now() + timedelta(seconds=pause)
