"""What Kubernetes and the cloud are asked before a server is deleted so that another one can take its place: nothing is destroyed in vain.

What nobody can be asked is found out only by the creation: whether the subnets exist, an address is free, a zone has room for the disks.
"""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError, Flavor, Image, Limits
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.preflight import LEFT
from ecs_operator.resources.server.render import Resolved, render
from ecs_operator.resources.server.resolve import Missing, Unusable, resolve
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.visit import Notice


async def hindrance_to_successor(visit: ServerVisit, cloud: Actuator) -> Notice | None:
    """Why another server could not be had now. Raises CloudError and StoreError."""
    spec, server = visit.spec, visit.seen
    if spec.deletion_protection:
        return _no(Reason.IN_USE, "spec.deletionProtection is true, which keeps the server: set it to false to have it replaced")
    if server is not None and server.locked and not spec.locked:
        return _no(Reason.WAITING_FOR_DEPENDENCY, f"waiting for server {server.id}, which somebody else locked: unlock it")
    others = await _others(visit, cloud)
    if others:
        return _no(
            Reason.OWNERSHIP_CONFLICT, f"other servers carry this object's mark as well: {', '.join(others)}; remove them, or their mark"
        )
    resolved = await resolve(spec, key=visit.obj.key, project=cloud.tenant.name, kube=visit.desk.store, images=cloud.tenant.client.images)
    if isinstance(resolved, Missing):
        visit.waits_for = resolved.waits_for
        return _no(Reason.WAITING_FOR_DEPENDENCY, f"waiting for {'; '.join(resolved.what)}")
    if isinstance(resolved, Unusable):
        return _no(Reason.INVALID_CONFIGURATION, "; ".join(resolved.problems))
    try:
        render(spec, resolved, marker=cloud.tenant.identity.marker(visit.owner))
    except CloudError as error:
        return _no(Reason.INVALID_CONFIGURATION, error.message)
    return await _of_the_cloud(visit, cloud, resolved)


async def _others(visit: ServerVisit, cloud: Actuator) -> tuple[str, ...]:
    look = await cloud.look(not_before=visit.now, now=visit.now)
    return tuple(each.server.id for each in look.found if each.server.id != visit.status.id)


async def _of_the_cloud(visit: ServerVisit, cloud: Actuator, resolved: Resolved) -> Notice | None:
    """What the request names must be there, fit, and be for sale."""
    spec = visit.spec
    flavor = await cloud.flavor(spec.flavor)
    if flavor is None:
        return _no(Reason.INVALID_CONFIGURATION, f"spec.flavor: there is no flavor {spec.flavor}")
    zone = spec.availability_zone
    if zone is not None and not flavor.is_on_sale(zone):
        return _no(Reason.CAPACITY_EXHAUSTED, f"spec.flavor: {flavor.id} is {flavor.sale_status(zone)} in {zone}")
    image = await cloud.image(resolved.image_id)
    if image is None:
        return _no(Reason.INVALID_CONFIGURATION, f"spec.image: there is no image {resolved.image_id}")
    misfit = _misfit(image, flavor, disk=spec.root_volume.size_gib)
    if misfit is not None:
        return misfit
    if spec.key_pair_name is not None and not await cloud.has_key_pair(spec.key_pair_name):
        return _no(Reason.WAITING_FOR_DEPENDENCY, f"waiting for key pair {spec.key_pair_name} (spec.keyPairName)")
    if resolved.group_id is not None and await cloud.group(resolved.group_id) is None:
        text = f"waiting for server group {resolved.group_id}: the cloud has none of this id"
        return _no(Reason.WAITING_FOR_DEPENDENCY, text)
    former = await cloud.flavor(visit.status.flavor) if visit.status.flavor else None
    return _quota(await cloud.limits(), flavor, former)


def _misfit(image: Image, flavor: Flavor, *, disk: int | None) -> Notice | None:
    if image.status and image.status.upper() != "ACTIVE":
        return _no(Reason.WAITING_FOR_DEPENDENCY, f"waiting for image {image.id} (spec.image), which is {image.status}")
    if disk is not None and disk < image.min_disk:
        text = f"spec.image: {image.id} needs a system disk of {image.min_disk} GiB, spec.rootVolume.sizeGiB is {disk}"
        return _no(Reason.INVALID_CONFIGURATION, text)
    if flavor.ram < image.min_ram:
        text = f"spec.image: {image.id} needs {image.min_ram} MiB of memory, flavor {flavor.id} has {flavor.ram} MiB"
        return _no(Reason.INVALID_CONFIGURATION, text)
    return None


def _quota(limits: Limits, flavor: Flavor, former: Flavor | None) -> Notice | None:
    """What the former server uses is free by the time the new one needs it; of a flavor that nobody knows any more nothing is counted."""
    given = former or Flavor(id="")
    rows = (
        ("virtual CPUs", limits.max_total_cores, limits.total_cores_used, given.vcpus, flavor.vcpus),
        ("MiB of memory", limits.max_total_ram_size, limits.total_ram_used, given.ram, flavor.ram),
        ("servers", limits.max_total_instances, limits.total_instances_used, 1, 1),
    )
    for what, limit, used, freed, needed in rows:
        if limit >= 0 and used - freed + needed > limit:
            text = f"the project's quota of {limit} {what} does not suffice: {used} are used, {freed} of them here, and {needed} are needed"
            return _no(Reason.QUOTA_EXCEEDED, text)
    return None


def _no(reason: Reason, text: str) -> Notice:
    return Notice(reason, f"{text}; {LEFT}")
