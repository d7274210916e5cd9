"""The request that creates servers, with the limits of the reference (ECS API reference 5.1.1, 8.1)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_serializer, field_validator, model_validator

from ecs_operator.cloud.models.secrets import StrongPassword, UserData
from ecs_operator.cloud.models.wire import METADATA_KEY_PATTERN, Request, Uuid

_NAME = re.compile(r"[A-Za-z0-9_.\-\u4e00-\u9fff]+")
_VOLUME_TYPE = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]

MetadataKey = Annotated[str, StringConstraints(pattern=METADATA_KEY_PATTERN)]
MetadataValue = Annotated[str, StringConstraints(max_length=255)]


def allowed_name(name: str) -> str:
    """A server's name within the rules of a creation; ValueError for another."""
    if not _NAME.fullmatch(name):
        raise ValueError("only Chinese and Latin letters, digits, '_', '-' and '.' are allowed")
    if sum(1 if character.isascii() else 2 for character in name) > 128:
        raise ValueError("at most 128 Latin or 64 Chinese characters")
    return name


class CreateRequest(Request):
    """Any part of it."""

    operation: ClassVar[str] = "createServers"


class DhcpOption(CreateRequest):
    """Table 8-12: the MTU of an interface."""

    place: ClassVar[str] = "server.nics[].extra_dhcp_opts[]"
    opt_value: int = Field(ge=1280, le=8888)
    opt_name: Literal["26"] = "26"


class Nic(CreateRequest):
    """Table 5-4: one interface. Without ``ip_address`` the cloud chooses one."""

    place: ClassVar[str] = "server.nics[]"
    subnet_id: Uuid
    ip_address: str | None = None
    extra_dhcp_opts: tuple[DhcpOption, ...] | None = None

    @field_validator("ip_address")
    @classmethod
    def _is_ipv4(cls, value: str | None) -> str | None:
        if value is not None:
            ipaddress.IPv4Address(value)
        return value


class _Volume(CreateRequest):
    volumetype: _VOLUME_TYPE
    passthrough: bool | None = Field(alias="hw:passthrough", default=None)
    """True makes it a SCSI disk."""
    cluster_type: Literal["DSS"] | None = None
    cluster_id: str | None = Field(default=None, min_length=1, max_length=64)

    @model_validator(mode="after")
    def _pool_is_whole(self) -> Self:
        if (self.cluster_type is None) is not (self.cluster_id is None):
            raise ValueError("cluster_type and cluster_id go together")
        return self


class RootVolume(_Volume):
    """Table 5-5: the system disk. ``size`` in GiB; without it the image's minimum."""

    place: ClassVar[str] = "server.root_volume"
    size: int | None = Field(default=None, ge=1, le=1024)


class DataVolume(_Volume):
    """Table 5-6: a data disk. ``size`` in GiB. ``metadata`` only for encryption, and not together with an image."""

    place: ClassVar[str] = "server.data_volumes[]"
    size: int = Field(ge=10, le=32768)
    data_image_id: Uuid | None = None
    metadata: dict[MetadataKey, MetadataValue] | None = None

    @model_validator(mode="after")
    def _image_or_encryption(self) -> Self:
        if self.data_image_id is not None and self.metadata:
            raise ValueError("metadata is not allowed together with data_image_id")
        return self


class Bandwidth(CreateRequest):
    """Table 8-4. ``size`` in Mbit/s."""

    place: ClassVar[str] = "server.publicip.eip.bandwidth"
    size: int = Field(ge=1, le=1000)
    sharetype: Literal["PER", "WHOLE"]
    chargemode: Literal["traffic"] = "traffic"


class Eip(CreateRequest):
    """Table 8-3: a public address to be made with the server."""

    place: ClassVar[str] = "server.publicip.eip"
    iptype: str = Field(pattern=r"^[A-Za-z0-9_]{1,36}$")
    bandwidth: Bandwidth


class PublicIp(CreateRequest):
    """Table 8-1: an existing public address, or a new one."""

    place: ClassVar[str] = "server.publicip"
    id: Uuid | None = None
    eip: Eip | None = None
    delete_on_termination: bool | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.id is None) is (self.eip is None):
            raise ValueError("exactly one of id and eip is needed")
        return self


class SecurityGroup(CreateRequest):
    """Table 8-2."""

    place: ClassVar[str] = "server.security_groups[]"
    id: Uuid


class SchedulerHints(CreateRequest):
    """Table 8-9: the server's group, or its host."""

    place: ClassVar[str] = "server.os:scheduler_hints"
    group: Uuid | None = None
    tenancy: Literal["shared", "dedicated"] | None = None
    dedicated_host_id: str | None = Field(default=None, min_length=1, max_length=64)

    @model_validator(mode="after")
    def _host_is_dedicated(self) -> Self:
        if self.dedicated_host_id is not None and self.tenancy != "dedicated":
            raise ValueError("dedicated_host_id needs tenancy: dedicated")
        return self


class CreateServers(CreateRequest):
    """Table 5-3: the servers to create, ``count`` of the same kind.

    ``user_data`` is base64 text. A Windows password travels as ``metadata["admin_pass"]`` (table 8-8).
    Whether the password holds the user's name depends on the image's system, so that one rule is left to the cloud.
    """

    place: ClassVar[str] = "server"

    name: str = Field(min_length=1, max_length=128)
    image_ref: Uuid = Field(alias="imageRef")
    flavor_ref: str = Field(alias="flavorRef", pattern=r"^[A-Za-z0-9_.-]{1,255}$")
    vpc_id: Uuid = Field(alias="vpcid")
    nics: tuple[Nic, ...] = Field(min_length=1, max_length=12)
    root_volume: RootVolume
    data_volumes: tuple[DataVolume, ...] | None = Field(default=None, max_length=59)
    security_groups: tuple[SecurityGroup, ...] | None = None
    public_ip: PublicIp | None = Field(alias="publicip", default=None)
    availability_zone: str | None = Field(default=None, min_length=1, max_length=255)
    key_name: str | None = Field(default=None, min_length=1, max_length=255)
    admin_pass: StrongPassword | None = Field(alias="adminPass", default=None)
    user_data: UserData | None = None
    metadata: dict[MetadataKey, MetadataValue] | None = Field(default=None, max_length=10, repr=False)
    scheduler_hints: SchedulerHints | None = Field(alias="os:scheduler_hints", default=None)
    description: str | None = Field(default=None, max_length=85, pattern=r"^[^<>]*$")
    count: int = Field(default=1, ge=1, le=500)

    @field_validator("name")
    @classmethod
    def _name_is_allowed(cls, value: str) -> str:
        return allowed_name(value)

    @field_serializer("admin_pass", "user_data")
    def _masked(self, value: SecretStr | None) -> str | None:
        return None if value is None else str(value)

    @model_validator(mode="after")
    def _name_leaves_room(self) -> Self:
        if self.count > 1 and len(self.name) > 59:
            raise ValueError("name has at most 59 characters when count is above 1")
        return self

    def body(self) -> bytes:
        """The body as it is sent. The same request renders to the same bytes, always."""
        server = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"admin_pass", "user_data"})
        if self.admin_pass is not None:
            server["adminPass"] = self.admin_pass.get_secret_value()
        if self.user_data is not None:
            server["user_data"] = self.user_data.get_secret_value()
        return json.dumps({"server": server}, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

    def digest(self, key: bytes) -> str:
        """HMAC-SHA256 of the body in hex. Keyed, because the body can hold a password that a bare hash would let people guess."""
        return hmac.new(key, self.body(), hashlib.sha256).hexdigest()

    def secrets(self) -> tuple[str, ...]:
        """The secret values in the body, for masking them in what the cloud answers."""
        hidden = [secret.get_secret_value() for secret in (self.admin_pass, self.user_data) if secret is not None]
        if self.metadata and "admin_pass" in self.metadata:
            hidden.append(self.metadata["admin_pass"])
        return tuple(hidden)
