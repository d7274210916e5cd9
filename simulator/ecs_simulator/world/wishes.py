"""A request to create servers as plain values, its form already checked (ECS API reference 5.1.1, 8.1)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NicWish:
    """An interface; without an address one is chosen. ``mtu`` from its DHCP options."""

    network_id: str
    address: str | None = None
    mtu: int | None = None


@dataclass(frozen=True, slots=True)
class VolumeWish:
    """A disk. ``size`` in GiB, None for the image's minimum."""

    type: str
    size: int | None = None
    scsi: bool = False
    image_id: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddressWish:
    """A public address: an existing one by id, or a new one. ``delete_on_termination`` None leaves an existing one's as it is."""

    id: str | None = None
    type: str = "5_bgp"
    bandwidth: int = 5
    share_type: str = "PER"
    delete_on_termination: bool | None = None


@dataclass(frozen=True, slots=True)
class ServerWish:
    """The servers to create, ``count`` of the same kind. ``zone`` None lets the cloud choose."""

    name: str
    image_id: str
    flavor_id: str
    vpc_id: str
    user_id: str
    nics: tuple[NicWish, ...]
    root: VolumeWish
    data: tuple[VolumeWish, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    address: AddressWish | None = None
    zone: str | None = None
    key_name: str | None = None
    user_data: str | None = field(default=None, repr=False)
    metadata: dict[str, str] = field(default_factory=dict, repr=False)
    group_id: str | None = None
    hints: dict[str, list[str]] = field(default_factory=dict)
    description: str = ""
    count: int = 1
