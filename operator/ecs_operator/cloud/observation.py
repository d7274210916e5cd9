"""One list of a project's servers, shared by everybody who looks (design: lifecycle.md, Observe and drift)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.errors import CloudError, Failure, Meaning, Outcome
from ecs_operator.cloud.models.servers import Server
from ecs_operator.cloud.sweep import Sweep


class Sweeper(Protocol):
    """What is needed of ``client.servers``."""

    async def sweep(self) -> Sweep:
        """List all servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All servers as of ``taken_at``: the moment the listing began, so that nothing older is taken for newer.

    Only a complete one is evidence that a server is absent; ``problem`` says why it is not complete.
    """

    taken_at: datetime
    servers: Mapping[str, Server] = field(repr=False)
    complete: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Taken:
    started: float
    generation: int
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class _Running:
    started: float
    generation: int
    task: asyncio.Task[Snapshot]


class ServerSnapshots:
    """The shared list of one project. At most one listing runs at a time, however many ask."""

    def __init__(self, servers: Sweeper, clock: Clock) -> None:
        self._servers = servers
        self._clock = clock
        self._taken: _Taken | None = None
        self._running: _Running | None = None
        self._generation = 0
        self._is_closed = False

    async def at_most(self, age_seconds: float) -> Snapshot:
        """A snapshot begun at most so many seconds before this call. Raises CloudError when the servers cannot be listed.

        With 0 it was begun after this call, and after the last ``invalidate``.
        """
        if self._is_closed:
            raise _closed()
        oldest = self._clock.monotonic() - age_seconds
        generation = self._generation
        while True:
            if self._taken and self._taken.started >= oldest and self._taken.generation >= generation:
                return self._taken.snapshot
            running = self._running or self._start()
            if running.started >= oldest and running.generation >= generation:
                return await self._result(running.task)
            await asyncio.wait({running.task})
            if self._is_closed:
                raise _closed()

    def invalidate(self) -> None:
        """Something was changed: what was begun before now no longer counts."""
        self._generation += 1

    async def close(self) -> None:
        """Stop a listing that still runs. Whoever waits for it, or asks later, gets a CloudError (not sent)."""
        self._is_closed = True
        if self._running:
            self._running.task.cancel()
            await asyncio.wait({self._running.task})

    async def _result(self, task: asyncio.Task[Snapshot]) -> Snapshot:
        """The end of a listing. Shielded: one caller that gives up must not take the list from the others."""
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if self._is_closed and not (me and me.cancelling()):
                raise _closed() from None  # the listing was cancelled, not its caller
            raise

    def _start(self) -> _Running:
        started = self._clock.monotonic()
        task = asyncio.get_running_loop().create_task(self._take(started, self._generation), name="list servers")
        running = _Running(started, self._generation, task)
        self._running = running
        task.add_done_callback(self._ended)
        return running

    async def _take(self, started: float, generation: int) -> Snapshot:
        taken_at = self._clock.now()
        sweep = await self._servers.sweep()
        servers = MappingProxyType({server.id: server for server in sweep.servers})
        snapshot = Snapshot(taken_at=taken_at, servers=servers, complete=sweep.complete, problem=sweep.problem)
        self._taken = _Taken(started, generation, snapshot)
        return snapshot

    def _ended(self, task: asyncio.Task[Snapshot]) -> None:
        self._running = None
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits any more


def _closed() -> CloudError:
    message = "the connection to the project was closed"
    return CloudError(
        Failure(operation="listServersDetails", method="GET", outcome=Outcome.NOT_SENT, meaning=Meaning.UNREACHABLE, message=message)
    )
