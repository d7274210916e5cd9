"""Time, handed in."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time and seconds that never go back. The engine's clock fits as well."""

    def now(self) -> datetime:
        """Wall time, with time zone UTC."""

    def monotonic(self) -> float:
        """Seconds that never go back."""


class SystemClock:
    """The machine's clock. ``monotonic`` is the running loop's time, the one that timers go by."""

    def now(self) -> datetime:
        """Wall time, with time zone UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds of the running event loop."""
        return asyncio.get_running_loop().time()
