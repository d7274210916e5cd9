"""One list of a project's servers, shared by everybody who looks (design: lifecycle.md, Observe and drift).

A whole list costs a page for each hundred servers. Between two whole ones a short one, of what has changed (``changes-since``, ECS API
reference 6.2.5), is laid over the one before. What comes of that shows how servers are, and is cheap; it never proves that one is absent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.errors import CloudError, Failure, Meaning, Outcome
from ecs_operator.cloud.models.servers import Server
from ecs_operator.cloud.sweep import Sweep

logger = logging.getLogger(__name__)

CLOCK_SLACK = 60.0
"""Seconds by which clocks within the cloud may differ: that of the gateway, whose Date we go by, and that which stamps the changes."""
MARGIN = 30.0 + CLOCK_SLACK
"""Seconds that a list of changes reaches back before the last one: what was changed then may not have been in that one yet."""
WHOLE_EVERY = 600.0
"""Seconds after which a whole list is due at the latest, for those who look at the state of servers now and then: what the cloud does not
note as a change is in no list of changes."""
_NOT_ABOUT_THE_FILTER = frozenset({Meaning.AUTH, Meaning.FORBIDDEN, Meaning.THROTTLED, Meaning.FROZEN})
"""Refusals that a whole list would meet as well."""


class Sweeper(Protocol):
    """What is needed of ``client.servers``."""

    async def sweep(self, *, changes_since: str | None = None) -> Sweep:
        """List all servers; or those that changed after a moment (ISO 8601), deleted ones with status DELETED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All servers as of ``taken_at``: the moment the listing began, so that nothing older is taken for newer.

    Only a complete one is evidence that a server is absent; ``problem`` says why it is not complete. ``is_merged``: rows that have not
    changed, as far as the cloud notes it, are those of an earlier list. Such a snapshot is never complete.
    """

    taken_at: datetime
    servers: Mapping[str, Server] = field(repr=False)
    complete: bool
    problem: str = ""
    is_merged: bool = False

    @property
    def shows_all(self) -> bool:
        """No row is missing that could be known. Good enough to show something, not to act on what is absent."""
        return self.complete or self.is_merged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A snapshot, when its listing began, and when that of the whole list began on which it rests."""

    started: float
    base: float
    generation: int
    snapshot: Snapshot
    mark: datetime | None
    """The cloud's clock when the listing began; None when the next one cannot go by it."""

    @property
    def is_merged(self) -> bool:
        """Not a whole list."""
        return self.snapshot.is_merged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """Begun at ``oldest`` or later, resting on a whole list begun at ``base`` or later."""

    oldest: float
    base: float
    generation: int
    whole: bool

    def is_met_by(self, taken: _Taken | _Running) -> bool:
        """It is what was asked for."""
        is_new = taken.started >= self.oldest and taken.base >= self.base and taken.generation >= self.generation
        return is_new and not (self.whole and taken.is_merged)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    started: float
    base: float
    generation: int
    is_merged: bool
    task: asyncio.Task[_Taken]


class ServerSnapshots:
    """The shared list of one project. At most one listing runs at a time, however many ask."""

    def __init__(self, servers: Sweeper, clock: Clock, *, margin: float = MARGIN) -> None:
        """``margin``: seconds that lists may lag, and clocks within the cloud differ."""
        self._servers = servers
        self._clock = clock
        self._margin = timedelta(seconds=margin)
        self._whole: _Taken | None = None
        self._newest: _Taken | None = None
        self._running: _Running | None = None
        self._generation = 0
        self._knows_changes = True
        self._is_closed = False

    async def at_most(self, age_seconds: float) -> Snapshot:
        """A whole list begun at most so many seconds before this call. Raises CloudError when the servers cannot be listed.

        With 0 it was begun after this call, and after the last ``invalidate``.
        """
        oldest = self._clock.monotonic() - age_seconds
        return await self._meet(_Wish(oldest=oldest, base=oldest, generation=self._generation, whole=True))

    async def refreshed(self, age_seconds: float, *, whole_within: float) -> Snapshot:
        """A snapshot begun at most so many seconds before this call, which may be merged.

        What the cloud does not note as a change (tags, security groups, addresses, disks) is at most ``whole_within`` seconds old.
        """
        now = self._clock.monotonic()
        base = now - max(age_seconds, whole_within)
        return await self._meet(_Wish(oldest=now - age_seconds, base=base, generation=self._generation, whole=False))

    @property
    def size(self) -> int | None:
        """How many servers the newest list had, None before the first one."""
        return len(self._newest.snapshot.servers) if self._newest is not None else None

    def invalidate(self) -> None:
        """Something was changed: what was begun before now no longer counts."""
        self._generation += 1

    async def close(self) -> None:
        """Stop a listing that still runs. Whoever waits for it, or asks later, gets a CloudError (not sent)."""
        self._is_closed = True
        if self._running:
            self._running.task.cancel()
            await asyncio.wait({self._running.task})

    async def _meet(self, wish: _Wish) -> Snapshot:
        if self._is_closed:
            raise _closed()
        while True:
            for taken in (self._whole, self._newest):
                if taken is not None and wish.is_met_by(taken):
                    return taken.snapshot
            running = self._running or self._start(wish)
            if wish.is_met_by(running):
                return (await self._result(running.task)).snapshot
            await asyncio.wait({running.task})
            if self._is_closed:
                raise _closed()

    async def _result(self, task: asyncio.Task[_Taken]) -> _Taken:
        """The end of a listing. Shielded: one caller that gives up must not take the list from the others."""
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if self._is_closed and not (me and me.cancelling()):
                raise _closed() from None  # the listing was cancelled, not its caller
            raise

    def _start(self, wish: _Wish) -> _Running:
        started, basis = self._clock.monotonic(), self._basis(wish)
        listing = self._take(started, self._generation) if basis is None else self._refresh(started, basis)
        task = asyncio.get_running_loop().create_task(listing, name="list servers")
        base = started if basis is None else basis.base
        running = _Running(started=started, base=base, generation=self._generation, is_merged=basis is not None, task=task)
        self._running = running
        task.add_done_callback(self._ended)
        return running

    def _basis(self, wish: _Wish) -> _Taken | None:
        """What changes can be laid over to meet a wish; None: it takes a whole list."""
        newest = self._newest
        if wish.whole or not self._knows_changes or newest is None or newest.mark is None or not newest.snapshot.shows_all:
            return None
        return newest if newest.base >= wish.base and newest.generation >= self._generation else None

    async def _take(self, started: float, generation: int) -> _Taken:
        taken_at = self._clock.now()
        sweep = await self._servers.sweep()
        servers = MappingProxyType({server.id: server for server in sweep.servers})
        snapshot = Snapshot(taken_at=taken_at, servers=servers, complete=sweep.complete, problem=sweep.problem)
        taken = _Taken(started=started, base=started, generation=generation, snapshot=snapshot, mark=self._mark(sweep))
        if self._newest is not None and self._newest.is_merged and self._has_missed(self._newest, servers):
            logger.warning(
                "lists of what has changed do not show all of it, so only whole lists are taken from here: do the cloud's clocks agree?"
            )
            self._knows_changes = False
        self._whole = self._newest = taken
        return taken

    async def _refresh(self, started: float, basis: _Taken) -> _Taken:
        """Lay over ``basis`` what has changed since. When that cannot be trusted a whole list is taken instead."""
        taken_at = self._clock.now()
        sweep = await self._changes(basis)
        mark = self._mark(sweep) if sweep is not None else None
        if sweep is None or not sweep.complete or mark is None or (basis.mark is not None and mark < basis.mark):
            return await self._take(started, basis.generation)
        changed = {server.id: server for server in sweep.servers}
        merged = {**basis.snapshot.servers, **changed}
        servers = MappingProxyType({key: server for key, server in merged.items() if server.status != "DELETED"})
        problem = f"only what has changed was listed again; {len(changed)} servers"
        snapshot = Snapshot(taken_at=taken_at, servers=servers, complete=False, problem=problem, is_merged=True)
        self._newest = replace(basis, started=started, snapshot=snapshot, mark=mark)
        return self._newest

    async def _changes(self, basis: _Taken) -> Sweep | None:
        """What has changed; None when the endpoint does not take the question. Raises CloudError."""
        if basis.mark is None:
            return None
        since = basis.mark - self._margin
        try:
            return await self._servers.sweep(changes_since=f"{since:%Y-%m-%dT%H:%M:%SZ}")
        except CloudError as error:
            if error.outcome is not Outcome.REFUSED or error.meaning in _NOT_ABOUT_THE_FILTER:
                raise
            logger.warning("lists of what has changed are refused, so only whole lists are taken from here: %s", error)
            self._knows_changes = False
            return None

    def _mark(self, sweep: Sweep) -> datetime | None:
        """The moment in the cloud's time from which the next list of changes counts; None when the cloud's clock cannot be gone by.

        Our own clock is not: it may be wrong by minutes, and what was changed in between would be missed. Nor is one that is behind the
        stamps on the servers by more than the margin.
        """
        if sweep.cloud_time is None or not sweep.complete:
            return None
        newest = max((moment for server in sweep.servers if (moment := server.updated_at) is not None), default=sweep.cloud_time)
        return sweep.cloud_time if newest <= sweep.cloud_time + self._margin else None

    def _has_missed(self, merged: _Taken, servers: Mapping[str, Server]) -> bool:
        """A whole list shows a change that is older than what it rests on: the Date is ahead of the stamps, or lists lag longer."""
        since = merged.mark - self._margin if merged.mark is not None else None
        for server in servers.values():
            before = merged.snapshot.servers.get(server.id)
            is_news = before is None or before.updated != server.updated
            if is_news and since is not None and (changed := server.updated_at) is not None and changed < since:
                return True
        return False

    def _ended(self, task: asyncio.Task[_Taken]) -> None:
        self._running = None
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits any more


def _closed() -> CloudError:
    message = "the connection to the project was closed"
    return CloudError(
        Failure(operation="listServersDetails", method="GET", outcome=Outcome.NOT_SENT, meaning=Meaning.UNREACHABLE, message=message)
    )
