"""A request to create servers as plain values, its form already checked (ECS API reference 5.1.1, 6.2.1, 8.1)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NicWish:
    """An interface; without an address one is chosen. ``mtu`` from its DHCP options.

    ``port_id`` is a port that is there already, with the address and the groups it has. ``is_open`` has no security group (table 8-11).
    """

    network_id: str
    address: str | None = None
    mtu: int | None = None
    port_id: str | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class VolumeWish:
    """A disk. ``size`` in GiB, None for the image's minimum.

    ``volume_id`` is a volume that is there already; ``snapshot_id`` is what a new one is made of. ``goes``: it is deleted with the
    server; None: the system disk goes, data disks stay. ``place`` is where it stands in the request.
    """

    type: str
    size: int | None = None
    scsi: bool = False
    image_id: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    volume_id: str | None = None
    snapshot_id: str | None = None
    goes: bool | None = None
    place: str = ""


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
    """The servers to create, ``count`` of the same kind. ``zone`` None lets the cloud choose.

    ``image_id`` is empty for a server whose system disk came of no image that is known.
    """

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
    tags: tuple[str, ...] = ()
    count: int = 1
