"""Status of an EcsServer: what people read, and what recovery needs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecs_operator.api.common import (
    LIST_ATOMIC,
    LIST_SET,
    MAP_ATOMIC,
    ApiModel,
    Conditions,
    Count,
    Generation,
    Job,
    KeyRef,
    Operation,
    Restore,
    SeenMessage,
    SeenText,
    Timestamp,
    list_map,
)
from ecs_operator.api.server_origin import Origin

SeenMetadataKey = Annotated[str, Field(max_length=255)]


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


class Address(ApiModel):
    """One address of the server."""

    network: SeenText
    """Name of the network in the cloud's answer, usually the id of the VPC."""
    ip: SeenText
    """The address."""
    mac: SeenText | None = None
    """MAC address of the interface."""
    type: Literal["fixed", "floating"] | None = None
    """fixed: a private address. floating: a public one."""
    version: Annotated[int, Field(ge=4, le=6)] | None = None
    """IP version, 4 or 6."""
    port_id: SeenText | None = None
    """Id of the port."""


class Volume(ApiModel):
    """One disk of the server."""

    id: SeenText
    """Id of the volume."""
    device: SeenText | None = None
    """Where the guest sees it, for example /dev/vda."""
    boot_index: Annotated[int, Field(ge=-1, le=1000)] | None = None
    """Boot order; 0 is the system disk."""
    size_gib: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(default=None, alias="sizeGiB")
    """Size in GiB."""
    delete_with_server: bool | None = None
    """Whether the cloud deletes it with the server."""


class Fault(ApiModel):
    """What the cloud says about a server in state ERROR."""

    code: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """The cloud's number for it."""
    message: SeenMessage | None = None
    """The cloud's text."""


class SecurityGroup(ApiModel):
    """One security group of the server."""

    id: SeenText
    """Id of the group."""
    name: SeenText
    """Its name."""


class InstalledDataRef(ApiModel):
    """Where user data stood. One of the two is set."""

    secret: KeyRef | None = None
    """A key of a Secret."""
    config_map: KeyRef | None = None
    """A key of a ConfigMap."""


class Installation(ApiModel):
    """What a system disk is, or is to be, installed with. Names and references only: no password, no user data."""

    image_id: SeenText | None = None
    """Id of the image."""
    image_name: SeenText | None = None
    """Name that was resolved to this id; absent when the spec gave the id."""
    key_pair_name: SeenText | None = None
    """Name of the key pair."""
    admin_password_secret_ref: KeyRef | None = None
    """Where the password stood."""
    user_data_ref: InstalledDataRef | None = None
    """Where the user data stood."""


class Placement(ApiModel):
    """Where the server was put."""

    tenancy: Literal["shared", "dedicated"]
    """On shared hosts or on a dedicated one."""
    dedicated_host_id: SeenText | None = None
    """The dedicated host; absent: any."""


class GroupPin(ApiModel):
    """A server group, and the reference that was resolved to it."""

    id: SeenText
    """Id of the group in the cloud."""
    name: Annotated[str, Field(max_length=253)] | None = None
    """Name of the EcsServerGroup; absent when the spec gave the id."""


class AppliedInterface(ApiModel):
    """A network interface that the operator gave the server."""

    name: SeenText
    """Its name in spec.networkInterfaces."""
    subnet_id: SeenText
    """The subnet it was asked for in."""
    ip_address: SeenText | None = None
    """The address it was asked for with; absent: any."""
    mtu: Annotated[int, Field(ge=0, le=65535)] | None = None
    """The MTU it was asked for with; absent: the cloud's own."""
    port_id: SeenText | None = None
    """Id of its port; absent: not known yet, or lost."""
    lost: bool | None = None
    """true: somebody else removed it, and it cannot be added again, because it had an mtu."""


class AppliedPublicIp(ApiModel):
    """The public address of the server, where the spec names one."""

    id: SeenText | None = None
    """Its id; absent when it was made together with the server."""
    address: SeenText | None = None
    """The address; absent: not known yet."""
    found: bool | None = None
    """true: it was on the server before the operator could put it there, so the operator does not take it off."""


class Applied(ApiModel):
    """What the operator set on the server beyond what the cloud tells apart: only this is ever taken away again."""

    metadata_keys: Annotated[tuple[SeenMetadataKey, ...], Field(max_length=64, json_schema_extra=LIST_SET)] = ()
    """Keys of the metadata pairs."""
    tag_keys: Annotated[tuple[SeenText, ...], Field(max_length=64, json_schema_extra=LIST_SET)] = ()
    """Keys of the tags."""
    installed: Installation | None = None
    """What the system disk was last installed with."""
    placement: Placement | None = None
    """Where the server was last put."""
    server_group: GroupPin | None = None
    """The server group the server was put in."""
    origin: Origin | None = None
    """What the server was created with: another value of one of these in the spec needs another server."""
    interfaces: Annotated[tuple[AppliedInterface, ...], Field(max_length=24, json_schema_extra=LIST_ATOMIC)] = ()
    """The network interfaces of the spec that the server has, the primary one first. Others were added by somebody else."""
    public_ip: AppliedPublicIp | None = None
    """The public address."""
    settled: Annotated[dict[str, SeenText], Field(max_length=64, json_schema_extra=MAP_ATOMIC)] = Field(default_factory=dict)
    """Fields that the cloud was last seen to have as the spec wants them, and that the operator has not touched since, each with a digest
    of what is wanted: one that differs nevertheless was changed by somebody else."""


class Membership(ApiModel):
    """The server group a server is in."""

    id: SeenText | None = None
    """Id of the group; absent: in none."""


class ResolvedImage(ApiModel):
    """What the name of an image stands for. It is looked up once: a newer image of the same name changes nothing."""

    name: SeenText
    """The name."""
    id: SeenText
    """Id of the image."""


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


class DriftEntry(ApiModel):
    """One field that somebody changed in the cloud."""

    path: Annotated[str, Field(max_length=300)]
    """Field of the spec; of metadata and tags each key is one, for example spec.tags.team."""
    want: SeenMessage
    """What the spec wants. Values of metadata are not shown."""
    have: SeenMessage
    """What the server has; empty: nothing."""
    since: Timestamp
    """When it was first seen."""


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


class ServerStatus(ApiModel):
    """The server as the operator saw it last."""

    observed_generation: Generation | None = None
    """metadata.generation this status was computed for; -1 before the first visit."""
    project: SeenText | None = None
    """Name of the EcsProject the server is in, written with the first intent."""
    id: SeenText | None = None
    """Id of the server in the cloud."""
    server_status: SeenText | None = None
    """The server's state as the cloud shows it, for example ACTIVE, SHUTOFF or ERROR (ECS API reference, table A-4)."""
    vm_state: SeenText | None = None
    """The state the server is settled in, for example active or stopped."""
    task_state: SeenText | None = None
    """What the cloud is doing with it, for example powering-off; absent when nothing."""
    power_state: SeenText | None = None
    """Power state: Pending, Running, Paused, Shutdown or Crashed."""
    job: Job | None = None
    """The last job of the cloud for this server."""
    operation: Operation | None = None
    """The step that is being carried through: a start, a stop, a restart, or the deletion."""
    change: ChangeRecord | None = None
    """The change that is being carried through over several steps."""
    replacement: ReplacementRecord | None = None
    """The server that gives way to another one."""
    interface_change: InterfaceChange | None = None
    """The network interface that is being added or removed."""
    plan: Plan | None = None
    """Changes that cost more than spec.disruption.allow, and wait for consent."""
    drift: Annotated[tuple[DriftEntry, ...], Field(max_length=64, json_schema_extra=LIST_ATOMIC)] = ()
    """What others changed in the cloud, against the spec; spec.driftPolicy says what becomes of it."""
    applied: Applied | None = None
    """What the operator set on the server."""
    security_groups: Annotated[tuple[SecurityGroup, ...], Field(max_length=64, json_schema_extra=LIST_ATOMIC)] = ()
    """Security groups of the server, as read when they changed last."""
    auto_recovery: bool | None = None
    """Automatic recovery, as the operator set or read it last; absent when spec.autoRecovery is."""
    server_group: Membership | None = None
    """The server group the server is in, as read when the spec spoke of it or it was changed last; absent: not known."""
    resolved_image: ResolvedImage | None = None
    """What spec.image.name stands for, where it is another name than that of the image the server was installed with."""
    create: CreateRecord | None = None
    """The create intent; absent when the server was adopted."""
    adoption: Adoption | None = None
    """How far the object is towards a server that it did not create, or that is only observed."""
    private_ip: SeenText | None = None
    """First private address."""
    public_ip: SeenText | None = None
    """First public address."""
    addresses: Annotated[tuple[Address, ...], Field(max_length=128, json_schema_extra=LIST_ATOMIC)] = ()
    """All addresses."""
    volumes: Annotated[tuple[Volume, ...], Field(max_length=128, json_schema_extra=list_map("id"))] = ()
    """All disks, those attached later included."""
    flavor: SeenText | None = None
    """Flavor the server has."""
    image_id: SeenText | None = None
    """Id of the image the server has."""
    availability_zone: SeenText | None = None
    """Zone the server is in."""
    locked: bool | None = None
    """Whether the server is locked in the cloud."""
    fault: Fault | None = None
    """What the cloud says about a server in state ERROR."""
    last_handled_reconcile_at: SeenText | None = None
    """Echo of the annotation ecs.huaweicloud.com/reconcile-requested-at that was handled last."""
    last_handled_restart_at: SeenText | None = None
    """Echo of the annotation ecs.huaweicloud.com/restart-requested-at that was handled last."""
    conditions: Conditions = ()
    """Ready, and Reconciling, Stalled, ApprovalRequired or DriftDetected while they are True."""
