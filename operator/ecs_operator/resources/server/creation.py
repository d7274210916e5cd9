"""Creates the server: carries out the steps of the create protocol, S1 to S9."""

from __future__ import annotations

import logging
from typing import assert_never

from ecs_operator.api.group import FINALIZER
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import CloudError, CreateServers, Meaning, Outcome
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane
from ecs_operator.engine.outcome import Outcome as PassOutcome
from ecs_operator.engine.ports import GoneError
from ecs_operator.resources.calls import SHORTEST_LEASE
from ecs_operator.resources.server import create_protocol as protocol
from ecs_operator.resources.server import record, turns
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.evidence import Look
from ecs_operator.resources.server.following import ACTION, adopt, clean_up_failed, follow
from ecs_operator.resources.server.installation import at_creation
from ecs_operator.resources.server.offer import hindrance
from ecs_operator.resources.server.render import Resolved, render, render_again, stored
from ecs_operator.resources.server.resolve import Missing, Unusable, resolve, secrets_now
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import creating
from ecs_operator.resources.verdicts import verdict
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

RECHECK = 60.0
"""Seconds between looks at Secrets and images, which nobody tells about."""
MISSING_PAUSE = 30.0
OBSTACLE_PAUSE = 15.0
"""Seconds between looks at what the cloud cannot give now: quota, a flavor that is sold out, an image that is being made."""


async def advance(visit: ServerVisit, cloud: Actuator) -> PassOutcome | None:
    """The next step of a creation that is not finished. None when the server is there, and the pass goes on.

    Raises CloudError and StoreError.
    """
    if await visit.recall(creating(visit.status), action=ACTION):
        return Again(0.0)
    look: Look | None = None
    step = protocol.next_step(_facts(visit, cloud, look))
    while isinstance(step, protocol.LookFor):
        look = await cloud.look_believed(not_before=step.not_before, now=visit.now)
        step = protocol.next_step(_facts(visit, cloud, look))
    match step:
        case protocol.Intend() | protocol.Renew():
            return await _intend(visit, cloud)
        case protocol.Repeat(settled=settled):
            return await _repeat(visit, cloud, settled=settled)
        case protocol.Adopt():
            return await adopt(visit, step)
        case protocol.Follow():
            return await follow(visit, cloud, look)
        case protocol.CleanUp():
            return await clean_up_failed(visit, cloud)
        case protocol.Settle() | protocol.TooOld() | protocol.Conflict() | protocol.Pause() | protocol.Stalled():
            return await _wait(visit, step)
        case _ as unreachable:
            assert_never(unreachable)


def _facts(visit: ServerVisit, cloud: Actuator, look: Look | None) -> protocol.Facts:
    return protocol.Facts(
        status=visit.status,
        now=visit.now,
        policy=cloud.tenant.create_policy,
        look=look,
        is_stalled=visit.is_stalled,
        is_urged=visit.is_urged,
    )


async def _wait(
    visit: ServerVisit, step: protocol.Settle | protocol.TooOld | protocol.Conflict | protocol.Pause | protocol.Stalled
) -> PassOutcome:
    """Nothing can be done now; say why, once."""
    match step:
        case protocol.Stalled():
            return Done()
        case protocol.Pause(seconds=seconds):
            return Again(_spread(visit, seconds), Lane.CREATE)
        case protocol.Conflict(found=found):
            ids = ", ".join(each.server.id for each in found)
            text = (
                f"servers with this object's mark exist that its record does not know: {ids}. "
                "Nothing is created or deleted; remove them, or their mark"
            )
            await visit.write(visit.status, Notice(Reason.OWNERSHIP_CONFLICT, text), action=ACTION)
            return Again(RECHECK, Lane.RESYNC)
        case protocol.TooOld():
            text = (
                "the create request is too old to be repeated and its outcome was never seen; no list shows a server. "
                "Request a reconcile to send a new one, or delete the object" + _last(visit)
            )
            await visit.tell(Notice(Reason.OUTCOME_UNKNOWN, text), action=ACTION)
            return Again(RECHECK * 5, Lane.RESYNC)
        case protocol.Settle(seconds=seconds, until=until):
            when = f"until {until:%H:%M:%S} UTC" if until else "until a complete list can be had"
            text = f"a create request may or may not have been carried out; looking for the server {when}, nothing is sent meanwhile"
            await visit.tell(Notice(Reason.OUTCOME_UNKNOWN, text + _last(visit)), action=ACTION)
            return Again(seconds, Lane.POLL)
        case _ as unreachable:
            assert_never(unreachable)


def _last(visit: ServerVisit) -> str:
    create = visit.status.create
    return f". Last answer: {create.last_error}" if create and create.last_error else ""


async def _intend(visit: ServerVisit, cloud: Actuator) -> PassOutcome:
    """S1: resolve and render; then the intent and its first attempt in one compare-and-set, whose success proves the read was fresh."""
    tenant = cloud.tenant
    found = await resolve(visit.spec, key=visit.obj.key, project=tenant.name, kube=visit.desk.store, images=tenant.client.images)
    if isinstance(found, Missing):
        await visit.write(visit.status, Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for {'; '.join(found.what)}"), action=ACTION)
        return Blocked(found.waits_for, at_most=MISSING_PAUSE)
    if isinstance(found, Unusable):
        return await _unusable(visit, "; ".join(found.problems))
    try:
        request = render(visit.spec, found, marker=tenant.identity.marker(visit.owner))
    except CloudError as error:
        return await _unusable(visit, error.message)
    obstacle = await _obstacle(visit, cloud, found)
    if obstacle is not None:
        await visit.write(visit.status, obstacle, action=ACTION)
        return Again(_spread(visit, OBSTACLE_PAUSE), Lane.CREATE)
    if visit.desk.authority.time_left() < SHORTEST_LEASE:
        return Again(1.0, Lane.CREATE)
    waiting = await turns.wait(visit, cloud)
    if waiting is not None:
        return waiting
    intent = _intent(visit, cloud, found, request)
    wanted = record.intended(visit.status, intent, now=visit.now)
    await visit.write(wanted, creating(wanted), action=ACTION)
    return await _send(visit, cloud, request, others_settled=True)


async def _obstacle(visit: ServerVisit, cloud: Actuator, found: Resolved) -> Notice | None:
    """What the cloud says for certain before it is asked to make anything. Who may not ask finds out by the creation. Raises CloudError."""
    try:
        return await hindrance(visit.spec, image_id=found.image_id, offer=cloud if visit.is_urged else cloud.tenant.catalog)
    except CloudError as error:
        if error.outcome is Outcome.REFUSED and error.meaning in {Meaning.FORBIDDEN, Meaning.NOT_FOUND}:
            logger.info("%s: what the project offers cannot be looked up: %s", visit.obj.key, error)
            return None
        raise


def _intent(visit: ServerVisit, cloud: Actuator, found: Resolved, request: CreateServers) -> record.Intent:
    identity = cloud.tenant.identity
    digest = request.digest(identity.key)
    create = visit.status.create
    return record.Intent(
        project=cloud.tenant.name,
        incarnation=visit.owner.incarnation,
        token=record.client_token(identity, visit.owner, digest=digest, attempt=(create.attempts if create else 0) + 1),
        digest=digest,
        request=stored(request),
        secret_versions=found.secret_versions,
        image_id=found.image_id,
        applied=at_creation(visit.spec, image_id=found.image_id, group_id=found.group_id),
    )


async def _unusable(visit: ServerVisit, problem: str) -> PassOutcome:
    await visit.write(visit.status, Notice(Reason.INVALID_CONFIGURATION, problem), action=ACTION)
    return Again(RECHECK, Lane.RESYNC)


async def _repeat(visit: ServerVisit, cloud: Actuator, *, settled: bool) -> PassOutcome:
    """S3: count another attempt of the same body, if it can still be rendered; else, when nothing was made, start with another."""
    create = visit.status.create
    if create is None or create.request is None:
        raise ValueError("there is no request to repeat")
    secrets, versions = await secrets_now(visit.spec, namespace=visit.obj.key.namespace, kube=visit.desk.store)
    request = None
    if versions == create.secret_versions:
        request = render_again(create.request, secrets, marker=cloud.tenant.identity.marker(visit.owner))
    if request is None or request.digest(cloud.tenant.identity.key) != create.digest:
        return await (_intend(visit, cloud) if settled else _wait_to_settle(visit, cloud))
    if visit.desk.authority.time_left() < SHORTEST_LEASE:
        return Again(1.0, Lane.CREATE)
    others_settled = protocol.earlier_is_settled(create, policy=cloud.tenant.create_policy, now=visit.now)
    wanted = record.repeated(visit.status, now=visit.now)
    await visit.write(wanted, creating(wanted), action=ACTION)
    return await _send(visit, cloud, request, others_settled=others_settled)


async def _wait_to_settle(visit: ServerVisit, cloud: Actuator) -> PassOutcome:
    """The Secret changed, so the same body cannot be sent: the outcome must be found out by lists alone."""
    create = visit.status.create
    until = protocol.settled_at(create, cloud.tenant.create_policy) if create else visit.now
    seconds = min(protocol.LOOK_AGAIN, max(0.5, (until - visit.now).total_seconds()))
    return await _wait(visit, protocol.Settle(seconds, until=until))


async def _send(visit: ServerVisit, cloud: Actuator, request: CreateServers, *, others_settled: bool) -> PassOutcome:
    """S4 and S5: the one place that sends a create. The attempt is durable; ``visit.obj`` is what that write returned.

    ``others_settled``: no earlier request of this record can still arrive, so that a refusal of this one settles everything.
    """
    create = visit.status.create
    if create is None:
        raise ValueError("there is no create record")
    if FINALIZER not in visit.obj.finalizers or visit.obj.is_deleting:
        return await _not_sent(visit, "not sent: the finalizer was removed or the object deleted", others_settled=others_settled)
    try:
        accepted = await cloud.create(request, token=create.token)
    except CloudError as error:
        return await _not_accepted(visit, error, others_settled=others_settled)
    logger.info("the cloud accepted the creation of a server for %s: job %s", visit.obj.key, accepted.job_id)

    def change(status: ServerStatus) -> ServerStatus:
        return record.accepted(status, job_id=accepted.job_id, server_ids=accepted.server_ids)

    try:
        await visit.note(change, creating(change(visit.status)), action=ACTION)
    except GoneError:
        logger.warning("the object %s (uid %s) vanished while its server was created: job %s", visit.obj.key, visit.uid, accepted.job_id)
        raise
    return Again(1.0, Lane.POLL)


async def _not_sent(visit: ServerVisit, cause: str, *, others_settled: bool) -> PassOutcome:
    """The request never left, and the record may say so, unless an earlier one is still open."""
    if others_settled:
        await visit.note(lambda status: record.refused(status, cause=cause), creating(visit.status), action=ACTION)
    return Again(1.0, Lane.CREATE)


async def _not_accepted(visit: ServerVisit, error: CloudError, *, others_settled: bool) -> PassOutcome:
    """A definite no settles the attempt; everything else leaves the outcome open."""
    judged = verdict(error)
    if error.outcome is Outcome.UNKNOWN or not others_settled:
        text = f"a create request may or may not have been carried out: {judged.message}"
        notice = Notice(Reason.OUTCOME_UNKNOWN, text)
        await visit.note(lambda status: record.left_unknown(status, cause=str(error)), notice, action=ACTION)
        return Again(1.0, Lane.POLL)
    await visit.note(lambda status: record.refused(status, cause=str(error)), Notice(judged.reason, judged.message), action=ACTION)
    if judged.gives_up:
        return Done()
    create = visit.status.create
    due = protocol.next_attempt_at(create) if create else None
    pause = (due - visit.now).total_seconds() if due else 0.0
    return Again(_spread(visit, max(pause, judged.retry_floor, 1.0)), Lane.CREATE)


def _spread(visit: ServerVisit, seconds: float) -> float:
    """A little more than so long: those who were refused together do not come back together."""
    return seconds * visit.desk.rng.uniform(1.0, 1.2)
