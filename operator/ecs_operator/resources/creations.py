"""How many creations of servers run in a project at the same time, and whose turn it is (``spec.limits.createsInFlight``)."""

from __future__ import annotations

from collections.abc import Callable

from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.keys import turn_key

HOLD = 120.0
"""Seconds without a look at a creation after which its place is free: its object is gone, or nobody can look."""
TURN_PAUSE = 30.0
"""Seconds after which who waits asks again, should nobody tell."""


class Creations:
    """The places of one project. Kept in memory alone: after a restart each creation under way takes its place when it is looked at.

    Times are monotonic seconds, handed in. A place that falls free goes to whoever has waited longest, and nobody else can take it.
    """

    def __init__(self, most: int | None = None, *, wake: Callable[[ObjectKey], None] = lambda _: None) -> None:
        """``most``: None is as many as there are. ``wake``: called with the ``turn_key`` of the one whose turn has come."""
        self.most = most
        self._wake = wake
        self._running: dict[str, float] = {}
        self._waiting: dict[str, float] = {}

    def begin(self, uid: str, *, now: float) -> bool:
        """Take a place for a creation that is about to begin; False when it has to wait for one."""
        self._expire(now)
        if self.most is not None and uid not in self._running and len(self._running) >= self.most:
            self._waiting[uid] = now
            return False
        self.goes_on(uid, now=now)
        return True

    def goes_on(self, uid: str, *, now: float) -> None:
        """A creation that runs, or may run, was looked at. It has a place, also beyond the limit: it was begun before."""
        self._waiting.pop(uid, None)
        self._running[uid] = now

    def ended(self, uid: str, *, now: float) -> None:
        """The server is there, or none is being made: the place is somebody else's."""
        self._waiting.pop(uid, None)
        if self._running.pop(uid, None) is not None:
            self._expire(now)

    def _expire(self, now: float) -> None:
        """Free the places of those who are gone, and give what is free to who waits."""
        self._running = {uid: at for uid, at in self._running.items() if now - at < HOLD}
        self._waiting = {uid: at for uid, at in self._waiting.items() if now - at < HOLD}
        while self._waiting and self.most is not None and len(self._running) < self.most:
            uid = next(iter(self._waiting))
            del self._waiting[uid]
            self._running[uid] = now
            self._wake(turn_key(uid))
