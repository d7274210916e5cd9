"""Status of an EcsServer: what people read, and what recovery needs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecs_operator.api.common import (
    LIST_ATOMIC,
    ApiModel,
    Conditions,
    Generation,
    Job,
    Operation,
    SeenMessage,
    SeenText,
    Timestamp,
    list_map,
)
from ecs_operator.api.server_applied import Applied
from ecs_operator.api.server_records import Adoption, ChangeRecord, CreateRecord, InterfaceChange, Plan, ReplacementRecord


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
