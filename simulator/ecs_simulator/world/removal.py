"""Deleting servers, and what goes with them and what stays (ECS API reference 5.1.2, 6.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import attaching, commands, engine, interfaces, native_resizing, volumes
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal
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
        native_resizing.settle(world, server)
        server.task_state = "deleting"
        world.record(project, server, "delete-requested", cause)
        part = commands.new_part(world, server)
        part.params |= {"delete_public_ip": delete_public_ip, "delete_volume": delete_volume}
        return part

    return commands.batch(world, project, server_ids, work=DELETE, start=take_up, cause=cause)


def delete_natively(world: World, project: Project, server: Server, *, cause: Cause) -> None:
    """Start deleting a server (6.2.3): its disks go as they were attached, its address stays.

    As in Nova, only a lock prevents it: whatever runs on the server is broken off, and one that is being deleted already is fine.
    """
    if server.locked:
        raise Refusal("Ecs.0605", f"Instance {server.id} is locked")
    if server.task_state == "deleting":
        return
    world.break_off(server, reason="The server was deleted in the meantime.")
    if server.id not in project.servers:
        return
    native_resizing.settle(world, server)
    server.task_state = "deleting"
    world.record(project, server, "delete-requested", cause)
    part = commands.new_part(world, server)
    part.params |= {"delete_public_ip": False, "delete_volume": False}
    engine.submit(world, project, DELETE_NATIVELY, [part], is_batch=False, cause=cause)


def erase(world: World, project: Project, server: Server, *, delete_public_ip: bool | None, delete_volume: bool, cause: Cause) -> None:
    """Take a server out of the world at once, with its own ports and the disks that go with it.

    These are the system disk, unless the server was made of a volume that is to stay (6.2.1), and of the others, those that are to
    go, or all if ``delete_volume`` says so; its address as told.
    """
    for volume in attaching.volumes_of(project, server):
        attachment = volume.attachment
        goes = attachment is not None and (attachment.delete_on_termination or (delete_volume and attachment.boot_index != 0))
        world.record_attachment(project, server, volume, "detach", cause)
        attaching.release(project, volume)
        # A volume with snapshots stays, whatever was asked for (11.4.5).
        if goes and not volumes.has_snapshots(project, volume.id):
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
    server.floating_ip_ids.clear()
    for port in interfaces.of_server(project, server):
        interfaces.let_go(world, project, server, port, cause=cause)
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


def _work(job_type: str, part_type: str) -> engine.Work:
    return engine.Work(
        job_type=job_type,
        part_type=part_type,
        duration="delete_server",
        succeed=_erased,
        fail=_kept,
    )


DELETE = _work("deleteServer", "deleteSingleServer")
DELETE_NATIVELY = _work("nativeDeleteServer", "nativeDeleteServer")
