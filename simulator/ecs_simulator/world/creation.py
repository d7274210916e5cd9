"""Creating servers: what is there from the first moment, what comes while the job runs, and what a failure leaves (5.1.1, 6.2.1)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from ecs_simulator.world import (
    admission,
    attaching,
    engine,
    floating_addresses,
    hosting,
    images,
    initial_passwords,
    interfaces,
    removal,
    security_groups,
)
from ecs_simulator.world.admission import Plan
from ecs_simulator.world.jobs import Failure, Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.resources import Fault, FloatingIp, Server, Volume
from ecs_simulator.world.wishes import NicWish, ServerWish, VolumeWish

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

ROLLBACK_FAILED = frozenset({"Ecs.0401", "Ecs.0402", "Ecs.0403", "Ecs.0405"})
"""Codes of a create whose rollback failed: something is left behind."""
_NUMBERED = re.compile(r"(.*)-([0-9]{4})")


def create_servers(world: World, project: Project, wish: ServerWish, *, cause: Cause) -> Job:
    """Start creating servers. They exist at once, in BUILD; the job tells their ids a while later."""
    plan = admission.plan(world, project, wish)
    reservation = f"r-{world.ids.text(8).lower()}"
    parts = []
    for index, name in enumerate(server_names(wish.name, wish.count)):
        server = build(world, project, plan, name=name, cause=cause, reservation=reservation, index=index)
        made = server.id if wish.address is not None and wish.address.id is None else None
        parts.append(Part(id=world.ids.job(), server_id=server.id, begin=world.now(), shown=False, params={"made_address_for": made}))
    return engine.submit(world, project, CREATE, parts, is_batch=True, cause=cause)


def create_natively(world: World, project: Project, wish: ServerWish, *, cause: Cause) -> list[Server]:
    """Start creating servers (6.2.1) and return them. Whatever goes wrong later leaves them behind in ERROR; nothing is rolled back."""
    plan = admission.plan(world, project, wish, only_sold=False)
    reservation = f"r-{world.ids.text(8).lower()}"
    servers, parts = [], []
    for index, name in enumerate(server_names(wish.name, wish.count)):
        server = build(world, project, plan, name=name, cause=cause, reservation=reservation, index=index)
        server.keeps_resource_type = wish.root.volume_id is None and wish.root.snapshot_id is None
        part = Part(id=world.ids.job(), server_id=server.id, begin=world.now())
        if not plan.flavor.is_sold_in(plan.zone):
            part.failure = Failure(code="Ecs.0319", reason="No valid host was found. There are not enough hosts available.")
        servers.append(server)
        parts.append(part)
    engine.submit(world, project, CREATE_NATIVELY, parts, is_batch=True, cause=cause)
    return servers


def server_names(name: str, count: int) -> list[str]:
    """Return the names of several servers: numbered from -0000 on, or on from the number the name ends with."""
    if count == 1:
        return [name]
    found = _NUMBERED.fullmatch(name)
    stem, first = (found[1], int(found[2]) + 1) if found is not None else (name, 0)
    return [f"{stem}-{number:04}" for number in range(first, first + count)]


def build(world: World, project: Project, plan: Plan, *, name: str, cause: Cause, reservation: str = "", index: int = 0) -> Server:
    """Put one server into the world, in BUILD, with ports, disks and address."""
    wish, now = plan.wish, world.now()
    server = Server(
        id=world.ids.uuid(),
        project_id=project.id,
        name=name,
        user_id=wish.user_id,
        created=now,
        updated=now,
        flavor_id=plan.flavor.id,
        image_id=plan.image.id if plan.image is not None else wish.image_id,
        zone=plan.zone,
        vpc_id=wish.vpc_id,
        description=wish.description,
        key_name=wish.key_name,
        metadata={**wish.metadata, **_system_metadata(plan)},
        user_data=wish.user_data,
        tags=list(wish.tags),
        host=hosting.choose(world, project, plan.zone, plan.group, hosting.wanted(wish.hints)),
        reservation_id=reservation,
        launch_index=index,
        # What the ports bring, in the end; until they are there, what is wished for them.
        security_group_ids=list(plan.security_group_ids),
        hints={key: list(values) for key, values in wish.hints.items()},
    )
    project.servers[server.id] = server
    world.record(project, server, "create", cause)
    chosen = {nic.address for nic in wish.nics if nic.address is not None}
    for nic in wish.nics:
        _add_port(world, project, server, nic, cause, avoid=chosen)
    security_groups.gather(project, server)
    least = plan.image.min_disk if plan.image is not None else 1
    _add_volume(world, project, server, wish.root, size=wish.root.size or least, label="root", cause=cause)
    for number, data in enumerate(wish.data):
        _add_volume(world, project, server, data, size=data.size or 10, label=f"{number:04}", cause=cause)
    _bind_address(world, project, server, plan, cause)
    if plan.group is not None:
        plan.group.members.append(server.id)
        server.group_id = plan.group.id
    initial_passwords.issue(world, project, server)
    return server


def _system_metadata(plan: Plan) -> dict[str, str]:
    """Return what the cloud itself writes into a server's metadata (table 8-17)."""
    pairs = {
        "charging_mode": "0",
        "vpc_id": plan.wish.vpc_id,
        "metering.resourcecode": plan.flavor.id,
        "metering.resourcetype": "1",
    }
    return pairs if plan.image is None else {**pairs, **images.system_pairs(plan.image)}


def _add_port(world: World, project: Project, server: Server, nic: NicWish, cause: Cause, *, avoid: Collection[str]) -> None:
    if nic.port_id is not None:
        interfaces.adopt(world, project, server, project.ports[nic.port_id], cause=cause)
        return
    interfaces.make(
        world,
        project,
        server,
        project.networks[nic.network_id],
        address=nic.address,
        avoid=avoid,
        security_group_ids=[] if nic.is_open else list(server.security_group_ids),
        mtu=nic.mtu,
        cause=cause,
    )


def _add_volume(world: World, project: Project, server: Server, wish: VolumeWish, *, size: int, label: str, cause: Cause) -> None:
    goes = wish.goes if wish.goes is not None else label == "root"
    prefix = attaching.prefix_of(world, server)
    if wish.volume_id is not None:
        existing = project.volumes[wish.volume_id]
        attaching.place(project, server, existing, prefix=prefix, delete_on_termination=goes)
        existing.status = "attaching"
        world.record_attachment(project, server, existing, "attach", cause)
        return
    source = project.volumes[project.snapshots[wish.snapshot_id].volume_id] if wish.snapshot_id is not None else None
    volume = Volume(
        id=world.ids.uuid(),
        project_id=project.id,
        name=f"{server.name}-volume-{label}",
        size=size,
        type=wish.type,
        zone=server.zone,
        created=world.now(),
        status="creating",
        bootable=label == "root",
        scsi=wish.scsi if source is None else source.scsi,
        snapshot_id=wish.snapshot_id,
        image_id=(server.image_id or None) if label == "root" else wish.image_id if source is None else source.image_id,
        metadata=dict(wish.metadata),
    )
    project.volumes[volume.id] = volume
    attaching.place(project, server, volume, prefix=prefix, delete_on_termination=goes)
    world.record_resource(project, "create", "volume", volume.id, cause, name=volume.name, server=server)


def _bind_address(world: World, project: Project, server: Server, plan: Plan, cause: Cause) -> None:
    wish = plan.wish.address
    if wish is None:
        return
    if wish.id is not None:
        address = project.floating_ips[wish.id]
    else:
        address = FloatingIp(
            id=world.ids.uuid(),
            address=world.public_address(),
            created=world.now(),
            type=wish.type,
            bandwidth=wish.bandwidth,
            share_type=wish.share_type,
        )
        project.floating_ips[address.id] = address
        world.record_resource(project, "create", "floating_ip", address.id, cause, name=address.address, server=server)
    if wish.delete_on_termination is not None:
        address.delete_on_termination = wish.delete_on_termination
    floating_addresses.bind(world, project, server, project.ports[server.port_ids[0]], address, cause=cause)


def _connecting(_: World, project: Project, __: Job, part: Part) -> None:
    project.servers[part.server_id].task_state = "networking"


def _spawning(_: World, project: Project, __: Job, part: Part) -> None:
    project.servers[part.server_id].task_state = "spawning"


def make_ready(world: World, project: Project, server: Server) -> None:
    """Let a server run, its disks in use."""
    for volume in attaching.volumes_of(project, server):
        volume.status = "in-use"
    server.launched = world.now()
    world.touch(server, vm_state="active")


def _created(world: World, project: Project, _: Job, part: Part) -> None:
    make_ready(world, project, project.servers[part.server_id])


def _not_created(world: World, project: Project, job: Job, part: Part) -> None:
    """Roll back, or fail to: then the server stays in ERROR, with everything it has."""
    if part.failure is not None and part.failure.leave == "server":
        _left_in_error(world, project, job, part)
        return
    removal.erase(
        world,
        project,
        project.servers[part.server_id],
        delete_public_ip=part.params["made_address_for"] is not None,
        delete_volume=True,
        cause=job.cause,
    )


def _left_in_error(world: World, project: Project, job: Job, part: Part) -> None:
    """Leave a server that failed behind, with everything it has."""
    server, failure = project.servers[part.server_id], part.failure or Failure(code="Ecs.1001", reason="Build failed.")
    for volume in attaching.volumes_of(project, server):
        volume.status = "in-use"
    server.fault = Fault(code=500, message=failure.reason, created=world.now())
    world.touch(server, vm_state="error")
    world.record(project, server, "error", job.cause, code=failure.code)


CREATE = engine.Work(
    job_type="createServer",
    part_type="createSingleServer",
    duration="create_server",
    begin=_connecting,
    show=_spawning,
    succeed=_created,
    fail=_not_created,
)
CREATE_NATIVELY = engine.Work(
    job_type="nativeCreateServer",
    part_type="nativeCreateServer",
    duration="create_server",
    begin=_connecting,
    show=_spawning,
    succeed=_created,
    fail=_left_in_error,
)
