"""Looking at the whole cloud through the client, and saying where it differs from the model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from ecs_operator.cloud import CloudError, EcsClient
from ecs_operator.cloud import Server as SeenServer
from ecs_operator.cloud import Volume as SeenVolume
from tests.contract.machine.directory import Directory
from tests.contract.machine.model.state import Server, State, Work
from tests.contract.machine.scene import ZONES

_TABLE = json.loads((Path(__file__).parents[2] / "reference" / "status_table.json").read_text())
STATUS = {(row["vm_state"], task or ""): row["status"] for row in _TABLE for task in row["task_state"]}
"""Table A-4: status by vm_state and task_state."""
PAIRS = frozenset({"k1", "k2"})
"""The keys that commands use; the others are the cloud's own."""


class Observer:
    """Compares. Every difference is a sentence."""

    def __init__(self, client: EcsClient, directory: Directory) -> None:
        self._client = client
        self._ids = directory

    async def servers(self, state: State) -> list[str]:
        """All servers and all volumes: what every command may have moved."""
        seen = {server.id: server for server in (await self._client.servers.sweep()).servers}
        volumes = await self._client.volumes.list_details()
        self._name_disks(state, volumes)
        found = [f"there is a server {self._ids.name(identity)}" for identity in seen if self._ids.name(identity) not in state.servers]
        for name, server in state.servers.items():
            there = seen.get(self._ids.of(name))
            if there is None:
                found.append(f"{name} is not there")
            else:
                found += [f"{name}: {sentence}" for sentence in self._server(state, name, server, there)]
        return found + self._volumes(state, volumes)

    async def rest(self, state: State) -> list[str]:
        """Everything else."""
        found = [*await self._groups(state), *await self._floating_ips(state), *await self._jobs(state)]
        found += await self._snapshots(state)
        images = {self._ids.name(image.id): image.status for image in await self._client.images.list()}
        found += _differs("images", images, {name: image.status for name, image in state.images.items()})
        groups = {group.name for group in await self._client.security_groups.list()}
        found += _differs("security groups", groups, set(state.security_groups))
        pairs = {pair.name for pair in await self._client.key_pairs.list()}
        return [*found, *_differs("key pairs", pairs, set(state.key_pairs))]

    def _name_disks(self, state: State, seen: Iterable[SeenVolume]) -> None:
        """The disks that a server was made with have no ids before they are seen. The system disk is /dev/vda (5.6.1)."""
        for volume in seen:
            for attachment in volume.attachments if self._ids.name(volume.id) == volume.id else ():
                server = state.servers.get(self._ids.name(attachment.server_id or ""))
                if server is not None:
                    disk = server.system if attachment.device == "/dev/vda" else next(iter(server.disks), None)
                    self._ids.note(disk or volume.id, volume.id)

    def _server(self, state: State, name: str, server: Server, seen: SeenServer) -> Iterator[str]:
        work = state.work_on(name)
        yield from _status(server, work, seen)
        yield from _differs("locked", seen.locked, server.locked)
        yield from _differs("tags", set(seen.tags), set(server.tags))
        yield from _differs("metadata", {key: seen.metadata[key] for key in PAIRS & set(seen.metadata)}, dict(server.metadata))
        if server.name is not None:
            yield from _differs("name", seen.name, server.name)
        flavors = {server.flavor, server.coming or server.flavor}
        if seen.flavor_id not in flavors:
            yield f"flavor {seen.flavor_id} instead of {server.flavor}"
        if work is None:
            yield from _differs("image", self._ids.name(seen.image_id), server.image)
        moving = set(work.volumes) if work is not None else set()
        disks = {disk for disk in (server.system, *server.disks) if disk is not None}
        there = {self._ids.name(volume.id): volume.delete_on_termination for volume in seen.volumes}
        yield from _differs("disks", set(there) - moving, disks - moving)
        for disk in sorted(set(there) & disks - moving):
            yield from _differs(f"{disk} goes with it", there[disk], state.volumes[disk].goes)
        yield from self._addresses(state, name, server, seen, settled=work is None or not work.moves_nics)

    def _addresses(self, state: State, name: str, server: Server, seen: SeenServer, *, settled: bool) -> Iterator[str]:
        public = {address.ip for address in seen.addresses if address.type == "floating"}
        bound = {self._ids.address(ip) for ip, floating in state.floating_ips.items() if floating.server == name}
        yield from _differs("floating IPs", public, bound)
        if not settled:
            return
        private = {address.ip for address in seen.addresses if address.type == "fixed"}
        yield from _differs("number of interfaces", len(private), len(server.nics))
        wanted = {nic.address for nic in server.nics if nic.address not in {"auto", "spare"}}
        yield from _differs("addresses", private & wanted, wanted)
        yield from _differs("security groups", set(seen.security_groups), {group for nic in server.nics for group in nic.groups})

    def _volumes(self, state: State, volumes: Iterable[SeenVolume]) -> list[str]:
        seen = {self._ids.name(volume.id): volume for volume in volumes}
        found = _differs("volumes", set(seen), set(state.volumes))
        for name, volume in state.volumes.items():
            there = seen.get(name)
            if there is None:
                continue
            busy = any(name in work.volumes for work in state.works)
            statuses = {volume.status, "creating", "available", "attaching", "detaching", "in-use"} if busy else {volume.status}
            if busy and volume.status in {"attaching", "detaching", "deleting"}:
                # Whoever gives the next command must find it taken already.
                statuses = {volume.status}
            if there.status not in statuses:
                found.append(f"{name} is {there.status} instead of {volume.status}")
            if not busy:
                servers = tuple(self._ids.name(server) for server in there.server_ids)
                found += _differs(f"{name} is on", servers, (volume.server,) if volume.server is not None else ())
            found += _differs(f"zone of {name}", there.availability_zone, ZONES[volume.zone])
            found += _differs(f"size of {name}", there.size, volume.size)
        return found

    async def _groups(self, state: State) -> list[str]:
        seen = {
            self._ids.name(group.id): {self._ids.name(member) for member in group.members} for group in await self._client.groups.list()
        }
        return _differs("groups", seen, {name: set(state.members(name)) for name in state.groups})

    async def _floating_ips(self, state: State) -> list[str]:
        seen = {}
        for floating in await self._client.floating_ips.list():
            self._ids.addresses[floating.id] = floating.ip
            seen[self._ids.name(floating.id)] = self._ids.name(floating.instance_id) if floating.instance_id else None
        return _differs("floating IPs", seen, {name: floating.server for name, floating in state.floating_ips.items()})

    async def _jobs(self, state: State) -> list[str]:
        found = []
        for name, job in state.jobs.items():
            status = (await self._client.jobs.get(self._ids.of(name))).status.value
            if status not in job.may_be:
                found.append(f"job {name} is {status} instead of {' or '.join(sorted(job.may_be))}")
        return found

    async def _snapshots(self, state: State) -> list[str]:
        """There is no list of snapshots, and no way to learn the id of one that came with an image."""
        found = []
        for name, snapshot in state.snapshots.items():
            if not name.startswith("p"):
                continue
            try:
                status = (await self._client.snapshots.get(self._ids.of(name))).status
            except CloudError as error:
                status = f"gone ({error.status})"
            found += _differs(f"snapshot {name}", status, snapshot.status)
        return found


def _status(server: Server, work: Work | None, seen: SeenServer) -> Iterator[str]:
    """vm_state and task_state are those of the model, and the status is what table A-4 makes of them."""
    before = {(server.vm_state, "")}
    during = before
    if work is not None and work.vm_state is not None:
        during = {(work.vm_state, task) for task in work.tasks} or {(work.vm_state, "")}
        if work.vm_state == "building":
            during |= {("building", "")}
    if work is not None and work.age == 0:
        during = during | before
    state = (seen.vm_state, seen.task_state)
    if state not in during:
        yield f"vm_state and task_state are {' '.join(state)!r} instead of {' or '.join(repr(' '.join(each)) for each in sorted(during))}"
    elif seen.status != STATUS.get(state):
        yield f"status {seen.status} instead of {STATUS.get(state)} for {' '.join(state)!r} (table A-4)"


def _differs(what: str, seen: object, wanted: object) -> list[str]:
    return [] if seen == wanted else [f"{what}: {_shown(seen)} instead of {_shown(wanted)}"]


def _shown(value: object) -> str:
    return str(sorted(value)) if isinstance(value, set) else str(value)
