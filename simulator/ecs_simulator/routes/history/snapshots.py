"""ECS API reference 11.6: snapshots. Nova took these away after microversion 2.35."""

from __future__ import annotations

from ecs_simulator.call import Operation

OPERATIONS: tuple[Operation, ...] = ()
