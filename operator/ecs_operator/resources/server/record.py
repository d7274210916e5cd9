"""The create record in ``status.create``: what it says about where a creation stands, and how each event changes it. Pure.

The record is written ahead: an attempt is counted with outcome ``Unknown`` before its request leaves, so that a crash at any
instruction leaves a record that is at worst too cautious.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ecs_operator.api.common import Job as JobStatus
from ecs_operator.api.server import Applied, CreateRecord, ServerStatus
from ecs_operator.cloud.models.jobs import Job
from ecs_operator.resources.jobs import job_record
from ecs_operator.resources.ownership import ClusterIdentity, Owner
from ecs_operator.resources.server.render import AGENCY_KEY


class Phase(Enum):
    """Where the creation of an object's server stands."""

    NEW = "New"
    """Nothing of this incarnation was made: never asked for, or refused for certain."""
    UNKNOWN = "Unknown"
    """A request may have been carried out, or may still be."""
    ACCEPTED = "Accepted"
    """The cloud took it on, or the server was found."""
    FAILED = "Failed"
    """The cloud's job failed; what it left must go."""
    BUILT = "Built"
    """The server is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What is about to be sent, all of it durable before it is."""

    project: str
    incarnation: int
    token: str
    digest: str
    request: str
    """The body as JSON without secrets, user data and marker."""
    secret_versions: Mapping[str, str]
    image_id: str
    applied: Applied
    """What the server will have because it is created with it."""


def phase(status: ServerStatus) -> Phase:
    """The phase, from the record alone."""
    create = status.create
    if create is None:
        return Phase.NEW if status.id is None else Phase.BUILT
    if status.id is not None and create.request is None:
        return Phase.BUILT
    if create.outcome == "Refused":
        return Phase.NEW
    if create.outcome == "Accepted":
        return Phase.FAILED if _has_failed(status, create) else Phase.ACCEPTED
    return Phase.UNKNOWN


def incarnation(status: ServerStatus) -> int:
    """The incarnation that is there or under way; 1 before the first."""
    return status.create.incarnation if status.create else 1


def client_token(identity: ClusterIdentity, owner: Owner, *, digest: str, attempt: int) -> str:
    """The idempotency token of one rendered body.

    It follows from cluster, object and incarnation, from the body's digest, and from the number of the attempt the body was rendered
    for. So another body never travels under a token the cloud has seen (``Ecs.0122``), and after a definite refusal, when nothing was
    made, a new token is taken, because a cloud may repeat its first answer to an old one for eight hours. A request whose outcome is
    unknown is repeated under the token in the record, never under a new one.
    """
    return str(uuid.uuid5(uuid.UUID(identity.client_token(owner)), f"{attempt}/{digest}"))


def intended(status: ServerStatus, intent: Intent, *, now: datetime) -> ServerStatus:
    """A new body is about to be sent: the intent and its first attempt in one."""
    before = status.create
    create = CreateRecord(
        incarnation=intent.incarnation,
        token=intent.token,
        digest=intent.digest,
        request=intent.request,
        secret_versions=dict(intent.secret_versions),
        intended_at=now,
        attempts=(before.attempts if before else 0) + 1,
        last_attempt_at=now,
        outcome="Unknown",
        failures=before.failures if before else 0,
        last_error=before.last_error if before else None,
    )
    return status.model_copy(
        update={
            "project": intent.project,
            "create": create,
            "image_id": intent.image_id,
            "applied": intent.applied,
            "id": None,
            "job": None,
        }
    )


def repeated(status: ServerStatus, *, now: datetime) -> ServerStatus:
    """The same body is about to be sent once more under the same token."""
    return _with(status, attempts=_create(status).attempts + 1, last_attempt_at=now, outcome="Unknown")


def accepted(status: ServerStatus, *, job_id: str, server_ids: tuple[str, ...]) -> ServerStatus:
    """The cloud answered with a job, and perhaps with the server's id."""
    changed = _with(status, outcome="Accepted", job_id=job_id)
    job = JobStatus(id=job_id, type="createServer", status="INIT")
    return changed.model_copy(update={"job": job, "id": server_ids[0] if len(server_ids) == 1 else status.id})


def refused(status: ServerStatus, *, cause: str) -> ServerStatus:
    """It is certain that nothing was made."""
    return _with(status, outcome="Refused", last_error=cause)


def left_unknown(status: ServerStatus, *, cause: str) -> ServerStatus:
    """No answer, or one that proves nothing."""
    return _with(status, outcome="Unknown", last_error=cause)


def adopted(status: ServerStatus, *, server_id: str) -> ServerStatus:
    """The server of this incarnation was found by its marker."""
    return _with(status, outcome="Accepted").model_copy(update={"id": server_id})


def job_seen(status: ServerStatus, job: Job, *, job_id: str) -> ServerStatus:
    """What the job shows, and the server's id as soon as it is known."""
    ids = job.server_ids()
    return status.model_copy(update={"job": job_record(job, job_id=job_id), "id": ids[0] if len(ids) == 1 else status.id})


def job_failed(status: ServerStatus, job: Job, *, job_id: str, cause: str) -> ServerStatus:
    """The create job failed: counted once, in the write that makes the failure durable."""
    seen = job_seen(status, job, job_id=job_id)
    return _with(seen, failures=_create(status).failures + 1, last_error=cause)


def next_incarnation(status: ServerStatus, *, now: datetime) -> ServerStatus:
    """The server before, or what a failed job left, is proven gone. ``Refused`` with no attempt: nothing of the new one was sent.

    A server that was adopted was the first incarnation, of which there is no create record.
    """
    before = status.create or CreateRecord(incarnation=1, token="", digest="", intended_at=now)
    news = {"incarnation": before.incarnation + 1, "attempts": 0, "outcome": "Refused", "job_id": None}
    return status.model_copy(
        update={
            "create": before.model_copy(update=news),
            "id": None,
            "operation": None,
            "change": None,
            "interface_change": None,
            "plan": None,
            "drift": (),
            "applied": None,
            **dict.fromkeys(_SEEN),
            "addresses": (),
            "volumes": (),
            "security_groups": (),
            "server_group": None,
            "resolved_image": None,
        }
    )


def arrived_broken(status: ServerStatus, *, cause: str) -> ServerStatus:
    """The server came up in ERROR, and no job tells why: a failure like a job's. ``status`` shows the state already."""
    return _with(status, failures=_create(status).failures + 1, last_error=cause, job_id=None)


def lost_before_ready(status: ServerStatus, *, cause: str, now: datetime) -> ServerStatus:
    """The server went before it was ready and no job tells why: a failure like a job's, with the proof of death at hand."""
    return next_incarnation(_with(status, failures=_create(status).failures + 1, last_error=cause), now=now)


def built(status: ServerStatus) -> ServerStatus:
    """The server is there: what was only needed to ask for it again goes, and what it was asked to have is ours."""
    ours = status.applied or Applied()
    requested = _create(status).request
    if requested is not None:
        ours = ours.model_copy(update={"metadata_keys": _requested_metadata(requested)})
    status = status.model_copy(update={"applied": ours})
    return _with(status, request=None, secret_versions={}, job_id=None, outcome="Accepted", failures=0, last_error=None)


_SEEN = (
    "server_status",
    "vm_state",
    "task_state",
    "power_state",
    "private_ip",
    "public_ip",
    "flavor",
    "availability_zone",
    "locked",
    "auto_recovery",
    "fault",
)


def _requested_metadata(request: str) -> tuple[str, ...]:
    """Keys of the metadata in a stored body, which has no mark and shows no secret."""
    metadata: Mapping[str, object] = json.loads(request)["server"].get("metadata") or {}
    return tuple(sorted(key for key, value in metadata.items() if value is not None and key != AGENCY_KEY))


def _has_failed(status: ServerStatus, create: CreateRecord) -> bool:
    if create.job_id is None:
        return status.server_status == "ERROR"
    return status.job is not None and status.job.status == "FAIL" and status.job.id == create.job_id


def _create(status: ServerStatus) -> CreateRecord:
    if status.create is None:
        raise ValueError("there is no create record")
    return status.create


def _with(status: ServerStatus, **changes: object) -> ServerStatus:
    return status.model_copy(update={"create": _create(status).model_copy(update=changes)})
