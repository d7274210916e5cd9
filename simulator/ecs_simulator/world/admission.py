"""May these servers be created? Every rule is checked before anything is changed (ECS API reference 5.1.1, 8.1; codes of A.2)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecs_simulator.world import grouping, hosting, images
from ecs_simulator.world.catalog import Flavor, Image, Network
from ecs_simulator.world.project import Project, Usage
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import ServerGroup
from ecs_simulator.world.wishes import ServerWish, VolumeWish

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

MAX_SYSTEM_DISK = 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """A wish that can be fulfilled, and what it resolved to."""

    wish: ServerWish
    flavor: Flavor
    image: Image | None
    zone: str
    security_group_ids: tuple[str, ...]
    group: ServerGroup | None


def plan(world: World, project: Project, wish: ServerWish, *, only_sold: bool = True) -> Plan:
    """Return how a wish is fulfilled; Refusal if it cannot be. Without ``only_sold`` also where the flavor is sold out."""
    project.require_unfrozen()
    image = _image(world, project, wish)
    flavor = world.flavor(wish.flavor_id)
    zone = _zone(world, flavor, wish, image, only_sold=only_sold)
    if image is not None:
        images.require_fit(image, flavor=flavor)
    _check_volumes(world, project, wish, image, flavor=flavor, zone=zone)
    _check_networks(project, wish, flavor)
    security_group_ids = _security_groups(project, wish)
    if wish.key_name is not None and not _key_exists(project, wish):
        raise invalid(f"The key pair {wish.key_name} does not exist.", "Ecs.0314")
    group = _group(project, wish)
    _check_address(project, wish)
    _check_quota(world, project, wish, flavor, image)
    return Plan(wish=wish, flavor=flavor, image=image, zone=zone, security_group_ids=security_group_ids, group=group)


def affordable(world: World, project: Project, wish: ServerWish) -> int:
    """Return how many servers of a kind the quota still allows, up to the wish's count; 0 if not even one."""
    flavor, used, quota = world.flavor(wish.flavor_id), project.usage(world.flavors), project.quota
    sizes = _new_sizes(wish, _image(world, project, wish))
    volumes, gigabytes = len(project.volumes), sum(volume.size for volume in project.volumes.values())
    bounds = (
        (quota.instances, used.instances, 1),
        (quota.cores, used.cores, flavor.vcpus),
        (quota.ram, used.ram, flavor.ram),
        (quota.volumes, volumes, len(sizes)),
        (quota.gigabytes, gigabytes, sum(sizes)),
    )
    return min([wish.count, *(max(0, limit - have) // each for limit, have, each in bounds if limit >= 0 and each)])


def _image(world: World, project: Project, wish: ServerWish) -> Image | None:
    """Return the image that is to run, None if it no longer exists: a disk that is there already runs all the same."""
    if wish.root.volume_id is None and wish.root.snapshot_id is None:
        return images.usable(world, project, wish.image_id, zone=wish.zone)
    return world.images.get(wish.image_id)


def _zone(world: World, flavor: Flavor, wish: ServerWish, image: Image | None, *, only_sold: bool) -> str:
    if wish.zone is not None and wish.zone not in world.zones:
        raise invalid(f"server.availability_zone {wish.zone} does not exist.")
    # An image made of a server can be used in its zone only; whether the wish agrees was asked before.
    chosen = wish.zone or (image.zone if image is not None else None)
    zones = (chosen,) if chosen is not None else world.zones
    if all(flavor.sale_status(zone) == "abandon" for zone in zones):
        raise invalid(f"The flavor {flavor.id} was taken offline.", "Ecs.0029")
    zone = next((zone for zone in zones if flavor.is_sold_in(zone)), None if only_sold else zones[0])
    if zone is None:
        raise Refusal("Ecs.0319", f"Insufficient resources for flavor {flavor.id} in {', '.join(zones)}. Try another flavor.")
    return zone


def _check_volumes(world: World, project: Project, wish: ServerWish, image: Image | None, *, flavor: Flavor, zone: str) -> None:
    least = image.min_disk if image is not None else 1
    size = _size_of_root(project, wish, least)
    if not least <= size <= MAX_SYSTEM_DISK:
        raise invalid(f"{wish.root.place}.size {size} is not within [{least}, {MAX_SYSTEM_DISK}], as the image demands.")
    if len(wish.data) > flavor.max_data_volumes:
        problem = f"server.data_volumes has {len(wish.data)} disks, the flavor {flavor.id} takes {flavor.max_data_volumes}."
        raise invalid(problem, "Ecs.0042")
    for volume in (wish.root, *wish.data):
        if volume.volume_id is not None:
            _check_existing(project, volume, zone=zone)
            continue
        world.require_disk_type(volume.type, zone, place=f"{volume.place}.volumetype")
        if volume.snapshot_id is not None:
            _check_snapshot(project, volume, zone=zone)
        if volume.image_id is not None:
            source = images.usable_for_data(world, project, volume.image_id, place=f"{volume.place}.data_image_id")
            if (volume.size or 0) < source.min_disk:
                raise invalid(f"{volume.place}.size {volume.size} is less than the {source.min_disk} GB of the data image.")


def _size_of_root(project: Project, wish: ServerWish, least: int) -> int:
    """Return the size that the system disk has or gets; what it is made of is known to be there."""
    existing = project.volumes.get(wish.root.volume_id or "")
    return existing.size if existing is not None else wish.root.size or least


def _check_existing(project: Project, wish: VolumeWish, *, zone: str) -> None:
    """Refuse a volume that a new server cannot have: it must be free, and in the server's zone (6.2.1)."""
    volume = project.volumes.get(wish.volume_id or "")
    if volume is None:
        raise invalid(f"Block Device Mapping is Invalid: failed to get volume {wish.volume_id}.", "Ecs.0103")
    if volume.status != "available":
        raise invalid(f"{wish.place}: the volume {volume.id} is {volume.status}, not available.", "Ecs.0103")
    if volume.zone != zone:
        raise invalid(f"{wish.place}: the volume {volume.id} is in {volume.zone}, the server would be in {zone}.", "Ecs.0121")


def _check_snapshot(project: Project, wish: VolumeWish, *, zone: str) -> None:
    snapshot = project.snapshots.get(wish.snapshot_id or "")
    if snapshot is None:
        raise invalid(f"Block Device Mapping is Invalid: failed to get snapshot {wish.snapshot_id}.", "Ecs.0103")
    if snapshot.status != "available":
        raise invalid(f"{wish.place}: the snapshot {snapshot.id} is {snapshot.status}, not available.")
    if (wish.size or snapshot.size) < snapshot.size:
        raise invalid(f"{wish.place}.volume_size {wish.size} is less than the {snapshot.size} GB of the snapshot.")
    if project.volumes[snapshot.volume_id].zone != zone:
        raise invalid(f"{wish.place}: the snapshot {snapshot.id} is not in {zone}, where the server would be.", "Ecs.0121")


def _check_networks(project: Project, wish: ServerWish, flavor: Flavor) -> None:
    if len(wish.nics) > flavor.max_nics:
        raise invalid(f"{len(wish.nics)} NICs exceed the {flavor.max_nics} that flavor {flavor.id} takes.", "Ecs.0050")
    if wish.vpc_id not in {network.vpc_id for network in project.networks.values()}:
        raise invalid(f"The VPC {wish.vpc_id} does not exist.", "Ecs.0014")
    chosen: Counter[str] = Counter()
    automatic: Counter[str] = Counter()
    for index, nic in enumerate(wish.nics):
        network = _network(project, wish, index, nic.network_id)
        if nic.port_id is not None:
            # Who reads the request has looked at the port, and its address is taken already.
            continue
        if nic.address is None:
            automatic[network.id] += wish.count
        elif wish.count > 1:
            raise invalid(f"server.nics[{index}].ip_address is not possible with a count above 1.")
        else:
            network.check(nic.address)
            chosen[nic.address] += 1
    if any(times > 1 for times in chosen.values()):
        raise Refusal("Ecs.0010", "The same private IP address is wanted twice.")
    for network_id, count in automatic.items():
        network = project.networks[network_id]
        explicit = sum(1 for nic in wish.nics if nic.network_id == network_id and nic.address is not None)
        if network.free - explicit < count:
            raise Refusal("Ecs.0012", f"The subnet {network_id} has {network.free} free IP addresses, {count + explicit} are needed.")


def _network(project: Project, wish: ServerWish, index: int, network_id: str) -> Network:
    network = project.networks.get(network_id)
    if network is None:
        raise invalid(f"server.nics[{index}].subnet_id: the subnet {network_id} does not exist.", "Ecs.0038")
    if network.vpc_id != wish.vpc_id:
        code = "Ecs.0064" if index == 0 else "Ecs.0014"
        raise invalid(f"server.nics[{index}].subnet_id: the subnet {network_id} is not in the VPC {wish.vpc_id}.", code)
    return network


def _security_groups(project: Project, wish: ServerWish) -> tuple[str, ...]:
    for group_id in wish.security_group_ids:
        if group_id not in project.security_groups:
            raise invalid(f"The security group {group_id} does not exist.", "Ecs.0014")
    if wish.security_group_ids:
        return wish.security_group_ids
    return tuple(group.id for group in project.security_groups.values() if group.name == "default")[:1]


def _key_exists(project: Project, wish: ServerWish) -> bool:
    """Tell whether the key pair is there for this user: nobody sees another's (6.11.3)."""
    return project.key_pair(wish.user_id, wish.key_name or "") is not None


def _group(project: Project, wish: ServerWish) -> ServerGroup | None:
    if wish.group_id is None:
        return None
    group = project.groups.get(wish.group_id)
    if group is None:
        raise invalid(f"server.os:scheduler_hints.group: the server group {wish.group_id} does not exist.")
    grouping.require_room(project, group, wish.count)
    hosting.require_apart(project, group, hosting.wanted(wish.hints), wish.count)
    return group


def _check_address(project: Project, wish: ServerWish) -> None:
    if wish.address is None:
        return
    if wish.address.id is None:
        limit = project.quota.floating_ips
        if 0 <= limit < len(project.floating_ips) + wish.count:
            raise Refusal("Ecs.0013", f"The EIP quota is reached: {len(project.floating_ips)} of {limit}.")
        return
    if wish.count > 1:
        raise invalid("server.publicip.id is not possible with a count above 1.")
    address = project.floating_ips.get(wish.address.id)
    if address is None:
        raise invalid(f"server.publicip.id: the EIP {wish.address.id} does not exist.")
    if address.status != "DOWN":
        raise invalid(f"server.publicip.id: the EIP {address.id} is {address.status}; only one that is DOWN can be bound.")


def _new_sizes(wish: ServerWish, image: Image | None) -> list[int]:
    """Return the sizes of the disks that each server needs anew."""
    least = image.min_disk if image is not None else 1
    return [disk.size or (least if disk is wish.root else 0) for disk in (wish.root, *wish.data) if disk.volume_id is None]


def _check_quota(world: World, project: Project, wish: ServerWish, flavor: Flavor, image: Image | None) -> None:
    wanted = Usage(instances=wish.count, cores=wish.count * flavor.vcpus, ram=wish.count * flavor.ram)
    project.require_quota(wanted, world.flavors)
    sizes = _new_sizes(wish, image)
    volumes, gigabytes = len(project.volumes), sum(volume.size for volume in project.volumes.values())
    quota = project.quota
    if 0 <= quota.volumes < volumes + wish.count * len(sizes) or 0 <= quota.gigabytes < gigabytes + wish.count * sum(sizes):
        raise Refusal("Ecs.0021", f"The EVS disk quota is exceeded: {volumes} disks with {gigabytes} GB are in use.")
