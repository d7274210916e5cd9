"""Status conditions as Kubernetes keeps them: one list entry a type, the time of the last change of status, sorted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as a pass wants it. ``reason`` is CamelCase, ``message`` a sentence for people."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as ``metav1.Time`` is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def merge(previous: Sequence[Mapping[str, Any]], wanted: Sequence[Condition], *, generation: int, now: datetime) -> list[dict[str, Any]]:
    """The list for ``status.conditions``: exactly the wanted types, sorted by type.

    ``lastTransitionTime`` moves only when the status of a type changes, so that an unchanged pass writes nothing.
    """
    before = {each.get("type"): each for each in previous}
    return [_entry(before.get(each.type), each, generation=generation, now=now) for each in sorted(wanted, key=lambda each: each.type)]


def find(conditions: Sequence[Mapping[str, Any]], condition_type: str) -> Mapping[str, Any] | None:
    """The condition of a type, None when there is none."""
    return next((each for each in conditions if each.get("type") == condition_type), None)


def _entry(before: Mapping[str, Any] | None, wanted: Condition, *, generation: int, now: datetime) -> dict[str, Any]:
    since = before.get("lastTransitionTime") if before is not None and before.get("status") == wanted.status else None
    return {
        "type": wanted.type,
        "status": wanted.status,
        "observedGeneration": generation,
        "lastTransitionTime": since or timestamp(now),
        "reason": wanted.reason,
        "message": wanted.message,
    }
