"""Whether the cloud can make a server as the spec says: asked before money is spent, and before a server is deleted for another one.

What nobody can be asked is found out only by the creation: whether the subnets exist, an address is free, a zone has room for the disks.
"""

from __future__ import annotations

from typing import Protocol

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerSpec
from ecs_operator.cloud import Flavor, Image, Limits
from ecs_operator.resources.visit import Notice


class Offer(Protocol):
    """What the cloud is asked. All raise CloudError."""

    async def flavor(self, flavor_id: str) -> Flavor | None:
        """5.4.1; None when there is none of this id."""

    async def image(self, image_id: str) -> Image | None:
        """11.2.3; None when there is none of this id."""

    async def limits(self) -> Limits:
        """5.7.1."""


async def hindrance(spec: ServerSpec, *, image_id: str, offer: Offer, former: Flavor | None = None) -> Notice | None:
    """Why such a server cannot be had now: what it is made of must be there, fit, be for sale, and within the quota. Raises CloudError.

    ``former``: the flavor of the server that goes before, whose part of the quota is free by then.
    """
    flavor = await offer.flavor(spec.flavor)
    obstacle = unsold(spec.flavor, flavor, zone=spec.availability_zone)
    if flavor is None or obstacle is not None:
        return obstacle
    image = await offer.image(image_id)
    size = spec.root_volume.size_gib
    obstacle = misfit(image_id, image, flavor=flavor, disk=size, disk_text=f"spec.rootVolume.sizeGiB is {size}")
    return obstacle or shortage(await offer.limits(), flavor, former)


def unsold(flavor_id: str, flavor: Flavor | None, *, zone: str | None) -> Notice | None:
    """Why the flavor of this id cannot be had in the zone; None for the zone: the cloud chooses."""
    if flavor is None:
        return Notice(Reason.INVALID_CONFIGURATION, f"spec.flavor: there is no flavor {flavor_id}")
    if zone is not None and not flavor.is_on_sale(zone):
        return Notice(Reason.CAPACITY_EXHAUSTED, f"spec.flavor: {flavor_id} is {flavor.sale_status(zone)} in {zone}")
    return None


def misfit(image_id: str, image: Image | None, *, flavor: Flavor | None, disk: int | None, disk_text: str) -> Notice | None:
    """Why the image of this id cannot be used, or not with this memory and system disk.

    ``disk`` in GiB, None: as the image wants it; ``disk_text`` says where it comes from. Of a flavor that nobody knows nothing is said.
    """
    if image is None:
        return Notice(Reason.INVALID_CONFIGURATION, f"spec.image: there is no image {image_id}")
    if image.status and image.status.upper() != "ACTIVE":
        return Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for image {image_id} (spec.image), which is {image.status}")
    if disk is not None and disk < image.min_disk:
        return Notice(Reason.INVALID_CONFIGURATION, f"spec.image: {image_id} needs a system disk of {image.min_disk} GiB, {disk_text}")
    if flavor is not None and flavor.ram < image.min_ram:
        text = f"spec.image: {image_id} needs {image.min_ram} MiB of memory, flavor {flavor.id} has {flavor.ram} MiB"
        return Notice(Reason.INVALID_CONFIGURATION, text)
    return None


def shortage(limits: Limits, flavor: Flavor, former: Flavor | None) -> Notice | None:
    """Which quota does not suffice; of a former flavor that nobody knows any more nothing is counted."""
    rows = (
        ("virtual CPUs", limits.max_total_cores, limits.total_cores_used, former.vcpus if former else 0, flavor.vcpus),
        ("MiB of memory", limits.max_total_ram_size, limits.total_ram_used, former.ram if former else 0, flavor.ram),
        ("servers", limits.max_total_instances, limits.total_instances_used, 1 if former else 0, 1),
    )
    for what, limit, used, freed, needed in rows:
        if limit >= 0 and used - freed + needed > limit:
            here = f", {freed} of them here" if former else ""
            text = f"the project's quota of {limit} {what} does not suffice: {used} are used{here}, and {needed} are needed"
            return Notice(Reason.QUOTA_EXCEEDED, text)
    return None
