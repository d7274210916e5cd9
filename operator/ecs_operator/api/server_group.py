"""EcsServerGroup: servers that stand on different hosts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ecs_operator.api.common import (
    LIST_ATOMIC,
    ApiModel,
    Conditions,
    Count,
    DeletionPolicy,
    Generation,
    Import,
    ManagementPolicy,
    ObjectRef,
    ProjectRef,
    SeenMessage,
    SeenText,
    Timestamp,
    list_map,
    text,
)
from ecs_operator.api.rules import immutable, validations

LONGEST_GROUP_NAME = 246
"""The cloud takes names of less than 256 bytes (ECS API reference 5.10.1), of which the operator's suffix needs 9."""

_WAY_OUT = "Take the change back, or create another EcsServerGroup"


class ServerGroupSpec(ApiModel):
    """Desired state of a server group."""

    model_config = ConfigDict(json_schema_extra=validations(immutable("name", _WAY_OUT), immutable("policy", _WAY_OUT, required=True)))

    project_ref: ProjectRef | None = None
    """The EcsProject the group is in. Default: the default project that admits the namespace. Can be changed only until the group's
    creation has begun."""
    name: Annotated[str, text(LONGEST_GROUP_NAME, pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    """Name in the cloud, 1 to 246 of A-Z a-z 0-9 _ - and dot; the operator appends a hyphen and 8 hexadecimal digits by which it knows
    the group as its own. Default: metadata.name. With import the whole name the group has; absent: whatever it is. Immutable: the cloud
    cannot rename a group."""
    policy: Literal["anti-affinity"] = "anti-affinity"
    """anti-affinity: every member stands on another host; the cloud has no other policy. Default: anti-affinity. Immutable."""
    deletion_policy: DeletionPolicy = "Delete"
    """What becomes of the group in the cloud when this object is deleted. Delete: it goes too, once no server uses it, also when it was
    adopted. Retain: it stays, and can be adopted again. With managementPolicy: Observe it always stays. Default: Delete. Can be changed,
    which costs nothing."""
    deletion_protection: bool = False
    """true: a deletion of this object is refused until it is false again, by the ValidatingAdmissionPolicy ecs-deletion-protection that
    manifests/base brings. Default: false. Can be changed, which costs nothing."""

    management_policy: ManagementPolicy = "Managed"
    """Managed: the group is this object's. Observe: it is only shown in status; it is never made, and never deleted. Observe needs import,
    unless the group exists. Default: Managed. Can be changed, which costs nothing."""
    import_: Import | None = Field(default=None, alias="import")
    """A group that is there already and is to be adopted, or only observed with managementPolicy: Observe; none is ever made then. Its
    name and policy must be those of the spec, because neither can be changed. A group that another EcsServerGroup stands for is refused.
    Cannot be changed once the group was found."""


class GroupMember(ApiModel):
    """One server in the group."""

    server_id: SeenText
    """Id of the server."""
    server_ref: ObjectRef | None = None
    """The EcsServer in this namespace that stands for it. Absent: it is not managed here, or in another namespace."""
    host_id: SeenText | None = None
    """Opaque id of the host it stands on."""


class GroupIntent(ApiModel):
    """The intent to create the group, written before the cloud is asked."""

    name: SeenMessage
    """Name in the cloud, suffix included."""
    intended_at: Timestamp
    """When the intent was written."""
    attempts: Count = 0
    """How many times the creation was sent."""
    last_attempt_at: Timestamp | None = None
    """When it was sent last."""
    outcome: Literal["Unknown", "Accepted", "Refused"] | None = None
    """What is known about the last attempt; absent: it was not sent yet, or is being sent."""


class GroupAdoption(ApiModel):
    """How far the object is towards a group that was there already, or is only observed."""

    id: SeenText
    """Id of the group."""
    state: Literal["Observed", "Claimed", "Adopted"]
    """Observed: it is only shown. Claimed: no other object may adopt it now. Adopted: it is this object's."""


class ServerGroupStatus(ApiModel):
    """The group as the operator saw it last."""

    observed_generation: Generation | None = None
    """metadata.generation this status was computed for; -1 before the first visit."""
    project: SeenText | None = None
    """Name of the EcsProject the group is in, written with the first intent."""
    id: SeenText | None = None
    """Id of the group in the cloud."""
    members: Annotated[tuple[GroupMember, ...], Field(max_length=1000, json_schema_extra=list_map("serverId"))] = ()
    """The servers in the group, ordered by id."""
    violations: Annotated[tuple[SeenMessage, ...], Field(max_length=64, json_schema_extra=LIST_ATOMIC)] = ()
    """Members that stand on the same host although the policy forbids it. Shown, not repaired."""
    intent: GroupIntent | None = None
    """The intent to create the group; absent when it was adopted."""
    adoption: GroupAdoption | None = None
    """How far the object is towards a group that it did not create, or that is only observed."""
    last_handled_reconcile_at: SeenText | None = None
    """Echo of the annotation ecs.huaweicloud.com/reconcile-requested-at that was handled last."""
    conditions: Conditions = ()
    """Ready, and Reconciling or Stalled while they are True."""
