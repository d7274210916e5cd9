"""What is due when: a heap, so that settling costs what is due and not what there is."""

from __future__ import annotations

import heapq
from typing import NamedTuple


class Transition(NamedTuple):
    """Something to happen to a part of a job at a time. ``number`` keeps the order of equal times."""

    due: float
    number: int
    event: str
    job_id: str
    part: int


class Schedule:
    """The coming transitions."""

    def __init__(self, entries: list[list[float | int | str]] | None = None) -> None:
        self._heap = [Transition(float(e[0]), int(e[1]), str(e[2]), str(e[3]), int(e[4])) for e in entries or []]
        heapq.heapify(self._heap)
        self._number = max((entry.number for entry in self._heap), default=0)

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: float, event: str, *, job_id: str, part: int) -> None:
        """Add a transition; ``due`` is in epoch seconds of the world."""
        self._number += 1
        heapq.heappush(self._heap, Transition(due, self._number, event, job_id, part))

    def pop_due(self, now: float) -> Transition | None:
        """Take out the earliest transition that is due by now, None if there is none."""
        return heapq.heappop(self._heap) if self._heap and self._heap[0].due <= now else None

    def to_json(self) -> list[list[float | int | str]]:
        """Snapshot form."""
        return [list(entry) for entry in sorted(self._heap)]
