"""What a server was created with, as far as only another server can have something else; and what of it the spec wants otherwise. Pure.

Only an edit of the spec is ever a reason for another server: what is compared is the spec then and now. What the server shows can only
speak against a difference. So nothing that others change, and nothing that the cloud shows in its own way, destroys a server.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ecs_operator.api.server import (
    AppliedInterface,
    Origin,
    OriginDisk,
    OriginPublicIp,
    PublicIp,
    RootVolume,
    ServerSpec,
    ServerStatus,
)
from ecs_operator.resources.server.interfaces import as_applied, without_mtu


class Row(NamedTuple):
    """One field, with what is there and what is wanted, for people."""

    path: str
    have: str
    want: str


def origin_of(spec: ServerSpec) -> Origin:
    """What a server is created with by this spec."""
    return Origin(
        availability_zone=spec.availability_zone,
        vpc_id=spec.vpc_id,
        root_volume=_disk(spec.root_volume),
        public_ip=_public_ip(spec.public_ip) if spec.public_ip is not None else None,
        agency_name=spec.agency_name,
    )


def known_origin(spec: ServerSpec) -> Origin:
    """What is taken for the origin of a server of which none was recorded: the spec as it is; its zone the server itself shows."""
    return origin_of(spec).model_copy(update={"availability_zone": None})


def rows(spec: ServerSpec, status: ServerStatus) -> Iterable[Row]:
    """What only another server can have. Without a recorded origin nothing is known, and nothing said."""
    origin = status.applied.origin if status.applied is not None else None
    if origin is None:
        return
    yield from _zone(spec, origin, status)
    if spec.vpc_id != origin.vpc_id:
        yield Row("spec.vpcId", origin.vpc_id, spec.vpc_id)
    yield from _interfaces(spec, status)
    yield from _root_volume(spec, origin, status)
    yield from _allocation(spec, origin)
    if spec.agency_name != origin.agency_name:
        yield Row("spec.agencyName", origin.agency_name or "", spec.agency_name or "")


def releases_address(spec: ServerSpec, status: ServerStatus, *, stays: bool = False) -> bool:
    """Whether the public address goes with the server. The flag in the spec counts as long as the spec speaks of an address of that kind.

    ``stays``: another server follows, which is to have the address that the spec names.
    """
    origin = status.applied.origin if status.applied is not None else None
    wanted, had = spec.public_ip, origin.public_ip if origin is not None else None
    if had is not None and (wanted is None or (wanted.id is None) != (had.id is None)):
        return had.released
    return wanted is not None and wanted.released_with_server and not (stays and wanted.id is not None)


def has_address(spec: ServerSpec, status: ServerStatus) -> bool:
    """The server has a public address because of the spec, as it is now or was at the creation."""
    origin = status.applied.origin if status.applied is not None else None
    return spec.public_ip is not None or (origin is not None and origin.public_ip is not None)


def made_address(spec: ServerSpec, status: ServerStatus) -> bool:
    """The public address was made together with the server."""
    origin = status.applied.origin if status.applied is not None else None
    if origin is None:
        return spec.public_ip is not None and spec.public_ip.allocate is not None
    return origin.public_ip is not None and origin.public_ip.id is None


def _zone(spec: ServerSpec, origin: Origin, status: ServerStatus) -> Iterable[Row]:
    have, want = status.availability_zone or origin.availability_zone, spec.availability_zone
    if want is not None and have is not None and want not in {have, origin.availability_zone}:
        yield Row("spec.availabilityZone", have, want)


def _interfaces(spec: ServerSpec, status: ServerStatus) -> Iterable[Row]:
    """The primary interface, and the MTU of each: it can only be given at the creation."""
    recorded = status.applied.interfaces if status.applied is not None else ()
    if not recorded:
        return
    first, before = as_applied(spec.network_interfaces[0]), recorded[0]
    present = {each.ip for each in status.addresses if each.type != "floating"}
    same_address = first.ip_address in {None, before.ip_address} or first.ip_address in present
    if not same_address or (first.subnet_id, first.mtu) != (before.subnet_id, before.mtu):
        yield Row(f"spec.networkInterfaces[{first.name}]", _interface_text(before), _interface_text(first))
    for have, want in without_mtu(spec, status):
        yield Row(f"spec.networkInterfaces[{want.name}]", _interface_text(have) if have else "", _interface_text(as_applied(want)))


def _root_volume(spec: ServerSpec, origin: Origin, status: ServerStatus) -> Iterable[Row]:
    """A size that is left to the image, or that the disk has by now, makes no difference."""
    have, want = origin.root_volume, _disk(spec.root_volume)
    present = next((each.size_gib for each in status.volumes if each.boot_index == 0), None)
    same_size = want.size_gib in {None, have.size_gib, present}
    if not same_size or want.model_copy(update={"size_gib": have.size_gib}) != have:
        shown = have if have.size_gib is not None else have.model_copy(update={"size_gib": present})
        yield Row("spec.rootVolume", _disk_text(shown), _disk_text(want))


def _allocation(spec: ServerSpec, origin: Origin) -> Iterable[Row]:
    """An address that is made with the server is one of its birth; an existing one is no matter of another server."""
    have, want = origin.public_ip, _public_ip(spec.public_ip) if spec.public_ip is not None else None
    made, wanted = (each if each is not None and each.id is None else None for each in (have, want))
    if (made is None) != (wanted is None) or (made and wanted and made.model_copy(update={"released": wanted.released}) != wanted):
        yield Row("spec.publicIp", _address_text(have), _address_text(want))


def _disk(disk: RootVolume) -> OriginDisk:
    return OriginDisk(type=disk.type, size_gib=disk.size_gib, scsi=disk.scsi, storage_pool_id=disk.storage_pool_id)


def _public_ip(wanted: PublicIp) -> OriginPublicIp:
    made = wanted.allocate
    return OriginPublicIp(
        id=wanted.id,
        type=made.type if made is not None else None,
        size_mbps=made.bandwidth.size_mbps if made is not None else None,
        share_type=made.bandwidth.share_type if made is not None else None,
        released=wanted.released_with_server,
    )


def edited_address(spec: ServerSpec, status: ServerStatus) -> tuple[str, str] | None:
    """The id of the address that the server was created with, and that the spec names now, where an edit made the difference."""
    origin = status.applied.origin if status.applied is not None else None
    if origin is None:
        return None
    have = origin.public_ip.id if origin.public_ip is not None else None
    want = spec.public_ip.id if spec.public_ip is not None else None
    return (have or "", want or "") if have != want else None


def _interface_text(nic: AppliedInterface) -> str:
    mtu = f", mtu {nic.mtu}" if nic.mtu is not None else ""
    return f"subnet {nic.subnet_id}, {nic.ip_address or 'any address'}{mtu}"


def _disk_text(disk: OriginDisk) -> str:
    size = f"{disk.size_gib} GiB" if disk.size_gib is not None else "the image's size"
    pool = f", pool {disk.storage_pool_id}" if disk.storage_pool_id else ""
    return f"{disk.type} {size}{', scsi' if disk.scsi else ''}{pool}"


def _address_text(address: OriginPublicIp | None) -> str:
    if address is None:
        return ""
    return address.id or f"a new one ({address.type}, {address.size_mbps} Mbit/s, {address.share_type})"
