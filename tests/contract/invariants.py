"""What must hold in a simulated world at any moment, whatever was asked of it.

Written from the rules of the API, not from the simulator's own helpers: sums, addresses and memberships are counted here once more.
``assert_consistent(world)`` fails with every sentence that is wrong. It may be called between any two requests; the world must be settled.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from ecs_simulator.world import Project, World
from ecs_simulator.world.resources import Server

# Of a volume that is on no server, and of one that is.
_LOOSE = frozenset({"available", "creating", "deleting", "error", "error_deleting"})
_PLACED = frozenset({"creating", "attaching", "in-use", "detaching"})
# /dev/sda and /dev/vda are the same place.
_DEVICE = re.compile(r"^/dev/(?:xvd|vd|sd)")
_PASSING = frozenset({"creating", "attaching", "detaching", "deleting"})
# What the ledger records the making and the end of. Key pairs are not among them: it knows their names, which two users may share.
_KINDS = ("server", "volume", "port", "floating_ip", "server_group", "snapshot", "security_group", "image")
Identity = tuple[str, str, str]


@dataclass
class Fold:
    """The ledger read from its first entry to its last: what must be there, what must not, and what is on what."""

    alive: set[Identity] = field(default_factory=set)
    gone: set[Identity] = field(default_factory=set)
    attached: dict[str, str | None] = field(default_factory=dict)
    bound: dict[str, str | None] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)


def assert_consistent(world: World) -> None:
    """Fail with everything that is wrong in a world."""
    found = violations(world)
    assert not found, "the world is not consistent:\n  " + "\n  ".join(found)


def violations(world: World) -> list[str]:
    """Return a sentence for everything that is wrong, none if all is well."""
    found = [*_of_the_ledger(world), *_of_jobs(world), *_unique_public_addresses(world)]
    for project in world.projects.values():
        checks = (_networks, _ports, _servers, _volumes, _addresses, _groups, _security, _quota)
        found.extend(f"{project.name}: {sentence}" for check in checks for sentence in check(world, project))
    return found


def within_quota(world: World) -> list[str]:
    """Return a sentence for every quota that is exceeded. Only a quota that was never lowered can be asked this."""
    found: list[str] = []
    for project in world.projects.values():
        quota, used = project.quota, used_by_servers(world, project)
        pairs = {
            "instances": (used["instances"], quota.instances),
            "cores": (used["cores"], quota.cores),
            "ram": (used["ram"], quota.ram),
            "volumes": (len(project.volumes), quota.volumes),
            "gigabytes": (sum(volume.size for volume in project.volumes.values()), quota.gigabytes),
            "floating IPs": (len(project.floating_ips), quota.floating_ips),
            "snapshots": (len(project.snapshots), quota.snapshots),
            "server groups": (len(project.groups), quota.server_groups),
            "security groups": (len(project.security_groups), quota.security_groups),
            "key pairs": (len(project.key_pairs), quota.key_pairs),
            "members": (max((len(group.members) for group in project.groups.values()), default=0), quota.server_group_members),
        }
        found.extend(f"{project.name}: {have} {name}, {limit} are allowed" for name, (have, limit) in pairs.items() if 0 <= limit < have)
    return found


def used_by_servers(world: World, project: Project) -> dict[str, int]:
    """Count what the servers use; one between two flavors counts with the greater of each."""
    used = {"instances": len(project.servers), "cores": 0, "ram": 0}
    for server in project.servers.values():
        names = (server.flavor_id, server.target_flavor_id, server.previous_flavor_id)
        flavors = [world.flavors[name] for name in names if name is not None]
        used["cores"] += max(flavor.vcpus for flavor in flavors)
        used["ram"] += max(flavor.ram for flavor in flavors)
    return used


def _networks(_: World, project: Project) -> Iterator[str]:
    for network in project.networks.values():
        inside = ipaddress.IPv4Network(network.cidr)
        ends = {str(inside[0]), str(inside[1]), str(inside[-1])}
        for address, port_id in network.used.items():
            port = project.ports.get(port_id)
            if port is None:
                yield f"{address} of network {network.name} belongs to port {port_id}, which is not there"
            elif (port.address, port.network_id) != (address, network.id):
                yield f"{address} of network {network.name} belongs to port {port_id}, which has {port.address} of {port.network_id}"
            if address in ends or ipaddress.IPv4Address(address) not in inside:
                yield f"{address} cannot be an address of network {network.name}"
        yield from (f"{name} twice in {network.name}" for name in _repeated(network.used.values()))


def _ports(_: World, project: Project) -> Iterator[str]:
    for port in project.ports.values():
        network = project.networks.get(port.network_id)
        if network is None or network.used.get(port.address) != port.id:
            yield f"port {port.id} has {port.address}, which is not its own in its network"
        server = project.servers.get(port.server_id or "")
        if port.server_id is not None and (server is None or port.id not in server.port_ids):
            yield f"port {port.id} is on server {port.server_id}, which does not have it"
        if port.server_id is None and not port.kept:
            yield f"port {port.id} is an orphan"
        if port.attaching and (server is None or server.command is None):
            yield f"port {port.id} is being attached by nobody"
        yield from (
            f"port {port.id} has security group {each}, which is not there"
            for each in port.security_group_ids
            if each not in project.security_groups
        )
    yield from (f"the hardware address {mac} is there twice" for mac in _repeated(port.mac for port in project.ports.values()))


def _servers(world: World, project: Project) -> Iterator[str]:
    for identity, server in project.servers.items():
        problems = [
            (server.id == identity and server.project_id == project.id, "has the wrong id or project"),
            (identity not in project.deleted, "is among the deleted ones too"),
            (server.vm_state != "deleted", "is deleted and still there"),
            (server.status != "UNKNOWN", f"is in vm_state {server.vm_state} with task_state {server.task_state}, which table A-4 lacks"),
            (bool(server.port_ids), "has no interface"),
            (not _repeated(server.port_ids), "has an interface twice"),
            (not _repeated(server.volume_ids), "has a volume twice"),
            (all(_is_on(project, port_id, server) for port_id in server.port_ids), "has an interface that is not on it"),
            (_protected(project, server) == set(server.security_group_ids), "has other security groups than its interfaces"),
            ((server.target_flavor_id is None) or server.command is not None, "is being resized by nobody"),
            ((server.previous_flavor_id is None) or server.vm_state == "resized", "has a flavor to go back to, and is not resized"),
            ((server.fault is None) or server.vm_state in {"error", "building", "active", "stopped"}, "has a fault in an odd state"),
            (server.command is None or _runs_on(world, server), "is busy with a job that is over or does not know it"),
            (server.task_state is None or server.command is not None, f"has task_state {server.task_state} and no job"),
            (bool(server.host), "is on no host"),
        ]
        yield from (f"server {server.name} {identity} {text}" for holds, text in problems if not holds)
        yield from _disks(project, server)
    for identity, server in project.deleted.items():
        if server.vm_state != "deleted" or server.terminated is None:
            yield f"server {identity} is among the deleted ones, in vm_state {server.vm_state}"
        if server.floating_ip_ids or identity in project.servers:
            yield f"server {identity} is deleted and has something still"


def _is_on(project: Project, port_id: str, server: Server) -> bool:
    port = project.ports.get(port_id)
    return port is not None and port.server_id == server.id


def _protected(project: Project, server: Server) -> set[str]:
    return {each for port_id in server.port_ids if port_id in project.ports for each in project.ports[port_id].security_group_ids}


def _runs_on(world: World, server: Server) -> bool:
    job = world.jobs.get(server.command or "")
    return job is not None and any(part.server_id == server.id for part in job.parts if part.status in {"INIT", "RUNNING"})


def _disks(project: Project, server: Server) -> Iterator[str]:
    attachments = []
    for volume_id in server.volume_ids:
        volume = project.volumes.get(volume_id)
        if volume is None or volume.attachment is None or volume.attachment.server_id != server.id:
            yield f"server {server.name} {server.id} has volume {volume_id}, which does not know it"
            continue
        attachments.append(volume.attachment)
        if volume.zone != server.zone:
            yield f"volume {volume_id} is in {volume.zone}, its server {server.id} in {server.zone}"
    places = [_DEVICE.sub("", each.device) for each in attachments]
    yield from (f"server {server.id} has two disks at {place}" for place in _repeated(places))
    yield from (f"server {server.id} has boot index {index} twice" for index in _repeated(each.boot_index for each in attachments))
    yield from (f"server {server.id} has PCI address {place} twice" for place in _repeated(each.pci_address for each in attachments))


def _volumes(world: World, project: Project) -> Iterator[str]:
    busy = {part.volume_id for job in world.jobs.values() for part in job.open_parts() if part.volume_id is not None}
    for volume in project.volumes.values():
        attachment = volume.attachment
        server = project.servers.get(attachment.server_id) if attachment is not None else None
        if attachment is not None and (server is None or volume.id not in server.volume_ids):
            yield f"volume {volume.id} is on server {attachment.server_id}, which does not have it"
        if volume.status not in (_LOOSE if attachment is None else _PLACED):
            yield f"volume {volume.id} is {volume.status} and {'loose' if attachment is None else 'on a server'}"
        if volume.status in _PASSING and volume.id not in busy and (server is None or server.command is None):
            yield f"volume {volume.id} is {volume.status}, and nobody is at it"
        if volume.size < 1 or volume.project_id != project.id:
            yield f"volume {volume.id} has size {volume.size} and project {volume.project_id}"
    for snapshot in project.snapshots.values():
        if snapshot.volume_id not in project.volumes:
            yield f"snapshot {snapshot.id} is of volume {snapshot.volume_id}, which is not there"


def _addresses(_: World, project: Project) -> Iterator[str]:
    for floating in project.floating_ips.values():
        port, server = project.ports.get(floating.port_id or ""), project.servers.get(floating.server_id or "")
        bound = [floating.port_id is not None, floating.server_id is not None, floating.status == "ACTIVE"]
        if len(set(bound)) != 1:
            yield f"floating IP {floating.address} is {floating.status} with port {floating.port_id} and server {floating.server_id}"
        elif floating.port_id is not None and (port is None or server is None or port.server_id != server.id):
            yield f"floating IP {floating.address} is bound to a port that is not of its server"
        elif server is not None and floating.id not in server.floating_ip_ids:
            yield f"floating IP {floating.address} is bound to server {server.id}, which does not know it"
    for server in project.servers.values():
        for identity in server.floating_ip_ids:
            if identity not in project.floating_ips or project.floating_ips[identity].server_id != server.id:
                yield f"server {server.id} has floating IP {identity}, which does not know it"
    ports = [floating.port_id for floating in project.floating_ips.values() if floating.port_id is not None]
    yield from (f"port {port_id} has two floating IPs" for port_id in _repeated(ports))


def _unique_public_addresses(world: World) -> Iterator[str]:
    addresses = [floating.address for project in world.projects.values() for floating in project.floating_ips.values()]
    yield from (f"the public address {address} was given out twice" for address in _repeated(addresses))


def _groups(_: World, project: Project) -> Iterator[str]:
    for group in project.groups.values():
        yield from (f"server {member} is in group {group.id} twice" for member in _repeated(group.members))
        hosts = []
        for member in group.members:
            server = project.servers.get(member)
            if server is None or server.group_id != group.id:
                yield f"group {group.id} has member {member}, which is not there or does not know it"
            else:
                hosts.append(server.host)
        yield from (f"two members of group {group.id} run on {host}" for host in _repeated(hosts))
    for server in project.servers.values():
        group_id = server.group_id
        if group_id is not None and (group_id not in project.groups or server.id not in project.groups[group_id].members):
            yield f"server {server.id} is in group {group_id}, which does not know it"


def _security(_: World, project: Project) -> Iterator[str]:
    rules = [rule for group in project.security_groups.values() for rule in group.rules]
    for rule in rules:
        if rule.group_id is not None and rule.group_id not in project.security_groups:
            yield f"rule {rule.id} lets in group {rule.group_id}, which is not there"
    yield from (f"security group rule {identity} is there twice" for identity in _repeated(rule.id for rule in rules))
    for name, pair in project.key_pairs.items():
        if name != f"{pair.user_id}/{pair.name}" or pair.user_id not in project.users:
            yield f"key pair {name} is of user {pair.user_id}, who is not there"


def _quota(world: World, project: Project) -> Iterator[str]:
    shown, counted = project.usage(world.flavors), used_by_servers(world, project)
    if (shown.instances, shown.cores, shown.ram) != (counted["instances"], counted["cores"], counted["ram"]):
        yield f"{shown} is shown as used, {counted} is"


def _of_jobs(world: World) -> Iterator[str]:
    due = {(str(entry[3]), entry[4]) for entry in world.schedule.to_json() if entry[2] == "end"}
    for job in world.jobs.values():
        for index, part in enumerate(job.parts):
            if part.status in {"INIT", "RUNNING"} and (job.id, index) not in due:
                yield f"job {job.type} {job.id} will never end"
            if part.status == "FAIL" and part.failure is None:
                yield f"job {job.type} {job.id} failed and does not say why"


def fold(world: World) -> Fold:
    """Read the whole ledger."""
    found = Fold()
    for entry in world.ledger.to_json():
        kind, action, identity = str(entry["resource"]), str(entry["action"]), str(entry["id"])
        key, server = (str(entry["project"]), kind, identity), entry.get("server")
        if kind in _KINDS and action == "create":
            if key in found.alive:
                found.twice.append(f"{kind} {identity} was created twice")
            found.alive.add(key)
            found.gone.discard(key)
        if kind in _KINDS and action == "delete":
            if key in found.gone:
                found.twice.append(f"{kind} {identity} was deleted twice")
            found.alive.discard(key)
            found.gone.add(key)
        if (kind, action) in {("volume", "create"), ("attachment", "attach")}:
            found.attached[identity] = server
        if (kind, action) in {("volume", "delete"), ("attachment", "detach")}:
            found.attached[identity] = None
        if (kind, action) == ("floating_ip", "bind"):
            found.bound[identity] = server
        if kind == "floating_ip" and action in {"unbind", "delete"}:
            found.bound[identity] = None
    return found


def present(world: World) -> set[Identity]:
    """Return everything of the kinds that the ledger records."""
    found: set[Identity] = set()
    for project in world.projects.values():
        things: dict[str, Iterable[str]] = {
            "server": project.servers,
            "volume": project.volumes,
            "port": project.ports,
            "floating_ip": project.floating_ips,
            "server_group": project.groups,
            "snapshot": project.snapshots,
            "security_group": project.security_groups,
        }
        found |= {(project.id, kind, identity) for kind, identities in things.items() for identity in identities}
    return found | {(image.project_id, "image", image.id) for image in world.images.values() if image.project_id is not None}


def _of_the_ledger(world: World) -> Iterator[str]:
    told, there = fold(world), present(world)
    yield from told.twice
    yield from (f"{kind} {identity} was created, and is not there" for _, kind, identity in sorted(told.alive - there))
    yield from (f"{kind} {identity} was deleted, and is there" for _, kind, identity in sorted(told.gone & there))
    # Servers are never in a seed; of the other kinds what no entry knows may be.
    known = told.alive | told.gone
    yield from (f"server {identity} is there, and was never created" for _, kind, identity in sorted(there - known) if kind == "server")
    for project in world.projects.values():
        for volume in project.volumes.values():
            server_id = volume.attachment.server_id if volume.attachment is not None else None
            # It is recorded when the detaching begins.
            if volume.id in told.attached and volume.status != "detaching" and told.attached[volume.id] != server_id:
                yield f"volume {volume.id} is on {server_id}, on {told.attached[volume.id]} by the ledger"
        for floating in project.floating_ips.values():
            if floating.id in told.bound and told.bound[floating.id] != floating.server_id:
                yield f"floating IP {floating.address} is on {floating.server_id}, on {told.bound[floating.id]} by the ledger"


def _repeated(values: Iterable[Hashable]) -> list[Hashable]:
    return [value for value, count in Counter(values).items() if count > 1]
