"""Deleting servers, and what goes with them and what stays (ECS API reference 5.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import attaching, commands, engine
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

MAX_TOMBSTONES = 20_000


def delete_servers(
    world: World, project: Project, server_ids: list[str], *, delete_public_ip: bool | None, delete_volume: bool, cause: Cause
) -> Job:
    """Start deleting servers. ``delete_public_ip`` None leaves it to each address; ``delete_volume`` concerns all data disks."""

    def take_up(server: Server) -> Part:
        commands.admit(server, "delete", commands.ANY_STATE)
        server.task_state = "deleting"
        world.record(project, server, "delete-requested", cause)
        part = commands.new_part(world, server)
        part.params |= {"delete_public_ip": delete_public_ip, "delete_volume": delete_volume}
        return part

    return commands.batch(world, project, server_ids, work=DELETE, start=take_up, cause=cause)


def erase(world: World, project: Project, server: Server, *, delete_public_ip: bool | None, delete_volume: bool, cause: Cause) -> None:
    """Take a server out of the world at once, with its ports and its system disk; the other disks and its address as told."""
    for volume in attaching.volumes_of(project, server):
        attachment = volume.attachment
        goes = attachment is not None and (attachment.boot_index == 0 or attachment.delete_on_termination or delete_volume)
        world.record_attachment(project, server, volume, "detach", cause)
        attaching.release(project, volume)
        if goes:
            del project.volumes[volume.id]
            world.record_resource(project, "delete", "volume", volume.id, cause, name=volume.name, server=server)
    for address in [project.floating_ips[address_id] for address_id in server.floating_ip_ids]:
        address.server_id = address.port_id = None
        address.status = "DOWN"
        if address.delete_on_termination if delete_public_ip is None else delete_public_ip:
            del project.floating_ips[address.id]
            world.record_resource(project, "delete", "floating_ip", address.id, cause, name=address.address, server=server)
        else:
            world.record_resource(project, "unbind", "floating_ip", address.id, cause, name=address.address, server=server)
    for port_id in server.port_ids:
        port = project.ports.pop(port_id)
        project.networks[port.network_id].give_back(port.address)
        world.record_resource(project, "delete", "port", port.id, cause, name=port.address, server=server)
    for group in project.groups.values():
        if server.id in group.members:
            group.members.remove(server.id)
    del project.servers[server.id]
    server.last_state = [server.vm_state, server.task_state]
    server.terminated = world.now()
    world.touch(server, vm_state="deleted")
    server.command = None
    project.deleted[server.id] = server
    while len(project.deleted) > MAX_TOMBSTONES:
        del project.deleted[next(iter(project.deleted))]
    world.record(project, server, "delete", cause)


def _erased(world: World, project: Project, job: Job, part: Part) -> None:
    erase(
        world,
        project,
        project.servers[part.server_id],
        delete_public_ip=part.params["delete_public_ip"],
        delete_volume=part.params["delete_volume"],
        cause=job.cause,
    )


def _kept(world: World, project: Project, _: Job, part: Part) -> None:
    world.touch(project.servers[part.server_id])


DELETE = engine.Work(
    job_type="deleteServer",
    part_type="deleteSingleServer",
    duration="delete_server",
    begin=engine.nothing,
    show=engine.nothing,
    succeed=_erased,
    fail=_kept,
)
