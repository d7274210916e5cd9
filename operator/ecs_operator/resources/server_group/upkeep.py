"""Looks at a group that is there: one GET, and the shared list for the hosts of its members."""

from __future__ import annotations

from collections.abc import MutableMapping

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import ServerGroup
from ecs_operator.engine.outcome import Again, Lane, Outcome
from ecs_operator.resources.server_group import status
from ecs_operator.resources.server_group.actuator import Actuator
from ecs_operator.resources.server_group.creation import GroupVisit
from ecs_operator.resources.times import resync_pause
from ecs_operator.resources.visit import Notice

ACTION = "Observe"
LOOK_TWICE = 5.0
"""Seconds between two looks for a group that answers 404: once is no evidence."""


async def advance(visit: GroupVisit, cloud: Actuator, group_id: str, *, missed: MutableMapping[str, float]) -> Outcome:
    """One look. ``missed``: since when (monotonic) a group was not found, by uid. Raises CloudError and StoreError."""
    group = await cloud.get(group_id)
    if group is None:
        return await _absent(visit, cloud, group_id, missed=missed)
    missed.pop(visit.obj.uid, None)
    return await _present(visit, cloud, group)


async def _present(visit: GroupVisit, cloud: Actuator, group: ServerGroup) -> Outcome:
    servers = await cloud.servers() if group.members else None
    seen = status.fold(visit.status, group, servers=servers)
    await visit.write(seen, Notice(Reason.AVAILABLE, status.summary(seen)), action=ACTION)
    return _later(visit, cloud)


async def _absent(visit: GroupVisit, cloud: Actuator, group_id: str, *, missed: MutableMapping[str, float]) -> Outcome:
    if visit.says(Reason.DELETED_EXTERNALLY) and not visit.is_urged:
        return _later(visit, cloud)
    since = missed.setdefault(visit.obj.uid, visit.desk.clock.monotonic())
    is_listed = any(group.id == group_id for group in (await cloud.look()).found)
    if is_listed or visit.desk.clock.monotonic() - since < LOOK_TWICE:
        return Again(LOOK_TWICE, Lane.POLL)
    missed.pop(visit.obj.uid, None)
    text = f"the group {group_id} was deleted in the cloud by somebody else; delete this object and create another one"
    await visit.write(status.vanished(visit.status), Notice(Reason.DELETED_EXTERNALLY, text), action=ACTION)
    return _later(visit, cloud)


def _later(visit: GroupVisit, cloud: Actuator) -> Outcome:
    return Again(resync_pause(cloud.tenant.resync_seconds, uid=visit.obj.uid), Lane.RESYNC)
