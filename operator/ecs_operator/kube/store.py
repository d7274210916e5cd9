"""Reads and writes of single objects, each write by the one primitive that is safe for it (design: house.md, the table)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import GoneError, SecretData
from ecs_operator.kube import finalizers
from ecs_operator.kube.connection import APPLY, Connection
from ecs_operator.kube.decode import config_map_data, kube_object, secret_data
from ecs_operator.kube.finalizers import Holders
from ecs_operator.kube.pages import pages
from ecs_operator.kube.resource_types import ResourceType

_LIST_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Ownership:
    """Names under which the operator owns what it writes."""

    finalizer: str
    status_manager: str
    finalizer_manager: str
    secret_finalizer: str = ""
    """Put on Secrets of the operator's own namespace."""


class ApiServerStore:
    """The engine's KubeStore over the API server."""

    def __init__(
        self,
        connection: Connection,
        *,
        types: Mapping[str, ResourceType],
        ownership: Ownership,
        namespaces: Sequence[str] = (),
    ) -> None:
        """``namespaces`` limits lists to these; empty means the whole cluster."""
        self._connection = connection
        self._types = types
        self._ownership = ownership
        self._namespaces = tuple(namespaces)

    async def get(self, key: ObjectKey) -> KubeObject | None:
        """The object by a quorum read (no resourceVersion in the request), None when it does not exist. Raises StoreError."""
        resource_type = self._types[key.resource]
        try:
            body = await self._connection.request("GET", resource_type.path(key), subject=f"GET {key}")
        except GoneError:
            return None
        return kube_object(body, resource_type)

    async def list(self, resource: str, *, namespace: str | None = None) -> Sequence[KubeObject]:
        """All objects of a kind in one namespace or in all that are watched, by a consistent list. Raises StoreError."""
        resource_type = self._types[resource]
        scopes: Sequence[str | None] = (namespace,) if namespace or not resource_type.namespaced else self._namespaces or (None,)
        found = []
        for scope in scopes:
            async for items in pages(self._connection, resource_type.collection(scope), subject=f"LIST {resource}", timeout=_LIST_TIMEOUT):
                found += [kube_object(each, resource_type) for each in items]
        return found

    async def apply_status(self, obj: KubeObject, status: Mapping[str, Any]) -> KubeObject:
        """Make ``status`` all that we own of the status: server-side apply with the resourceVersion, so it is a compare-and-set.

        Raises ConflictError when the object changed since it was read, GoneError when it is gone, and other StoreErrors.
        """
        resource_type = self._types[obj.key.resource]
        body = {
            **_identity(obj),
            "metadata": {**_name(obj.key), "resourceVersion": obj.resource_version},
            "status": status,
        }
        answer = await self._connection.request(
            "PATCH",
            resource_type.path(obj.key, subresource="status"),
            subject=f"APPLY {obj.key} status",
            query={"fieldManager": self._ownership.status_manager, "force": "true"},
            body=body,
            content_type=APPLY,
        )
        return kube_object(answer, resource_type)

    async def add_finalizer(self, obj: KubeObject) -> KubeObject:
        """Put our finalizer on the object of exactly this uid: server-side apply with nothing but names, uid and finalizer.

        It survives the users' own applies. Raises ConflictError when the object is gone or another one of its name, and other StoreErrors.
        """
        resource_type = self._types[obj.key.resource]
        body = {**_identity(obj), "metadata": {**_name(obj.key), "uid": obj.uid, "finalizers": [self._ownership.finalizer]}}
        answer = await self._connection.request(
            "PATCH",
            resource_type.path(obj.key),
            subject=f"APPLY {obj.key} finalizer",
            query={"fieldManager": self._ownership.finalizer_manager, "force": "true"},
            body=body,
            content_type=APPLY,
        )
        return kube_object(answer, resource_type)

    async def remove_finalizer(self, obj: KubeObject) -> None:
        """Take our finalizer off the object of exactly this uid.

        Gone, another uid, or no such finalizer counts as done. Raises ConflictError when others keep changing the list, and other
        StoreErrors.
        """

        async def look() -> Holders | None:
            now = await self.get(obj.key)
            return None if now is None else Holders(now.uid, now.finalizers)

        path = self._types[obj.key.resource].path(obj.key)
        seen = Holders(obj.uid, obj.finalizers)
        subject = f"PATCH {obj.key} finalizer"
        await finalizers.remove(self._connection, path, self._ownership.finalizer, seen=seen, look=look, subject=subject)

    async def secret(self, namespace: str, name: str) -> SecretData | None:
        """A Secret by name, None when it does not exist. Raises StoreError."""
        subject = f"GET secrets/{namespace}/{name}"
        body = await self._read(f"/api/v1/namespaces/{namespace}/secrets/{name}", subject=subject)
        return None if body is None else secret_data(body, subject=subject)

    async def config_map(self, namespace: str, name: str) -> SecretData | None:
        """A ConfigMap by name, None when it does not exist. Raises StoreError."""
        subject = f"GET configmaps/{namespace}/{name}"
        body = await self._read(f"/api/v1/namespaces/{namespace}/configmaps/{name}", subject=subject)
        return None if body is None else config_map_data(body, subject=subject)

    async def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        """The labels of a namespace, None when it does not exist. Raises StoreError."""
        body = await self._read(f"/api/v1/namespaces/{name}", subject=f"GET namespaces/{name}")
        return None if body is None else body["metadata"].get("labels") or {}

    async def _read(self, path: str, *, subject: str) -> Mapping[str, Any] | None:
        try:
            return await self._connection.request("GET", path, subject=subject)
        except GoneError:
            return None


def _identity(obj: KubeObject) -> Mapping[str, str]:
    return {"apiVersion": obj.api_version, "kind": obj.kind}


def _name(key: ObjectKey) -> Mapping[str, str]:
    return {"name": key.name, "namespace": key.namespace} if key.namespace else {"name": key.name}
