"""The cloud as a kind sees it: one tenant per EcsProject, found by namespace and reference. ``resources/project`` fills the directory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Catalog, EcsClient, JobLooks
from ecs_operator.cloud.observation import ServerSnapshots
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.absence import AbsenceWatch
from ecs_operator.resources.batches import Batches
from ecs_operator.resources.confirmations import Confirmations
from ecs_operator.resources.creations import Creations
from ecs_operator.resources.ownership import ClusterIdentity


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """How an unknown outcome of a create is settled (design: lifecycle.md). All times in seconds."""

    idempotency: Literal["Auto", "Token", "Settle"]
    request_deadline: float
    settle_after: float
    """After this long a request that got no answer can no longer arrive: request deadline, gateway timeout and list lag together."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A live connection to one project of the cloud."""

    name: str
    """Name of the EcsProject."""
    project_id: str
    client: EcsClient
    snapshots: ServerSnapshots
    """The shared list of the project's servers."""
    batches: Batches
    """Commands to servers, which travel together."""
    confirmations: Confirmations
    """Looks at single servers, which share a list when they are many."""
    catalog: Catalog
    """What the project offers, looked up for all."""
    jobs: JobLooks
    """Looks at jobs that many servers have in common."""
    absence: AbsenceWatch
    """Tells whether a list that shows hardly any servers may be believed."""
    identity: ClusterIdentity
    create_policy: CreatePolicy
    resync_seconds: float
    creations: Creations = field(default_factory=Creations)
    """Those that run at the same time."""


@dataclass(frozen=True, slots=True)
class TenantUnavailable:
    """Why there is no tenant for an object now, ready for its condition."""

    reason: Reason
    message: str
    waits_for: tuple[ObjectKey, ...] = ()


class TenantDirectory(Protocol):
    """Finds the tenant of an object."""

    async def find(self, *, namespace: str, project_ref: str | None, pinned: str | None) -> Tenant | TenantUnavailable:
        """The tenant for an object.

        ``project_ref`` is ``spec.projectRef.name``; without it the default project that admits the namespace is taken.
        ``pinned`` is ``status.project``, written with the first intent: an object never moves to another project by itself.
        """
