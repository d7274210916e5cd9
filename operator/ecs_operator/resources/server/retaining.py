"""Lets an object go and leaves its server: spec.deletionPolicy: Retain. The mark is taken off, so that another object can adopt it."""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import Server
from ecs_operator.engine.outcome import Again, Lane, Outcome
from ecs_operator.resources.server import amending, change_protocol, create_protocol, delete_protocol, power, running
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.cleanup import ACTION
from ecs_operator.resources.server.deeds import WRITABLE_STATES, SetLock
from ecs_operator.resources.server.evidence import Look, is_gone
from ecs_operator.resources.server.record import adopted
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.visit import Notice

BUSY_PAUSE, SLOW_PAUSE = 3.0, 60.0
"""Seconds between looks: at a server on which something runs, at one that somebody else must bring into another state."""


async def retain(visit: ServerVisit, cloud: Actuator) -> Outcome | str:
    """The next step, or what is said in the end, when the object may go. Raises CloudError and StoreError."""
    status = visit.status
    server = await cloud.server(status.id) if status.id else None
    if server is None or is_gone(server):
        return await _absent(visit, cloud)
    if not cloud.owns(server):
        return await _unmarked(visit, server)
    restoring = await _restore(visit, cloud, server)
    if restoring is not None:
        return restoring
    if server.locked and not visit.spec.locked:
        text = f"server {server.id} is kept, but somebody else locked it, and its mark cannot be taken off: unlock it"
        await visit.tell(Notice(Reason.WAITING_FOR_DEPENDENCY, text), action=ACTION)
        return Again(SLOW_PAUSE, Lane.RESYNC)
    if server.vm_state in WRITABLE_STATES:
        await _unmark(cloud, server)
        # What counts is that the server does not show it any more.
        return Again(0.0, Lane.POLL)
    if server.task_state or server.status == "BUILD":
        text = f"server {server.id} is kept; its mark can be taken off when {server.task_state or 'building'} is over"
        await visit.tell(Notice(Reason.DELETING, text), action=ACTION)
        return Again(BUSY_PAUSE, Lane.POLL)
    text = (
        f"server {server.id} is kept, but it is {server.status}, and its mark can only be taken off while it is active, stopped, paused or "
        "suspended: bring it there, or set spec.managementPolicy: Observe to let the object go and the mark stay"
    )
    await visit.tell(Notice(Reason.WAITING_FOR_DEPENDENCY, text), action=ACTION)
    return Again(SLOW_PAUSE, Lane.RESYNC)


async def _unmark(cloud: Actuator, server: Server) -> None:
    """A lock of ours is opened for it and closed again: the server stays as the spec says. Raises CloudError."""
    if server.locked:
        await cloud.edit(server.id, SetLock(on=False))
    await cloud.remove_marker(server.id)
    if server.locked:
        await cloud.edit(server.id, SetLock(on=True))


async def _unmarked(visit: ServerVisit, server: Server) -> Outcome | str:
    """The mark is off; one that was sent without an answer may still arrive."""
    adoption = visit.status.adoption
    if adoption is not None and adoption.open_until is not None and visit.now < adoption.open_until:
        text = f"server {server.id} is kept; a mark may still reach it, and is taken off then, until {adoption.open_until:%H:%M:%S} UTC"
        await visit.tell(Notice(Reason.DELETING, text), action=ACTION)
        return Again(min(10.0, max(0.5, (adoption.open_until - visit.now).total_seconds())), Lane.POLL)
    return f"server {server.id} stays without this object's mark, as spec.deletionPolicy says{_with_it(visit.status)}"


def _with_it(status: ServerStatus) -> str:
    """What stays with the server, by id."""
    parts = [f"disk {each.id}" for each in status.volumes]
    if status.public_ip is not None:
        parts.append(f"public address {status.public_ip}")
    return f"; with it {', '.join(parts)}" if parts else ""


async def _restore(visit: ServerVisit, cloud: Actuator, server: Server) -> Outcome | None:
    """A change under way is given up where it was not sent, seen to its end where it was, and the power is brought back."""
    change = visit.status.change
    if change is None or server.status == "ERROR":
        return None
    step = change_protocol.current(change)
    if step is not None and step.state == "Waiting":
        return await amending.write_change(visit, change_protocol.with_step(change, state="GivenUp", cause="the object is being deleted"))
    is_back = change.restore.power_state != "Running" or visit.spec.power_state == "Stopped" or power.is_running(server)
    return None if step is None and is_back else await running.advance(visit, cloud)


async def _absent(visit: ServerVisit, cloud: Actuator) -> Outcome | str:
    """The finalizer stays as long as a late request could still make a server."""
    since = delete_protocol.absent_after(visit.status, cloud.tenant.create_policy) or visit.now
    if visit.now < since:
        text = f"a create request may still arrive; the object stays until {since:%H:%M:%S} UTC"
        await visit.tell(Notice(Reason.OUTCOME_UNKNOWN, text), action=ACTION)
        return Again(min(create_protocol.LOOK_AGAIN, max(0.5, (since - visit.now).total_seconds())), Lane.POLL)
    look: Look = await cloud.look(not_before=since, now=visit.now)
    if look.found and look.found[0].server.id != visit.status.id:
        server_id = look.found[0].server.id
        await visit.note(lambda status: adopted(status, server_id=server_id), Notice(Reason.DELETING, "found its server"), action=ACTION)
        return Again(0.0, Lane.POLL)
    if not look.proves_absence(after=since):
        return Again(create_protocol.INCOMPLETE_PAUSE, Lane.POLL)
    return "there was no server"
