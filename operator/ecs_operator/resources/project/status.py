"""The status of an EcsProject. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecs_operator.api.project import ProjectQuota, ProjectStatus, QuotaUse
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError, Limits, Meaning
from ecs_operator.engine.conditions import Condition, find

_PROVES_NOTHING = frozenset({Meaning.UNREACHABLE, Meaning.TRANSIENT, Meaning.INTERNAL, Meaning.THROTTLED})
"""Failures that say nothing about the credentials."""


def signed_in(status: ProjectStatus, *, project_id: str, microversion: str | None, limits: Limits) -> ProjectStatus:
    """What a visit to the cloud showed."""
    return status.model_copy(update={"project_id": project_id, "microversion": microversion, "quota": quota(limits)})


def quota(limits: Limits) -> ProjectQuota:
    """Quota and use (ECS API reference 5.7.1)."""
    return ProjectQuota(
        instances=_use(limits.total_instances_used, limits.max_total_instances),
        cores=_use(limits.total_cores_used, limits.max_total_cores),
        ram_mib=_use(limits.total_ram_used, limits.max_total_ram_size),
    )


def authenticated(reason: Reason, message: str) -> Condition:
    """The condition after a success, or where the reason itself tells."""
    if reason in {Reason.CREDENTIALS_MISSING, Reason.UNAUTHORIZED}:
        return Condition("Authenticated", "False", reason, message)
    if reason is Reason.AVAILABLE:
        return Condition("Authenticated", "True", "SignedIn", "the cloud takes the credentials")
    return Condition("Authenticated", "Unknown", reason, "it is not known whether the cloud takes the credentials")


def authenticated_after(error: CloudError, previous: Sequence[Mapping[str, Any]], message: str) -> Condition:
    """The condition after a failed call: many failures are an answer to somebody the cloud knows."""
    if error.meaning is Meaning.AUTH:
        return authenticated(Reason.UNAUTHORIZED, message)
    before = find(previous, "Authenticated")
    if error.meaning not in _PROVES_NOTHING and error.status is not None:
        return authenticated(Reason.AVAILABLE, "")
    if before is not None and before.get("status") == "True":
        return authenticated(Reason.AVAILABLE, "")
    return authenticated(Reason.CLOUD_UNREACHABLE, message)


def _use(used: int, limit: int) -> QuotaUse:
    return QuotaUse(used=max(used, 0), limit=max(limit, -1))
