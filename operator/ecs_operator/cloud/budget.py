"""How many calls a project may make: token buckets for reads and writes, lanes of priority, creates in flight, retries."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.lanes import Turns
from ecs_operator.cloud.operation import Kind, Lane

_LEAST_RATE = 1 / 16
_RECOVERY_SECONDS = 120.0
_PAUSE_WITHOUT_WISH = 1.0
_PAUSE_LIMIT = 60.0


class BudgetExhaustedError(Exception):
    """No room within the time given. Nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLimits:
    """What a project allows itself. Rates per second; creates are charged as writes too."""

    reads_per_second: float = 20.0
    writes_per_second: float = 10.0
    creates_in_flight: int = 50
    requests_in_flight: int = 20
    retries_per_call: float = 0.1
    """Retries earned by a call: a cloud that answers only errors sees at most 1.1 times the normal calls."""


@dataclass(slots=True)
class _Bucket:
    """A token bucket of one second's depth, whose rate is halved by throttling and recovers slowly."""

    rate: float
    tokens: float = 0.0
    refilled_at: float = 0.0
    factor: float = 1.0
    closed_until: float = 0.0

    def refill(self, now: float) -> None:
        passed = max(now - self.refilled_at, 0.0)
        self.refilled_at = now
        self.factor = min(self.factor + passed / _RECOVERY_SECONDS, 1.0)
        self.tokens = min(self.tokens + passed * self.rate * self.factor, max(self.rate * self.factor, 1.0))

    def wait(self, now: float) -> float:
        """Seconds until a token is there."""
        self.refill(now)
        missing = max(1.0 - self.tokens, 0.0) / (self.rate * self.factor)
        return max(missing, self.closed_until - now, 0.0)

    def throttle(self, now: float, retry_after: float | None) -> None:
        self.refill(now)
        self.factor = max(self.factor / 2, _LEAST_RATE)
        self.tokens = 0.0
        pause = _PAUSE_WITHOUT_WISH if retry_after is None else min(retry_after, _PAUSE_LIMIT)
        self.closed_until = max(self.closed_until, now + pause)


@dataclass(slots=True, eq=False)
class _Waiter:
    lane: Lane
    number: int
    kind: Kind
    admitted: asyncio.Future[None]


class Budget:
    """The budget of one project. One event loop uses it."""

    def __init__(self, limits: BudgetLimits, *, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._buckets = {
            Kind.READ: _Bucket(limits.reads_per_second, tokens=max(limits.reads_per_second, 1.0)),
            Kind.WRITE: _Bucket(limits.writes_per_second, tokens=max(limits.writes_per_second, 1.0)),
        }
        self._queues: defaultdict[tuple[Lane, Kind], deque[_Waiter]] = defaultdict(deque)
        self._turns = Turns()
        self._arrivals = 0
        self._in_flight = 0
        self._creates = 0
        self._retries = 5.0
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def slot(self, *, kind: Kind, lane: Lane, within: float) -> AsyncIterator[None]:
        """Wait for room and hold it while the call runs. Raises BudgetExhaustedError after ``within`` seconds."""
        self._arrivals += 1
        waiter = _Waiter(lane, self._arrivals, kind, asyncio.get_running_loop().create_future())
        self._queues[lane, kind].append(waiter)
        self._admit()
        try:
            async with asyncio.timeout(within):
                await waiter.admitted
        except TimeoutError:
            self._leave(waiter)
            raise BudgetExhaustedError(f"no room in the budget for {kind} calls within {within:.0f} s") from None
        except BaseException:
            self._leave(waiter)
            raise
        try:
            yield
        finally:
            self._release(kind)

    def throttled(self, kind: Kind, retry_after: float | None) -> None:
        """The cloud asked for fewer calls: half the rate, and a pause of ``retry_after`` seconds (at most 60, 1 when unknown)."""
        self._bucket(kind).throttle(self._clock.monotonic(), retry_after)

    def earn_retry(self) -> None:
        """A call is made: it earns a part of a retry."""
        self._retries = min(self._retries + self._limits.retries_per_call, 10.0)

    def may_retry(self) -> bool:
        """Take one retry, if there is one."""
        if self._retries < 1.0:
            return False
        self._retries -= 1.0
        return True

    def close(self) -> None:
        """Stop the timer. Nobody must be waiting any more."""
        if self._timer:
            self._timer.cancel()

    @property
    def waiting(self) -> int:
        """Calls that wait for room."""
        return sum(map(len, self._queues.values()))

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return self._in_flight

    def _bucket(self, kind: Kind) -> _Bucket:
        return self._buckets[Kind.READ if kind is Kind.READ else Kind.WRITE]

    def _admit(self) -> None:
        """Admit whom there is room for, and come back when the next token is due."""
        while self._in_flight < self._limits.requests_in_flight:
            ready: dict[Lane, _Waiter] = {}
            for waiter in self._first_in_line():
                if self._wait(waiter.kind) > 0:
                    continue
                other = ready.get(waiter.lane)
                ready[waiter.lane] = waiter if other is None or waiter.number < other.number else other
            if not ready:
                break
            chosen = ready[self._turns.choose(ready)]
            self._queues[chosen.lane, chosen.kind].popleft()
            self._bucket(chosen.kind).tokens -= 1.0
            self._in_flight += 1
            self._creates += chosen.kind is Kind.CREATE
            chosen.admitted.set_result(None)
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._in_flight < self._limits.requests_in_flight:
            # Who waits for another call to end is admitted by that end.
            pause = min((self._wait(waiter.kind) for waiter in self._first_in_line()), default=math.inf)
            if pause < math.inf:
                self._timer = asyncio.get_running_loop().call_later(max(pause, 0.001), self._admit)

    def _first_in_line(self) -> Iterator[_Waiter]:
        """Of each lane and kind the one who came first. Who was cancelled, and is about to leave, is passed over."""
        for queue in self._queues.values():
            while queue and queue[0].admitted.done():
                queue.popleft()
            if queue:
                yield queue[0]

    def _wait(self, kind: Kind) -> float:
        """Seconds until a call of the kind may leave; infinite while only the end of another one makes room."""
        if kind is Kind.CREATE and self._creates >= self._limits.creates_in_flight:
            return math.inf
        return self._bucket(kind).wait(self._clock.monotonic())

    def _leave(self, waiter: _Waiter) -> None:
        """Forget a waiter that gave up, also one that was admitted at the very last moment."""
        if waiter.admitted.done() and not waiter.admitted.cancelled():
            self._release(waiter.kind)
            return
        queue = self._queues[waiter.lane, waiter.kind]
        if waiter in queue:
            queue.remove(waiter)

    def _release(self, kind: Kind) -> None:
        self._in_flight -= 1
        self._creates -= kind is Kind.CREATE
        self._admit()
