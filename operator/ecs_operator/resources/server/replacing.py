"""Replaces a server: the former one is deleted as that of a deleted object, and proven gone; then the next incarnation begins.

What has happened to the former server is in ``status.operation`` as for any deletion. As long as nothing is there the cloud was asked
nothing, and the replacement can be taken back with the edit that wanted it. From the first call on it is seen to its end.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Literal

from ecs_operator.api.common import Restore
from ecs_operator.api.group import APPROVE_ANNOTATION
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ReplacementRecord
from ecs_operator.engine.outcome import Again, Blocked, Lane, Outcome
from ecs_operator.resources.server import record, removal
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.cleanup import clean_up
from ecs_operator.resources.server.consent import Consent, consent
from ecs_operator.resources.server.create_protocol import INCOMPLETE_PAUSE
from ecs_operator.resources.server.deeds import Cost, Replace
from ecs_operator.resources.server.differences import Difference
from ecs_operator.resources.server.evidence import is_gone
from ecs_operator.resources.server.successor import hindrance_to_successor
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.server.wording import replaced
from ecs_operator.resources.visit import Notice

logger = logging.getLogger(__name__)

ACTION = "Replace"
CHECKED_FOR = timedelta(seconds=30)
"""So long it holds that another server can be had; an operator that comes back later asks again before it deletes anything."""
HINDERED_PAUSE = 60.0
"""Seconds between looks at what holds up a replacement and nobody tells about."""


async def begin(visit: ServerVisit, cloud: Actuator, replacement: ReplacementRecord) -> Outcome:
    """Write the replacement ahead, once it is certain that another server can be had. Raises CloudError and StoreError."""
    hindrance = await hindrance_to_successor(visit, cloud)
    if hindrance is not None:
        return await _hindered(visit, hindrance)
    wanted = visit.status.model_copy(update={"replacement": replacement})
    await visit.write(wanted, _notice(replacement), action=ACTION)
    return Again(0.0, Lane.URGENT)


async def destroy(visit: ServerVisit, cloud: Actuator) -> Outcome:
    """One step towards the end of the former server, and with the proof of death on to the next. Raises CloudError and StoreError."""
    replacement = _recorded(visit)
    if not removal.has_begun(visit.status) and visit.now - replacement.started_at > CHECKED_FOR:
        hindrance = await hindrance_to_successor(visit, cloud)
        if hindrance is not None:
            visit.status = visit.status.model_copy(update={"replacement": None})
            return await _hindered(visit, hindrance)
    waiting = await clean_up(visit, cloud, _notice(replacement), is_remains=False)
    if waiting is not None:
        return waiting
    left = await removal.remains(visit, cloud, reason=Reason.REPLACING)
    if isinstance(left, Outcome):
        return left
    return await _go_on(visit, replacement, remark=left or removal.what_stays(visit))


def agreed_to_another(visit: ServerVisit) -> Consent:
    """Whether a server that somebody else deleted may be made anew; else the plan that waits for it."""
    gone = Difference("status.id", f"{visit.status.id}, deleted by somebody else", "another server", Replace(), Cost.REPLACE)
    return consent((gone,), allowed=Cost.named(visit.spec.disruption.allow), approved=visit.obj.annotations.get(APPROVE_ANNOTATION))


async def make_anew(visit: ServerVisit, cloud: Actuator) -> Outcome:
    """The server was proven gone, and another one may be made. A last look: nothing is there that carries our mark.

    Nothing is deleted here: a server that turns up again is found, and kept. Raises CloudError and StoreError.
    """
    status = visit.status
    server = await cloud.server(status.id) if status.id else None
    look = await cloud.look_now()
    if not is_gone(server) or not look.complete:
        return Again(INCOMPLETE_PAUSE, Lane.POLL)
    if look.found:
        ids = ", ".join(each.server.id for each in look.found)
        text = f"server {status.id} was deleted by somebody else, but others carry this object's mark and are left alone: {ids}"
        await visit.write(status, Notice(Reason.OWNERSHIP_CONFLICT, text), action=ACTION)
        return Again(HINDERED_PAUSE, Lane.RESYNC)
    earlier = status.replacement or status.change
    before: Literal["Running", "Stopped"] = "Stopped" if status.server_status == "SHUTOFF" else "Running"
    replacement = ReplacementRecord(
        id=f"replacement-{visit.now:%Y%m%dT%H%M%S}",
        phase="Creating",
        cause="DeletedExternally",
        server_id=status.id or "",
        paths=("status.id",),
        approved=None if visit.spec.disruption.allow == Cost.REPLACE.title else visit.obj.annotations.get(APPROVE_ANNOTATION),
        restore=earlier.restore if earlier is not None else Restore(power_state=before),
        started_at=visit.now,
    )
    return await _go_on(visit, replacement, remark=removal.what_stays(visit))


async def _go_on(visit: ServerVisit, replacement: ReplacementRecord, *, remark: str | None) -> Outcome:
    """The proof of death is at hand: the next incarnation is counted, in the write that says so."""
    creating = replacement.model_copy(update={"phase": "Creating"})
    if remark:
        logger.info("%s: %s", visit.obj.key, remark)
        visit.remark(remark, reason=Reason.REPLACING, action=ACTION)
    wanted = record.next_incarnation(visit.status, now=visit.now).model_copy(update={"replacement": creating})
    await visit.write(wanted, _notice(creating), action=ACTION)
    return Again(0.0, Lane.CREATE)


async def _hindered(visit: ServerVisit, hindrance: Notice) -> Outcome:
    await visit.tell(hindrance, action=ACTION)
    return Blocked(visit.waits_for, at_most=HINDERED_PAUSE) if visit.waits_for else Again(HINDERED_PAUSE, Lane.RESYNC)


def _notice(replacement: ReplacementRecord) -> Notice:
    """What is said while the former server goes."""
    what = "the former one is being deleted" if replacement.phase == "Deleting" else "the former one is gone"
    return Notice(Reason.REPLACING, f"{replaced(replacement)}: {what}")


def _recorded(visit: ServerVisit) -> ReplacementRecord:
    if visit.status.replacement is None:
        raise ValueError("there is no record of a replacement")
    return visit.status.replacement
