"""ECS API reference 5.5: adding and removing interfaces, several at a time."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
