"""ECS API reference 6.11.1 to 6.11.4: SSH key pairs."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
