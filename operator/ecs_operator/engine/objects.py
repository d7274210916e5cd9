"""What the engine knows of a Kubernetes object: its key, its metadata, and two plain mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class ObjectKey:
    """Names one object. ``resource`` is the plural (``ecsservers``); ``namespace`` is empty for cluster-scoped kinds."""

    resource: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.resource}/{self.namespace}/{self.name}" if self.namespace else f"{self.resource}/{self.name}"


@dataclass(frozen=True, slots=True)
class KubeObject:
    """One object as it was read. ``spec`` and ``status`` are the raw mappings; treat them as read-only."""

    key: ObjectKey
    kind: str
    api_version: str
    uid: str
    resource_version: str
    generation: int
    created_at: datetime
    deleted_at: datetime | None
    finalizers: tuple[str, ...]
    annotations: Mapping[str, str]
    labels: Mapping[str, str]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]

    @property
    def is_deleting(self) -> bool:
        """Deletion was requested; only finalizers keep the object."""
        return self.deleted_at is not None
