"""Carries out the adoption of a server, and takes one back that was not finished."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import assert_never

from ecs_operator.api.group import APPROVE_ANNOTATION, FINALIZER, SERVER
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import Adoption, ServerStatus
from ecs_operator.cloud import CloudError, Server
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.outcome import Again, Blocked, Lane, Outcome, Retry
from ecs_operator.resources.calls import SHORTEST_LEASE
from ecs_operator.resources.claims import Claim, Ledger, Stage
from ecs_operator.resources.server import adoption as protocol
from ecs_operator.resources.server import volumes, wiring
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.deeds import WRITABLE_STATES
from ecs_operator.resources.server.details import details
from ecs_operator.resources.server.differences import differences
from ecs_operator.resources.server.evidence import is_gone
from ecs_operator.resources.server.interfaces import ports_by_mac
from ecs_operator.resources.server.likeness import misfits, taken_over
from ecs_operator.resources.server.status import fold, vanished
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wanted import wanted_now
from ecs_operator.resources.times import resync_pause
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Adopt"
FRESH = 10.0
"""Seconds: where no claim depends on it, a list of the other objects may be so old."""


async def advance(visit: ServerVisit, cloud: Actuator) -> Outcome | None:
    """The next step towards a server that carries the object's mark. None when it does, and the pass goes on.

    Raises CloudError and StoreError.
    """
    server_id = _server_id(visit)
    visit.status = base = protocol.blank(visit.status)
    record = base.adoption if base.adoption is not None and base.adoption.id == server_id else None
    ledger = await _ledger(visit, record)
    server = await cloud.server(server_id)
    facts = _facts(visit, cloud, record, server, ledger)
    step = protocol.next_step(facts)
    if isinstance(step, protocol.Compare) and server is not None:
        step = protocol.next_step(replace(facts, likeness=await _compare(visit, cloud, server)))
    match step:
        case protocol.Refuse():
            return await _refuse(visit, base, record, step, is_gone=is_gone(server))
        case protocol.Wait(notice=notice, seconds=seconds):
            visit.forget_changes()
            await visit.tell(notice, action=ACTION)
            return Again(seconds, Lane.POLL)
        case protocol.ShowPlan(plan=plan):
            compared = Adoption(id=server_id, state="Compared")
            wanted = _pending(visit, cloud, base, compared).model_copy(update={"plan": plan})
            await visit.write(wanted, Notice(Reason.WAITING_FOR_APPROVAL, protocol.adoption_text(plan, server_id)), action=ACTION)
            return Again(resync_pause(cloud.tenant.resync_seconds, uid=visit.uid), Lane.RESYNC)
        case protocol.MakeClaim(adoption=adoption):
            await visit.write(_pending(visit, cloud, base, adoption), protocol.marking(server_id), action=ACTION)
            return Again(0.0, Lane.CREATE)
        case protocol.SendMark():
            return await _mark(visit, cloud, base, record or Adoption(id=server_id, state="Claimed"))
        case protocol.Finish(adoption=adoption):
            await _finish(visit, cloud, server or Server(id=server_id), adoption)
            return None
        case protocol.Compare():
            raise AssertionError("the server was compared")
        case _ as unreachable:
            assert_never(unreachable)


async def take_back(visit: ServerVisit, cloud: Actuator) -> Outcome | None:
    """The object goes while the mark is on its way: it is waited for and taken off again. None when the server is without it for good.

    Raises CloudError and StoreError.
    """
    record = visit.status.adoption
    if record is None:
        raise ValueError("there is no adoption")
    if record.open_until is not None and visit.now < record.open_until:
        text = f"a mark may still reach server {record.id}; the object stays until {record.open_until:%H:%M:%S} UTC, to take it off"
        await visit.tell(Notice(Reason.DELETING, text), action=ACTION)
        return Again(min(10.0, max(0.5, (record.open_until - visit.now).total_seconds())), Lane.POLL)
    server = await cloud.server(record.id)
    if server is None or is_gone(server) or not cloud.owns(server):
        return None
    if server.vm_state not in WRITABLE_STATES:
        text = f"server {record.id} stays; its mark can be taken off when it is not {server.task_state or server.vm_state} any more"
        await visit.tell(Notice(Reason.DELETING, text), action=ACTION)
        return Again(protocol.BUSY_PAUSE, Lane.POLL)
    await cloud.remove_marker(server.id)
    return Again(0.0, Lane.POLL)


def _server_id(visit: ServerVisit) -> str:
    imported = visit.spec.import_
    server_id = imported.id if imported is not None else visit.status.id
    if server_id is None:
        raise ValueError("neither spec nor record names a server")
    return server_id


async def _ledger(visit: ServerVisit, record: Adoption | None) -> Ledger:
    """The claims of all objects; when ours is written already, from a list that was begun afterwards."""
    desk = visit.desk
    moment = desk.clock.monotonic() - (0.0 if record is not None and record.state == "Claimed" else FRESH)
    return await desk.claims.since(moment, resource=SERVER.plural, store=desk.store, clock=desk.clock)


def _facts(visit: ServerVisit, cloud: Actuator, record: Adoption | None, server: Server | None, ledger: Ledger) -> protocol.Facts:
    server_id = _server_id(visit)
    stage = Stage.CLAIMS if record is not None and record.state == "Claimed" else Stage.WANTS
    mine = Claim(visit.obj.key, visit.uid, visit.obj.created_at, server_id, stage)
    stranger = None
    if server is not None:
        stranger = protocol.stranger(server, cloud.tenant.identity, visit.uid, names=ledger.names)
    return protocol.Facts(
        now=visit.now,
        server_id=server_id,
        project=cloud.tenant.name,
        adoption=record,
        server=server,
        owned=server is not None and cloud.owns(server),
        stranger=stranger,
        rivals=ledger.rivals(mine),
        mine=mine,
        approved=visit.obj.annotations.get(APPROVE_ANNOTATION),
    )


async def _compare(visit: ServerVisit, cloud: Actuator, server: Server) -> protocol.Likeness:
    """What the spec says otherwise. The status is left as it would be with the server; nothing of it is written before it is ours."""
    spec, before = visit.spec, visit.status
    interfaces = await cloud.interfaces(server.id)
    devices = await cloud.devices(server.id)
    is_new = before.applied is None
    # Only disks the spec speaks of can be meant to go with the server: see ``misfits``.
    recorded = volumes.recorded_at_creation(devices, spec) if is_new else volumes.refreshed(before.volumes, devices)
    if is_new and not spec.data_volumes:
        recorded = volumes.refreshed((), devices)
    found = misfits(spec, server, interfaces=interfaces, volumes=recorded, with_data=is_new)
    status = before.model_copy(update={"volumes": recorded, "applied": before.applied or taken_over(spec, server)})
    visit.status = fold(status, server, spec=spec, ports=ports_by_mac(interfaces))
    resolved = await wanted_now(visit, cloud)
    visit.status = resolved.status
    visit.status = await details(visit, cloud, server, wanted=resolved.wanted)
    wired = await wiring.look(visit, cloud, server, wanted=resolved.wanted, seen=interfaces)
    visit.status = wired.status
    differs = differences(spec, server, status=visit.status, wanted=wired.wanted)
    return protocol.Likeness(
        misfits=found,
        unresolved=resolved.unresolved or wired.hindrance,
        waits_for=resolved.waits_for,
        plan=protocol.whole_plan(differs, spec, server),
    )


def _pending(visit: ServerVisit, cloud: Actuator, base: ServerStatus, record: Adoption) -> ServerStatus:
    """The server as it was seen, which is not this object's yet: without its id and anything that could be taken away."""
    return visit.status.model_copy(
        update={"project": cloud.tenant.name, "id": base.id, "applied": base.applied, "adoption": record, "plan": None}
    )


async def _refuse(visit: ServerVisit, base: ServerStatus, record: Adoption | None, step: protocol.Refuse, *, is_gone: bool) -> Outcome:
    """Say why, and forget what was seen of a server that is not this object's."""
    adoption = protocol.refused(record, known=base.id is not None, now=visit.now)
    status = vanished(base) if is_gone or base.id is None else base
    await visit.write(status.model_copy(update={"adoption": adoption, "plan": None}), step.notice, action=ACTION)
    return Blocked(step.waits_for, at_most=step.seconds) if step.waits_for else Again(step.seconds, Lane.RESYNC)


async def _mark(visit: ServerVisit, cloud: Actuator, base: ServerStatus, before: Adoption) -> Outcome | None:
    """The attempt is durable before the mark leaves, and the server is read again after it."""
    if visit.desk.authority.time_left() < SHORTEST_LEASE:
        return Again(1.0, Lane.CREATE)
    record = protocol.sent(before, now=visit.now, settle_after=cloud.tenant.create_policy.settle_after)
    await visit.write(_pending(visit, cloud, base, record), protocol.marking(before.id), action=ACTION)
    if FINALIZER not in visit.obj.finalizers or visit.obj.is_deleting:
        return Again(1.0, Lane.CREATE)
    try:
        await cloud.mark(before.id, cloud.tenant.identity.marker(visit.owner))
    except CloudError as error:
        return await _not_marked(visit, error, record, before=before)
    server = await cloud.server(before.id)
    if server is None or not cloud.owns(server):
        return Again(protocol.FIRST_PAUSE, Lane.POLL)
    await _finish(visit, cloud, server, record.model_copy(update={"open_until": before.open_until}))
    return None


async def _not_marked(visit: ServerVisit, error: CloudError, record: Adoption, *, before: Adoption) -> Outcome:
    """After a definite no nothing is under way; of anything else the server tells what came of it."""
    judged = verdict(error)
    logger.info("%s: %s", visit.obj.key, error)
    if error.outcome is CallOutcome.UNKNOWN:
        return Again(protocol.FIRST_PAUSE, Lane.POLL)
    settled = protocol.answered(record, before=before, now=visit.now)

    def make(status: ServerStatus) -> ServerStatus:
        return status.model_copy(update={"adoption": settled})

    await visit.record(make, Notice(judged.reason, judged.message), same=_attempt, action=ACTION)
    return Retry(judged.message, floor=judged.retry_floor)


async def _finish(visit: ServerVisit, cloud: Actuator, server: Server, record: Adoption) -> None:
    """It is this object's from here on. A restart that was asked for before it was is none of its."""
    is_open = record.open_until is not None and record.open_until > visit.now
    adopted = record.model_copy(update={"state": "Adopted", "open_until": record.open_until if is_open else None})
    status = visit.status
    wanted = fold(status, server, spec=visit.spec).model_copy(
        update={
            "project": cloud.tenant.name,
            "adoption": adopted,
            "applied": status.applied or taken_over(visit.spec, server),
            "plan": None,
            "last_handled_restart_at": visit.restart_asked or status.last_handled_restart_at,
        }
    )
    logger.info("%s has adopted server %s", visit.obj.key, server.id)
    await visit.write(wanted, Notice(Reason.UPDATING, f"server {server.id} carries this object's mark and is its own now"), action=ACTION)
    visit.saw_server(server)


def _attempt(status: ServerStatus) -> tuple[str, int]:
    """Which attempt the record speaks of."""
    return (status.adoption.id, status.adoption.attempts) if status.adoption is not None else ("", 0)
