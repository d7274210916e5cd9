"""Carries out what concerns the interfaces of a server that is there, and reads what its row lacks of them and of its public address."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import Applied, AppliedInterface, AppliedPublicIp, InterfaceChange, ServerStatus
from ecs_operator.cloud import CloudError, Interface, JobAccepted, Server
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.outcome import Again, Lane, Outcome
from ecs_operator.resources.jobs import job_record
from ecs_operator.resources.server import interface_protocol, interfaces, public_address
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.differences import Wanted
from ecs_operator.resources.server.interface_protocol import Facts, RecordInterface, SendInterface, WatchInterface
from ecs_operator.resources.server.origin import edited_address, made_address
from ecs_operator.resources.server.public_address import PublicAddress
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import left, rewiring
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Change"
_FORBIDDEN = 403
"""How 5.5.2 answers that an interface is the primary one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """The status with what is known of interfaces and public address, and what the plan needs beyond it."""

    status: ServerStatus
    wanted: Wanted
    interfaces: Facts | None = None
    """None: they were not read, because nothing is to be done, or what was read cannot be believed."""
    hindrance: Notice | None = None


async def look(visit: ServerVisit, cloud: Actuator, server: Server, *, wanted: Wanted, seen: Sequence[Interface] | None = None) -> Wired:
    """What is known. Only what the next step needs is read: nothing while all is as it should be. Raises CloudError.

    ``seen``: the server's interfaces, where this pass has read them already.
    """
    status, facts = await _interfaces(visit, cloud, server, _begun(visit), seen)
    status = _with_applied(status, public_ip=public_address.still_ours(visit.spec, status))
    wired = await _address(visit, cloud, Wired(status=status, wanted=wanted, interfaces=facts))
    text = interfaces.cannot_be_added(visit.spec, status)
    if wired.hindrance is None and text is not None:
        return replace(wired, hindrance=Notice(Reason.INVALID_CONFIGURATION, text))
    return wired


def _begun(visit: ServerVisit) -> ServerStatus:
    """What the server was made with. Of one that was made before this was recorded, the spec tells: it could not be changed then."""
    status, spec = visit.status, visit.spec
    applied = status.applied or Applied()
    if not applied.interfaces:
        made_with = public_address.requested_address(spec) if status.create is not None else None
        status = _with_applied(status, interfaces=interfaces.requested(spec), public_ip=applied.public_ip or made_with)
        applied = status.applied or applied
    status = _with_applied(status, interfaces=interfaces.without_unwanted(applied.interfaces, spec))
    if applied.public_ip is None and status.create is not None and made_address(spec, status):
        # A record that knows neither id nor address yet is nothing on the wire.
        applied = applied.model_copy(update={"public_ip": AppliedPublicIp()})
    if applied.public_ip is None:
        return status
    return _with_applied(status, public_ip=public_address.learned(status, applied.public_ip))


async def _interfaces(
    visit: ServerVisit, cloud: Actuator, server: Server, status: ServerStatus, known: Sequence[Interface] | None
) -> tuple[ServerStatus, Facts | None]:
    spec, record = visit.spec, status.interface_change
    is_idle = record is None and not interfaces.removed(spec, status) and not interfaces.added(spec, status)
    if is_idle and interfaces.are_all_shown(status):
        return status, None
    # The job first: what it did is in a list that is read after it.
    job = await cloud.job(record.job_id) if record is not None and record.job_id else None
    if job is not None and record is not None and record.job_id:
        status = status.model_copy(update={"job": job_record(job, job_id=record.job_id)})
    seen = tuple(known) if known is not None and record is None else await cloud.interfaces(server.id)
    ours = interfaces.located(_recorded(status), seen)
    if not ours or ours[0].port_id not in {each.port_id for each in seen}:
        return status, None
    ours = interfaces.without_gone(ours, seen, wanted={each.name for each in spec.network_interfaces})
    facts = Facts(
        record=record,
        seen=seen,
        ours=ours,
        job=job,
        server_id=server.id,
        now=visit.now,
        is_urged=visit.is_urged,
        settle_after=cloud.tenant.create_policy.settle_after,
    )
    return _with_applied(status, interfaces=ours), facts


async def _address(visit: ServerVisit, cloud: Actuator, wired: Wired) -> Wired:
    """Look for the public address that the spec names and the row does not show, and for the calls to move one."""
    spec, status = visit.spec, wired.status
    address_id = public_address.must_be_looked_up(spec, status)
    if address_id is None and public_address.must_go(spec, status, None) is None:
        return wired
    try:
        seen = await cloud.public_address(address_id) if address_id is not None else None
        is_possible = seen is not None or await cloud.has_public_addresses()
    except CloudError as error:
        judged = verdict(error)
        if not judged.terminal:
            raise
        return replace(wired, hindrance=Notice(judged.reason, judged.message))
    if not is_possible:
        unable = replace(wired.wanted, can_move_addresses=False)
        if edited_address(spec, status) is not None:
            return replace(wired, wanted=unable)
        text = "spec.publicIp: the address was taken off, and this endpoint has no calls that put one on a server"
        return replace(wired, wanted=unable, hindrance=left(Notice(Reason.WAITING_FOR_DEPENDENCY, text)))
    if address_id is None:
        return wired
    if seen is None:
        text = f"waiting for public address {address_id} (spec.publicIp.id): the cloud has none of this id"
        return replace(wired, hindrance=left(Notice(Reason.WAITING_FOR_DEPENDENCY, text)))
    is_here = seen.instance_id == status.id
    if not is_here and not public_address.is_free(seen):
        user = f"server {seen.instance_id}" if seen.instance_id else f"the private address {seen.fixed_ip}"
        text = f"waiting for public address {seen.ip} (spec.publicIp.id), which {user} uses"
        return replace(wired, hindrance=left(Notice(Reason.WAITING_FOR_DEPENDENCY, text)))
    found = PublicAddress(address_id, seen.ip, is_free=not is_here)
    if is_here and status.applied is not None and status.applied.public_ip is None:
        status = _with_applied(status, public_ip=AppliedPublicIp(id=address_id, address=seen.ip, found=True))
    return replace(wired, status=status, wanted=replace(wired.wanted, public_address=found))


async def carry_out(visit: ServerVisit, cloud: Actuator, step: SendInterface | WatchInterface | RecordInterface) -> Outcome:
    """One step for an interface. Raises StoreError."""
    match step:
        case SendInterface(record=record):
            return await _send(visit, cloud, record)
        case RecordInterface(record=record, arrived=arrived):
            status = visit.status.model_copy(update={"interface_change": record})
            if arrived is not None:
                status = _with_applied(status, interfaces=(*_recorded(status), arrived))
            what = record or visit.status.interface_change
            if what is None:
                raise ValueError("there is nothing to record")
            await visit.write(status, rewiring(what, status), action=ACTION)
            return Again(0.0, Lane.POLL)
        case WatchInterface(seconds=seconds):
            await visit.write_progress(visit.status, rewiring(visit.status.interface_change, visit.status), action=ACTION)
            return Again(seconds, Lane.POLL)
        case _ as unreachable:
            assert_never(unreachable)


async def _send(visit: ServerVisit, cloud: Actuator, record: InterfaceChange) -> Outcome:
    """Write the record, then call: what was not written is never sent."""
    server_id = visit.status.id
    if server_id is None:
        raise ValueError("the record names no server")
    ahead = visit.status.model_copy(update={"interface_change": record})
    said = rewiring(record, ahead)
    await visit.write(ahead, said, action=ACTION)
    try:
        accepted = await _call(visit, cloud, server_id, record)
    except CloudError as error:
        return await _not_accepted(visit, record, error)
    visit.saw_server()
    await visit.note(lambda status: _with(status, record, record.model_copy(update={"job_id": accepted.job_id})), said, action=ACTION)
    return Again(1.0, Lane.POLL)


async def _call(visit: ServerVisit, cloud: Actuator, server_id: str, record: InterfaceChange) -> JobAccepted:
    wanted = record.interface
    if record.kind == "Add":
        groups = visit.spec.security_group_ids or ()
        return await cloud.add_interface(server_id, subnet_id=wanted.subnet_id, ip_address=wanted.ip_address, groups=groups)
    return await cloud.remove_interface(server_id, wanted.port_id or "")


async def _not_accepted(visit: ServerVisit, record: InterfaceChange, error: CloudError) -> Outcome:
    """A definite no is waited for to pass, or stands until the spec changes; of any other answer the interfaces tell what came of it."""
    judged = verdict(error)
    logger.info("%s: %s", visit.obj.key, error)
    if error.outcome is CallOutcome.UNKNOWN:
        return Again(1.0, Lane.POLL)
    ends = judged.gives_up or (record.kind == "Remove" and error.status == _FORBIDDEN)
    reason = Reason.REJECTED if ends else judged.reason
    settled = interface_protocol.waiting(record, reason=reason, cause=judged.message)
    if ends:
        settled = interface_protocol.failed(settled, reason=reason, cause=judged.message)
    await visit.note(lambda status: _with(status, record, settled), rewiring(settled, visit.status), action=ACTION)
    return Again(0.0 if ends else max(judged.retry_floor, 2.0), Lane.POLL)


def _with(status: ServerStatus, sent: InterfaceChange, news: InterfaceChange) -> ServerStatus:
    """The status with news of this call, as long as it is the one in the record."""
    present = status.interface_change
    if present is None or (present.id, present.attempts) != (sent.id, sent.attempts):
        return status
    return status.model_copy(update={"interface_change": news})


def _recorded(status: ServerStatus) -> tuple[AppliedInterface, ...]:
    return status.applied.interfaces if status.applied is not None else ()


def _with_applied(status: ServerStatus, **news: object) -> ServerStatus:
    return status.model_copy(update={"applied": (status.applied or Applied()).model_copy(update=news)})
