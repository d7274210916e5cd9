"""Server groups (ECS API reference 5.10) and the hosts servers run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import commands
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Server, ServerGroup

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

HOSTS_PER_ZONE = 64
_JOINING_STATES = frozenset({"stopped"})


def create_group(world: World, project: Project, *, name: str, policies: list[str], cause: Cause) -> ServerGroup:
    """Make a group; refused above the quota (Ecs.0022) and for any policy but anti-affinity."""
    project.require_unfrozen()
    if policies != ["anti-affinity"]:
        raise invalid("server_group.policies must be [anti-affinity]")
    if 0 <= project.quota.server_groups <= len(project.groups):
        raise Refusal("Ecs.0022", f"Quota exceeded, too many server groups: {len(project.groups)} of {project.quota.server_groups}.")
    group = ServerGroup(id=world.ids.uuid(), name=name, created=world.now(), user_id=cause.user_id, policies=list(policies))
    project.groups[group.id] = group
    world.record_resource(project, "create", "server_group", group.id, cause, name=name)
    return group


def delete_group(world: World, project: Project, group: ServerGroup, *, cause: Cause) -> None:
    """Delete a group; its members stay."""
    for server_id in group.members:
        project.servers[server_id].group_id = None
    del project.groups[group.id]
    world.record_resource(project, "delete", "server_group", group.id, cause, name=group.name)


def require_room(project: Project, group: ServerGroup, count: int) -> None:
    """Refuse more members than a group may have (Ecs.0022)."""
    limit = project.quota.server_group_members
    if 0 <= limit < len(group.members) + count:
        raise Refusal("Ecs.0022", f"Quota exceeded, too many servers in group: {len(group.members)} and {count} more of {limit}.")


def join(world: World, project: Project, group: ServerGroup, server: Server, *, cause: Cause) -> None:
    """Let a stopped server join a group (5.10.3); it moves to another host if a member is on its own."""
    if server.id in group.members:
        raise invalid(f"The ECS {server.id} is already a member of server group {group.id}.")
    if server.group_id is not None:
        raise invalid(f"The ECS {server.id} is a member of server group {server.group_id}.")
    if world.flavor(server.flavor_id).specs.get("ecs:virtualization_env_types") == "FusionCompute":
        raise invalid(f"The ECS {server.id} is virtualized with Xen; only KVM can join a server group.")
    commands.admit(server, "add_member", _JOINING_STATES)
    require_room(project, group, 1)
    hosts = {project.servers[member].host for member in group.members}
    if server.host in hosts:
        if server.hints.get("tenancy") == ["dedicated"]:
            raise Refusal("Ecs.0319", f"A member of server group {group.id} runs on the dedicated host of the ECS {server.id}.")
        server.host = choose_host(world, project, server.zone, group)
    group.members.append(server.id)
    server.group_id = group.id
    world.record_resource(project, "join", "server_group", group.id, cause, name=group.name, server=server)


def leave(world: World, project: Project, group: ServerGroup, server: Server, *, cause: Cause) -> None:
    """Let a server leave a group (5.10.4)."""
    if server.id not in group.members:
        raise invalid(f"The ECS {server.id} is not a member of server group {group.id}.")
    group.members.remove(server.id)
    server.group_id = None
    world.record_resource(project, "leave", "server_group", group.id, cause, name=group.name, server=server)


def choose_host(world: World, project: Project, zone: str, group: ServerGroup | None) -> str:
    """Return a host of the zone that no member of the group runs on."""
    taken = {project.servers[member].host for member in group.members} if group is not None else set()
    start = world.ids.drawn
    hosts = (f"{zone}-host-{(start + offset) % HOSTS_PER_ZONE:02}" for offset in range(HOSTS_PER_ZONE))
    free = next((host for host in hosts if host not in taken), None)
    if free is None:
        raise Refusal("Ecs.0319", f"No valid host was found in {zone} that no member of server group runs on.")
    return free
