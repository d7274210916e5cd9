"""The machine's clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The engine's Clock."""

    def __init__(self) -> None:
        # The clock that goes on while the machine is suspended, where there is one: a lease must not look younger after a sleep.
        self._clock: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def now(self) -> datetime:
        """Wall time, with time zone UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back and go on while the process is paused."""
        return time.clock_gettime(self._clock)
