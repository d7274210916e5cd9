"""The operations of the reference, one module a chapter. Another chapter is another module with OPERATIONS, named here."""

from __future__ import annotations

from ecs_simulator.call import Operation
from ecs_simulator.routes.ecs import batches, disks, flavors, groups, jobs, lifecycle, quotas, state
from ecs_simulator.routes.history import images, volumes
from ecs_simulator.routes.nova import disks as nova_disks
from ecs_simulator.routes.nova import flavors as nova_flavors
from ecs_simulator.routes.nova import interfaces, metadata, networks, versions
from ecs_simulator.routes.nova import lifecycle as nova_lifecycle
from ecs_simulator.routes.nova import state as nova_state

OPERATIONS: tuple[Operation, ...] = (
    *lifecycle.OPERATIONS,  # 5.1
    *state.OPERATIONS,  # 5.2
    *batches.OPERATIONS,  # 5.3
    *flavors.OPERATIONS,  # 5.4
    *disks.OPERATIONS,  # 5.6
    *quotas.OPERATIONS,  # 5.7
    *jobs.OPERATIONS,  # 5.8
    *groups.OPERATIONS,  # 5.10
    *versions.OPERATIONS,  # 6.1
    *nova_lifecycle.OPERATIONS,  # 6.2
    *nova_state.OPERATIONS,  # 6.3
    *networks.OPERATIONS,  # 6.4
    *nova_flavors.OPERATIONS,  # 6.6
    *interfaces.OPERATIONS,  # 6.7
    *nova_disks.OPERATIONS,  # 6.8
    *metadata.OPERATIONS,  # 6.9
    *images.OPERATIONS,  # 11.2
    *volumes.OPERATIONS,  # 11.4
)
