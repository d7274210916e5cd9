"""Who waits for whom: an index from the key that is awaited to the keys that are blocked by it."""

from __future__ import annotations

from collections.abc import Iterable

from ecs_operator.engine.objects import ObjectKey


class Pass:
    """One reconcile pass that is under way, and the keys that had an event since it began."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        self.changed: set[ObjectKey] = set()


class Waiters:
    """Blocked keys by what they wait for.

    A pass looks at an object, finds it not ready, and says that it waits for it. If the object becomes ready between the look and the word,
    its event has come and gone. Therefore passes are registered while they run, and collect the events of that time.
    """

    def __init__(self) -> None:
        self._by_awaited: dict[ObjectKey, set[ObjectKey]] = {}
        self._by_waiter: dict[ObjectKey, tuple[ObjectKey, ...]] = {}
        self._passes: set[Pass] = set()

    def begin(self, key: ObjectKey) -> Pass:
        """A pass over the key starts: what it waited for before no longer counts."""
        self.forget(key)
        started = Pass()
        self._passes.add(started)
        return started

    def end(self, finished: Pass) -> None:
        """The pass has ended, in whatever way."""
        self._passes.discard(finished)

    def block(self, key: ObjectKey, *, waits_for: Iterable[ObjectKey], during: Pass) -> bool:
        """Note that the key waits. False when one of the awaited changed during the pass: look again at once instead."""
        awaited = tuple(dict.fromkeys(waits_for))
        if not during.changed.isdisjoint(awaited):
            return False
        self._by_waiter[key] = awaited
        for each in awaited:
            self._by_awaited.setdefault(each, set()).add(key)
        return True

    def changed(self, awaited: ObjectKey) -> tuple[ObjectKey, ...]:
        """An event of a key: the keys that waited for it, in a stable order. They no longer wait."""
        for running in self._passes:
            running.changed.add(awaited)
        woken = tuple(sorted(self._by_awaited.get(awaited, ())))
        for key in woken:
            self.forget(key)
        return woken

    def forget(self, key: ObjectKey) -> None:
        """The key waits for nothing any more."""
        for awaited in self._by_waiter.pop(key, ()):
            blocked = self._by_awaited[awaited]
            blocked.discard(key)
            if not blocked:
                del self._by_awaited[awaited]

    def __len__(self) -> int:
        return len(self._by_waiter)
