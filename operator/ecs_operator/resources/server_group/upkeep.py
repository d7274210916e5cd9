"""Looks at a group that is there: one GET, and the shared list for the hosts of its members."""

from __future__ import annotations

from collections.abc import MutableMapping

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server_group import ServerGroupStatus
from ecs_operator.cloud import ServerGroup
from ecs_operator.engine.outcome import Again, Lane, Outcome
from ecs_operator.resources.server_group import status
from ecs_operator.resources.server_group.actuator import Actuator
from ecs_operator.resources.server_group.creation import GroupVisit
from ecs_operator.resources.server_group.rest import until_news
from ecs_operator.resources.server_group.roster import Names, Roster
from ecs_operator.resources.visit import Notice

ACTION = "Observe"
LOOK_TWICE = 5.0
"""Seconds between two looks for a group that answers 404: once is no evidence."""
HOST_PAUSE = 15.0
"""Seconds until the host of a new member is looked for again: the shared list may be older than the member."""


async def advance(visit: GroupVisit, cloud: Actuator, group_id: str, *, roster: Roster, missed: MutableMapping[str, float]) -> Outcome:
    """One look. ``missed``: since when (monotonic) a group was not found, by uid. Raises CloudError and StoreError."""
    group = await cloud.get(group_id)
    if group is None:
        return await _absent(visit, cloud, group_id, missed=missed)
    missed.pop(visit.obj.uid, None)
    return await _present(visit, cloud, group, roster)


async def _present(visit: GroupVisit, cloud: Actuator, group: ServerGroup, roster: Roster) -> Outcome:
    before = visit.status
    servers = await cloud.servers(group.members) if group.members else None
    names = await _names(visit, cloud, group, roster)
    seen = status.fold(before, group, servers=servers, names=names.by_id)
    await visit.write(seen, _shown(visit, seen), action=ACTION)
    is_due_soon = _lacks_a_host(before, seen) or (not names.is_new and any(member.server_ref is None for member in seen.members))
    return until_news(visit.obj, cloud.tenant, at_most=HOST_PAUSE if is_due_soon else None)


def _shown(visit: GroupVisit, seen: ServerGroupStatus) -> Notice:
    if visit.spec.management_policy == "Observe":
        return Notice(Reason.OBSERVED, f"{status.summary(seen)}; it is only observed")
    return Notice(Reason.AVAILABLE, status.summary(seen))


async def _names(visit: GroupVisit, cloud: Actuator, group: ServerGroup, roster: Roster) -> Names:
    if not group.members:
        return Names({}, is_new=True)
    return await roster.names(visit.obj.key.namespace, group.members, at_most=cloud.tenant.resync_seconds)


def _lacks_a_host(before: ServerGroupStatus, seen: ServerGroupStatus) -> bool:
    """Of a member that is new: one that has none at the second look, a server in ERROR perhaps, is left to the resync."""
    known = {member.server_id for member in before.members}
    return any(member.host_id is None and member.server_id not in known for member in seen.members)


async def _absent(visit: GroupVisit, cloud: Actuator, group_id: str, *, missed: MutableMapping[str, float]) -> Outcome:
    if visit.says(Reason.DELETED_EXTERNALLY) and not visit.is_urged:
        return until_news(visit.obj, cloud.tenant)
    since = missed.setdefault(visit.obj.uid, visit.desk.clock.monotonic())
    is_listed = await cloud.is_listed(group_id)
    if is_listed or visit.desk.clock.monotonic() - since < LOOK_TWICE:
        return Again(LOOK_TWICE, Lane.POLL)
    missed.pop(visit.obj.uid, None)
    text = f"the group {group_id} was deleted in the cloud by somebody else; delete this object and create another one"
    await visit.write(status.vanished(visit.status), Notice(Reason.DELETED_EXTERNALLY, text), action=ACTION)
    return until_news(visit.obj, cloud.tenant)
