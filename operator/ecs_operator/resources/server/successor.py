"""What Kubernetes and the cloud are asked before a server is deleted for another one to take its place: nothing is destroyed in vain."""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError, Flavor
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.offer import hindrance
from ecs_operator.resources.server.render import Resolved, render
from ecs_operator.resources.server.resolve import Missing, Unusable, resolve
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import left
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
    """What the request names must be there, fit, and be for sale. Asked anew: what is destroyed does not come back."""
    spec, status = visit.spec, visit.status
    former = (await cloud.flavor(status.flavor) if status.flavor else None) or Flavor(id="")
    found = await hindrance(spec, image_id=resolved.image_id, offer=cloud, former=former)
    if found is not None:
        return left(found)
    if spec.key_pair_name is not None and not await cloud.has_key_pair(spec.key_pair_name):
        return _no(Reason.WAITING_FOR_DEPENDENCY, f"waiting for key pair {spec.key_pair_name} (spec.keyPairName)")
    if resolved.group_id is not None and await cloud.group(resolved.group_id) is None:
        text = f"waiting for server group {resolved.group_id}: the cloud has none of this id"
        return _no(Reason.WAITING_FOR_DEPENDENCY, text)
    return None


def _no(reason: Reason, text: str) -> Notice:
    return left(Notice(reason, text))
