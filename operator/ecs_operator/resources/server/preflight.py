"""What the cloud is asked before a server is stopped for a change: nothing is stopped in vain."""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ChangeRecord, ChangeStep
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.render import Secrets
from ecs_operator.resources.server.resolve import Missing, Unusable, secrets_to_install
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.visit import Notice

LEFT = "the server is left as it is"


async def hindrance_to(visit: ServerVisit, cloud: Actuator, change: ChangeRecord) -> Notice | None:
    """Why the cloud cannot do it now. Raises CloudError and StoreError."""
    for step in change.steps:
        found: Secrets | Notice | None = None
        if step.kind == "Resize":
            found = await _flavor(visit, cloud, step)
        elif step.kind == "Install":
            found = await to_install(visit, cloud, step)
        elif step.kind == "JoinGroup" and await cloud.group(step.target) is None:
            found = Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for server group {step.target}: the cloud has none of this id; {LEFT}")
        elif (
            step.kind == "Migrate"
            and not step.target
            and visit.spec.scheduling is not None
            and visit.spec.scheduling.tenancy == "dedicated"
        ):
            text = (
                f"spec.scheduling.dedicatedHostId is needed: the cloud does not choose a dedicated host for a server that is there; {LEFT}"
            )
            found = Notice(Reason.INVALID_CONFIGURATION, text)
        if isinstance(found, Notice):
            return found
    return None


async def to_install(visit: ServerVisit, cloud: Actuator, step: ChangeStep) -> Secrets | Notice:
    """What an installation needs of Secrets, or why it cannot be made now. Raises CloudError and StoreError."""
    image = await cloud.image(step.target)
    if image is None:
        return Notice(Reason.INVALID_CONFIGURATION, f"spec.image: there is no image {step.target}; {LEFT}")
    if image.status and image.status.upper() != "ACTIVE":
        return Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for image {step.target} (spec.image), which is {image.status}; {LEFT}")
    disk = next((volume.size_gib for volume in visit.status.volumes if volume.boot_index == 0), None)
    if disk is not None and disk < image.min_disk:
        text = f"spec.image: {step.target} needs a system disk of {image.min_disk} GiB, the server has one of {disk} GiB; {LEFT}"
        return Notice(Reason.INVALID_CONFIGURATION, text)
    flavor = await cloud.flavor(visit.spec.flavor) if image.min_ram else None
    if flavor is not None and flavor.ram < image.min_ram:
        text = f"spec.image: {step.target} needs {image.min_ram} MiB of memory, flavor {flavor.id} has {flavor.ram} MiB; {LEFT}"
        return Notice(Reason.INVALID_CONFIGURATION, text)
    key_name = step.install.key_pair_name if step.install is not None else None
    if key_name is not None and not await cloud.has_key_pair(key_name):
        return Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for key pair {key_name} (spec.keyPairName); {LEFT}")
    found = await secrets_to_install(visit.spec, image=image, namespace=visit.obj.key.namespace, kube=visit.desk.store)
    if isinstance(found, Missing):
        return Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for {'; '.join(found.what)}; {LEFT}")
    if isinstance(found, Unusable):
        return Notice(Reason.INVALID_CONFIGURATION, f"{'; '.join(found.problems)}; {LEFT}")
    return found


async def _flavor(visit: ServerVisit, cloud: Actuator, step: ChangeStep) -> Notice | None:
    zone = visit.status.availability_zone
    flavor = await cloud.flavor(step.target)
    if flavor is None:
        return Notice(Reason.INVALID_CONFIGURATION, f"spec.flavor: there is no flavor {step.target}; {LEFT}")
    if zone and not flavor.is_on_sale(zone):
        text = f"spec.flavor: {step.target} is {flavor.sale_status(zone)} in {zone}; {LEFT} until it can be had"
        return Notice(Reason.CAPACITY_EXHAUSTED, text)
    return None
