"""Which host a server runs on: one of the shared pool, or a dedicated host (ECS API reference 5.2.3, table 8-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import grouping
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.resources import Server, ServerGroup

if TYPE_CHECKING:
    from ecs_simulator.world.world import World


def wanted(hints: dict[str, list[str]]) -> str | None:
    """Return the dedicated host that scheduler hints name, None if they name none."""
    return next(iter(hints.get("dedicated_host_id", ())), None)


def is_dedicated(server: Server) -> bool:
    """Tell whether a server is on a dedicated host, a named one or one the cloud chose."""
    return server.hints.get("tenancy") == ["dedicated"]


def host_of(dedicated_host_id: str) -> str:
    """Return the name of a dedicated host among all hosts."""
    return f"deh-{dedicated_host_id}"


def require_apart(project: Project, group: ServerGroup | None, dedicated_host_id: str | None, count: int) -> None:
    """Refuse a dedicated host (Ecs.0319) on which members of one group would meet."""
    if group is None or dedicated_host_id is None:
        return
    taken = {project.servers[member].host for member in group.members}
    if count > 1 or host_of(dedicated_host_id) in taken:
        raise Refusal("Ecs.0319", f"No valid host was found: members of server group {group.id} would meet on {dedicated_host_id}.")


def choose(world: World, project: Project, zone: str, group: ServerGroup | None, dedicated_host_id: str | None) -> str:
    """Return the dedicated host that is named, or a host of the zone; refused (Ecs.0319) if a member of its group is everywhere."""
    if dedicated_host_id is None:
        return grouping.choose_host(world, project, zone, group)
    require_apart(project, group, dedicated_host_id, 1)
    return host_of(dedicated_host_id)


def move(server: Server, host: str, dedicated_host_id: str | None) -> None:
    """Put a server on a host at once."""
    server.host = host
    hints = {name: values for name, values in server.hints.items() if name not in {"tenancy", "dedicated_host_id"}}
    if dedicated_host_id is not None:
        hints |= {"tenancy": ["dedicated"], "dedicated_host_id": [dedicated_host_id]}
    server.hints = hints
