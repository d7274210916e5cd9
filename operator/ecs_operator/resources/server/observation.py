"""Observes a server that is there: from the shared list when nothing is to be done, by its id before anything is changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Server, Snapshot
from ecs_operator.cloud.observation import WHOLE_EVERY
from ecs_operator.engine.conditions import find
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.evidence import is_gone
from ecs_operator.resources.server.visit import ServerVisit

MISSING_PAUSE = 10.0
"""Seconds between the two answers 404 that it takes to believe one."""
LIST_SHARE = 0.8
"""Part of the resync period that a shared list may be old."""
WHOLE_PERIODS = 2.0
"""Resync periods after which a whole list is due, where that is sooner than ``WHOLE_EVERY``."""


class Absence(Enum):
    """What is known of a server that was not found."""

    SUSPECTED = "Suspected"
    """One 404, or a list that is not complete."""
    DOUBTED = "Doubted"
    """Proven by itself; but most of the project's servers are absent as well, and that is not believed."""
    PROVEN = "Proven"
    """Two answers 404 with time between, and no complete list shows it."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A server as it was seen. ``fresh``: by its id, in this pass. ``others``: further servers with the object's marker."""

    server: Server
    fresh: bool
    others: tuple[str, ...] = ()


async def observe(visit: ServerVisit, cloud: Actuator, *, fresh: bool) -> Observed | Absence:
    """The server the record names. Raises CloudError."""
    server_id = visit.status.id
    if server_id is None:
        raise ValueError("the record names no server")
    if visit.seen is not None:
        return Observed(visit.seen, fresh=True)
    if not fresh:
        snapshot = await _shared(visit, cloud)
        row = snapshot.servers.get(server_id)
        if row is not None and not is_gone(row):
            marked = visit.desk.index.servers_of(visit.uid, tenant=cloud.tenant, snapshot=snapshot)
            return Observed(row, fresh=False, others=tuple(each for each in marked if each != server_id))
        if snapshot.complete and _is_known_to_be_gone(visit):
            return Absence.PROVEN
    server = await cloud.server(server_id)
    if not is_gone(server) and server is not None:
        visit.saw_server(server)
        return Observed(server, fresh=True)
    return await _absence(visit, cloud)


async def _shared(visit: ServerVisit, cloud: Actuator) -> Snapshot:
    """The shared list. Never older, in any of its parts, than what was seen of the server by its id, or written because of it.

    To find once more that it is gone takes a whole one: only that is evidence.
    """
    resync, seen_at = cloud.tenant.resync_seconds, visit.desk.notes.seen_at(visit.uid)
    longest = float("inf") if seen_at is None else max(0.0, visit.desk.clock.monotonic() - seen_at)
    age = min(resync * LIST_SHARE, longest)
    if _is_known_to_be_gone(visit):
        return await cloud.tenant.snapshots.at_most(age)
    return await cloud.tenant.snapshots.refreshed(age, whole_within=min(WHOLE_EVERY, WHOLE_PERIODS * resync, longest))


async def _absence(visit: ServerVisit, cloud: Actuator) -> Absence:
    monotonic = visit.desk.clock.monotonic()
    since = monotonic - visit.desk.notes.missed(visit.uid, at=monotonic)
    if since < MISSING_PAUSE and not _is_known_to_be_gone(visit):
        return Absence.SUSPECTED
    snapshot = await cloud.tenant.snapshots.at_most(min(since, MISSING_PAUSE))
    row = snapshot.servers.get(visit.status.id or "")
    if not snapshot.complete or not is_gone(row):
        return Absence.SUSPECTED
    is_believed = _is_known_to_be_gone(visit) or await cloud.believes(snapshot)
    return Absence.PROVEN if is_believed else Absence.DOUBTED


def _is_known_to_be_gone(visit: ServerVisit) -> bool:
    ready = find(visit.obj.status.get("conditions") or (), "Ready")
    return ready is not None and ready.get("reason") == Reason.DELETED_EXTERNALLY
