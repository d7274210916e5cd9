"""How long a key that failed has to wait: exponential, with full jitter, under a cap; success starts anew."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ecs_operator.engine.objects import ObjectKey

_FLOOR_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """``first`` and ``cap`` are seconds; the window doubles with each failure in a row."""

    first: float = 0.5
    cap: float = 60.0

    def window(self, failures: int) -> float:
        """The longest pause after this many failures in a row (1 is the first)."""
        # The exponent is bounded: 2.0 ** 1100 overflows, and a key can fail for days.
        return min(self.cap, self.first * 2.0 ** min(failures - 1, 60))


class Backoff:
    """Counts the failures in a row of each key. Holds nothing for keys that succeed."""

    def __init__(self, *, rng: Random, policy: BackoffPolicy | None = None) -> None:
        self._rng = rng
        self._policy = policy or BackoffPolicy()
        self._failures: dict[ObjectKey, int] = {}

    def next(self, key: ObjectKey, *, floor: float = 0.0) -> float:
        """Count one failure and draw the pause in seconds: between 0 and the window, but not under ``floor``.

        Above a floor the pause is spread a little, so that all who were told the same ``Retry-After`` do not come back as one.
        """
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        drawn = self._rng.uniform(0.0, self._policy.window(failures))
        if drawn >= floor:
            return drawn
        return floor * (1.0 + self._rng.uniform(0.0, _FLOOR_SPREAD))

    def reset(self, key: ObjectKey) -> None:
        """The key succeeded, or is gone."""
        self._failures.pop(key, None)

    def failures(self, key: ObjectKey) -> int:
        """Failures in a row so far."""
        return self._failures.get(key, 0)
