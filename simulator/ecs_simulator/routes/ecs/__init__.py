"""Chapter 5: the ECS API."""

from __future__ import annotations

from ecs_simulator.call import Operation
from ecs_simulator.routes.ecs import batches, disks, flavors, groups, interfaces, jobs, lifecycle, quotas, state, systems, tags

OPERATIONS: tuple[Operation, ...] = (
    *lifecycle.OPERATIONS,  # 5.1
    *systems.OPERATIONS,  # 5.2
    *state.OPERATIONS,  # 5.2
    *batches.OPERATIONS,  # 5.3
    *flavors.OPERATIONS,  # 5.4
    *interfaces.OPERATIONS,  # 5.5
    *disks.OPERATIONS,  # 5.6
    *quotas.OPERATIONS,  # 5.7
    *jobs.OPERATIONS,  # 5.8
    *tags.OPERATIONS,  # 5.9
    *groups.OPERATIONS,  # 5.10
)
