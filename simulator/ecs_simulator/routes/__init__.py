"""The operations of the reference, one module a section."""

from __future__ import annotations

from itertools import chain

from ecs_simulator.call import Operation
from ecs_simulator.routes import ecs, history, nova

OPERATIONS: tuple[Operation, ...] = tuple(chain(ecs.OPERATIONS, nova.OPERATIONS, history.OPERATIONS))
