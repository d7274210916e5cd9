"""How long the simulated cloud's transitions take in this level."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ecs_lab.laboratory import Laboratory

QUICK = {"create_server": 0.6, "delete_server": 0.3, "start_server": 0.2, "stop_server": 0.2, "reboot_server": 0.2}


@asynccontextmanager
async def durations(lab: Laboratory, **seconds: float) -> AsyncIterator[None]:
    """Other durations of the cloud's transitions, for a while."""
    await lab.sim.admin("POST", "/_sim/durations", seconds)
    try:
        yield
    finally:
        await lab.sim.admin("POST", "/_sim/durations", QUICK)
