"""Orphans: servers with this cluster's mark whose object is gone (design: lifecycle.md, Orphans). They are reported, never touched.

They arise when somebody takes a finalizer off by hand, or loses objects with the API server's data.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ecs_operator.api.group import SERVER
from ecs_operator.api.project import MOST_ORPHANS_SHOWN, Orphan, Orphans
from ecs_operator.cloud import CloudError, Server, Snapshot
from ecs_operator.engine.ports import Clock, KubeStore
from ecs_operator.resources.naming import named
from ecs_operator.resources.ownership import MARKER_KEY, ClusterIdentity
from ecs_operator.resources.tenancy import Tenant

logger = logging.getLogger(__name__)

LIST_SHARE = 0.8
"""Part of the resync period that the list may be old: as old as it may be for the servers, so that theirs is always new enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanPolicy:
    """When a server counts as an orphan. Times in seconds."""

    age: float = 1800.0
    """It is at least so old: nothing that is just being made."""
    between_looks: float = 30.0
    """Two lists show it, the second one begun at least so long after the first was held against the objects.

    A server that has just been deleted may still be in a list; its object went only when the cloud had shown it gone.
    """


@dataclass(frozen=True, slots=True)
class Ownerless:
    """A server whose object is not there. ``since``: when that was found first."""

    server_id: str
    name: str
    since: datetime
    is_confirmed: bool = False


@dataclass(slots=True)
class OrphanCounters:
    """For metrics: how many there are now, and how many were ever reported, by EcsProject."""

    present: dict[str, int] = field(default_factory=dict)
    reported: Counter[str] = field(default_factory=Counter)


def marked(snapshot: Snapshot, identity: ClusterIdentity) -> Mapping[str, tuple[str, Server]]:
    """The servers with a good mark of this cluster, by id, each with the uid its mark names."""
    found = {}
    for server_id, server in snapshot.servers.items():
        owner = identity.read(server.metadata.get(MARKER_KEY))
        if owner is not None and server.status not in {"DELETED", "SOFT_DELETED"}:
            found[server_id] = (owner.uid, server)
    return found


def sift(
    known: Mapping[str, Ownerless],
    servers: Mapping[str, tuple[str, Server]],
    *,
    uids: Collection[str],
    snapshot: Snapshot,
    policy: OrphanPolicy,
    now: datetime,
) -> dict[str, Ownerless]:
    """Who is without an object after another look. Pure.

    ``known``: who was before; ``servers``: the marked ones of the snapshot; ``uids``: of all objects, listed after the snapshot was begun.
    """
    found: dict[str, Ownerless] = {}
    for server_id, (uid, server) in servers.items():
        if uid in uids:
            continue
        before = known.get(server_id) or Ownerless(server_id, server.name, now)
        # The cloud's clock may be wrong, ours tells how long it has been known.
        is_old = min(server.created_at or now, before.since) + timedelta(seconds=policy.age) <= now
        is_second = snapshot.taken_at >= before.since + timedelta(seconds=policy.between_looks) and server_id in known
        is_confirmed = before.is_confirmed or (is_old and is_second)
        found[server_id] = Ownerless(server_id, server.name, before.since, is_confirmed)
    if not snapshot.complete:
        # Whoever is not in such a list may be there all the same.
        found.update((server_id, each) for server_id, each in known.items() if server_id not in snapshot.servers)
    return found


def shown(ownerless: Mapping[str, Ownerless]) -> Orphans | None:
    """What the status tells: the first ones by name, all of them by number; None when there are none."""
    confirmed = sorted((each for each in ownerless.values() if each.is_confirmed), key=lambda each: (each.since, each.server_id))
    if not confirmed:
        return None
    rows = tuple(Orphan(server_id=each.server_id, name=each.name, since=each.since) for each in confirmed[:MOST_ORPHANS_SHOWN])
    return Orphans(count=len(confirmed), servers=rows)


@dataclass(frozen=True, slots=True)
class OrphanReport:
    """What a look found: for the status, and who is new in it."""

    orphans: Orphans | None
    news: Sequence[Ownerless] = ()

    @property
    def message(self) -> str:
        """One line about the new ones, for an event."""
        what = named([f"{each.server_id} ({each.name})" for each in self.news])
        return f"no object has the servers that carry this cluster's mark any more: {what}. Delete them in the cloud if nobody needs them"


class OrphanSearch:
    """Looks for orphans in the shared list of a project's servers, so that it costs no list of its own."""

    def __init__(self, *, store: KubeStore, clock: Clock, policy: OrphanPolicy, sees_all: bool) -> None:
        """``sees_all``: the operator looks after all namespaces. Else the objects of the others could not be told from none."""
        self._store = store
        self._clock = clock
        self._policy = policy
        self._sees_all = sees_all
        self._known: dict[str, dict[str, Ownerless]] = {}
        self._looked_at: dict[str, datetime] = {}
        self.counters = OrphanCounters()

    async def look(self, tenant: Tenant, before: Orphans | None) -> OrphanReport:
        """Hold the newest list against the objects. ``before`` is what the status says. Raises StoreError."""
        if not self._sees_all:
            return OrphanReport(None)
        name = tenant.name
        try:
            # The cloud first: an object that is made meanwhile is not missed, and one that goes has let its server go before.
            snapshot = await tenant.snapshots.at_most(tenant.resync_seconds * LIST_SHARE)
        except CloudError as error:
            logger.info("no search for orphans in EcsProject %s: %s", name, error)
            return OrphanReport(before)
        if self._looked_at.get(name) == snapshot.taken_at:
            return OrphanReport(shown(self._known[name]))
        # Reported ones survive a restart in the status; who was only suspected is looked at twice again.
        reported = {each.server_id: Ownerless(each.server_id, each.name, each.since, is_confirmed=True) for each in _rows(before)}
        known = {**reported, **self._known.get(name, {})}
        servers = marked(snapshot, tenant.identity)
        uids = {each.uid for each in await self._store.list(SERVER.plural)} if servers else set[str]()
        found = sift(known, servers, uids=uids, snapshot=snapshot, policy=self._policy, now=self._clock.now())
        self._known[name], self._looked_at[name] = found, snapshot.taken_at
        news = [
            each for each in found.values() if each.is_confirmed and not (each.server_id in known and known[each.server_id].is_confirmed)
        ]
        self._count(name, found, news)
        return OrphanReport(shown(found), news)

    def forget(self, name: str) -> None:
        """The EcsProject is gone."""
        self._known.pop(name, None)
        self._looked_at.pop(name, None)
        self.counters.present.pop(name, None)

    def _count(self, name: str, found: Mapping[str, Ownerless], news: Sequence[Ownerless]) -> None:
        self.counters.present[name] = sum(each.is_confirmed for each in found.values())
        self.counters.reported[name] += len(news)
        if news:
            logger.warning("EcsProject %s: %d servers with our mark have no object", name, len(news))


def _rows(orphans: Orphans | None) -> Sequence[Orphan]:
    return orphans.servers if orphans is not None else ()
