"""Takes a deleted object out of the world: its server to the end its policy wants, then the finalizer. Nothing before the proof."""

from __future__ import annotations

import logging
from datetime import timedelta

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import CloudError, Meaning
from ecs_operator.cloud import Outcome as CallOutcome
from ecs_operator.engine.outcome import Again, Done, Lane, Outcome
from ecs_operator.resources.server import delete_protocol
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.adopting import take_back
from ecs_operator.resources.server.adoption import was_never_ours
from ecs_operator.resources.server.cleanup import ACTION, clean_up
from ecs_operator.resources.server.origin import has_address, releases_address
from ecs_operator.resources.server.record import Phase, adopted, job_seen, phase
from ecs_operator.resources.server.retaining import retain
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

REMAINS_TIME = timedelta(seconds=120)
"""How long disks that go with the server may take to vanish after it, before they are named and left."""
CHECKING = "Checking"


async def release_untouched(visit: ServerVisit) -> bool:
    """Let an object go of which nothing was ever sent: no tenant and no secret is needed for that. Raises StoreError."""
    if was_never_ours(visit.status):
        await _release(visit, f"server {visit.status.adoption.id} was not adopted, and stays as it is" if visit.status.adoption else None)
        return True
    if not delete_protocol.nothing_was_sent(visit.status):
        return False
    await visit.desk.store.remove_finalizer(visit.obj)
    return True


def has_begun(status: ServerStatus) -> bool:
    """The cloud was, or may have been, asked to delete the server."""
    return status.operation is not None and status.operation.kind == delete_protocol.DELETE


def is_replaced(status: ServerStatus) -> bool:
    """The server is being deleted for another one to take its place: no policy keeps it any more."""
    return has_begun(status) and status.replacement is not None and status.replacement.phase == "Deleting"


async def advance(visit: ServerVisit, cloud: Actuator) -> Outcome:
    """The next step of a deletion. Raises CloudError and StoreError."""
    if visit.status.adoption is not None and visit.status.adoption.state == "Marking":
        waiting = await take_back(visit, cloud)
        return waiting or await _release(visit, f"server {visit.status.adoption.id} stays as it is: its adoption was not finished")
    waiting = await _find_out(visit, cloud)
    if waiting is not None:
        return waiting
    if visit.spec.deletion_policy == "Retain" and not is_replaced(visit.status) and phase(visit.status) is not Phase.FAILED:
        kept = await retain(visit, cloud)
        return await _release(visit, kept) if isinstance(kept, str) else kept
    what = f"server {visit.status.id}" if visit.status.id else "the server, if one was made,"
    is_remains = phase(visit.status) is Phase.FAILED
    waiting = await clean_up(visit, cloud, Notice(Reason.DELETING, f"{what} is being deleted"), is_remains=is_remains)
    if waiting is not None:
        return waiting
    left = await remains(visit, cloud, reason=Reason.DELETING)
    return left if isinstance(left, Outcome) else await _release(visit, left or what_stays(visit))


async def _find_out(visit: ServerVisit, cloud: Actuator) -> Outcome | None:
    """Learn the server's id, where a create is under way that has not told it. None when there is nothing more to learn now."""
    status = visit.status
    create = status.create
    if status.id is not None or create is None or phase(status) not in {Phase.UNKNOWN, Phase.ACCEPTED}:
        return None
    job = await cloud.job(create.job_id) if create.job_id else None
    if job is not None and create.job_id is not None:
        seen = job_seen(status, job, job_id=create.job_id)
        if seen.id is not None:
            await visit.note(lambda _: seen, Notice(Reason.DELETING, f"server {seen.id} is being deleted"), action=ACTION)
            return Again(0.0, Lane.POLL)
        if not job.is_over:
            text = f"waiting for job {create.job_id} to tell the server's id, to delete it"
            await visit.tell(Notice(Reason.DELETING, text), action=ACTION)
            return Again(2.0, Lane.POLL)
    look = await cloud.look(not_before=create.last_attempt_at or create.intended_at, now=visit.now)
    own = look.of_incarnation(create.incarnation)
    if own:
        server_id = own[0].server.id
        text = f"server {server_id} was found by its mark and is being deleted"
        await visit.note(lambda status: adopted(status, server_id=server_id), Notice(Reason.DELETING, text), action=ACTION)
        return Again(0.0, Lane.POLL)
    return None


async def remains(visit: ServerVisit, cloud: Actuator, *, reason: Reason) -> Outcome | str | None:
    """Disks that go with the server are proven gone: None then. What is still there after a while is named, and left."""
    doomed = [each.id for each in visit.status.volumes if each.delete_with_server]
    left = [volume_id for volume_id in doomed if await _exists(visit, cloud, volume_id)]
    if not left:
        return None
    operation = visit.status.operation
    text = f"server {visit.status.id} is gone; waiting for its disks to go: {', '.join(left)}"
    if operation is None or operation.step != CHECKING or operation.deadline is None:
        if operation is None:
            return None
        checking = operation.model_copy(update={"step": CHECKING, "job_id": None, "deadline": visit.now + REMAINS_TIME})
        await visit.write(visit.status.model_copy(update={"operation": checking}), Notice(reason, text), action=ACTION)
        return Again(2.0, Lane.POLL)
    if visit.now < operation.deadline:
        return Again(5.0, Lane.POLL)
    logger.warning("%s: disks left behind by the cloud: %s", visit.obj.key, ", ".join(left))
    return f"server {visit.status.id} is gone, but the cloud left disks behind that should have gone: {', '.join(left)}"


async def _exists(visit: ServerVisit, cloud: Actuator, volume_id: str) -> bool:
    """Whether a disk is still there. An endpoint that refuses the question must not keep the object for ever."""
    try:
        return await cloud.volume_exists(volume_id)
    except CloudError as error:
        if error.outcome is not CallOutcome.REFUSED or error.meaning in {Meaning.AUTH, Meaning.THROTTLED}:
            raise
        logger.warning("%s: it cannot be found out whether disk %s is gone: %s", visit.obj.key, volume_id, error)
        return False


def what_stays(visit: ServerVisit) -> str | None:
    """What is left on purpose, by id."""
    kept = [f"disk {each.id}" for each in visit.status.volumes if each.delete_with_server is False]
    address = visit.spec.public_ip.id if visit.spec.public_ip is not None and visit.spec.public_ip.id else visit.status.public_ip
    if address and has_address(visit.spec, visit.status) and not releases_address(visit.spec, visit.status):
        kept.append(f"public address {address}")
    return f"server {visit.status.id} is gone; kept: {', '.join(kept)}" if kept else None


async def _release(visit: ServerVisit, remark: str | None) -> Outcome:
    """Take the finalizer off: the last thing that is done."""
    if remark:
        logger.info("%s: %s", visit.obj.key, remark)
    await visit.release(remark or "", reason=Reason.DELETING, action=ACTION)
    visit.desk.notes.forget(visit.uid)
    return Done()
