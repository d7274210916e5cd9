"""Whose turn it is when not all calls can be made: the first lane first, and no lane never. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from ecs_operator.cloud.operation import Lane

PATIENCE = 8
"""So many calls of other lanes may go before one that could go as well: then it is that one's turn, whatever waits before it."""


class Turns:
    """Remembers how often each lane was passed over."""

    def __init__(self) -> None:
        self._passed_over: Counter[Lane] = Counter()

    def choose(self, ready: Collection[Lane]) -> Lane:
        """The lane whose call goes next, out of those with a call that could go."""
        patient = [lane for lane in sorted(ready) if self._passed_over[lane] >= PATIENCE]
        chosen = max(patient, key=lambda lane: self._passed_over[lane]) if patient else min(ready)
        for lane in ready:
            self._passed_over[lane] += 1
        self._passed_over[chosen] = 0
        return chosen
