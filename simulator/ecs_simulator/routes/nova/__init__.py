"""Chapter 6: the native API."""

from __future__ import annotations

from ecs_simulator.call import Operation
from ecs_simulator.routes.nova import (
    consoles,
    creation,
    disks,
    flavors,
    groups,
    instance_actions,
    interfaces,
    key_pairs,
    lifecycle,
    metadata,
    networks,
    passwords,
    quotas,
    rebuilding,
    security_groups,
    state,
    tags,
    versions,
)

OPERATIONS: tuple[Operation, ...] = (
    *versions.OPERATIONS,  # 6.1
    *creation.OPERATIONS,  # 6.2
    *lifecycle.OPERATIONS,  # 6.2
    *state.OPERATIONS,  # 6.3
    *rebuilding.OPERATIONS,  # 6.3
    *networks.OPERATIONS,  # 6.4
    *security_groups.OPERATIONS,  # 6.5
    *flavors.OPERATIONS,  # 6.6
    *interfaces.OPERATIONS,  # 6.7
    *disks.OPERATIONS,  # 6.8
    *metadata.OPERATIONS,  # 6.9
    *quotas.OPERATIONS,  # 6.10
    *key_pairs.OPERATIONS,  # 6.11
    *passwords.OPERATIONS,  # 6.11
    *groups.OPERATIONS,  # 6.12
    *instance_actions.OPERATIONS,  # 6.13
    *consoles.OPERATIONS,  # 6.14
    *tags.OPERATIONS,  # 6.15
)
