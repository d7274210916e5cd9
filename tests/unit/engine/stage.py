"""What the engine's tests share: time that is the event loop's, keys, objects, a store in memory, reconcilers that play a script."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Outcome
from ecs_operator.engine.ports import ConflictError, SecretData

START = datetime(2026, 1, 1, tzinfo=UTC)


class LoopClock:
    """Time by the event loop, so that looptime moves it."""

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass(slots=True)
class SetClock:
    """Time that a test sets."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    __call__ = monotonic


@dataclass(slots=True)
class SetAuthority:
    """A lease that a test gives and takes."""

    left: float = 100.0

    def time_left(self) -> float:
        return self.left


def seeded(seed: int = 1) -> Random:
    """Chance that is the same in every run."""
    return Random(seed)  # noqa: S311 - nothing here must be unguessable


def key(name: str = "a", *, resource: str = "things") -> ObjectKey:
    return ObjectKey(resource, "ns", name)


def kube_object(name: str = "a", *, status: Mapping[str, Any] | None = None, generation: int = 1) -> KubeObject:
    return KubeObject(
        key=key(name),
        kind="Thing",
        api_version="example.test/v1",
        uid=f"uid-{name}",
        resource_version="1",
        generation=generation,
        created_at=START,
        deleted_at=None,
        finalizers=(),
        annotations={},
        labels={},
        spec={},
        status=status or {},
    )


class MemoryStore:
    """Statuses by compare-and-set, the rest is not asked for."""

    def __init__(self, obj: KubeObject) -> None:
        self.current = obj
        self.applied: list[Mapping[str, Any]] = []

    async def get(self, key: ObjectKey) -> KubeObject | None:
        return self.current if key == self.current.key else None

    async def list(self, resource: str, *, namespace: str | None = None) -> Sequence[KubeObject]:
        raise NotImplementedError(resource, namespace)

    async def apply_status(self, obj: KubeObject, status: Mapping[str, Any]) -> KubeObject:
        if obj.resource_version != self.current.resource_version:
            raise ConflictError(str(obj.key))
        self.applied.append(status)
        self.current = replace(self.current, status=status, resource_version=str(int(obj.resource_version) + 1))
        return self.current

    async def add_finalizer(self, obj: KubeObject) -> KubeObject:
        raise NotImplementedError(obj)

    async def remove_finalizer(self, obj: KubeObject) -> None:
        raise NotImplementedError(obj)

    async def secret(self, namespace: str, name: str) -> SecretData | None:
        raise NotImplementedError(namespace, name)

    async def config_map(self, namespace: str, name: str) -> SecretData | None:
        raise NotImplementedError(namespace, name)

    async def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        raise NotImplementedError(name)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event."""

    kind: str
    reason: str
    message: str
    action: str


class MemoryEvents:
    """Keeps events."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []

    def record(self, obj: KubeObject, *, kind: str, reason: str, message: str, action: str) -> None:
        del obj
        self.recorded.append(Recorded(kind, reason, message, action))


Step = Outcome | Exception | Callable[[], Awaitable[Outcome]]


class Scripted:
    """A reconciler that plays one step a pass for each key (the last one over and over), and notes when."""

    def __init__(self, resource: str = "things", **scripts: Sequence[Step]) -> None:
        self.resource = resource
        self._scripts = {name: list(steps) for name, steps in scripts.items()}
        self.passes: list[tuple[str, float]] = []
        self.running: set[ObjectKey] = set()
        self.most_at_once = 0

    async def reconcile(self, key: ObjectKey) -> Outcome:
        assert key not in self.running, "one key in two workers at a time"
        self.running.add(key)
        self.most_at_once = max(self.most_at_once, len(self.running))
        self.passes.append((key.name, asyncio.get_running_loop().time()))
        steps = self._scripts[key.name]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        try:
            if isinstance(step, Exception):
                raise step
            return await step() if callable(step) else step
        finally:
            self.running.discard(key)

    def times(self, name: str) -> list[float]:
        return [round(when, 3) for each, when in self.passes if each == name]
