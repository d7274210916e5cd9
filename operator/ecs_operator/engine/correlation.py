"""Which pass over which object the running task belongs to, for log lines."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from ecs_operator.engine.objects import ObjectKey


@dataclass(frozen=True, slots=True)
class PassId:
    """One pass: the object's key, and an id that no other pass of this process has."""

    key: ObjectKey
    reconcile_id: str


CURRENT_PASS: ContextVar[PassId | None] = ContextVar("ecs_operator_pass", default=None)
