"""The finalizer on Secrets in the operator's own namespace. Of Secrets that are not named only the metadata is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecs_operator.engine.ports import GoneError, SecretData, UnavailableError
from ecs_operator.kube import finalizers
from ecs_operator.kube.connection import APPLY, Connection
from ecs_operator.kube.decode import secret_data
from ecs_operator.kube.finalizers import Holders
from ecs_operator.kube.pages import pages

_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_TIMEOUT = 30.0


class ApiServerHeldSecrets:
    """Puts the finalizer on, finds it, takes it off."""

    def __init__(self, connection: Connection, *, namespace: str, finalizer: str, manager: str) -> None:
        """``manager``: the field manager that owns the finalizer."""
        self._connection = connection
        self._collection = f"/api/v1/namespaces/{namespace}/secrets"
        self._namespace = namespace
        self._finalizer = finalizer
        self._manager = manager

    async def hold(self, name: str, *, uid: str) -> SecretData:
        """Put the finalizer on the Secret of exactly this uid, and give it as it is then.

        Raises ConflictError when it is another one or gone, RefusedError also when it is being deleted, and other StoreErrors.
        """
        subject = f"APPLY secrets/{self._namespace}/{name} finalizer"
        metadata = {"name": name, "namespace": self._namespace, "uid": uid, "finalizers": [self._finalizer]}
        body = await self._connection.request(
            "PATCH",
            f"{self._collection}/{name}",
            subject=subject,
            query={"fieldManager": self._manager, "force": "true"},
            body={"apiVersion": "v1", "kind": "Secret", "metadata": metadata},
            content_type=APPLY,
        )
        return secret_data(body, subject=subject)

    async def held(self) -> Sequence[str]:
        """Names of the Secrets with the finalizer, sorted. Raises StoreError."""
        found: list[str] = []
        subject = f"LIST secrets/{self._namespace} metadata"
        async for items in pages(self._connection, self._collection, subject=subject, timeout=_TIMEOUT, accept=_METADATA_LIST):
            found += [each["metadata"]["name"] for each in items if self._finalizer in _holders(each, subject=subject).finalizers]
        return sorted(found)

    async def release(self, name: str) -> None:
        """Take the finalizer off; gone, or without it, counts as done. Raises StoreError."""
        seen = await self._look(name)
        if seen is None:
            return
        subject = f"PATCH secrets/{self._namespace}/{name} finalizer"
        await finalizers.remove(
            self._connection, f"{self._collection}/{name}", self._finalizer, seen=seen, look=lambda: self._look(name), subject=subject
        )

    async def _look(self, name: str) -> Holders | None:
        subject = f"GET secrets/{self._namespace}/{name} metadata"
        try:
            body = await self._connection.request("GET", f"{self._collection}/{name}", subject=subject, accept=_METADATA)
        except GoneError:
            return None
        return _holders(body, subject=subject)


def _holders(body: Mapping[str, Any], *, subject: str) -> Holders:
    try:
        return Holders(body["metadata"]["uid"], tuple(body["metadata"].get("finalizers") or ()))
    except (KeyError, TypeError, AttributeError):
        raise UnavailableError(f"{subject}: the answer has no metadata") from None
