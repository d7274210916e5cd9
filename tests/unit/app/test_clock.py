from __future__ import annotations

from datetime import UTC

from ecs_operator.app.clock import SystemClock


def test_time_goes_on() -> None:
    clock = SystemClock()
    first = clock.monotonic()
    assert clock.monotonic() >= first
    assert clock.now().tzinfo is UTC
