"""ECS API reference 6.3.6 to 6.3.11: rebuilding, imaging and resizing a server, native."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
