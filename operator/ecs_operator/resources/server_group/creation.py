"""Brings a group into being: intent by compare-and-set, a look for its exact name in a complete list, one request, its id."""

from __future__ import annotations

import logging
from typing import assert_never

from ecs_operator.api.group import FINALIZER
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server_group import ServerGroupSpec, ServerGroupStatus
from ecs_operator.cloud import CloudError, Outcome, ServerGroup
from ecs_operator.engine.outcome import Again, Done, Lane
from ecs_operator.engine.outcome import Outcome as PassOutcome
from ecs_operator.resources.calls import SHORTEST_LEASE
from ecs_operator.resources.server_group import planner, status
from ecs_operator.resources.server_group.actuator import Actuator
from ecs_operator.resources.server_group.rest import until_news
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice, Visit

logger = logging.getLogger(__name__)

ACTION = "Create"

GroupVisit = Visit[ServerGroupSpec, ServerGroupStatus]


async def advance(visit: GroupVisit, cloud: Actuator) -> PassOutcome:
    """The next step towards a group with a known id. Raises CloudError and StoreError."""
    step = planner.next_step(_facts(visit, cloud, None))
    if isinstance(step, planner.LookFor):
        step = planner.next_step(_facts(visit, cloud, await cloud.look()))
    match step:
        case planner.Send():
            return await _send(visit, cloud)
        case planner.Adopt(group=group, spares=spares):
            return await _adopt(visit, cloud, group, spares)
        case planner.Settle(seconds=seconds, until=until):
            text = f"a request for the group {cloud.name} may or may not have been carried out; looking for it until {until:%H:%M:%S} UTC"
            await visit.tell(Notice(Reason.OUTCOME_UNKNOWN, text), action=ACTION)
            return Again(seconds, Lane.POLL)
        case planner.Pause(seconds=seconds):
            return Again(seconds, Lane.CREATE)
        case planner.Stalled():
            return Done()
        case planner.LookFor():
            raise AssertionError("the list was looked at")
        case _ as unreachable:
            assert_never(unreachable)


def _facts(visit: GroupVisit, cloud: Actuator, look: planner.Look | None) -> planner.Facts:
    return planner.Facts(
        intent=visit.status.intent,
        now=visit.now,
        policy=cloud.tenant.create_policy,
        look=look,
        is_stalled=visit.says(Reason.REJECTED) and not visit.is_urged,
        is_urged=visit.is_urged,
    )


async def _send(visit: GroupVisit, cloud: Actuator) -> PassOutcome:
    """The attempt is durable before the request leaves; what is written is the proof that the object was fresh."""
    if visit.desk.authority.time_left() < SHORTEST_LEASE:
        return Again(1.0, Lane.CREATE)
    wanted = status.intended(visit.status, project=cloud.tenant.name, name=cloud.name, now=visit.now)
    await visit.write(wanted, Notice(Reason.CREATING, f"asking the cloud for the group {cloud.name}"), action=ACTION)
    if FINALIZER not in visit.obj.finalizers or visit.obj.is_deleting:
        text = "not asked for: the finalizer was removed, or the object deleted, meanwhile"
        return await _answer(visit, "Refused", Notice(Reason.CREATING, text), pause=1.0)
    try:
        group = await cloud.create(visit.spec.policy)
    except CloudError as error:
        return await _not_made(visit, error)
    logger.info("made the group %s for %s", group.id, visit.obj.key)
    return await _adopt(visit, cloud, group, ())


async def _not_made(visit: GroupVisit, error: CloudError) -> PassOutcome:
    judged = verdict(error)
    if error.outcome is Outcome.UNKNOWN:
        text = f"a request for the group may or may not have been carried out: {judged.message}"
        return await _answer(visit, "Unknown", Notice(Reason.OUTCOME_UNKNOWN, text), pause=1.0)
    return await _answer(visit, "Refused", Notice(judged.reason, judged.message), pause=max(judged.retry_floor, planner.FIRST_PAUSE))


async def _answer(visit: GroupVisit, outcome: str, notice: Notice, *, pause: float) -> PassOutcome:
    await visit.record(lambda before: status.answered(before, outcome=outcome), notice, same=status.attempt, action=ACTION)
    return Again(pause, Lane.CREATE)


async def _adopt(visit: GroupVisit, cloud: Actuator, group: ServerGroup, spares: tuple[ServerGroup, ...]) -> PassOutcome:
    """Remove what lost answers left, one a pass, then record the id."""
    if spares:
        spare = await cloud.get(spares[0].id)
        if spare is not None and not spare.members and spare.name == cloud.name:
            logger.warning("removing the group %s of %s: a second one from a lost answer, without members", spare.id, visit.obj.key)
            await cloud.delete(spare.id)
        return Again(0.0, Lane.CREATE)

    def make(before: ServerGroupStatus) -> ServerGroupStatus:
        known = status.adopted(before, group, project=cloud.tenant.name, name=cloud.name, now=visit.now)
        return status.fold(known, group, servers=None, names={})

    await visit.record(make, Notice(Reason.AVAILABLE, status.summary(make(visit.status))), same=status.attempt, action=ACTION)
    if group.members:
        return Again(0.0, Lane.CREATE)
    return until_news(visit.obj, cloud.tenant)
