"""Time that moves only when a test says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """The engine's and the cloud client's Clock."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._elapsed = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds


class FakeAuthority:
    """The lease, held for ``left`` seconds at whatever time it is asked."""

    def __init__(self, left: float = 1000.0) -> None:
        self.left = left

    def time_left(self) -> float:
        return self.left
