"""Resolves what the spec of a server that is there refers to: the image's name, the group. Each is looked up once and then pinned."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import GroupPin, ResolvedImage, ServerStatus
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.server import change_protocol
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.differences import Wanted
from ecs_operator.resources.server.installation import group_pin
from ecs_operator.resources.server.resolve import Missing, Unusable, group_named, image_named
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.visit import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What is wanted, the status with what was resolved for it, and what could not be."""

    wanted: Wanted
    status: ServerStatus
    unresolved: Notice | None = None
    waits_for: tuple[ObjectKey, ...] = ()


async def wanted_now(visit: ServerVisit, cloud: Actuator) -> Resolution:
    """Resolve. Raises CloudError and StoreError."""
    spec, status = visit.spec, visit.status
    image_id, status, no_image = await _image(visit, cloud)
    group, no_group = await _group(visit, cloud)
    change = status.change
    is_broken = status.server_status == "ERROR" and change is not None and change_protocol.broke(change) is not None
    wanted = Wanted(name=spec.name or visit.obj.key.name, image_id=image_id, group=group, knows_group=no_group is None, is_broken=is_broken)
    found = [each for each in (no_image, no_group) if each is not None]
    problems = [text for each in found if isinstance(each, Unusable) for text in each.problems]
    missing = [text for each in found if isinstance(each, Missing) for text in each.what]
    unresolved = None
    if problems:
        unresolved = Notice(Reason.INVALID_CONFIGURATION, "; ".join(problems))
    elif missing:
        unresolved = Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for {'; '.join(missing)}")
    waits_for = tuple(key for each in found if isinstance(each, Missing) for key in each.waits_for)
    return Resolution(wanted=wanted, status=status, unresolved=unresolved, waits_for=waits_for)


async def _image(visit: ServerVisit, cloud: Actuator) -> tuple[str | None, ServerStatus, Missing | Unusable | None]:
    status, image = visit.status, visit.spec.image
    installed = status.applied.installed if status.applied is not None else None
    if image.id is not None or installed is None or image.name == installed.image_name:
        settled = status if status.resolved_image is None else status.model_copy(update={"resolved_image": None})
        return image.id or (installed.image_id if installed is not None else status.image_id), settled, None
    name = image.name or ""
    if status.resolved_image is not None and status.resolved_image.name == name:
        return status.resolved_image.id, status, None
    found = await image_named(name, images=cloud.tenant.client.images)
    if isinstance(found, Missing | Unusable):
        return None, status, found
    return found.id, status.model_copy(update={"resolved_image": ResolvedImage(name=name, id=found.id)}), None


async def _group(visit: ServerVisit, cloud: Actuator) -> tuple[GroupPin | None, Missing | Unusable | None]:
    spec, applied = visit.spec, visit.status.applied
    if spec.server_group_ref is None:
        return (group_pin(spec, spec.server_group_id) if spec.server_group_id is not None else None), None
    pin = applied.server_group if applied is not None else None
    if pin is not None and pin.name == spec.server_group_ref.name and not visit.is_urged:
        return pin, None
    found = await group_named(
        spec.server_group_ref.name, namespace=visit.obj.key.namespace, project=cloud.tenant.name, kube=visit.desk.store
    )
    return (None, found) if isinstance(found, Missing | Unusable) else (group_pin(spec, found), None)
