"""Events, kept for the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ecs_operator.engine.objects import KubeObject, ObjectKey


@dataclass(frozen=True)
class Recorded:
    """One event."""

    key: ObjectKey
    kind: Literal["Normal", "Warning"]
    reason: str
    message: str
    action: str


@dataclass
class RecordingEvents:
    """The engine's EventSink."""

    recorded: list[Recorded] = field(default_factory=list)

    def record(self, obj: KubeObject, *, kind: Literal["Normal", "Warning"], reason: str, message: str, action: str) -> None:
        self.recorded.append(Recorded(obj.key, kind, reason, message, action))

    @property
    def reasons(self) -> list[str]:
        return [each.reason for each in self.recorded]
