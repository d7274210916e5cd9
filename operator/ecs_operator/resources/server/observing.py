"""Shows a server and never changes it: spec.managementPolicy: Observe. Only reads leave from here."""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import Adoption, ServerStatus
from ecs_operator.cloud import Server
from ecs_operator.engine.outcome import Again, Done, Lane, Outcome
from ecs_operator.resources.server import volumes
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.adoption import SLOW_PAUSE, blank
from ecs_operator.resources.server.interfaces import ports_by_mac
from ecs_operator.resources.server.observation import MISSING_PAUSE, Absence, observe
from ecs_operator.resources.server.status import fold, lacks_details, vanished
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.times import resync_pause
from ecs_operator.resources.visit import Notice

ACTION = "Observe"


async def advance(visit: ServerVisit, cloud: Actuator) -> Outcome:
    """One look. What was under way when the policy became Observe rests in the record. Raises CloudError and StoreError."""
    stored = blank(visit.status)
    server_id = stored.id or (visit.spec.import_.id if visit.spec.import_ is not None else None)
    if server_id is None:
        text = "spec.managementPolicy: Observe needs spec.import.id, the id of the server that is to be observed"
        await visit.write(stored, Notice(Reason.INVALID_CONFIGURATION, text), action=ACTION)
        return Done()
    is_new = stored.id is None
    visit.status = stored.model_copy(update={"id": server_id})
    seen = await observe(visit, cloud, fresh=is_new or visit.is_urged or visit.desk.notes.is_missing(visit.uid))
    if isinstance(seen, Absence):
        return await _absent(visit, cloud, stored, server_id, seen)
    server = seen.server
    visit.status = await _folded(visit, cloud, server)
    shown = f"{server.status}{f', task {server.task_state}' if server.task_state else ''}"
    rests = ". What was begun with it before rests until spec.managementPolicy is Managed" if stored.change is not None else ""
    notice = Notice(Reason.OBSERVED, f"server {server.id} is {shown}; it is only observed, nothing is changed{rests}")
    wanted = visit.status.model_copy(update={"project": cloud.tenant.name, "adoption": _record(stored.adoption, server_id), "plan": None})
    await visit.write(wanted, notice, action=ACTION)
    return Again(resync_pause(cloud.tenant.resync_seconds, uid=visit.uid), Lane.RESYNC)


async def release(visit: ServerVisit) -> Outcome:
    """Let the object go, and the server as it is. Neither project nor credentials are needed. Raises StoreError."""
    server_id = visit.status.id
    mark = ", with the mark of this object" if visit.status.applied is not None else ""
    remark = f"server {server_id} stays as it is{mark}, because spec.managementPolicy is Observe" if server_id is not None else ""
    await visit.release(remark, reason=Reason.DELETING, action="Delete")
    visit.desk.notes.forget(visit.uid)
    return Done()


async def _folded(visit: ServerVisit, cloud: Actuator, server: Server) -> ServerStatus:
    status, ports = visit.status, None
    if lacks_details(status, server):
        status = status.model_copy(update={"volumes": volumes.refreshed(status.volumes, await cloud.devices(server.id))})
        ports = ports_by_mac(await cloud.interfaces(server.id))
    return fold(status, server, spec=visit.spec, ports=ports)


def _record(before: Adoption | None, server_id: str) -> Adoption:
    """A mark that may still arrive is not forgotten."""
    if before is not None and before.id == server_id:
        return before.model_copy(update={"state": "Observed", "approved": None, "agreed": ()})
    return Adoption(id=server_id, state="Observed")


async def _absent(visit: ServerVisit, cloud: Actuator, stored: ServerStatus, server_id: str, absence: Absence) -> Outcome:
    """One that was never seen is named wrongly; of one that was, its absence is proven first."""
    if stored.id is None:
        text = f"there is no server {server_id} in EcsProject {cloud.tenant.name}: check spec.import.id and spec.projectRef"
        await visit.write(stored, Notice(Reason.INVALID_CONFIGURATION, text), action=ACTION)
        return Again(SLOW_PAUSE, Lane.RESYNC)
    if absence is Absence.SUSPECTED:
        return Again(MISSING_PAUSE, Lane.POLL)
    if absence is Absence.DOUBTED:
        return Again(0.0, Lane.POLL)  # the next pass says why nothing is done
    visit.desk.notes.believed(visit.uid)
    text = f"server {server_id} was deleted. Delete this object, or observe another one with a new object"
    await visit.write(vanished(stored), Notice(Reason.DELETED_EXTERNALLY, text), action=ACTION)
    return Again(resync_pause(cloud.tenant.resync_seconds, uid=visit.uid), Lane.RESYNC)
