"""Automatic recovery, and monitoring: two flags of a server (ECS API reference 6.3.11, 11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World


def set_recovery(world: World, project: Project, server: Server, *, on: bool, cause: Cause) -> None:
    """Let a server be recovered or not; refused (Ecs.0036) if its flavor cannot be."""
    if on and not world.flavors[server.flavor_id].recovers:
        raise Refusal("Ecs.0036", f"The flavor {server.flavor_id} does not support automatic recovery.")
    server.auto_recovery = on
    world.record(project, server, "update", cause, fields=["support_auto_recovery"])


def monitor(world: World, project: Project, server: Server, *, cause: Cause) -> None:
    """Register a server for monitoring; once is enough."""
    server.monitored = True
    world.record(project, server, "update", cause, fields=["monitorMetrics"])
