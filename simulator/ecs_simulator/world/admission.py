"""May these servers be created? Every rule is checked before anything is changed (ECS API reference 5.1.1, 8.1; codes of A.2)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecs_simulator.world import grouping
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
    image: Image
    zone: str
    security_group_ids: tuple[str, ...]
    group: ServerGroup | None


def plan(world: World, project: Project, wish: ServerWish) -> Plan:
    """Return how a wish is fulfilled; Refusal if it cannot be."""
    project.require_unfrozen()
    image = _image(world, wish)
    flavor = world.flavor(wish.flavor_id)
    zone = _zone(world, flavor, wish)
    if image.min_ram > flavor.ram:
        raise invalid(f"The image {image.id} needs {image.min_ram} MB of memory, flavor {flavor.id} has {flavor.ram}.", "Ecs.0007")
    _check_volumes(world, wish, image)
    _check_networks(project, wish, flavor)
    security_group_ids = _security_groups(project, wish)
    if wish.key_name is not None and not _key_exists(project, wish):
        raise invalid(f"The key pair {wish.key_name} does not exist.", "Ecs.0314")
    group = _group(project, wish)
    _check_address(project, wish)
    _check_quota(world, project, wish, flavor, image)
    return Plan(wish=wish, flavor=flavor, image=image, zone=zone, security_group_ids=security_group_ids, group=group)


def _image(world: World, wish: ServerWish) -> Image:
    image = world.images.get(wish.image_id)
    if image is None:
        raise invalid(f"The image {wish.image_id} does not exist.", "Ecs.0031")
    if image.status != "active":
        raise Refusal("Ecs.0032", f"The image {image.id} is not in Active state.")
    return image


def _zone(world: World, flavor: Flavor, wish: ServerWish) -> str:
    if wish.zone is not None and wish.zone not in world.zones:
        raise invalid(f"server.availability_zone {wish.zone} does not exist.")
    zones = (wish.zone,) if wish.zone is not None else world.zones
    zone = next((zone for zone in zones if flavor.sale_status(zone) != "sellout"), None)
    if zone is None:
        raise Refusal("Ecs.0319", f"Insufficient resources for flavor {flavor.id} in {', '.join(zones)}. Try another flavor.")
    return zone


def _check_volumes(world: World, wish: ServerWish, image: Image) -> None:
    size = wish.root.size or image.min_disk
    if not image.min_disk <= size <= MAX_SYSTEM_DISK:
        raise invalid(f"server.root_volume.size {size} is not within [{image.min_disk}, {MAX_SYSTEM_DISK}], as the image demands.")
    for place, volume in _volumes(wish):
        if volume.type not in world.disk_types:
            raise invalid(f"server.{place}.volumetype {volume.type} does not exist.", "Ecs.0043")
        if volume.image_id is not None and volume.image_id not in world.images:
            raise invalid(f"server.{place}.data_image_id {volume.image_id} does not exist.", "Ecs.0031")


def _volumes(wish: ServerWish) -> list[tuple[str, VolumeWish]]:
    return [("root_volume", wish.root), *((f"data_volumes[{index}]", volume) for index, volume in enumerate(wish.data))]


def _check_networks(project: Project, wish: ServerWish, flavor: Flavor) -> None:
    if len(wish.nics) > flavor.max_nics:
        raise invalid(f"{len(wish.nics)} NICs exceed the {flavor.max_nics} that flavor {flavor.id} takes.", "Ecs.0050")
    if wish.vpc_id not in {network.vpc_id for network in project.networks.values()}:
        raise invalid(f"The VPC {wish.vpc_id} does not exist.", "Ecs.0014")
    chosen: Counter[str] = Counter()
    automatic: Counter[str] = Counter()
    for index, nic in enumerate(wish.nics):
        network = _network(project, wish, index, nic.network_id)
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
    pair = project.key_pairs.get(wish.key_name or "")
    return pair is not None and pair.user_id == wish.user_id


def _group(project: Project, wish: ServerWish) -> ServerGroup | None:
    if wish.group_id is None:
        return None
    group = project.groups.get(wish.group_id)
    if group is None:
        raise invalid(f"server.os:scheduler_hints.group: the server group {wish.group_id} does not exist.")
    grouping.require_room(project, group, wish.count)
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


def _check_quota(world: World, project: Project, wish: ServerWish, flavor: Flavor, image: Image) -> None:
    wanted = Usage(instances=wish.count, cores=wish.count * flavor.vcpus, ram=wish.count * flavor.ram)
    project.require_quota(wanted, world.flavors)
    sizes = [wish.root.size or image.min_disk, *(volume.size or 0 for volume in wish.data)]
    volumes, gigabytes = len(project.volumes), sum(volume.size for volume in project.volumes.values())
    quota = project.quota
    if 0 <= quota.volumes < volumes + wish.count * len(sizes) or 0 <= quota.gigabytes < gigabytes + wish.count * sum(sizes):
        raise Refusal("Ecs.0021", f"The EVS disk quota is exceeded: {volumes} disks with {gigabytes} GB are in use.")
