"""Kubernetes in memory: objects with resourceVersion and compare-and-set."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ecs_operator.api.group import FINALIZER
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import ConflictError, GoneError, SecretData
from tests.unit.resources.server.effects import Effects


@dataclass
class FakeStore:
    effects: Effects
    objects: dict[ObjectKey, KubeObject] = field(default_factory=dict)
    secrets: dict[str, SecretData] = field(default_factory=dict)
    version: int = 0
    status_writes: int = 0
    removed: list[str] = field(default_factory=list)
    """Uids whose finalizer was removed by us."""

    def put(self, obj: KubeObject) -> KubeObject:
        self.version += 1
        stored = replace(obj, resource_version=str(self.version))
        self.objects[obj.key] = stored
        return stored

    def edit(self, key: ObjectKey, **changes: Any) -> KubeObject:
        """Somebody else's change."""
        obj = self.objects[key]
        if "spec" in changes and changes["spec"] != obj.spec:
            changes.setdefault("generation", obj.generation + 1)
        return self.put(replace(obj, **changes))

    def delete(self, key: ObjectKey, *, at: datetime) -> None:
        """``kubectl delete``."""
        obj = self.objects[key]
        if obj.finalizers:
            self.put(replace(obj, deleted_at=at, generation=obj.generation + 1))
        else:
            del self.objects[key]

    async def get(self, key: ObjectKey) -> KubeObject | None:
        return self.effects.perform("kube.get", lambda: copy.deepcopy(self.objects.get(key)))

    async def list(self, resource: str, *, namespace: str | None = None) -> Sequence[KubeObject]:
        return [obj for key, obj in self.objects.items() if key.resource == resource and namespace in {None, key.namespace}]

    async def apply_status(self, obj: KubeObject, status: Mapping[str, Any]) -> KubeObject:
        def do() -> KubeObject:
            current = self._current(obj)
            if current.resource_version != obj.resource_version:
                raise ConflictError(f"{obj.key}: 409")
            self.status_writes += 1
            return copy.deepcopy(self.put(replace(current, status=copy.deepcopy(dict(status)))))

        return self.effects.perform("kube.status", do)

    async def add_finalizer(self, obj: KubeObject) -> KubeObject:
        def do() -> KubeObject:
            current = self._current(obj)
            return copy.deepcopy(self.put(replace(current, finalizers=(*current.finalizers, FINALIZER))))

        return self.effects.perform("kube.add_finalizer", do)

    async def remove_finalizer(self, obj: KubeObject) -> None:
        def do() -> None:
            current = self.objects.get(obj.key)
            if current is None or current.uid != obj.uid:
                return
            self.removed.append(obj.uid)
            left = tuple(each for each in current.finalizers if each != FINALIZER)
            self.put(replace(current, finalizers=left))
            if current.is_deleting and not left:
                del self.objects[obj.key]

        self.effects.perform("kube.remove_finalizer", do)

    async def secret(self, namespace: str, name: str) -> SecretData | None:
        return self.secrets.get(f"{namespace}/{name}")

    async def config_map(self, namespace: str, name: str) -> SecretData | None:
        return self.secrets.get(f"configmap:{namespace}/{name}")

    async def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        del name
        return {}

    def _current(self, obj: KubeObject) -> KubeObject:
        current = self.objects.get(obj.key)
        if current is None:
            raise GoneError(f"{obj.key}: 404")
        if current.uid != obj.uid:
            raise ConflictError(f"{obj.key}: another object of this name")
        return current
