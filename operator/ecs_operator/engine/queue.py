"""The work queue: every key at most once, priorities by lane, delays, and no key twice at a time."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Lane

_STALE_ALLOWED = 64


class QueueClosedError(Exception):
    """The queue hands out nothing more: the process is stopping."""


@dataclass(slots=True)
class _Entry:
    """Where one key stands. ``due`` is None when it is ready now. ``number`` tells it from stale rows in the heaps."""

    lane: Lane
    due: float | None
    number: int


@dataclass(frozen=True, slots=True)
class Depth:
    """How many keys wait, and how many are being worked on."""

    ready: int
    delayed: int
    working: int


class KeyedQueue:
    """Keys to be worked on, for any number of workers in one event loop.

    A key is ready, or delayed, or being worked on. Adding a key that waits already only makes it earlier or more important.
    Adding one that is being worked on is kept until ``done``: it is worked on once more then, never twice at once.
    Adding, taking and finishing cost O(log n).
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """``clock`` gives seconds that never go back."""
        self._clock = clock
        self._waiting: dict[ObjectKey, _Entry] = {}
        self._working: dict[ObjectKey, _Entry | None] = {}
        self._ready: list[tuple[int, int, ObjectKey]] = []
        self._delayed: list[tuple[float, int, ObjectKey]] = []
        self._ready_count = 0
        self._number = 0
        self._takers: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = 0.0
        self._closed = False

    def add(self, key: ObjectKey, *, lane: Lane, after: float = 0.0) -> None:
        """Ask for the key to be worked on, ``after`` seconds from now. The earlier of two requests wins, and at once beats a delay."""
        if self._closed:
            return
        due = self._clock() + after if after > 0 else None
        if key in self._working:
            self._working[key] = self._earlier(self._working[key], lane=lane, due=due)
            return
        self._put(key, self._earlier(self._waiting.get(key), lane=lane, due=due))

    async def take(self) -> tuple[ObjectKey, Lane]:
        """The most important ready key; waits for one. The caller must call ``done`` with it. Raises QueueClosedError."""
        while True:
            if self._closed:
                raise QueueClosedError
            self._promote()
            key = self._pop()
            if key is not None:
                lane = self._waiting.pop(key).lane
                self._ready_count -= 1
                self._working[key] = None
                return key, lane
            await self._wait()

    def done(self, key: ObjectKey) -> None:
        """The work on the key has ended. If it was added meanwhile it waits again."""
        again = self._working.pop(key)
        if again is not None and not self._closed:
            self._put(key, again)

    def forget(self, key: ObjectKey) -> None:
        """Drop what is planned for the key; work that is under way goes on."""
        entry = self._waiting.pop(key, None)
        if entry is not None and entry.due is None:
            self._ready_count -= 1
        if key in self._working:
            self._working[key] = None

    def close(self) -> None:
        """Hand out nothing more; everyone who waits in ``take`` gets QueueClosedError."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._takers:
            _wake(self._takers.popleft())

    def depth(self) -> Depth:
        """Counts for the metrics."""
        return Depth(ready=self._ready_count, delayed=len(self._waiting) - self._ready_count, working=len(self._working))

    def _earlier(self, entry: _Entry | None, *, lane: Lane, due: float | None) -> _Entry:
        self._number += 1
        wanted = _Entry(lane=lane, due=due, number=self._number)
        if entry is None:
            return wanted
        if entry.due is None or entry.due <= self._clock():
            return wanted if due is None and lane < entry.lane else entry
        return entry if due is not None and entry.due <= due else wanted

    def _put(self, key: ObjectKey, entry: _Entry) -> None:
        previous = self._waiting.get(key)
        if previous is not None and previous.number == entry.number:
            return
        self._ready_count += (entry.due is None) - (previous is not None and previous.due is None)
        self._waiting[key] = entry
        if entry.due is None:
            heapq.heappush(self._ready, (entry.lane, entry.number, key))
            self._wake_one()
        else:
            heapq.heappush(self._delayed, (entry.due, entry.number, key))
            self._compact()
            self._set_timer()

    def _is_current(self, key: ObjectKey, number: int) -> bool:
        entry = self._waiting.get(key)
        return entry is not None and entry.number == number

    def _pop(self) -> ObjectKey | None:
        while self._ready:
            _, number, key = heapq.heappop(self._ready)
            if self._is_current(key, number):
                return key
        return None

    def _promote(self) -> None:
        """Make ready what is due."""
        now = self._clock()
        while self._delayed and (self._delayed[0][0] <= now or not self._is_current(self._delayed[0][2], self._delayed[0][1])):
            _, number, key = heapq.heappop(self._delayed)
            if not self._is_current(key, number):
                continue
            entry = self._waiting[key]
            entry.due = None
            self._ready_count += 1
            heapq.heappush(self._ready, (entry.lane, entry.number, key))

    def _compact(self) -> None:
        """Throw out stale rows before they outnumber the live ones: an event that makes a delayed key ready leaves its row behind."""
        if len(self._delayed) > 2 * len(self._waiting) + _STALE_ALLOWED:
            self._delayed = [row for row in self._delayed if self._is_current(row[2], row[1])]
            heapq.heapify(self._delayed)

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._takers.append(waiter)
        self._set_timer()
        try:
            await waiter
        except asyncio.CancelledError:
            # The wake-up may have come for this taker just before it was cancelled: it must not be lost.
            if waiter.done() and not waiter.cancelled():
                self._wake_one()
            raise

    def _wake_one(self) -> None:
        while self._takers:
            waiter = self._takers.popleft()
            if _wake(waiter):
                return

    def _set_timer(self) -> None:
        """See to it that a taker wakes when the next key is due. When nobody waits, the next one who comes looks for himself."""
        if not self._delayed or not self._takers:
            return
        due = self._delayed[0][0]
        if self._timer is not None:
            if self._timer_due <= due:
                return
            self._timer.cancel()
        self._timer_due = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self._clock()), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._promote()
        for _ in range(min(self._ready_count, len(self._takers))):
            self._wake_one()
        self._set_timer()


def _wake(waiter: asyncio.Future[None]) -> bool:
    if waiter.done():
        return False
    waiter.set_result(None)
    return True
