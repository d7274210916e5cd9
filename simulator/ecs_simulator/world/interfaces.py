"""Interfaces of servers: ports that come and go, each with its address and its security groups (ECS API reference 5.5, 6.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecs_simulator.world import commands, engine, floating_addresses, security_groups
from ecs_simulator.world.catalog import Network
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal, invalid
from ecs_simulator.world.resources import Port, Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

STATES = frozenset({"active", "paused", "stopped"})
"""As Nova allows it."""


@dataclass(frozen=True, slots=True)
class InterfaceWish:
    """An interface to add (table 5-44): an address is chosen and the default group protects it, unless told."""

    network_id: str
    address: str | None = None
    security_group_ids: tuple[str, ...] = ()


# Ports


def make(
    world: World,
    project: Project,
    server: Server,
    network: Network,
    *,
    address: str | None,
    avoid: Collection[str] = (),
    security_group_ids: list[str],
    mtu: int | None = None,
    cause: Cause,
) -> Port:
    """Make a port on a server. That its address is free comes before; ``avoid`` are addresses that are not to be chosen for it."""
    port_id = world.ids.uuid()
    port = Port(
        id=port_id,
        network_id=network.id,
        address=network.take(port_id, address, avoid=avoid),
        mac=world.ids.mac(),
        server_id=server.id,
        mtu=mtu,
        security_group_ids=security_group_ids,
    )
    project.ports[port.id] = port
    server.port_ids.append(port.id)
    world.record_resource(project, "create", "port", port.id, cause, name=port.address, server=server)
    return port


def adopt(world: World, project: Project, server: Server, port: Port, *, cause: Cause) -> None:
    """Put a port that is on no server onto one. It outlives that (6.7.4)."""
    port.server_id, port.kept = server.id, True
    server.port_ids.append(port.id)
    world.record_resource(project, "update", "port", port.id, cause, name=port.address, server=server)


def let_go(world: World, project: Project, server: Server, port: Port, *, cause: Cause) -> None:
    """Take a port off a server: its floating IP is unbound, and it goes, with its address, unless it is kept."""
    floating_addresses.unbind_port(world, project, server, port, cause=cause)
    server.port_ids.remove(port.id)
    port.server_id, port.attaching = None, False
    if port.kept:
        world.record_resource(project, "update", "port", port.id, cause, name=port.address, server=server)
        return
    del project.ports[port.id]
    project.networks[port.network_id].give_back(port.address)
    world.record_resource(project, "delete", "port", port.id, cause, name=port.address, server=server)


def of_server(project: Project, server: Server) -> list[Port]:
    """Return the ports of a server, the primary one first. A server that is gone has none."""
    return [project.ports[port_id] for port_id in server.port_ids if port_id in project.ports]


def free_port(project: Project, port_id: str) -> Port:
    """Return a port that can be put onto a server; Absent if there is none of this id, refused (Ecs.0919) if it is on one."""
    port = project.ports.get(port_id)
    if port is None:
        raise Absent("port", port_id, code="Ecs.0085")
    if port.server_id is not None:
        raise Refusal("Ecs.0919", f"Port {port_id} is still in use.")
    return port


# Several at a time (5.5)


def add(world: World, project: Project, server: Server, wishes: list[InterfaceWish], *, cause: Cause) -> Job:
    """Start adding interfaces. Their addresses are theirs from now on; they are up when the job is done."""
    _check_room(world, project, server, len(wishes))
    if not wishes:
        raise invalid("nics must not be empty")
    _check_wishes(project, server, wishes)
    chosen = {wish.address for wish in wishes if wish.address is not None}
    parts = []
    for wish in wishes:
        port = _attach_new(world, project, server, wish, cause, avoid=chosen)
        port.attaching = True
        parts.append(_part(world, server, port))
    security_groups.gather(project, server)
    return engine.submit(world, project, ADD, parts, is_batch=True, cause=cause)


def remove(world: World, project: Project, server: Server, port_ids: list[str], *, cause: Cause) -> Job:
    """Start removing interfaces; all of them must be there, and none the primary one."""
    commands.admit(server, "detach_interface", STATES)
    ids = list(dict.fromkeys(port_ids))
    if not ids:
        raise invalid("nics must not be empty")
    for port_id in ids:
        if port_id not in server.port_ids:
            raise Refusal("Ecs.0085", f"The ECS {server.id} does not have the interface {port_id}.")
        _require_secondary(server, port_id)
    parts = [_part(world, server, project.ports[port_id]) for port_id in ids]
    for port_id in ids:
        world.record_resource(project, "detach", "interface", port_id, cause, name=project.ports[port_id].address, server=server)
    return engine.submit(world, project, REMOVE, parts, is_batch=True, cause=cause)


# One, natively (6.7)


def attach(world: World, project: Project, server: Server, wish: InterfaceWish, *, cause: Cause) -> Port:
    """Add an interface at once (6.7.3)."""
    _check_room(world, project, server, 1)
    _check_wishes(project, server, [wish])
    port = _attach_new(world, project, server, wish, cause)
    _settle(world, project, server)
    return port


def attach_port(world: World, project: Project, server: Server, port_id: str, *, cause: Cause) -> Port:
    """Add a port that is there already, with the address and the groups it has (6.7.3)."""
    _check_room(world, project, server, 1)
    port = free_port(project, port_id)
    _require_vpc(server, project.networks[port.network_id])
    adopt(world, project, server, port, cause=cause)
    world.record_resource(project, "attach", "interface", port.id, cause, name=port.address, server=server)
    _settle(world, project, server)
    return port


def detach(world: World, project: Project, server: Server, port_id: str, *, cause: Cause) -> None:
    """Remove an interface at once (6.7.4)."""
    commands.admit(server, "detach_interface", STATES)
    if port_id not in server.port_ids:
        raise Absent("port", port_id, code="Ecs.0085")
    _require_secondary(server, port_id)
    port = project.ports[port_id]
    world.record_resource(project, "detach", "interface", port.id, cause, name=port.address, server=server)
    let_go(world, project, server, port, cause=cause)
    _settle(world, project, server)


# Rules


def _check_room(world: World, project: Project, server: Server, count: int) -> None:
    project.require_unfrozen()
    commands.admit(server, "attach_interface", STATES)
    limit, present = world.flavor(server.flavor_id).max_nics, len(server.port_ids)
    if present + count > limit:
        raise invalid(f"{present} NICs and {count} more exceed the {limit} that flavor {server.flavor_id} takes.", "Ecs.0050")


def _check_wishes(project: Project, server: Server, wishes: list[InterfaceWish]) -> None:
    wanted: set[tuple[str, str]] = set()
    for index, wish in enumerate(wishes):
        network = project.networks.get(wish.network_id)
        if network is None:
            raise invalid(f"nics[{index}].subnet_id: the subnet {wish.network_id} does not exist.", "Ecs.0038")
        _require_vpc(server, network)
        for group_id in wish.security_group_ids:
            if group_id not in project.security_groups:
                raise invalid(f"nics[{index}].security_groups: the security group {group_id} does not exist.", "Ecs.0014")
        if wish.address is None:
            continue
        network.check(wish.address)
        if (network.id, wish.address) in wanted:
            raise Refusal("Ecs.0010", f"privateIp [{wish.address}] is wanted twice.")
        wanted.add((network.id, wish.address))
    for network_id, count in Counter(wish.network_id for wish in wishes).items():
        free = project.networks[network_id].free
        if count > free:
            raise Refusal("Ecs.0012", f"The subnet {network_id} has {free} free IP addresses, {count} are needed.")


def _require_vpc(server: Server, network: Network) -> None:
    if network.vpc_id != server.vpc_id:
        raise invalid(f"The subnet {network.id} is not in the VPC {server.vpc_id} of the ECS.", "Ecs.0014")


def _require_secondary(server: Server, port_id: str) -> None:
    if port_id == server.port_ids[0]:
        raise Refusal("Ecs.0507", f"The primary NIC {port_id} cannot be deleted.")


# Effects


def _attach_new(world: World, project: Project, server: Server, wish: InterfaceWish, cause: Cause, *, avoid: Collection[str] = ()) -> Port:
    port = make(
        world,
        project,
        server,
        project.networks[wish.network_id],
        address=wish.address,
        avoid=avoid,
        security_group_ids=list(dict.fromkeys(wish.security_group_ids)) or security_groups.default_ids(project),
        cause=cause,
    )
    world.record_resource(project, "attach", "interface", port.id, cause, name=port.address, server=server)
    return port


def _settle(world: World, project: Project, server: Server) -> None:
    security_groups.gather(project, server)
    server.updated = world.now()


def _part(world: World, server: Server, port: Port) -> Part:
    part = commands.new_part(world, server)
    part.port_id = port.id
    return part


def _end(world: World, project: Project, job: Job, part: Part) -> None:
    """End one part; the server is free for other commands once all of them have ended."""
    server = project.servers[part.server_id]
    _settle(world, project, server)
    if not job.is_over:
        server.command = job.id


def _attached(world: World, project: Project, job: Job, part: Part) -> None:
    project.ports[part.port_id or ""].attaching = False
    _end(world, project, job, part)


def _not_attached(world: World, project: Project, job: Job, part: Part) -> None:
    server, port = project.servers[part.server_id], project.ports[part.port_id or ""]
    world.record_resource(project, "detach", "interface", port.id, job.cause, name=port.address, server=server)
    let_go(world, project, server, port, cause=job.cause)
    _end(world, project, job, part)


def _detached(world: World, project: Project, job: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    let_go(world, project, server, project.ports[part.port_id or ""], cause=job.cause)
    _end(world, project, job, part)


def _still_attached(world: World, project: Project, job: Job, part: Part) -> None:
    server, port = project.servers[part.server_id], project.ports[part.port_id or ""]
    world.record_resource(project, "attach", "interface", port.id, job.cause, name=port.address, server=server)
    _end(world, project, job, part)


ADD = engine.Work(
    job_type="addNics",
    part_type="addNic",
    duration="add_interface",
    succeed=_attached,
    fail=_not_attached,
)
REMOVE = engine.Work(
    job_type="deleteNics",
    part_type="deleteNic",
    duration="delete_interface",
    succeed=_detached,
    fail=_still_attached,
)
