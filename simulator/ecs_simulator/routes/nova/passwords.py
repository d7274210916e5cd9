"""ECS API reference 6.11.5, 6.11.6: the password a server made itself."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
