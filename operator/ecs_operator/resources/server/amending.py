"""Carries out what changes a server: edits that cost nothing, and the calls of a change that needs it stopped."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import assert_never

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import Applied, ChangeRecord, ChangeStep, Membership, Placement, SecurityGroup, ServerStatus
from ecs_operator.cloud import CloudError, JobAccepted, Server
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.outcome import Again, Lane, Outcome
from ecs_operator.resources.hindrances import call_failed
from ecs_operator.resources.server import change_protocol
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.deeds import AddSecurityGroup, Edit, JoinGroup, LeaveGroup, RemoveSecurityGroup, SetAutoRecovery
from ecs_operator.resources.server.differences import Wanted, claimed
from ecs_operator.resources.server.installation import group_pin
from ecs_operator.resources.server.preflight import hindrance_to, to_install
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import changing
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Change"


async def details(visit: ServerVisit, cloud: Actuator, server: Server, *, wanted: Wanted) -> ServerStatus:
    """The status with what a row lacks, read only if the spec speaks of it and the row shows that it changed. Raises CloudError."""
    status, spec = visit.status, visit.spec
    membership = await _membership(status, cloud, server, wanted=wanted)
    groups, recovery = status.security_groups, status.auto_recovery
    if spec.security_group_ids is None:
        groups = ()
    elif {group.name for group in groups} != set(server.security_groups):
        groups = await _groups(cloud, server.id)
    if spec.auto_recovery is None:
        recovery = None
    elif recovery is None:
        recovery = await cloud.auto_recovery(server.id)
    return status.model_copy(update={"security_groups": groups, "auto_recovery": recovery, "server_group": membership})


async def _membership(status: ServerStatus, cloud: Actuator, server: Server, *, wanted: Wanted) -> Membership | None:
    """No row shows it. It is read while the operator changes it, and else kept as it was last read."""
    ours = status.applied.server_group if status.applied is not None else None
    likely = wanted.group or ours
    if likely is None:
        return status.server_group if not wanted.knows_group else None
    step = change_protocol.current(status.change) if status.change is not None else None
    is_moving = step is not None and step.kind in {"JoinGroup", "LeaveGroup"}
    if status.server_group is not None and not is_moving:
        return status.server_group
    return Membership(id=await cloud.group_of(server.id, likely=likely.id))


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
    hindrance = await hindrance_to(visit, cloud, change)
    if hindrance is not None:
        await visit.tell(hindrance, action=ACTION)
        return Again(30.0 if hindrance.reason is Reason.WAITING_FOR_DEPENDENCY else 60.0, Lane.RESYNC)
    wanted = visit.status.model_copy(update={"change": change})
    await visit.write(wanted, changing(wanted, change), action=ACTION)
    return Again(0.0, Lane.URGENT)


async def write_change(visit: ServerVisit, change: ChangeRecord) -> Outcome:
    """Write how far a change is, and what the server has because of it. Raises StoreError."""
    wanted = visit.status.model_copy(update={"change": change, "applied": _achieved(visit.status.applied, change)})
    await visit.write(wanted, changing(wanted, change), action=ACTION)
    return Again(0.0, Lane.POLL)


async def send(visit: ServerVisit, cloud: Actuator, change: ChangeRecord) -> Outcome:
    """Write the attempt, then call: what was not written is never sent. Raises CloudError and StoreError."""
    server_id = _server_id(visit.status)
    step = change_protocol.current(change)
    if step is None:
        raise ValueError("the change has no step left")
    call = await _call(visit, cloud, step, server_id=server_id)
    if isinstance(call, Notice):
        return await _not_possible(visit, change, call)
    wanted = visit.status.model_copy(update={"change": change, **_ahead(visit, step)})
    notice = changing(wanted, change)
    await visit.write(wanted, notice, action=ACTION)
    try:
        accepted = await call()
    except CloudError as error:
        return await _not_accepted(visit, change, error)
    visit.saw_server()
    if accepted is None:
        return Again(0.0, Lane.POLL)
    await visit.note(lambda status: _with(status, change, job_id=accepted.job_id), notice, action=ACTION)
    return Again(1.0, Lane.POLL)


Call = Callable[[], Awaitable[JobAccepted | None]]


async def _call(visit: ServerVisit, cloud: Actuator, step: ChangeStep, *, server_id: str) -> Call | Notice:
    """The call of a step, ready to be made; or why it cannot be made now. Secrets are read before the attempt is counted."""
    match step.kind:
        case "Resize":
            return lambda: cloud.resize(server_id, step.target)
        case "Migrate":
            return lambda: cloud.migrate(server_id, step.target or None)
        case "JoinGroup":
            return lambda: cloud.join_group(server_id, step.target)
        case "LeaveGroup":
            return lambda: cloud.leave_group(server_id, step.target)
        case "Install":
            secrets = await to_install(visit, cloud, step)
            if isinstance(secrets, Notice):
                return secrets
            key_name = step.install.key_pair_name if step.install is not None else None
            # After another image failed only 5.2.2 may be repeated.
            is_same = visit.status.image_id == step.target and visit.status.server_status != "ERROR"
            return lambda: cloud.install(server_id, image_id=step.target, key_name=key_name, secrets=secrets, is_same=is_same)
        case _ as unreachable:
            assert_never(unreachable)


def _ahead(visit: ServerVisit, step: ChangeStep) -> dict[str, object]:
    """What else is written before a step: what it gives the server, and that what was read before does not hold any more."""
    if step.kind == "JoinGroup":
        pin = group_pin(visit.spec, step.target)
        return {"server_group": None, "applied": claimed(visit.status.applied, JoinGroup(step.target), group=pin)}
    return {"server_group": None} if step.kind == "LeaveGroup" else {}


def _achieved(applied: Applied | None, change: ChangeRecord) -> Applied | None:
    """What the server has because of the steps that are done."""
    for step in change.steps:
        if step.state == "Done" and step.kind == "Install":
            applied = (applied or Applied()).model_copy(update={"installed": step.install})
        if step.state == "Done" and step.kind == "Migrate":
            place = Placement(tenancy="dedicated" if step.target else "shared", dedicated_host_id=step.target or None)
            applied = (applied or Applied()).model_copy(update={"placement": place})
    return applied


async def _not_possible(visit: ServerVisit, change: ChangeRecord, hindrance: Notice) -> Outcome:
    """Something went away since the server was stopped: it is brought back, and what is missing waited for as before a stop."""
    state = "Failed" if visit.status.server_status == "ERROR" else "GivenUp"
    stored = visit.status.change or change
    return await write_change(visit, change_protocol.with_step(stored, state=state, cause=hindrance.message[:1000]))


async def _not_accepted(visit: ServerVisit, change: ChangeRecord, error: CloudError) -> Outcome:
    """A definite no of a kind that does not pass ends the change; of any other the server tells what came of it."""
    judged = verdict(error)
    logger.info("%s: %s", visit.obj.key, error)
    if error.outcome is CallOutcome.UNKNOWN:
        return Again(1.0, Lane.POLL)
    ends = error.outcome is CallOutcome.REFUSED and error.meaning not in change_protocol.PASSING
    state = "Failed" if ends else "Waiting"
    cause = judged.message[:1000]
    notice = Notice(judged.reason, judged.message, stalled=False)
    await visit.note(lambda status: _with(status, change, state=state, cause=cause), notice, action=ACTION)
    return Again(0.0 if ends else max(judged.retry_floor, 2.0), Lane.POLL)


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
    if any(isinstance(edit, LeaveGroup) for edit in edits):
        forgotten["server_group"] = None
    return forgotten


def _with(status: ServerStatus, change: ChangeRecord, **news: object) -> ServerStatus:
    """The status with news of this run of the change, as long as it is the one in the record."""
    present = status.change
    if present is None or present.id != change.id:
        return status
    return status.model_copy(update={"change": change_protocol.with_step(present, **news)})


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
        "LeaveGroup": "the server group",
        "BindAddress": "the public address",
        "UnbindAddress": "the public address",
    }
    return names[type(edit).__name__]


def _server_id(status: ServerStatus) -> str:
    if status.id is None:
        raise ValueError("the record names no server")
    return status.id
