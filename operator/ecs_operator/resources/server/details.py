"""Reads what no list shows of a server: what is not known yet, and what it is the turn of."""

from __future__ import annotations

import logging

from ecs_operator.api.server import ServerStatus
from ecs_operator.cloud import CloudError, Server
from ecs_operator.resources.server import amending
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.differences import Wanted
from ecs_operator.resources.server.rotation import Detail
from ecs_operator.resources.server.visit import ServerVisit

logger = logging.getLogger(__name__)

_UNKNOWN: dict[Detail, object] = {"security_groups": (), "auto_recovery": None, "server_group": None}


async def details(visit: ServerVisit, cloud: Actuator, server: Server, *, wanted: Wanted) -> ServerStatus:
    """The status with what a row lacks. Raises CloudError when something that is needed cannot be read."""
    known = visit.status = await amending.details(visit, cloud, server, wanted=wanted)
    if known.operation is not None or known.change is not None:
        return known
    turn = visit.desk.rotation.due(visit.uid, _spoken_of(visit, wanted), at=visit.desk.clock.monotonic())
    if turn is None:
        return known
    visit.status = known.model_copy(update={turn: _UNKNOWN[turn]})
    try:
        return await amending.details(visit, cloud, server, wanted=wanted)
    except CloudError as error:
        # Nothing rests on it: what was read before serves until its next turn.
        logger.info("%s: %s could not be read again: %s", visit.obj.key, turn, error)
        return known


def _spoken_of(visit: ServerVisit, wanted: Wanted) -> tuple[Detail, ...]:
    """The details that the spec says something about."""
    spec, applied = visit.spec, visit.status.applied
    spoken: dict[Detail, bool] = {
        "security_groups": spec.security_group_ids is not None,
        "auto_recovery": spec.auto_recovery is not None,
        "server_group": wanted.group is not None or (applied is not None and applied.server_group is not None),
    }
    return tuple(detail for detail, is_spoken_of in spoken.items() if is_spoken_of)
