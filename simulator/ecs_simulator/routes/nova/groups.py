"""ECS API reference 6.12: server groups, native."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
