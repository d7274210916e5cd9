"""Chapter 11: the operations that are deprecated."""

from __future__ import annotations

from ecs_simulator.call import Operation
from ecs_simulator.routes.history import floating_ips, images, recovery, security_groups, snapshots, volumes

OPERATIONS: tuple[Operation, ...] = (
    *recovery.OPERATIONS,  # 11.1
    *images.OPERATIONS,  # 11.2
    *security_groups.OPERATIONS,  # 11.3
    *volumes.OPERATIONS,  # 11.4
    *floating_ips.OPERATIONS,  # 11.5
    *snapshots.OPERATIONS,  # 11.6
)
