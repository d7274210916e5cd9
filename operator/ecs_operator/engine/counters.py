"""Counts of what the loop did, as plain values; how they are shown is not the engine's business."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Result(StrEnum):
    """How a pass ended. The names are those controller-runtime uses where it has one."""

    SUCCESS = "success"
    REQUEUE_AFTER = "requeue_after"
    REQUEUE = "requeue"
    BLOCKED = "blocked"
    CONFLICT = "conflict"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    GONE = "gone"
    ERROR = "error"


@dataclass(slots=True)
class ReconcileCounters:
    """Totals since the start of the process, by plural and result; time spent by plural."""

    passes: Counter[tuple[str, Result]] = field(default_factory=Counter)
    microseconds: Counter[str] = field(default_factory=Counter)
    active: int = 0

    def record(self, resource: str, result: Result, *, seconds: float) -> None:
        """Count one pass that took ``seconds``."""
        self.passes[resource, result] += 1
        self.microseconds[resource] += round(seconds * 1_000_000)

    def total(self, result: Result | None = None) -> int:
        """All passes, or those with one result."""
        return sum(count for (_, each), count in self.passes.items() if result is None or each is result)


@dataclass(slots=True)
class DriftCounters:
    """Differences that others made: totals since the start of the process, by plural and field, and what stands now.

    Fields are labels: callers leave out the parts that users choose (``spec.tags``, not ``spec.tags.team``), so there are few.
    """

    detected: Counter[tuple[str, str]] = field(default_factory=Counter)
    corrected: Counter[tuple[str, str]] = field(default_factory=Counter)
    _standing: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)

    def stands(self, uid: str, resource: str, fields: Iterable[str]) -> None:
        """What differs of one object now."""
        labels = frozenset(fields)
        if labels:
            self._standing[uid] = (resource, labels)
        else:
            self.forget(uid)

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._standing.pop(uid, None)

    def current(self) -> Counter[tuple[str, str]]:
        """Objects that differ now, by plural and field."""
        return Counter((resource, each) for resource, labels in self._standing.values() for each in labels)
