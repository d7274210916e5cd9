"""The network part of an EcsServer: interfaces and public address (ECS API reference 5.1.1, tables 5-4, 8-1, 8-3, 8-4, 8-12)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ecs_operator.api.common import ApiModel, CloudId, ItemName, text
from ecs_operator.api.rules import exactly_one, validations

Ipv4 = Annotated[str, text(15, pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$", form="ipv4")]


class NetworkInterface(ApiModel):
    """One network interface."""

    name: ItemName
    """Name of the interface within this object; only a key, the cloud does not see it. Another name is another interface."""
    subnet_id: CloudId
    """Id of the subnet (the network id), in the VPC of spec.vpcId."""
    ip_address: Ipv4 | None = None
    """Fixed IPv4 address, unused and in the subnet's range. Absent: the cloud chooses a free one, which status.addresses shows."""
    mtu: Annotated[int, Field(ge=1280, le=8888)] | None = None
    """MTU in bytes, 1280 to 8888, given to the guest as DHCP option 26. Absent: the cloud's own. Only interfaces that are made together
    with the server can have one."""


class Bandwidth(ApiModel):
    """Bandwidth of a new public address."""

    size_mbps: Annotated[int, Field(ge=1, le=1000)]
    """Bandwidth in Mbit/s, 1 to 1000; a region may allow less."""
    share_type: Literal["PER", "WHOLE"] = "PER"
    """PER: of its own. WHOLE: shared. Default: PER."""
    charge_mode: Literal["traffic"] = "traffic"
    """How it is charged. traffic: by volume, the only mode the cloud takes here. Default: traffic."""


class PublicIpAllocation(ApiModel):
    """A public address that is made together with the server."""

    type: Annotated[str, text(36, pattern=r"^[A-Za-z0-9_-]+$")]
    """Type of the address, for example 5_bgp; the cloud's VPC documentation lists them."""
    bandwidth: Bandwidth
    """Bandwidth of the address."""


class PublicIp(ApiModel):
    """A public address, existing or new."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            exactly_one(
                "id",
                "allocate",
                none="add one, or remove publicIp if no public address is wanted",
                both="remove the one that is not wanted",
            )
        )
    )

    id: CloudId | None = None
    """Id of an existing address that nothing uses (status DOWN); one that another server uses is waited for. Can be changed, which costs
    nothing. Exactly one of id and allocate is set."""
    allocate: PublicIpAllocation | None = None
    """Make a new address together with the server. Exactly one of id and allocate is set."""
    delete_with_server: bool | None = None
    """Whether the address is released with the server. It counts when the server is deleted, and can be changed until then, which costs
    nothing. Default: true with allocate, false with id."""

    @property
    def released_with_server(self) -> bool:
        """``delete_with_server`` with its default filled in."""
        return self.allocate is not None if self.delete_with_server is None else self.delete_with_server
