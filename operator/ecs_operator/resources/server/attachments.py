"""A server that is deleted, and the volumes that EcsVolumeAttachments put on it: they survive it.

The cloud detaches data disks when it deletes a server, unless it is told to delete them; then those that an attachment claims are detached
first. The system disk always goes with the server, so one that is claimed is waited for. Attachments write before they call and look at
the EcsServer then; the deletion is in the EcsServer before this looks at them. So of two who begin at once at least one sees the other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import Volume
from ecs_operator.cloud import Server
from ecs_operator.engine.outcome import Again, Blocked, Lane, Outcome
from ecs_operator.resources.naming import named
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.visit import Notice
from ecs_operator.resources.volume_claims import AT_REST, FRESH, Claim

ACTION = "Delete"
HELD_PAUSE = 30.0
"""Seconds after which a system disk that is held is looked at again, should nobody tell."""
WORK_PAUSE = 3.0


async def spare(visit: ServerVisit, cloud: Actuator, server: Server) -> Outcome | None:
    """Before the server is deleted: mark the volumes that are not its own in ``visit.status`` and in ``visit.claimed``.

    None when it may go ahead. Raises CloudError and StoreError.
    """
    takes_disks = any(each.delete_with_server for each in visit.spec.data_volumes)
    key = visit.obj.key
    # Only where the cloud is told to delete disks does a list of two seconds ago not do.
    claims = await visit.desk.volume_claims.read(visit.desk.store, visit.desk.clock, key.namespace, at_most=0.0 if takes_disks else FRESH)
    concerned = [each for each in claims if each.concerns(name=key.name, server_id=server.id)]
    if not concerned:
        return None
    if takes_disks and (busy := await _at_work(visit, cloud, server, concerned)):
        names = named([each.name for each in busy])
        await visit.tell(
            Notice(Reason.DELETING, f"server {server.id} is deleted as soon as {names} is done with its volume"), action=ACTION
        )
        return Again(WORK_PAUSE, Lane.POLL)
    claimed = {each.volume_id for each in concerned} & {each.id for each in server.volumes}
    if not claimed:
        return None
    system = {each.volume_id for each in await cloud.devices(server.id) if each.boot_index == 0} & claimed
    if system and server.status != "SHUTOFF":
        return await _held(visit, server, [each for each in concerned if each.volume_id in system])
    visit.claimed = frozenset(claimed)
    visit.status = visit.status.model_copy(update={"volumes": spared(visit.status.volumes, claimed)})
    return None


def spared(recorded: Sequence[Volume], claimed: Collection[str]) -> tuple[Volume, ...]:
    """The disks with their fate: what is claimed does not go with the server, however it came to it."""
    return tuple(each.model_copy(update={"delete_with_server": False}) if each.id in claimed else each for each in recorded)


async def _at_work(visit: ServerVisit, cloud: Actuator, server: Server, claims: Sequence[Claim]) -> list[Claim]:
    """Attachments whose volume may come to the server, or leave it, at this moment: the server may not show yet what is to be spared."""
    found = []
    for claim in claims:
        work = claim.work
        if work is None or claim.recorded_on != server.id:
            continue
        job = await cloud.job(work.job_id) if work.job_id else None
        may_arrive = work.kind == "Attach" and work.deadline is not None and visit.now < work.deadline
        is_running = job is not None and not job.is_over and work.step not in AT_REST
        if is_running or may_arrive:
            found.append(claim)
    return found


async def _held(visit: ServerVisit, server: Server, claims: Sequence[Claim]) -> Outcome:
    """The system disk is somebody's: nothing is stopped for it, and nothing is lost."""
    names, volume_id = named([each.name for each in claims]), claims[0].volume_id
    text = (
        f"server {server.id} is not deleted while {names} claims its system disk {volume_id}, which the cloud would delete with it. "
        "Stop the server in the cloud, and the disk is detached first; or give the disk up: delete that object with deletionPolicy: Retain"
    )
    await visit.tell(Notice(Reason.IN_USE, text), action=ACTION)
    return Blocked(tuple(each.key for each in claims), at_most=HELD_PAUSE)
