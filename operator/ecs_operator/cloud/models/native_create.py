"""The request that creates servers natively, with the limits of the reference (ECS API reference 6.2.1)."""

from __future__ import annotations

import ipaddress
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from ecs_operator.cloud.models.create import SchedulerHints, allowed_name
from ecs_operator.cloud.models.secrets import StrongPassword, UserData
from ecs_operator.cloud.models.wire import Answer, Request, Text, Uuid

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_:.-]+$")]
"""6.2.1 allows more, but what is created must remain changeable by 6.9."""


class NativeRequest(Request):
    """Any part of it."""

    operation: ClassVar[str] = "createServer"


class NativeNetwork(NativeRequest):
    """Table 6-15: an interface on a network, or a port that is there already."""

    place: ClassVar[str] = "server.networks[]"
    port: Uuid | None = None
    uuid: Uuid | None = None
    fixed_ip: str | None = None

    @field_validator("fixed_ip")
    @classmethod
    def _is_ipv4(cls, value: str | None) -> str | None:
        if value is not None:
            ipaddress.IPv4Address(value)
        return value

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.port is None) is (self.uuid is None):
            raise ValueError("exactly one of port and uuid is needed")
        if self.fixed_ip is not None and self.uuid is None:
            raise ValueError("fixed_ip needs uuid")
        return self


class NativeDisk(NativeRequest):
    """Table 6-13: a disk. ``boot_index`` 0 is the system disk; ``volume_size`` in GiB, for images and blank ones it must be given."""

    place: ClassVar[str] = "server.block_device_mapping_v2[]"
    source_type: Literal["volume", "image", "snapshot", "blank"]
    uuid: Uuid | None = None
    boot_index: Literal[0, -1] = -1
    volume_size: int | None = Field(default=None, ge=1, le=32768)
    volume_type: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    delete_on_termination: bool = False
    destination_type: Literal["volume"] = "volume"

    @model_validator(mode="after")
    def _has_what_its_source_needs(self) -> Self:
        if (self.uuid is None) is not (self.source_type == "blank"):
            raise ValueError("uuid is needed for every source_type but blank")
        if self.source_type in {"image", "blank"} and self.volume_size is None:
            raise ValueError("volume_size is needed for source_type image and blank")
        if self.source_type == "blank" and self.boot_index == 0:
            raise ValueError("nothing boots from a blank disk")
        return self


class NativeCreate(NativeRequest):
    """Table 6-11: the servers to create, as many as the quota allows between ``min_count`` and ``max_count``.

    ``image_ref`` alone makes a system disk of the image's minimum, which goes with the server. ``user_data`` is base64 text. A Windows
    password can travel as ``metadata["admin_pass"]`` (table 6-12).
    """

    place: ClassVar[str] = "server"

    name: str = Field(min_length=1, max_length=128)
    flavor_ref: str = Field(alias="flavorRef", pattern=r"^[A-Za-z0-9_.-]{1,255}$")
    networks: tuple[NativeNetwork, ...] = Field(min_length=1, max_length=12)
    image_ref: Uuid | None = Field(alias="imageRef", default=None)
    disks: tuple[NativeDisk, ...] | None = Field(alias="block_device_mapping_v2", default=None, min_length=1, max_length=60)
    security_groups: tuple[str, ...] | None = None
    """Names or ids."""
    availability_zone: str | None = Field(default=None, min_length=1, max_length=255)
    key_name: str | None = Field(default=None, min_length=1, max_length=255)
    admin_pass: StrongPassword | None = Field(alias="adminPass", default=None)
    user_data: UserData | None = None
    metadata: dict[Key, str] | None = Field(default=None, repr=False)
    description: str | None = Field(default=None, max_length=85, pattern=r"^[^<>]*$")
    min_count: int = Field(default=1, ge=1, le=500)
    max_count: int | None = Field(default=None, ge=1, le=500)
    scheduler_hints: SchedulerHints | None = Field(alias="os:scheduler_hints", default=None)

    @field_validator("name")
    @classmethod
    def _name_is_allowed(cls, value: str) -> str:
        return allowed_name(value)

    @field_validator("metadata")
    @classmethod
    def _pairs_fit(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if any(len(key.encode()) > 255 or len(item.encode()) > 255 for key, item in (value or {}).items()):
            raise ValueError("keys and values have less than 256 bytes")
        return value

    @model_validator(mode="after")
    def _disks_boot(self) -> Self:
        boots = sum(disk.boot_index == 0 for disk in self.disks or ())
        if boots > 1 or (not boots and self.image_ref is None):
            raise ValueError("imageRef or one disk with boot_index 0 is needed")
        return self

    @model_validator(mode="after")
    def _several_are_alike(self) -> Self:
        most = self.max_count or self.min_count
        if most < self.min_count:
            raise ValueError("max_count must be at least min_count")
        if most > 1 and len(self.name) > 59:
            raise ValueError("name has at most 59 characters when several servers are made")
        if most > 1 and any(disk.source_type in {"volume", "snapshot"} for disk in self.disks or ()):
            raise ValueError("several servers can be made of an image only")
        if most > 1 and any(network.port is not None or network.fixed_ip is not None for network in self.networks):
            raise ValueError("ports and addresses are for one server only")
        return self

    def body(self) -> dict[str, object]:
        """The body as it is sent; for several servers it asks for the reservation by which they can be listed."""
        hidden = {"admin_pass", "user_data", "security_groups", "scheduler_hints"}
        server = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=hidden)
        if (self.max_count or self.min_count) > 1:
            server["return_reservation_id"] = True
        if self.security_groups is not None:
            server["security_groups"] = [{"name": name} for name in self.security_groups]
        if self.admin_pass is not None:
            server["adminPass"] = self.admin_pass.get_secret_value()
        if self.user_data is not None:
            server["user_data"] = self.user_data.get_secret_value()
        if self.scheduler_hints is None:
            return {"server": server}
        return {"server": server, "os:scheduler_hints": self.scheduler_hints.model_dump(mode="json", exclude_none=True)}

    def secrets(self) -> tuple[str, ...]:
        """The secret values in the body, for masking them in what the cloud answers."""
        hidden = [secret.get_secret_value() for secret in (self.admin_pass, self.user_data) if secret is not None]
        return tuple(hidden + [value for key, value in (self.metadata or {}).items() if key == "admin_pass"])


class CreatedServer(Answer):
    """A server that was accepted. ``admin_pass`` is its administrator's password, if the cloud tells one."""

    id: str
    admin_pass: Text = Field(alias="adminPass", default="", repr=False)


class CreatedServers(Answer):
    """The answer of 6.2.1: one server, or the reservation of several."""

    server: CreatedServer | None = None
    reservation_id: Text = ""
