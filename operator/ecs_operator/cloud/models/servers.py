"""Servers as the native API shows them (ECS API reference 6.2.5, 6.2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from ecs_operator.cloud.models.wire import Answer, MaybeNumber, MaybeText, Number, Pairs, Text
from ecs_operator.cloud.times import parse_time

KNOWN_STATUSES = frozenset(
    {
        *("ACTIVE", "BUILD", "DELETED", "ERROR", "HARD_REBOOT", "MIGRATING", "PASSWORD", "PAUSED", "REBOOT", "REBUILD", "RESCUE", "RESIZE"),
        *("REVERT_RESIZE", "SHELVED", "SHELVED_OFFLOADED", "SHUTOFF", "SOFT_DELETED", "SUSPENDED", "VERIFY_RESIZE"),
    }
)
"""Statuses that say something. UNKNOWN, an empty one and any other do not."""

SECRET_METADATA = frozenset({"admin_pass", "adminpass", "user_data"})
"""Metadata keys (lower case) whose values are dropped at the edge: Windows rows carry the password there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of a server. ``type`` is ``fixed`` (private) or ``floating`` (public)."""

    network: str
    ip: str
    mac: str = ""
    type: str = ""
    version: int = 4
    port_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedVolume:
    """One volume of a server. ``boot_index`` 0 is the system disk; ``size`` in GiB. None: the answer did not say."""

    id: str
    delete_on_termination: bool = False
    boot_index: int | None = None
    device: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a server is in ERROR. ``code`` is an HTTP status of the cloud's inside."""

    code: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server. User data and passwords never get this far.

    ``task_state`` is empty when nothing runs. ``power_state``: 0 pending, 1 running, 2 paused, 3 shut down, 4 crashed.
    ``created`` and ``updated`` are ISO 8601 in UTC, as the cloud writes them.
    """

    id: str
    name: str = ""
    description: str = ""
    status: str = ""
    vm_state: str = ""
    task_state: str = ""
    power_state: int = 0
    flavor_id: str = ""
    image_id: str = ""
    availability_zone: str = ""
    addresses: tuple[Address, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[AttachedVolume, ...] = ()
    security_groups: tuple[str, ...] = ()
    created: str = ""
    updated: str = ""
    host_id: str = ""
    locked: bool = False
    fault: Fault | None = None
    key_name: str = ""
    tags: tuple[str, ...] = ()
    is_detailed: bool = True
    """Description, lock and tags were shown: from microversion 2.26 on."""

    @property
    def is_settled(self) -> bool:
        """No task runs on it. The status alone misleads: ACTIVE includes powering off and deleting (table A-4)."""
        return not self.task_state

    @property
    def is_known(self) -> bool:
        """Its status says something."""
        return self.status in KNOWN_STATUSES

    @property
    def is_frozen(self) -> bool:
        """The cloud froze it (table 8-17): not a matter of credentials."""
        return self.metadata.get("EcmResStatus") == "freeze"

    @property
    def created_at(self) -> datetime | None:
        """``created`` as a time, None when it cannot be read."""
        return parse_time(self.created)

    @property
    def updated_at(self) -> datetime | None:
        """``updated`` as a time, None when it cannot be read."""
        return parse_time(self.updated)


def _reference(value: object) -> object:
    """The id of a referenced thing: ``{"id": …}``, or the empty string that the reference shows for images."""
    return value.get("id") if isinstance(value, Mapping) else value


def _truth(value: object) -> object:
    return False if value is None or value == "" else value


_Reference = Annotated[str | None, BeforeValidator(_reference)]
_Truth = Annotated[bool, BeforeValidator(_truth)]


class _AddressRow(Answer):
    ip: Text = Field(alias="addr", default="")
    mac: Text = Field(alias="OS-EXT-IPS-MAC:mac_addr", default="")
    type: Text = Field(alias="OS-EXT-IPS:type", default="")
    version: Number = 4
    port_id: MaybeText = Field(alias="OS-EXT-IPS:port_id", default=None)


class _VolumeRow(Answer):
    id: str
    delete_on_termination: _Truth = False
    boot_index: MaybeNumber = Field(alias="bootIndex", default=None)
    device: MaybeText = None
    size: MaybeNumber = None


class _FaultRow(Answer):
    code: Number = 0
    message: Text = ""


class _GroupRow(Answer):
    name: Text = ""


class ServerName(Answer):
    """A server in a list without details (6.2.4)."""

    id: str = Field(min_length=1)
    name: Text = ""


class ServerRow(Answer):
    """One row of 6.2.5, or the answer of 6.2.6. Fields not named here, user data among them, are dropped unread.

    ``metadata`` has no default on purpose: a row without it could hide an owner's mark, so it is no row.
    """

    id: str = Field(min_length=1)
    name: Text = ""
    description: Text = ""
    status: Text = ""
    vm_state: Text = Field(alias="OS-EXT-STS:vm_state", default="")
    task_state: Text = Field(alias="OS-EXT-STS:task_state", default="")
    power_state: Number = Field(alias="OS-EXT-STS:power_state", default=0)
    flavor: _Reference = None
    image: _Reference = None
    availability_zone: Text = Field(alias="OS-EXT-AZ:availability_zone", default="")
    addresses: dict[str, tuple[_AddressRow, ...]] = Field(default_factory=dict)
    metadata: Pairs
    volumes: tuple[_VolumeRow, ...] = Field(alias="os-extended-volumes:volumes_attached", default=())
    security_groups: tuple[_GroupRow, ...] | None = None
    created: Text = ""
    updated: Text = ""
    host_id: Text = Field(alias="hostId", default="")
    locked: _Truth = False
    fault: _FaultRow | None = None
    key_name: Text = ""
    tags: tuple[str, ...] | None = None

    def server(self) -> Server:
        """The row as the plain value that the rest of the program uses."""
        metadata = {key: value for key, value in self.metadata.items() if key.lower() not in SECRET_METADATA}
        return Server(
            id=self.id,
            name=self.name,
            description=self.description,
            status=self.status,
            vm_state=self.vm_state.lower(),
            task_state=self.task_state,
            power_state=self.power_state,
            flavor_id=self.flavor or "",
            image_id=self.image or metadata.get("metering.image_id", ""),
            availability_zone=self.availability_zone,
            addresses=tuple(
                Address(network=network, ip=row.ip, mac=row.mac, type=row.type, version=row.version, port_id=row.port_id)
                for network, rows in self.addresses.items()
                for row in rows
            ),
            metadata=metadata,
            volumes=tuple(
                AttachedVolume(
                    id=row.id,
                    delete_on_termination=row.delete_on_termination,
                    boot_index=row.boot_index,
                    device=row.device,
                    size=row.size,
                )
                for row in self.volumes
            ),
            security_groups=tuple(dict.fromkeys(row.name for row in self.security_groups or ())),
            created=self.created,
            updated=self.updated,
            host_id=self.host_id,
            locked=self.locked,
            fault=Fault(code=self.fault.code, message=self.fault.message) if self.fault else None,
            key_name=self.key_name,
            tags=self.tags or (),
            is_detailed=self.tags is not None,
        )
