"""What is under way with a server, in the status of an EcsServer: written before the cloud is asked, so that a crash loses nothing."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecs_operator.api.common import (
    LIST_ATOMIC,
    ApiModel,
    Count,
    Restore,
    SeenMessage,
    SeenText,
    Timestamp,
)
from ecs_operator.api.server_applied import AppliedInterface, Installation


class CreateRecord(ApiModel):
    """The create intent: written before the cloud is asked, so that a crash at any point can be recovered from."""

    incarnation: Annotated[int, Field(ge=1, le=1_000_000)]
    """Which server of this object it is: 1, and one more only after proof that the one before is gone."""
    token: Annotated[str, Field(max_length=36)]
    """Idempotency token sent as X-Client-Token; follows from cluster, object and incarnation."""
    digest: Annotated[str, Field(max_length=80)]
    """Digest of the whole request body."""
    request: Annotated[str, Field(max_length=65536)] | None = None
    """The request body (JSON) without secrets, user data and mark of ownership. Dropped once the server is there."""
    secret_versions: Annotated[dict[str, SeenText], Field(max_length=8)] = Field(default_factory=dict)
    """resourceVersion of each Secret or ConfigMap the body is made with, by the spec field that names it."""
    intended_at: Timestamp
    """When the intent was written."""
    attempts: Count = 0
    """How many times the request was sent."""
    last_attempt_at: Timestamp | None = None
    """When it was sent last."""
    outcome: Literal["Unknown", "Accepted", "Refused"] | None = None
    """What is known about the last attempt; absent: it was not sent yet, or is being sent."""
    job_id: SeenText | None = None
    """The cloud's job that makes the server."""
    failures: Count = 0
    """How many jobs of this object failed to make a server."""
    last_error: SeenMessage | None = None
    """Why the last attempt or job failed, with the cloud's code and request id."""


class ChangeStep(ApiModel):
    """One step of a change, made while the server is stopped."""

    kind: Literal["Migrate", "LeaveGroup", "JoinGroup", "Resize", "Install"]
    """What is done."""
    target: SeenText
    """What it leads to: the id of the dedicated host (empty: the shared pool), of the group (to leave, or to join), of the flavor or of
    the image."""
    install: Installation | None = None
    """With Install: what the system disk is installed with."""
    state: Literal["Waiting", "Sent", "Done", "GivenUp", "Failed"]
    """Waiting: the call is due when it is this step's turn. Sent: it was, or is being, sent. Done: the server shows it. GivenUp: it was no
    longer wanted before it was sent. Failed: see cause."""
    before: SeenText | None = None
    """With Install the id of the system disk, with Migrate that of the host before it: another one proves that it was done."""
    sent_at: Timestamp | None = None
    """When the call was sent first."""
    attempts: Count
    """How many times the call was sent."""
    job_id: SeenText | None = None
    """The cloud's job."""
    cause: SeenMessage | None = None
    """Why it failed, or why the last call was refused."""


class ChangeRecord(ApiModel):
    """Changes that need the server stopped, in one stop. Written before the server is, so that whatever crashes, it is brought back."""

    id: SeenText
    """Names this run of the change."""
    steps: Annotated[tuple[ChangeStep, ...], Field(min_length=1, max_length=16, json_schema_extra=LIST_ATOMIC)]
    """What is done, in this order. When all are Done or GivenUp, or one is Failed, the server is brought back as it was."""
    approved: SeenText | None = None
    """The hash that approved the steps; absent when spec.disruption.allow covered them."""
    repairs: bool | None = None
    """true: it was begun on a server that an installation had left in ERROR."""
    restore: Restore
    """What to bring back at the end."""
    started_at: Timestamp
    """When it began."""


class ReplacementRecord(ApiModel):
    """One server gives way to another. Written before anything is deleted; the next incarnation begins only with the proof of death."""

    id: SeenText
    """Names this run."""
    phase: Literal["Deleting", "Creating"]
    """Deleting: the former server goes. Creating: it is proven gone, and another one is being made."""
    cause: Literal["Changed", "DeletedExternally"]
    """Changed: the spec asks for what only another server can have. DeletedExternally: somebody else had deleted the former one."""
    server_id: SeenText
    """Id of the former server."""
    paths: Annotated[tuple[SeenText, ...], Field(max_length=32, json_schema_extra=LIST_ATOMIC)] = ()
    """The fields of the spec it is done for."""
    approved: SeenText | None = None
    """The hash that approved it; absent when spec.disruption.allow covered it."""
    restore: Restore
    """How the new server is left, where spec.powerState does not say: as the former one was."""
    started_at: Timestamp
    """When it began."""


class InterfaceChange(ApiModel):
    """A network interface that is being added or removed. Written before the cloud is asked: to add one is not to be repeated blindly."""

    id: SeenText
    """Names this run."""
    kind: Literal["Add", "Remove"]
    """What is done."""
    interface: AppliedInterface
    """The interface it is about."""
    state: Literal["Waiting", "Sent", "Failed"]
    """Waiting: the call is due again. Sent: it was, or is being, sent. Failed: see cause."""
    before: Annotated[tuple[SeenText, ...], Field(max_length=64, json_schema_extra=LIST_ATOMIC)] = ()
    """With Add, the ids of all ports that were there before the call: after an answer that was lost the new one is not among them."""
    sent_at: Timestamp
    """When the call was sent last."""
    attempts: Count
    """How many times the call was sent."""
    job_id: SeenText | None = None
    """The cloud's job."""
    reason: SeenText | None = None
    """What the Ready condition says about the cause."""
    cause: SeenMessage | None = None
    """Why it failed, or why the last call was refused."""


class PlannedChange(ApiModel):
    """One difference between what is wanted and what is there."""

    path: SeenText
    """Field of the spec."""
    have: Annotated[SeenMessage, Field(alias="from")]
    """What the server has."""
    want: Annotated[SeenMessage, Field(alias="to")]
    """What the spec wants."""
    cost: Literal["None", "Restart", "Reinstall", "Replace"]
    """What the change costs."""


class Plan(ApiModel):
    """Changes that wait for consent."""

    hash: SeenText
    """Names exactly these changes; the annotation ecs.huaweicloud.com/approve-plan with this value approves them."""
    cost: Literal["None", "Restart", "Reinstall", "Replace"]
    """What they cost together: the dearest of them."""
    changes: Annotated[tuple[PlannedChange, ...], Field(max_length=32, json_schema_extra=LIST_ATOMIC)] = ()
    """The changes."""


class Adoption(ApiModel):
    """How far the object is towards a server that was there already, or was only observed. Written before the server is marked."""

    id: SeenText
    """Id of the server."""
    state: Literal["Observed", "Compared", "Claimed", "Marking", "Adopted"]
    """Observed: it is only shown. Compared: it was compared with the spec, nothing was changed. Claimed: no other object may adopt it now.
    Marking: the operator's mark was, or is being, set on it. Adopted: it carries the mark."""
    approved: SeenText | None = None
    """The hash of the plan that was approved; absent when nothing differed."""
    agreed: Annotated[tuple[PlannedChange, ...], Field(max_length=32, json_schema_extra=LIST_ATOMIC)] = ()
    """What was approved with it and is not done yet: it needs no second approval while the annotation stays."""
    attempts: Count = 0
    """How many times the mark was sent."""
    sent_at: Timestamp | None = None
    """When it was sent last."""
    open_until: Timestamp | None = None
    """Until when a mark that was sent without an answer can still arrive; absent when none can."""
