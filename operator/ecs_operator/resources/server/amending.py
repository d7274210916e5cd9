"""Carries out what changes a server: edits that cost nothing, and the calls of a change that needs it stopped."""

from __future__ import annotations

import logging

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ChangeRecord, SecurityGroup, ServerStatus
from ecs_operator.cloud import CloudError, Server
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.outcome import Again, Lane, Outcome
from ecs_operator.resources.hindrances import call_failed
from ecs_operator.resources.server import change_protocol
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.differences import AddSecurityGroup, Edit, RemoveSecurityGroup, SetAutoRecovery, claimed
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import changing
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Change"


async def details(visit: ServerVisit, cloud: Actuator, server: Server) -> ServerStatus:
    """The status with what a row lacks, read only if the spec speaks of it and the row shows that it changed. Raises CloudError."""
    status, spec = visit.status, visit.spec
    groups, recovery = status.security_groups, status.auto_recovery
    if spec.security_group_ids is None:
        groups = ()
    elif {group.name for group in groups} != set(server.security_groups):
        groups = await _groups(cloud, server.id)
    if spec.auto_recovery is None:
        recovery = None
    elif recovery is None:
        recovery = await cloud.auto_recovery(server.id)
    return status.model_copy(update={"security_groups": groups, "auto_recovery": recovery})


async def amend(visit: ServerVisit, cloud: Actuator, edits: tuple[Edit, ...]) -> Outcome:
    """Make all edits, each of which may be repeated. One that is refused does not hold up the others. Raises StoreError."""
    server_id = _server_id(visit.status)
    applied = visit.status.applied
    for edit in edits:
        applied = claimed(applied, edit)
    ahead = visit.status.model_copy(update={"applied": applied, **_forgotten(edits)})
    notice = Notice(Reason.UPDATING, f"changing {', '.join(dict.fromkeys(_subject(edit) for edit in edits))}")
    await visit.write(ahead, notice, action=ACTION)
    failed: CloudError | None = None
    for edit in edits:
        try:
            await cloud.edit(server_id, edit)
        except CloudError as error:
            logger.info("%s: %s", visit.obj.key, error)
            failed = failed or error
    visit.saw_server()
    if failed is not None:
        return await call_failed(visit, failed, action=ACTION)
    return Again(0.0, Lane.POLL)


async def begin(visit: ServerVisit, cloud: Actuator, change: ChangeRecord) -> Outcome:
    """Write a change ahead, once it is certain that the cloud can do it: nothing is stopped in vain. Raises CloudError and StoreError."""
    hindrance = await _hindrance(visit, cloud, change)
    if hindrance is not None:
        await visit.tell(hindrance, action=ACTION)
        return Again(60.0, Lane.RESYNC)
    wanted = visit.status.model_copy(update={"change": change})
    await visit.write(wanted, changing(wanted, change), action=ACTION)
    return Again(0.0, Lane.URGENT)


async def write_change(visit: ServerVisit, change: ChangeRecord) -> Outcome:
    """Write how far a change is. Raises StoreError."""
    wanted = visit.status.model_copy(update={"change": change})
    await visit.write(wanted, changing(wanted, change), action=ACTION)
    return Again(0.0, Lane.POLL)


async def send(visit: ServerVisit, cloud: Actuator, change: ChangeRecord) -> Outcome:
    """Write the attempt, then call: what was not written is never sent. Raises StoreError."""
    server_id = _server_id(visit.status)
    wanted = visit.status.model_copy(update={"change": change})
    notice = changing(wanted, change)
    await visit.write(wanted, notice, action=ACTION)
    try:
        accepted = await cloud.resize(server_id, change.target)
    except CloudError as error:
        return await _not_accepted(visit, change, error)
    visit.saw_server()
    await visit.note(lambda status: _with(status, change, job_id=accepted.job_id), notice, action=ACTION)
    return Again(1.0, Lane.POLL)


async def _not_accepted(visit: ServerVisit, change: ChangeRecord, error: CloudError) -> Outcome:
    """A definite no of a kind that does not pass ends the change; of any other the server tells what came of it."""
    judged = verdict(error)
    logger.info("%s: %s", visit.obj.key, error)
    if error.outcome is CallOutcome.UNKNOWN:
        return Again(1.0, Lane.POLL)
    step = "Failed" if error.outcome is CallOutcome.REFUSED and error.meaning not in change_protocol.PASSING else "Send"
    cause = judged.message[:1000]
    notice = Notice(judged.reason, judged.message, stalled=False)
    await visit.note(lambda status: _with(status, change, step=step, cause=cause), notice, action=ACTION)
    return Again(max(judged.retry_floor, 2.0) if step == "Send" else 0.0, Lane.POLL)


async def _hindrance(visit: ServerVisit, cloud: Actuator, change: ChangeRecord) -> Notice | None:
    """Why the cloud cannot do it now, found out before anything is stopped."""
    zone = visit.status.availability_zone
    flavor = await cloud.flavor(change.target)
    if flavor is None:
        return Notice(Reason.INVALID_CONFIGURATION, f"spec.flavor: there is no flavor {change.target}; the server is left as it is")
    if zone and not flavor.is_on_sale(zone):
        text = f"spec.flavor: {change.target} is {flavor.sale_status(zone)} in {zone}; the server is left as it is until it can be had"
        return Notice(Reason.CAPACITY_EXHAUSTED, text)
    return None


async def _groups(cloud: Actuator, server_id: str) -> tuple[SecurityGroup, ...]:
    found = await cloud.security_groups(server_id)
    return tuple(SecurityGroup(id=group_id, name=name) for group_id, name in sorted(found.items()))


def _forgotten(edits: tuple[Edit, ...]) -> dict[str, object]:
    """What no row shows and is about to change: it is read anew afterwards, whatever becomes of this pass."""
    forgotten: dict[str, object] = {}
    if any(isinstance(edit, AddSecurityGroup | RemoveSecurityGroup) for edit in edits):
        forgotten["security_groups"] = ()
    if any(isinstance(edit, SetAutoRecovery) for edit in edits):
        forgotten["auto_recovery"] = None
    return forgotten


def _with(status: ServerStatus, change: ChangeRecord, **news: object) -> ServerStatus:
    """The status with news of this run of the change, as long as it is the one in the record."""
    present = status.change
    if present is None or present.id != change.id:
        return status
    return status.model_copy(update={"change": present.model_copy(update=news)})


def _subject(edit: Edit) -> str:
    """What an edit is about, in the words of the spec."""
    names = {
        "Describe": "name and description",
        "SetMetadata": "metadata",
        "RemoveMetadata": "metadata",
        "SetTags": "tags",
        "RemoveTags": "tags",
        "AddSecurityGroup": "security groups",
        "RemoveSecurityGroup": "security groups",
        "SetAutoRecovery": "automatic recovery",
        "SetLock": "the lock",
    }
    return names[type(edit).__name__]


def _server_id(status: ServerStatus) -> str:
    if status.id is None:
        raise ValueError("the record names no server")
    return status.id
