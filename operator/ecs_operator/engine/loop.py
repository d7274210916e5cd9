"""The reconcile loop: workers that take keys from the queue, run one pass, and do what its outcome says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass
from random import Random
from typing import assert_never

from ecs_operator.engine.backoff import Backoff
from ecs_operator.engine.correlation import CURRENT_PASS, PassId
from ecs_operator.engine.counters import ReconcileCounters, Result
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Gone, Lane, Outcome, Retry
from ecs_operator.engine.ports import Authority, Clock, ConflictError, GoneError, Reconciler, RefusedError, StoreError, UnavailableError
from ecs_operator.engine.queue import KeyedQueue, QueueClosedError
from ecs_operator.engine.seats import Seats
from ecs_operator.engine.waiters import Pass, Waiters

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoopPolicy:
    """All times in seconds."""

    workers: int = 16
    """Passes at work at a time. Those that stand aside (``seats.aside``), to share a call with others, come on top."""
    resync: float = 300.0
    """A key that is done is looked at again after this long, give or take ``resync_spread`` of it."""
    resync_spread: float = 0.1
    conflict_pause: float = 0.05
    """Longest pause after a lost compare-and-set."""
    conflicts_in_a_row: int = 5
    """After this many the ordinary backoff holds: somebody writes faster than we read."""
    pass_deadline: float = 600.0
    """No call is without a deadline of its own; a pass that lasts this long hangs and is cancelled."""
    authority_poll: float = 0.2


class ReconcileLoop:
    """Runs the reconcilers. One event loop, many keys, each key in one worker at a time, and only while the lease is held."""

    def __init__(
        self,
        *,
        queue: KeyedQueue,
        backoff: Backoff,
        authority: Authority,
        clock: Clock,
        rng: Random,
        policy: LoopPolicy | None = None,
    ) -> None:
        self._reconcilers: dict[str, Reconciler] = {}
        self._queue = queue
        self._backoff = backoff
        self._authority = authority
        self._clock = clock
        self._rng = rng
        self._policy = policy or LoopPolicy()
        self._waiters = Waiters()
        self._gone: set[ObjectKey] = set()
        self._conflicts: dict[ObjectKey, int] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None
        self._seats = Seats(self._policy.workers, on_aside=self._hire)
        self._stopping = asyncio.Event()
        self._passes = 0
        self.counters = ReconcileCounters()

    def exists(self, key: ObjectKey, *, lane: Lane | None) -> None:
        """An event of an object that exists. ``lane`` is None when it needs no pass itself; who waits for it is woken in any case."""
        self._gone.discard(key)
        if lane is not None:
            self._queue.add(key, lane=lane)
        self.wake(key)

    def deleted(self, key: ObjectKey) -> None:
        """The object is gone: one last pass to let its reconciler clean up, then the key is forgotten."""
        self._gone.add(key)
        self._queue.add(key, lane=Lane.URGENT)
        self.wake(key)

    def wake(self, awaited: ObjectKey) -> None:
        """Something that objects wait for has changed: a watched object, or what only a reconciler sees (a Secret)."""
        for key in self._waiters.changed(awaited):
            self._queue.add(key, lane=Lane.CREATE)

    @property
    def blocked(self) -> int:
        """How many keys wait for another object."""
        return len(self._waiters)

    async def run(self, reconcilers: Iterable[Reconciler], *, on_lease: Callable[[], None] = lambda: None) -> None:
        """Work until ``stop`` is called. There must be a reconciler for every resource that events come for.

        ``on_lease`` is called each time the lease is gained: somebody else may have worked on any object meanwhile, and its writes to
        the status alone start no pass. Raises what kills a worker, which only a bug in the loop can.
        """
        self._reconcilers = {each.resource: each for each in reconcilers}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_lease(on_lease), name="lease watch")
            self._group = group
            self._hire()

    async def stop(self, *, grace: float) -> None:
        """Start no pass any more; those under way get ``grace`` seconds to end, then they are cancelled."""
        self._stopping.set()
        self._queue.close()
        running = [task for task in self._workers if not task.done()]
        if not running:
            return
        _, late = await asyncio.wait(running, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            logger.warning("%d passes did not end within %.0f s and were cancelled", len(late), grace)
            await asyncio.wait(late)

    def _hire(self) -> None:
        """As many workers as there are seats, beside those whose pass stands aside."""
        while self._group is not None and not self._stopping.is_set() and self._surplus() < 0:
            # A context of its own: it must not take itself for the pass that steps aside.
            worker = self._group.create_task(self._work(), name="worker", context=Context())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def _surplus(self) -> int:
        """How many workers there are too many."""
        return len(self._workers) - self._seats.aside - self._seats.number

    async def _work(self) -> None:
        while not self._stopping.is_set():
            if self._surplus() > 0 and (me := asyncio.current_task()) is not None:
                self._workers.discard(me)
                return
            if not await self._authorised():
                return
            try:
                key, lane = await self._queue.take()
            except QueueClosedError:
                return
            if self._authority.time_left() <= 0:
                # The lease was lost while this worker waited for a key. The next holder, or we later, must find it.
                self._queue.add(key, lane=lane)
                self._queue.done(key)
                continue
            try:
                async with self._seats.taken():
                    await self._pass(key)
            finally:
                self._queue.done(key)

    async def _authorised(self) -> bool:
        """Wait until the lease is held; False when the loop stops first."""
        while self._authority.time_left() <= 0:
            if await self._stops_within(self._policy.authority_poll):
                return False
        return True

    async def _watch_lease(self, on_lease: Callable[[], None]) -> None:
        held = False
        while True:
            before, held = held, self._authority.time_left() > 0
            if held and not before:
                on_lease()
            if await self._stops_within(self._policy.authority_poll):
                return

    async def _stops_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), timeout=seconds)
        except TimeoutError:
            return False
        return True

    async def _pass(self, key: ObjectKey) -> None:
        self._passes += 1
        token = CURRENT_PASS.set(PassId(key=key, reconcile_id=f"{self._passes:x}-{self._rng.getrandbits(32):08x}"))
        running = self._waiters.begin(key)
        started = self._clock.monotonic()
        self.counters.active += 1
        result = Result.ERROR
        try:
            result = await self._run(key, running)
        finally:
            self.counters.active -= 1
            self.counters.record(key.resource, result, seconds=self._clock.monotonic() - started)
            self._waiters.end(running)
            CURRENT_PASS.reset(token)

    async def _run(self, key: ObjectKey, running: Pass) -> Result:
        """One pass and what follows from it."""
        try:
            async with asyncio.timeout(self._policy.pass_deadline):
                outcome = await self._reconcilers[key.resource].reconcile(key)
            return self._follow(key, outcome, running)
        except ConflictError as error:
            return self._after_conflict(key, error)
        except GoneError as error:
            return self._after_gone(key, cause=str(error))
        except UnavailableError as error:
            logger.warning("the API server cannot be reached, trying again: %s", error)
            self._later(key)
            return Result.UNAVAILABLE
        except RefusedError as error:
            logger.warning("the API server refuses, trying again: %s", error)
            self._later(key)
            return Result.REFUSED
        except StoreError as error:
            logger.warning("a call to the API server failed, trying again: %s", error)
            self._later(key)
            return Result.UNAVAILABLE
        except Exception:
            logger.exception("the pass failed unexpectedly, trying again")
            self._later(key)
            return Result.ERROR

    def _follow(self, key: ObjectKey, outcome: Outcome, running: Pass) -> Result:
        self._conflicts.pop(key, None)
        if isinstance(outcome, Retry):
            pause = self._later(key, floor=outcome.floor)
            logger.info("trying again in %.1f s: %s", pause, outcome.cause)
            return Result.REQUEUE
        if isinstance(outcome, Gone):
            return self._after_gone(key, cause="it was not found")
        self._backoff.reset(key)
        match outcome:
            case Done():
                if key in self._gone:
                    self._forget(key)
                else:
                    self._queue.add(key, lane=Lane.RESYNC, after=self._resync_pause())
                return Result.SUCCESS
            case Again(after=after, lane=lane):
                self._queue.add(key, lane=lane, after=after)
                return Result.REQUEUE_AFTER
            case Blocked(waits_for=waits_for, at_most=at_most):
                if self._waiters.block(key, waits_for=waits_for, during=running):
                    self._queue.add(key, lane=Lane.RESYNC, after=at_most)
                else:
                    self._queue.add(key, lane=Lane.CREATE)
                return Result.BLOCKED
            case _ as unreachable:
                assert_never(unreachable)

    def _after_gone(self, key: ObjectKey, *, cause: str) -> Result:
        """Forget the key if its deletion was told. Else look again: an API server that answers 404 to everything must not end its work."""
        if key in self._gone:
            self._forget(key)
        else:
            pause = self._later(key)
            logger.debug("looking again in %.1f s, since no deletion was seen: %s", pause, cause)
        return Result.GONE

    def _after_conflict(self, key: ObjectKey, error: ConflictError) -> Result:
        conflicts = self._conflicts.get(key, 0) + 1
        self._conflicts[key] = conflicts
        if conflicts > self._policy.conflicts_in_a_row:
            logger.warning("conflict number %d in a row: %s", conflicts, error)
            self._later(key)
        else:
            self._queue.add(key, lane=Lane.URGENT, after=self._rng.uniform(0.0, self._policy.conflict_pause))
        return Result.CONFLICT

    def _later(self, key: ObjectKey, *, floor: float = 0.0) -> float:
        pause = self._backoff.next(key, floor=floor)
        self._queue.add(key, lane=Lane.POLL, after=pause)
        return pause

    def _resync_pause(self) -> float:
        spread = self._policy.resync_spread
        return self._policy.resync * self._rng.uniform(1.0 - spread, 1.0 + spread)

    def _forget(self, key: ObjectKey) -> None:
        """Keep nothing of a key whose object is gone. An event that came during the pass stays in the queue."""
        self._gone.discard(key)
        self._conflicts.pop(key, None)
        self._backoff.reset(key)
