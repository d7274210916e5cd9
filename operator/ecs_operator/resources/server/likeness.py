"""Does a server that was not made for the spec fit it? What cannot be changed must, what can be is compared as ever. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ecs_operator.api.server import Applied, ServerSpec, Volume
from ecs_operator.cloud import Interface, Server
from ecs_operator.resources.server.installation import placed, wanted_installation
from ecs_operator.resources.server.render import AGENCY_KEY

VPC_KEY = "vpc_id"
"""Metadata pair of the cloud's own (table 8-17)."""


def taken_over(spec: ServerSpec, server: Server) -> Applied:
    """What counts as set by us on a server that is taken over: nothing that could be taken away from it.

    The cloud tells image and key pair. It tells no password, user data or host: of these what the spec says is taken for what is there.
    A key pair is only compared if the spec names one.
    """
    key_name = (server.key_name or None) if spec.key_pair_name is not None else None
    wanted = wanted_installation(spec, image_id=server.image_id or None)
    installed = wanted.model_copy(update={"image_name": None, "key_pair_name": key_name})
    return Applied(installed=installed, placement=placed(spec))


def misfits(
    spec: ServerSpec, server: Server, *, interfaces: Sequence[Interface], volumes: Sequence[Volume], with_data: bool
) -> tuple[str, ...]:
    """What the spec says otherwise than the server is, and nobody can change: one text a field. ``with_data``: compare data disks too."""
    return (
        *_place(spec, server),
        *_interfaces(spec, interfaces),
        *_public_ip(spec, server),
        *_root_volume(spec, volumes),
        *(_data_volumes(spec, volumes) if with_data else ()),
        *_agency(spec, server),
    )


def _place(spec: ServerSpec, server: Server) -> Iterable[str]:
    if spec.availability_zone is not None and server.availability_zone and spec.availability_zone != server.availability_zone:
        yield _text("availabilityZone", spec.availability_zone, server.availability_zone)
    vpc_id = server.metadata.get(VPC_KEY)
    if vpc_id and vpc_id != spec.vpc_id:
        yield _text("vpcId", spec.vpc_id, vpc_id)


def _interfaces(spec: ServerSpec, found: Sequence[Interface]) -> Iterable[str]:
    """The primary one, by subnet and, where the spec gives one, address. The others can be added, and those that are there stay."""
    want = spec.network_interfaces[0]
    subnets = sorted(each.net_id for each in found if each.net_id)
    if subnets and want.subnet_id not in subnets:
        yield _text(f"networkInterfaces[{want.name}]", f"in {want.subnet_id}", f"interfaces in {_listed(subnets)}")
        return
    addresses = sorted({ip.ip_address for each in found for ip in each.fixed_ips if ip.ip_address})
    if want.ip_address is not None and addresses and want.ip_address not in addresses:
        yield _text(f"networkInterfaces[{want.name}].ipAddress", want.ip_address, _listed(addresses))


def _public_ip(spec: ServerSpec, server: Server) -> Iterable[str]:
    """A new one is made with a server, not for one that is there. One the spec does not speak of is left alone."""
    makes_one = spec.public_ip is not None and spec.public_ip.allocate is not None
    if makes_one and not any(each.type == "floating" for each in server.addresses):
        yield _text("publicIp", "a new one", "none")


def _root_volume(spec: ServerSpec, volumes: Sequence[Volume]) -> Iterable[str]:
    want = spec.root_volume.size_gib
    have = next((each.size_gib for each in volumes if each.boot_index == 0), None)
    if want is not None and have is not None and want != have:
        yield _text("rootVolume.sizeGiB", str(want), str(have))


def _data_volumes(spec: ServerSpec, volumes: Sequence[Volume]) -> Iterable[str]:
    """Without any in the spec the server's own are left alone; what the spec says of one decides its fate, so then all must fit."""
    want = [each.size_gib for each in spec.data_volumes]
    have = [each.size_gib or 0 for each in volumes if each.boot_index != 0]
    if want and (len(want) != len(have) or any(size not in {0, wanted} for size, wanted in zip(have, want, strict=True))):
        yield _text("dataVolumes", _listed([f"{size} GiB" for size in want]), _listed([f"{size} GiB" for size in have]))


def _agency(spec: ServerSpec, server: Server) -> Iterable[str]:
    have = server.metadata.get(AGENCY_KEY)
    if spec.agency_name is not None and spec.agency_name != have:
        yield _text("agencyName", spec.agency_name, have or "none")


def _text(path: str, want: str, have: str) -> str:
    return f"spec.{path} is {want}, the server has {have}"


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values) or "none"
