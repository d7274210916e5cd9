"""ECS API reference 11.1: automatic recovery."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
