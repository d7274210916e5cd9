"""Takes a group out of the world: not while somebody uses it, and the finalizer goes only after proof."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ecs_operator.api.group import SERVER
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server_group import ServerGroupStatus
from ecs_operator.cloud import ServerGroup
from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome
from ecs_operator.resources.naming import named
from ecs_operator.resources.server_group import adopting, planner
from ecs_operator.resources.server_group.actuator import Actuator
from ecs_operator.resources.server_group.creation import GroupVisit
from ecs_operator.resources.server_group.rest import until_news
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Delete"
USERS_PAUSE = 60.0
MEMBERS_PAUSE = 15.0
"""Seconds between looks at members that no object here stands for."""


def nothing_was_sent(status: ServerGroupStatus) -> bool:
    """No request of this object can have made a group: it may go without asking the cloud."""
    return status.id is None and (status.intent is None or status.intent.attempts == 0)


async def release_what_stays(visit: GroupVisit) -> Outcome | None:
    """Let an object go whose group stays, for which no project is needed; None when the group is to go too. Raises StoreError."""
    status = visit.status
    name = status.id or (status.intent.name if status.intent is not None else None)
    remark = adopting.stays(status)
    if visit.spec.management_policy == "Observe":
        remark = f"the group {name} stays as it is, because spec.managementPolicy is Observe"
    elif remark is None and visit.spec.deletion_policy == "Retain":
        remark = f"the group {name} stays, as spec.deletionPolicy says"
    if remark is None:
        return None
    await visit.release(remark, reason=Reason.DELETING, action=ACTION)
    return Done()


async def advance(visit: GroupVisit, cloud: Actuator) -> Outcome:
    """The next step of a deletion. Raises CloudError and StoreError."""
    users = await _users(visit)
    if users:
        return await _in_use(visit, users)
    look = await cloud.look()
    groups = {group.id: group for group in look.found}
    if visit.status.id is not None and (recorded := await cloud.get(visit.status.id)) is not None:
        groups[recorded.id] = recorded
    if groups:
        return await _delete(visit, cloud, sorted(groups.values(), key=lambda group: group.id))
    until = planner.settled_at(visit.status.intent, cloud.tenant.create_policy)
    if until is not None and look.started_at < until:
        text = (
            f"a request for the group {cloud.name} may still arrive; the object stays until {until:%H:%M:%S} UTC, to delete what it makes"
        )
        await visit.tell(Notice(Reason.OUTCOME_UNKNOWN, text), action=ACTION)
        return Again(min(planner.LOOK_AGAIN, max(0.5, (until - visit.now).total_seconds())), Lane.POLL)
    await visit.release("", reason=Reason.DELETING, action=ACTION)
    return Done()


async def _users(visit: GroupVisit) -> Sequence[KubeObject]:
    """The EcsServers that name the group, by its object or by its id."""
    name, group_id = visit.obj.key.name, visit.status.id
    servers = await visit.desk.store.list(SERVER.plural, namespace=visit.obj.key.namespace)
    return [
        each
        for each in servers
        if (each.spec.get("serverGroupRef") or {}).get("name") == name
        or (group_id is not None and each.spec.get("serverGroupId") == group_id)
    ]


async def _in_use(visit: GroupVisit, users: Sequence[KubeObject]) -> Outcome:
    names = named([f"EcsServer {each.key.name}" for each in users])
    await visit.tell(Notice(Reason.IN_USE, f"the group is not deleted while it is used by {names}: delete them first"), action=ACTION)
    return Blocked(tuple(each.key for each in users), at_most=USERS_PAUSE)


async def _delete(visit: GroupVisit, cloud: Actuator, groups: Sequence[ServerGroup]) -> Outcome:
    """One a pass: the cloud would delete a group with members, so each is looked at right before."""
    members = sorted({server_id for group in groups for server_id in group.members})
    if members:
        names = named([f"server {each}" for each in members])
        text = f"the group is not deleted while it has members: {names}; delete them, or take them out of the group"
        await visit.tell(Notice(Reason.IN_USE, text), action=ACTION)
        return until_news(visit.obj, cloud.tenant, at_most=MEMBERS_PAUSE)
    group = await cloud.get(groups[0].id)
    if group is None or group.members:
        return Again(1.0, Lane.URGENT)
    await visit.tell(Notice(Reason.DELETING, f"the group {group.id} is being deleted"), action=ACTION)
    logger.info("deleting the group %s of %s", group.id, visit.obj.key)
    await cloud.delete(group.id)
    return Again(0.0, Lane.URGENT)
