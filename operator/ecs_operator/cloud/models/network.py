"""Networks, interfaces, security groups and floating IPs (ECS API reference 5.5, 6.4, 6.5, 6.7, 11.3, 11.5)."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, RootModel, StringConstraints, ValidationInfo, field_validator

from ecs_operator.cloud.models.wire import Answer, MaybeNumber, MaybeText, Number, Request, Text, Uuid


def _none(value: object) -> object:
    return () if value is None else value


def _no_object(value: object) -> object:
    return {} if value is None else value


def _ipv4(value: str) -> str:
    ipaddress.IPv4Address(value)
    return value


def _cidr(value: str) -> str:
    if "/" not in value:
        raise ValueError("must be a range of addresses, such as 192.168.0.0/24")
    ipaddress.ip_network(value, strict=False)
    return value


# Networks (6.4)


class Network(Answer):
    """A network, that is a subnet's network id, with its name (6.4.1)."""

    id: str
    label: Text = ""


class Networks(Answer):
    """The answer of 6.4.1."""

    networks: tuple[Network, ...]


class NetworkAddress(Answer):
    """An address of a server on a network (table 6-92)."""

    addr: str
    version: Number = 4


class ServerAddresses(Answer):
    """The answer of 6.4.2: addresses by the network's name."""

    addresses: dict[str, tuple[NetworkAddress, ...]]


class NetworkAddresses(RootModel[dict[str, tuple[NetworkAddress, ...]]]):
    """The answer of 6.4.3: as within 6.4.2, but only one network, and nothing around it."""


# Interfaces (5.5, 6.7)


class FixedIp(Answer):
    """A private address of an interface. ``subnet_id`` is not the id that requests name: that is ``net_id``."""

    subnet_id: Text = ""
    ip_address: Text = ""


class Interface(Answer):
    """An interface of a server (6.7.1). ``net_id`` is what a spec calls the subnet. ``port_state`` is ``ACTIVE`` when it is up."""

    port_id: Annotated[str, StringConstraints(strip_whitespace=True)]
    net_id: Text = ""
    mac_addr: Text = ""
    port_state: Text = ""
    fixed_ips: Annotated[tuple[FixedIp, ...], BeforeValidator(_none)] = ()


class Interfaces(Answer):
    """The answer of 6.7.1."""

    interface_attachments: tuple[Interface, ...] = Field(alias="interfaceAttachments")


class InterfaceAnswer(Answer):
    """The answer of 6.7.2 and 6.7.3."""

    interface_attachment: Interface = Field(alias="interfaceAttachment")


class NewInterface(Request):
    """Table 5-44: one interface to add. Without ``ip_address`` the cloud chooses one; without groups the default one protects it."""

    operation: ClassVar[str] = "addInterfaces"
    place: ClassVar[str] = "nics[]"

    subnet_id: Uuid
    ip_address: Annotated[str, AfterValidator(_ipv4)] | None = None
    security_group_ids: tuple[Uuid, ...] = Field(alias="security_groups", default=())

    def body(self) -> dict[str, Any]:
        """As it is sent."""
        body: dict[str, Any] = {"subnet_id": self.subnet_id}
        if self.ip_address is not None:
            body["ip_address"] = self.ip_address
        if self.security_group_ids:
            body["security_groups"] = [{"id": group_id} for group_id in self.security_group_ids]
        return body


# Security groups (6.5, 11.3)


class IpRange(Answer):
    """Whom a rule is about, by address; empty when it is about a group."""

    cidr: MaybeText = None


class RemoteGroup(Answer):
    """Whom a rule is about, by group; empty when it is about addresses."""

    tenant_id: MaybeText = None
    name: MaybeText = None


class SecurityGroupRule(Answer):
    """A rule for what comes in. Without a protocol it is about all of them; for ICMP the ports are type and code, -1 for all."""

    id: str
    parent_group_id: Text = ""
    ip_protocol: MaybeText = None
    from_port: MaybeNumber = None
    to_port: MaybeNumber = None
    ip_range: Annotated[IpRange, BeforeValidator(_no_object)] = Field(default_factory=IpRange)
    group: Annotated[RemoteGroup, BeforeValidator(_no_object)] = Field(default_factory=RemoteGroup)


class SecurityGroupDetails(Answer):
    """A security group with its rules (tables 6-105, 11-25)."""

    id: str
    name: Text = ""
    description: Text = ""
    tenant_id: Text = ""
    rules: Annotated[tuple[SecurityGroupRule, ...], BeforeValidator(_none)] = ()


class SecurityGroups(Answer):
    """The answer of 6.5.3 and 11.3.1."""

    security_groups: tuple[SecurityGroupDetails, ...]


class SecurityGroupAnswer(Answer):
    """The answer of 11.3.2 to 11.3.4."""

    security_group: SecurityGroupDetails


class SecurityGroupRuleAnswer(Answer):
    """The answer of 11.3.6. It does not name the group that the rule is about."""

    security_group_rule: SecurityGroupRule


class NewSecurityGroupRule(Request):
    """Table 11-51: a rule to add, about addresses or about the members of a group. Without both it is about everyone.

    For ``icmp`` the ports are type and code, 0 to 255, or both -1 for all of it.
    """

    operation: ClassVar[str] = "createSecurityGroupRule"
    place: ClassVar[str] = "security_group_rule"

    parent_group_id: Uuid
    ip_protocol: Literal["icmp", "tcp", "udp"]
    from_port: int = Field(ge=-1, le=65535)
    to_port: int = Field(ge=-1, le=65535)
    cidr: Annotated[str, AfterValidator(_cidr)] | None = None
    group_id: Uuid | None = None

    @field_validator("to_port")
    @classmethod
    def _is_a_range(cls, high: int, info: ValidationInfo) -> int:
        low, protocol = info.data.get("from_port"), info.data.get("ip_protocol")
        if low is None or protocol is None:
            return high
        if protocol == "icmp":
            if (low, high) != (-1, -1) and not (0 <= low <= 255 and 0 <= high <= 255):
                raise ValueError("type and code are 0 to 255, or both -1")
        elif not 1 <= low <= high:
            raise ValueError("ports are 1 to 65535, from_port not above to_port")
        return high

    @field_validator("group_id")
    @classmethod
    def _is_alone(cls, group_id: str | None, info: ValidationInfo) -> str | None:
        if group_id is not None and info.data.get("cidr") is not None:
            raise ValueError("would win over cidr: name one of them")
        return group_id

    def body(self) -> dict[str, Any]:
        """As it is sent."""
        return {"security_group_rule": self.model_dump(exclude_none=True)}


# Floating IPs (11.5)


class FloatingIp(Answer):
    """A floating IP (table 11-78). ``fixed_ip`` and ``instance_id`` are None while it is bound to nothing."""

    id: str
    ip: Text = ""
    pool: Text = ""
    fixed_ip: MaybeText = None
    instance_id: MaybeText = None


class FloatingIpAnswer(Answer):
    """The answer of 11.5.3 and 11.5.5."""

    floating_ip: FloatingIp


class FloatingIps(Answer):
    """The answer of 11.5.4."""

    floating_ips: tuple[FloatingIp, ...]


class FloatingIpPool(Answer):
    """A pool of addresses."""

    name: str


class FloatingIpPools(Answer):
    """The answer of 11.5.7."""

    floating_ip_pools: tuple[FloatingIpPool, ...]
