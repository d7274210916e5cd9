"""Reads that many ask for: one call serves all who ask while its answer holds, and those who ask while it is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context
from typing import Generic, TypeVar

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.errors import CloudError, Failure, Meaning, Outcome

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class SharedLooks(Generic[_K, _V]):
    """The shared looks at the things of one kind in one project.

    ``holds`` says for how many seconds an answer serves, counted from the moment it was asked for. ``what`` names the call in errors.
    """

    def __init__(self, read: Callable[[_K], Awaitable[_V]], *, holds: Callable[[_V], float], clock: Clock, what: str) -> None:
        self._read = read
        self._lasting = holds
        self._clock = clock
        self._what = what
        self._running: dict[_K, asyncio.Task[_V]] = {}
        self._seen: dict[_K, tuple[float, _V]] = {}

    async def get(self, key: _K) -> _V:
        """The thing as it was while the answer holds. Raises CloudError; an error serves only those who waited for it."""
        seen = self._seen.get(key)
        if seen is not None and self._holds(*seen):
            return seen[1]
        running = self._running.get(key)
        if running is None:
            # Its own context: the call is no more the pass's that asked first than anybody else's.
            running = asyncio.get_running_loop().create_task(self._look(key), name=self._what, context=Context())
            self._running[key] = running
            running.add_done_callback(lambda task: self._ended(key, task))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if running.cancelled() and not (me and me.cancelling()):
                raise self._closed() from None  # the look was broken off, not the one who waits
            raise

    async def close(self) -> None:
        """Break off the looks under way. Whoever waits for one gets a CloudError (not sent)."""
        running = tuple(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)

    async def _look(self, key: _K) -> _V:
        begun = self._clock.monotonic()
        value = await self._read(key)
        self._seen = {other: seen for other, seen in self._seen.items() if self._holds(*seen)} | {key: (begun, value)}
        return value

    def _holds(self, begun: float, value: _V) -> bool:
        return self._clock.monotonic() - begun < self._lasting(value)

    def _ended(self, key: _K, task: asyncio.Task[_V]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits any more

    def _closed(self) -> CloudError:
        message = "the connection to the project was closed"
        return CloudError(
            Failure(operation=self._what, method="GET", outcome=Outcome.NOT_SENT, meaning=Meaning.UNREACHABLE, message=message)
        )
