"""A reconciler over fakes: pass after pass, with time moving as its outcomes say, and started anew whenever it dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ecs_operator.engine.conditions import find
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Gone, Outcome, Retry
from ecs_operator.engine.ports import Reconciler, StoreError
from ecs_operator.engine.status_writer import StatusWriter
from ecs_operator.resources.visit import Desk
from tests.fakes.clock import FakeAuthority, FakeClock
from tests.fakes.cloud import RESYNC, FakeCloud
from tests.fakes.effects import Effects, KilledError
from tests.fakes.events import RecordingEvents
from tests.fakes.store import FakeStore
from tests.fakes.tenants import OneTenant

STEADY = RESYNC * 0.8
"""Seconds: an outcome that asks for no sooner pass has nothing to do."""


@dataclass
class Stage:
    """What a test of one kind works with. ``build`` makes a reconciler without any memory of earlier ones."""

    build: Callable[[Stage], Reconciler]
    clock: FakeClock = field(default_factory=FakeClock)
    effects: Effects = field(default_factory=Effects)
    events: RecordingEvents = field(default_factory=RecordingEvents)
    authority: FakeAuthority = field(default_factory=FakeAuthority)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.store = FakeStore(self.clock, self.effects)
        self.cloud = FakeCloud(self.clock, self.effects)
        self.tenants = OneTenant(self.cloud.tenant(store=self.store))
        self.writer = StatusWriter(self.store, self.events, self.clock)
        self.reconciler = self.build(self)

    @property
    def desk(self) -> Desk:
        """What the reconciler of a kind works with."""
        return Desk(
            store=self.store,
            writer=self.writer,
            tenants=self.tenants,
            authority=self.authority,
            clock=self.clock,
            events=self.events,
        )

    async def once(self, key: ObjectKey) -> Outcome:
        """One pass."""
        return await self.reconciler.reconcile(key)

    async def settle(self, key: ObjectKey, *, passes: int = 60) -> Outcome:
        """Passes until there is nothing to do before the next resync, or it waits for somebody. What a real loop does, without waiting."""
        for _ in range(passes):
            try:
                outcome = await self.once(key)
            except KilledError:
                self.deaths += 1
                self.reconciler = self.build(self)
                continue
            except StoreError:
                self.clock.advance(1.0)
                continue
            match outcome:
                case Done() | Gone() | Blocked():
                    return outcome
                case Again(after=after) if after >= STEADY:
                    return outcome
                case Again(after=after):
                    self.clock.advance(after)
                case Retry(floor=floor):
                    self.clock.advance(max(floor, 1.0))
        raise AssertionError(f"{key} did not settle in {passes} passes: {self.store[key].status if key in self.store else 'gone'}")

    def status(self, key: ObjectKey) -> dict[str, Any]:
        return dict(self.store[key].status)

    def condition(self, key: ObjectKey, kind: str = "Ready") -> tuple[str, str] | None:
        """Status and reason of a condition."""
        found = find(self.store[key].status.get("conditions") or (), kind)
        return None if found is None else (found["status"], found["reason"])

    def message(self, key: ObjectKey, kind: str = "Ready") -> str:
        found = find(self.store[key].status.get("conditions") or (), kind)
        assert found is not None
        return str(found["message"])
