"""ECS API reference 5.2.1 to 5.2.3: what a server runs, and where."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
