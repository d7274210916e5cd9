"""ECS API reference 6.5: security groups of a server."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
