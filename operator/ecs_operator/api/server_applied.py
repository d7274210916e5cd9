"""What the operator gave a server, in the status of an EcsServer: only this is ever taken away again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ecs_operator.api.common import (
    LIST_ATOMIC,
    LIST_SET,
    MAP_ATOMIC,
    ApiModel,
    KeyRef,
    SeenText,
)
from ecs_operator.api.server_origin import Origin

SeenMetadataKey = Annotated[str, Field(max_length=255)]


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
