"""The narrow protocols through which the engine and the kinds reach time, Kubernetes and the lease. ``kube/`` implements them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Outcome


class StoreError(Exception):
    """A call to the API server failed. The message holds method, object and HTTP status, never a body."""


class ConflictError(StoreError):
    """The object changed since it was read (409), or is another one of the same name (422 on the uid): read again."""


class GoneError(StoreError):
    """The object no longer exists (404)."""


class RefusedError(StoreError):
    """The API server refuses for good: 401, 403, or an invalid object (400, 422)."""


class UnavailableError(StoreError):
    """Timeout, connection failure, 429 or 5xx. A write may have happened."""


class Clock(Protocol):
    """Time, handed in."""

    def now(self) -> datetime:
        """Wall time, with time zone UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back and go on while the process is paused."""


@dataclass(frozen=True, slots=True)
class SecretData:
    """A Secret's or ConfigMap's content at one version."""

    resource_version: str
    data: Mapping[str, bytes] = field(repr=False)
    uid: str = ""
    finalizers: tuple[str, ...] = ()
    is_deleting: bool = False
    """Deletion was requested; only finalizers keep it."""


class KubeStore(Protocol):
    """Reads and writes of single objects. Every method raises ``StoreError``."""

    async def get(self, key: ObjectKey) -> KubeObject | None:
        """The object by a quorum read, None when it does not exist."""

    async def list(self, resource: str, *, namespace: str | None = None) -> Sequence[KubeObject]:
        """All objects of a kind by a consistent list. For rare questions (who uses this?), not for every pass."""

    async def apply_status(self, obj: KubeObject, status: Mapping[str, Any]) -> KubeObject:
        """Replace what we own of the status, by compare-and-set on ``obj.resource_version``."""

    async def add_finalizer(self, obj: KubeObject) -> KubeObject:
        """Put our finalizer on the object of exactly this uid."""

    async def remove_finalizer(self, obj: KubeObject) -> None:
        """Take our finalizer off the object of exactly this uid; gone already counts as done."""

    async def secret(self, namespace: str, name: str) -> SecretData | None:
        """A Secret by name."""

    async def config_map(self, namespace: str, name: str) -> SecretData | None:
        """A ConfigMap by name."""

    async def namespace_labels(self, name: str) -> Mapping[str, str] | None:
        """The labels of a namespace, None when it does not exist."""


class HeldSecrets(Protocol):
    """The finalizer on Secrets in the operator's own namespace. Every method raises ``StoreError``."""

    async def hold(self, name: str, *, uid: str) -> SecretData:
        """Put it on the Secret of exactly this uid, and give the Secret as it is then."""

    async def held(self) -> Sequence[str]:
        """Names of the Secrets that have it."""

    async def release(self, name: str) -> None:
        """Take it off; gone already counts as done."""


class EventSink(Protocol):
    """Kubernetes events. Recording never fails and never waits for the API server."""

    def record(self, obj: KubeObject, *, kind: Literal["Normal", "Warning"], reason: str, message: str, action: str) -> None:
        """Queue one event about the object; repeated ones become a series."""


class Authority(Protocol):
    """The right to change the cloud, as long as the lease is held."""

    def time_left(self) -> float:
        """Seconds for which no other process can hold the lease; zero or less when it is not held."""


class Reconciler(Protocol):
    """One per kind: looks at desired and observed state and does the next right thing."""

    resource: str
    """The plural it is responsible for."""

    async def reconcile(self, key: ObjectKey) -> Outcome:
        """One pass. Raises StoreError (the loop knows what each means); everything else is a bug and is retried with backoff."""
