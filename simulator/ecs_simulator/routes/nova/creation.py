"""ECS API reference 6.2.1, 6.2.3: creating and deleting a server, native."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
