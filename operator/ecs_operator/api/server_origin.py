"""What a server was created with, in the status of an EcsServer."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ecs_operator.api.common import ApiModel, SeenText


class OriginDisk(ApiModel):
    """The system disk that a server was created with."""

    type: SeenText
    """The disk type that was asked for."""
    size_gib: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(default=None, alias="sizeGiB")
    """The size that was asked for, in GiB; absent: the image's minimum."""
    scsi: bool = False
    """Whether it was asked for as a SCSI disk."""
    storage_pool_id: SeenText | None = None
    """The dedicated storage pool; absent: the shared one."""


class OriginPublicIp(ApiModel):
    """The public address that a server was created with: an existing one by its id, or a new one of a type and a bandwidth."""

    id: SeenText | None = None
    """Id of the address; absent when a new one was made."""
    type: SeenText | None = None
    """Type of the new address."""
    size_mbps: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Its bandwidth in Mbit/s."""
    share_type: SeenText | None = None
    """Whether its bandwidth is shared."""
    released: bool
    """Whether it is released with the server, unless the spec says otherwise by then."""


class Origin(ApiModel):
    """What a server was created with, as far as only another server can have something else."""

    availability_zone: SeenText | None = None
    """The zone that was asked for; absent: any."""
    vpc_id: SeenText
    """The VPC."""
    root_volume: OriginDisk
    """The system disk."""
    public_ip: OriginPublicIp | None = None
    """The public address; absent: none."""
    agency_name: SeenText | None = None
    """The agency; absent: none."""
