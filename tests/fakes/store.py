"""The API server in memory: compare-and-set on resourceVersion, finalizers, generations; failures and deaths on demand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from ecs_operator.api.group import API_VERSION, CREDENTIALS_FINALIZER, FINALIZER, KIND_BY_PLURAL
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import Clock, ConflictError, GoneError, RefusedError, SecretData, StoreError
from tests.fakes.effects import Effects, When


@dataclass
class _Fault:
    method: str
    error: StoreError
    when: When
    skip: int
    times: int


class FakeStore:
    """The engine's KubeStore and HeldSecrets, and what users do to objects (``create``, ``edit``, ``annotate``, ``delete``)."""

    def __init__(self, clock: Clock, effects: Effects | None = None, *, own_namespace: str = "ecs-operator-system") -> None:
        """``own_namespace``: where the Secrets are that can be held."""
        self.own_namespace = own_namespace
        self._clock = clock
        self._effects = effects or Effects()
        self._objects: dict[ObjectKey, KubeObject] = {}
        self._secrets: dict[tuple[str, str], SecretData] = {}
        self._config_maps: dict[tuple[str, str], SecretData] = {}
        self._namespaces: dict[str, Mapping[str, str]] = {}
        self._faults: list[_Fault] = []
        self._count = 0
        self._uids = 0
        self.reads: list[str] = []
        """Every read, e.g. ``get ecsservers/shop/web-0`` or ``secret ns/name``."""

    # What users do.

    def create(
        self,
        resource: str,
        name: str,
        spec: Mapping[str, Any],
        *,
        namespace: str = "",
        annotations: Mapping[str, str] | None = None,
        status: Mapping[str, Any] | None = None,
    ) -> KubeObject:
        self._uids += 1
        obj = KubeObject(
            key=ObjectKey(resource, namespace, name),
            kind=KIND_BY_PLURAL[resource].kind,
            api_version=API_VERSION,
            uid=str(UUID(int=self._uids)),
            resource_version=self._version(),
            generation=1,
            created_at=self._clock.now(),
            deleted_at=None,
            finalizers=(),
            annotations=dict(annotations or {}),
            labels={},
            spec=_json(spec),
            status=_json(status if status is not None else {"observedGeneration": -1}),
        )
        self._objects[obj.key] = obj
        return obj

    def __getitem__(self, key: ObjectKey) -> KubeObject:
        return self._objects[key]

    def __contains__(self, key: ObjectKey) -> bool:
        return key in self._objects

    def edit(self, key: ObjectKey, **spec: Any) -> None:
        obj = self._objects[key]
        self._put(replace(obj, spec=_json({**obj.spec, **spec}), generation=obj.generation + 1))

    def annotate(self, key: ObjectKey, **annotations: str | None) -> None:
        """Set annotations of our group by their short names, with ``_`` for ``-``; None removes one."""
        obj = self._objects[key]
        named = {f"{API_VERSION.split('/')[0]}/{name.replace('_', '-')}": value for name, value in annotations.items()}
        merged = {**obj.annotations, **named}
        self._put(replace(obj, annotations={name: value for name, value in merged.items() if value is not None}))

    def set_status(self, key: ObjectKey, status: Mapping[str, Any]) -> None:
        """As if another reconciler had written it."""
        self._put(replace(self._objects[key], status=_json(status)))

    def delete(self, key: ObjectKey) -> None:
        obj = self._objects[key]
        if not obj.finalizers:
            del self._objects[key]
        elif not obj.is_deleting:
            self._put(replace(obj, deleted_at=self._clock.now(), generation=obj.generation + 1))

    def set_secret(self, namespace: str, name: str, **data: str) -> None:
        """Make it, or give it other values."""
        encoded = {key: value.encode() for key, value in data.items()}
        before = self._secrets.get((namespace, name))
        if before is None:
            self._uids += 1
            before = SecretData(resource_version="", data={}, uid=str(UUID(int=self._uids)))
        self._put_secret(namespace, name, replace(before, data=encoded))

    def delete_secret(self, namespace: str, name: str, *, by_force: bool = False) -> None:
        found = self._secrets.get((namespace, name))
        if found is not None:
            finalizers = () if by_force else found.finalizers
            self._put_secret(namespace, name, replace(found, is_deleting=True, finalizers=finalizers))

    def set_secret_finalizers(self, namespace: str, name: str, *finalizers: str) -> None:
        self._put_secret(namespace, name, replace(self._secrets[namespace, name], finalizers=finalizers))

    def secret_of(self, namespace: str, name: str) -> SecretData | None:
        """As it is, without a trace in ``reads``."""
        return self._secrets.get((namespace, name))

    def set_config_map(self, namespace: str, name: str, **data: str) -> None:
        encoded = {key: value.encode() for key, value in data.items()}
        self._config_maps[namespace, name] = SecretData(resource_version=self._version(), data=encoded)

    def set_namespace(self, name: str, **labels: str) -> None:
        self._namespaces[name] = labels

    # What goes wrong.

    def fail(self, method: str, error: StoreError, *, when: When = "before", skip: int = 0, times: int = 1) -> None:
        """Let calls of a method fail, before they do anything or after they did it (the answer is lost)."""
        self._faults.append(_Fault(method, error, when, skip, times))

    # The KubeStore.

    async def get(self, key: ObjectKey) -> KubeObject | None:
        self.reads.append(f"get {key}")
        self._maybe_fail("get", "before")
        return self._objects.get(key)

    async def list(self, resource: str, *, namespace: str | None = None) -> Sequence[KubeObject]:
        self.reads.append(f"list {resource}")
        self._maybe_fail("list", "before")
        found = [obj for key, obj in self._objects.items() if key.resource == resource and namespace in {None, key.namespace}]
        return sorted(found, key=lambda obj: obj.key)

    async def apply_status(self, obj: KubeObject, status: Mapping[str, Any]) -> KubeObject:
        current = self._begin("apply_status", obj)
        if current.resource_version != obj.resource_version:
            raise ConflictError(f"apply_status {obj.key}: 409")
        with self._effects.carried_out("apply_status"):
            written = self._put(replace(current, status=_json(status)))
        self._maybe_fail("apply_status", "after")
        return written

    async def add_finalizer(self, obj: KubeObject) -> KubeObject:
        current = self._begin("add_finalizer", obj)
        if current.uid != obj.uid:
            raise ConflictError(f"add_finalizer {obj.key}: 422")
        with self._effects.carried_out("add_finalizer"):
            if FINALIZER not in current.finalizers:
                current = self._put(replace(current, finalizers=(*current.finalizers, FINALIZER)))
        self._maybe_fail("add_finalizer", "after")
        return current

    async def remove_finalizer(self, obj: KubeObject) -> None:
        self._maybe_fail("remove_finalizer", "before")
        current = self._objects.get(obj.key)
        if current is None or current.uid != obj.uid:
            return
        with self._effects.carried_out("remove_finalizer"):
            left = self._put(replace(current, finalizers=tuple(each for each in current.finalizers if each != FINALIZER)))
            if left.is_deleting and not left.finalizers:
                del self._objects[obj.key]
        self._maybe_fail("remove_finalizer", "after")

    async def secret(self, namespace: str, name: str) -> SecretData | None:
        self.reads.append(f"secret {namespace}/{name}")
        self._maybe_fail("secret", "before")
        return self._secrets.get((namespace, name))

    async def hold(self, name: str, *, uid: str) -> SecretData:
        self._maybe_fail("hold", "before")
        found = self._secrets.get((self.own_namespace, name))
        if found is None or found.uid != uid:
            raise ConflictError(f"hold {name}: 409")
        if found.is_deleting and CREDENTIALS_FINALIZER not in found.finalizers:
            raise RefusedError(f"hold {name}: 422")
        if CREDENTIALS_FINALIZER not in found.finalizers:
            with self._effects.carried_out("hold"):
                found = self._put_secret(self.own_namespace, name, replace(found, finalizers=(*found.finalizers, CREDENTIALS_FINALIZER)))
        self._maybe_fail("hold", "after")
        return found

    async def held(self) -> Sequence[str]:
        self.reads.append("held")
        self._maybe_fail("held", "before")
        found = [name for (namespace, name), each in self._secrets.items() if namespace == self.own_namespace and _is_held(each)]
        return sorted(found)

    async def release(self, name: str) -> None:
        self._maybe_fail("release", "before")
        found = self._secrets.get((self.own_namespace, name))
        if found is not None and _is_held(found):
            with self._effects.carried_out("release"):
                left = tuple(each for each in found.finalizers if each != CREDENTIALS_FINALIZER)
                self._put_secret(self.own_namespace, name, replace(found, finalizers=left))
        self._maybe_fail("release", "after")

    async def config_map(self, namespace: str, name: str) -> SecretData | None:
        self.reads.append(f"config_map {namespace}/{name}")
        self._maybe_fail("config_map", "before")
        return self._config_maps.get((namespace, name))

    async def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        self.reads.append(f"namespace {name}")
        self._maybe_fail("namespace_labels", "before")
        return self._namespaces.get(name)

    def _begin(self, method: str, obj: KubeObject) -> KubeObject:
        self._maybe_fail(method, "before")
        current = self._objects.get(obj.key)
        if current is None:
            raise GoneError(f"{method} {obj.key}: 404")
        return current

    def _maybe_fail(self, method: str, when: When) -> None:
        for fault in self._faults:
            if fault.method != method or fault.when != when or not fault.times:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            raise fault.error

    def _put(self, obj: KubeObject) -> KubeObject:
        stored = replace(obj, resource_version=self._version())
        self._objects[obj.key] = stored
        return stored

    def _put_secret(self, namespace: str, name: str, secret: SecretData) -> SecretData:
        stored = replace(secret, resource_version=self._version())
        self._secrets[namespace, name] = stored
        if stored.is_deleting and not stored.finalizers:
            del self._secrets[namespace, name]
        return stored

    def _version(self) -> str:
        self._count += 1
        return str(self._count)


def _is_held(secret: SecretData) -> bool:
    return CREDENTIALS_FINALIZER in secret.finalizers


def _json(value: Mapping[str, Any]) -> dict[str, Any]:
    """A copy as it would come back from the API server."""
    copy: dict[str, Any] = json.loads(json.dumps(value))
    return copy
