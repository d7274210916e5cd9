"""What the cloud is asked before a server is stopped for a change: nothing is stopped in vain."""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ChangeRecord, ChangeStep
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.offer import misfit, unsold
from ecs_operator.resources.server.render import Secrets
from ecs_operator.resources.server.resolve import Missing, Unusable, secrets_to_install
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import left
from ecs_operator.resources.visit import Notice


async def hindrance_to(visit: ServerVisit, cloud: Actuator, change: ChangeRecord) -> Notice | None:
    """Why the cloud cannot do it now. Raises CloudError and StoreError."""
    for step in change.steps:
        found = await _hindrance(visit, cloud, step)
        if found is not None:
            return found
    return None


async def to_install(visit: ServerVisit, cloud: Actuator, step: ChangeStep) -> Secrets | Notice:
    """What an installation needs of Secrets, or why it cannot be made now. Raises CloudError and StoreError."""
    image = await cloud.image(step.target)
    disk = next((volume.size_gib for volume in visit.status.volumes if volume.boot_index == 0), None)
    flavor = await cloud.flavor(visit.spec.flavor) if image is not None and image.min_ram else None
    obstacle = misfit(step.target, image, flavor=flavor, disk=disk, disk_text=f"the server has one of {disk} GiB")
    if obstacle is not None:
        return left(obstacle)
    if image is None:
        raise AssertionError("an image that is not there does not fit")
    key_name = step.install.key_pair_name if step.install is not None else None
    if key_name is not None and not await cloud.has_key_pair(key_name):
        return left(Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for key pair {key_name} (spec.keyPairName)"))
    found = await secrets_to_install(visit.spec, image=image, namespace=visit.obj.key.namespace, kube=visit.desk.store)
    if isinstance(found, Missing):
        return left(Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for {'; '.join(found.what)}"))
    if isinstance(found, Unusable):
        return left(Notice(Reason.INVALID_CONFIGURATION, "; ".join(found.problems)))
    return found


async def _hindrance(visit: ServerVisit, cloud: Actuator, step: ChangeStep) -> Notice | None:
    if step.kind == "Resize":
        obstacle = unsold(step.target, await cloud.flavor(step.target), zone=visit.status.availability_zone)
        return left(obstacle) if obstacle is not None else None
    if step.kind == "Install":
        found = await to_install(visit, cloud, step)
        return found if isinstance(found, Notice) else None
    if step.kind == "JoinGroup" and await cloud.group(step.target) is None:
        return left(Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for server group {step.target}: the cloud has none of this id"))
    scheduling = visit.spec.scheduling
    if step.kind == "Migrate" and not step.target and scheduling is not None and scheduling.tenancy == "dedicated":
        text = "spec.scheduling.dedicatedHostId is needed: the cloud does not choose a dedicated host for a server that is there"
        return left(Notice(Reason.INVALID_CONFIGURATION, text))
    return None
