"""Floating IPs: where they come from, and what they are bound to (ECS API reference 11.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal, invalid
from ecs_simulator.world.resources import FloatingIp, Port, Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

POOLS = ("external",)
"""The pools addresses come from (11.5.7); the first one is the default."""


def find(project: Project, identity: str) -> FloatingIp:
    """Return a floating IP; Absent if there is none of this id."""
    found = project.floating_ips.get(identity)
    if found is None:
        raise Absent("floating IP", identity, code="Ecs.0005")
    return found


def find_by_address(project: Project, address: str) -> FloatingIp:
    """Return the floating IP with an address; Absent if the project has none."""
    found = next((each for each in project.floating_ips.values() if each.address == address), None)
    if found is None:
        raise Absent("floating IP", address, code="Ecs.0005")
    return found


def allocate(world: World, project: Project, pool: str | None, *, cause: Cause) -> FloatingIp:
    """Give the project one more address (11.5.3)."""
    project.require_unfrozen()
    name = pool or POOLS[0]
    if name not in POOLS:
        raise Absent("floating IP pool", name, code="Ecs.0005")
    limit, present = project.quota.floating_ips, len(project.floating_ips)
    if 0 <= limit <= present:
        raise Refusal("Ecs.0013", f"The EIP quota is reached: {present} of {limit}.")
    made = FloatingIp(id=world.ids.uuid(), address=world.public_address(), created=world.now(), pool=name)
    project.floating_ips[made.id] = made
    world.record_resource(project, "create", "floating_ip", made.id, cause, name=made.address)
    return made


def delete(world: World, project: Project, floating: FloatingIp, *, cause: Cause) -> None:
    """Give an address back (11.5.6). One that is bound is unbound first, as Nova does it."""
    unbind(world, project, floating, cause=cause)
    del project.floating_ips[floating.id]
    world.record_resource(project, "delete", "floating_ip", floating.id, cause, name=floating.address)


def associate(
    world: World, project: Project, server: Server, floating: FloatingIp, *, fixed_address: str | None = None, cause: Cause
) -> None:
    """Bind an address to a server (11.5.1): to the port with this private address, else to the first one."""
    project.require_unfrozen()
    ports = [project.ports[port_id] for port_id in server.port_ids]
    if not ports:
        raise invalid("No fixed IPs associated to instance")
    port = next((each for each in ports if fixed_address in {None, each.address}), None)
    if port is None:
        raise invalid("Specified fixed address not assigned to instance")
    if floating.port_id is not None:
        raise invalid(f"The floating IP {floating.address} is already associated.")
    if any(each.port_id == port.id for each in project.floating_ips.values()):
        raise invalid(f"The fixed IP {port.address} has a floating IP already.")
    bind(world, project, server, port, floating, cause=cause)


def disassociate(world: World, project: Project, server: Server, floating: FloatingIp, *, cause: Cause) -> None:
    """Take an address off a server (11.5.2); refused (Ecs.0100) if it is not bound to it."""
    if floating.server_id != server.id:
        raise Refusal("Ecs.0100", f"Floating IP {floating.address} is not associated with instance {server.id}.")
    unbind(world, project, floating, cause=cause)


def bind(world: World, project: Project, server: Server, port: Port, floating: FloatingIp, *, cause: Cause) -> None:
    """Bind a free address to a port of a server."""
    floating.status, floating.server_id, floating.port_id = "ACTIVE", server.id, port.id
    server.floating_ip_ids.append(floating.id)
    server.updated = world.now()
    world.record_resource(project, "bind", "floating_ip", floating.id, cause, name=floating.address, server=server)


def unbind(world: World, project: Project, floating: FloatingIp, *, cause: Cause) -> None:
    """Take an address off whatever it is bound to."""
    server = project.servers.get(floating.server_id or "")
    if server is not None:
        server.floating_ip_ids.remove(floating.id)
        server.updated = world.now()
        world.record_resource(project, "unbind", "floating_ip", floating.id, cause, name=floating.address, server=server)
    floating.server_id = floating.port_id = None
    floating.status = "DOWN"


def unbind_port(world: World, project: Project, server: Server, port: Port, *, cause: Cause) -> None:
    """Take all addresses off a port of a server."""
    for floating in [project.floating_ips[identity] for identity in server.floating_ip_ids]:
        if floating.port_id == port.id:
            unbind(world, project, floating, cause=cause)
