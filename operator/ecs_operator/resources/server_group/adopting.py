"""Takes over a group that is there already, by its id, or only shows it. A group has no mark: what is recorded here is all there is of it.

So two objects for one group are kept apart by their claims alone. Nothing is changed in the cloud.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from ecs_operator.api.group import SERVER_GROUP
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server_group import GroupAdoption, ServerGroupStatus
from ecs_operator.cloud import ServerGroup
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane, Outcome
from ecs_operator.resources.claims import Claim, Claims, Stage
from ecs_operator.resources.server_group.actuator import Actuator
from ecs_operator.resources.server_group.creation import GroupVisit
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Adopt"
SLOW_PAUSE, RIVAL_PAUSE, FRESH = 60.0, 2.0, 10.0
"""Seconds: between looks at what somebody else must change, and at an object that claims the group at the same time; the age of a list
of the other objects, where no claim depends on it."""


def is_due(visit: GroupVisit) -> bool:
    """The group is to be taken over, or was only observed before. A creation under way is seen to its end first."""
    status = visit.status
    if status.id is None and status.intent is not None and status.intent.outcome != "Refused":
        return False
    if visit.spec.import_ is None and status.adoption is None:
        return False
    return status.adoption is None or status.adoption.state != "Adopted"


async def advance(visit: GroupVisit, cloud: Actuator, claims: Claims) -> Outcome:
    """The next step towards a group that is this object's. Raises CloudError and StoreError."""
    group_id = _group_id(visit)
    group = await cloud.get(group_id)
    if group is None:
        return await _refuse(visit, missing(group_id, cloud))
    misfit = _misfit(visit, group)
    if misfit is not None:
        return await _refuse(visit, Notice(Reason.INVALID_CONFIGURATION, misfit))
    record = visit.status.adoption
    is_claimed = record is not None and record.state == "Claimed" and record.id == group_id
    rival = await _rival(visit, claims, group, is_claimed=is_claimed)
    if rival is not None:
        claim, mine = rival
        if is_claimed and claim.stage is Stage.CLAIMS and mine.age < claim.age:
            # The younger of two that claim it at the same moment steps back.
            return Again(RIVAL_PAUSE, Lane.POLL)
        text = f"group {group_id} (spec.import) belongs to another object: {claim}. Nothing is changed; remove one of the two"
        return await _refuse(visit, Notice(Reason.OWNERSHIP_CONFLICT, text), waits_for=claim)
    state = "Adopted" if is_claimed else "Claimed"
    news: dict[str, object] = {"project": cloud.tenant.name, "adoption": GroupAdoption(id=group_id, state=state)}
    if is_claimed:
        has_made_it = visit.status.intent is not None and visit.status.intent.outcome == "Accepted"
        news |= {"id": group_id, "intent": visit.status.intent if has_made_it else None}
        logger.info("%s has adopted group %s", visit.obj.key, group_id)
    text = f"group {group_id} is being taken over"
    await visit.write(visit.status.model_copy(update=news), Notice(Reason.UPDATING, text), action=ACTION)
    return Again(0.0, Lane.CREATE)


async def observed(visit: GroupVisit, cloud: Actuator) -> Outcome | None:
    """Note that the group is only shown. None when it is known by its id, and the pass goes on. Raises CloudError and StoreError."""
    status = visit.status
    if status.id is None:
        if visit.spec.import_ is None:
            text = "spec.managementPolicy: Observe needs spec.import.id, the id of the group that is to be observed"
            await visit.write(status, Notice(Reason.INVALID_CONFIGURATION, text), action=ACTION)
            return Done()
        group = await cloud.get(visit.spec.import_.id)
        if group is None:
            return await _refuse(visit, missing(visit.spec.import_.id, cloud))
        status = status.model_copy(update={"project": cloud.tenant.name, "id": group.id, "intent": None})
    visit.status = status.model_copy(update={"adoption": GroupAdoption(id=status.id or "", state="Observed")})
    return None


def stays(status: ServerGroupStatus) -> str | None:
    """What is said when an object goes that has no right to its group: it was never taken over, or only observed since. Else None."""
    if status.adoption is None or status.adoption.state == "Adopted":
        return None
    return f"the group {status.adoption.id} stays as it is: it is not this object's"


def missing(group_id: str, cloud: Actuator) -> Notice:
    """The id is wrong, or the project."""
    text = f"there is no server group {group_id} in EcsProject {cloud.tenant.name}: check spec.import.id and spec.projectRef"
    return Notice(Reason.INVALID_CONFIGURATION, text)


def _group_id(visit: GroupVisit) -> str:
    group_id = visit.spec.import_.id if visit.spec.import_ is not None else visit.status.id
    if group_id is None:
        raise ValueError("neither spec nor record names a group")
    return group_id


def _misfit(visit: GroupVisit, group: ServerGroup) -> str | None:
    """What the spec says otherwise. The name of a group made here was chosen here."""
    spec = visit.spec
    problems = []
    if visit.spec.import_ is not None and spec.name is not None and spec.name != group.name:
        problems.append(f"spec.name is {spec.name}, the group is named {group.name}")
    if spec.policy not in group.policies:
        problems.append(f"spec.policy is {spec.policy}, the group has {', '.join(group.policies) or 'none'}")
    if not problems:
        return None
    return f"group {group.id} (spec.import) cannot be adopted: {'; '.join(problems)}. The cloud can change neither: create another object"


async def _rival(visit: GroupVisit, claims: Claims, group: ServerGroup, *, is_claimed: bool) -> tuple[Claim, Claim] | None:
    """Whoever has or claims the group, by its id or by the name it was asked for with, and our own claim."""
    desk, obj = visit.desk, visit.obj
    moment = desk.clock.monotonic() - (0.0 if is_claimed else FRESH)
    ledger = await claims.since(moment, resource=SERVER_GROUP.plural, store=desk.store, clock=desk.clock)
    mine = Claim(obj.key, obj.uid, obj.created_at, group.id, Stage.CLAIMS if is_claimed else Stage.WANTS)
    found = (*ledger.rivals(mine), *ledger.rivals(replace(mine, cloud_id=group.name)))
    return (found[0], mine) if found else None


async def _refuse(visit: GroupVisit, notice: Notice, *, waits_for: Claim | None = None) -> Outcome:
    """Say why; a claim is taken back."""
    before = visit.status.adoption
    is_known = visit.status.id is not None and before is not None
    record = GroupAdoption(id=visit.status.id or "", state="Observed") if is_known else None
    await visit.write(visit.status.model_copy(update={"adoption": record}), notice, action=ACTION)
    return Blocked((waits_for.key,), at_most=SLOW_PAUSE) if waits_for is not None else Again(SLOW_PAUSE, Lane.RESYNC)
