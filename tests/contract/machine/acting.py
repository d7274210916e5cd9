"""Giving a command to the cloud, through the client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from ecs_operator.cloud import (
    ChangeSystem,
    CloudError,
    CreateServers,
    DataVolume,
    EcsClient,
    JobAccepted,
    NativeCreate,
    NativeDisk,
    NativeNetwork,
    NewInterface,
    NewVolume,
    Nic,
    ReinstallSystem,
    RootVolume,
    SchedulerHints,
    SecurityGroup,
)
from tests.contract.machine import commands as c
from tests.contract.machine.directory import Directory
from tests.contract.machine.scene import PUBLIC_KEY, SPARE_PORT, ZONES
from tests.contract.stage import SUBNET, VPC


class Actor:
    """Turns commands into calls, and notes the ids of what they make. ``state`` of the model is what the names mean."""

    def __init__(self, client: EcsClient, directory: Directory) -> None:
        self._client = client
        self._ids = directory

    async def act(self, command: c.Command) -> Mapping[str, tuple[str, ...]]:
        """Carry a command out and return the ids of what it made, by the letter of its kind. Raises CloudError."""
        acts: Mapping[type[c.Command], Callable[[Any], Awaitable[Mapping[str, tuple[str, ...]]]]] = MappingProxyType(
            {
                c.Create: self._create,
                c.Delete: self._delete,
                c.Power: self._power,
                c.PowerNatively: self._power_natively,
                c.Resize: self._resize,
                c.Settle: self._settle,
                c.Reinstall: self._reinstall,
                c.SetMetadata: self._set_metadata,
                c.ReplaceTags: self._replace_tags,
                c.MakeGroup: self._make_group,
                c.DeleteGroup: self._delete_group,
                c.Join: self._join,
                c.MakeVolume: self._make_volume,
                c.Attach: self._attach,
                c.Detach: self._detach,
                c.RemoveInterface: self._remove_interface,
                c.AddInterfaces: self._add_interfaces,
                c.Bind: self._bind,
                c.Protect: self._protect,
                c.Lock: self._lock,
                c.MakeImage: self._make_image,
                c.MakeFloatingIp: self._make_floating_ip,
                c.MakeSnapshot: self._make_snapshot,
                c.MakeSecurityGroup: self._make_security_group,
            }
        )
        act = acts.get(type(command))
        if act is not None:
            return await act(command)
        await self._plain(command)
        return {}

    async def _plain(self, command: c.Command) -> None:
        """What makes nothing that has an id."""
        client, id_of = self._client, self._ids.of
        match command:
            case c.DeleteNatively(server):
                await client.servers.delete_native(id_of(server))
            case c.Rename(server, name):
                await client.servers.update(id_of(server), name=name)
            case c.Recover(server, on):
                await client.auto_recovery.set(id_of(server), enabled=on)
            case c.ResizeNatively(server, flavor):
                await client.server_actions.resize(id_of(server), flavor)
            case c.Rebuild(server, image):
                await client.server_actions.rebuild(id_of(server), id_of(image))
            case c.DeleteImage(image):
                await client.images.delete(id_of(image))
            case c.RemoveMetadata(server, key):
                await client.metadata.remove(id_of(server), key)
            case c.AddTags(server, keys, value):
                await client.tags.add(id_of(server), dict.fromkeys(keys, value))
            case c.RemoveTags(server, keys):
                await client.tags.remove(id_of(server), dict.fromkeys(keys))
            case c.AddTag(server, tag):
                await client.native_tags.add(id_of(server), tag)
            case c.RemoveTag(server, tag):
                await client.native_tags.remove(id_of(server), tag)
            case c.DeleteVolume(volume):
                await client.volumes.delete(id_of(volume))
            case c.DeleteSnapshot(snapshot):
                await client.snapshots.delete(id_of(snapshot))
            case c.AttachInterface(server, spare):
                where = {"port_id": SPARE_PORT} if spare else {"network_id": SUBNET}
                await client.interfaces.attach(id_of(server), **where)
            case c.DeleteFloatingIp(ip):
                await client.floating_ips.delete(id_of(ip))
            case c.DeleteSecurityGroup(name):
                await client.security_groups.delete(id_of(name))
            case c.ImportKey(name):
                await client.key_pairs.create(name, public_key=PUBLIC_KEY)
            case c.DeleteKey(name):
                await client.key_pairs.delete(name)
            case _:
                raise AssertionError(f"nobody knows how to carry out {command}")

    # Servers

    async def _create(self, command: c.Create) -> Mapping[str, tuple[str, ...]]:
        hints = SchedulerHints(group=self._ids.of(command.group)) if command.group is not None else None
        if command.natively:
            return await self._create_natively(command, hints)
        accepted = await self._client.servers.create(
            CreateServers(
                name="web",
                image_ref=self._ids.of(command.image),
                flavor_ref=command.flavor,
                vpc_id=VPC,
                availability_zone=ZONES["a"],
                nics=(Nic(subnet_id=SUBNET, ip_address=command.address),),
                security_groups=(SecurityGroup(id=self._ids.of("web")),),
                root_volume=RootVolume(volumetype="SSD", size=command.root),
                data_volumes=(DataVolume(volumetype="SSD", size=command.data),) if command.data else None,
                key_name=command.key,
                count=command.count,
                scheduler_hints=hints,
            ),
            client_token=None,
        )
        return {"j": (accepted.job_id,), "s": accepted.server_ids}

    async def _create_natively(self, command: c.Create, hints: SchedulerHints | None) -> Mapping[str, tuple[str, ...]]:
        data = NativeDisk(source_type="blank", volume_size=command.data) if command.data else None
        created = await self._client.servers.create_native(
            NativeCreate(
                name="web",
                image_ref=self._ids.of(command.image),
                flavor_ref=command.flavor,
                availability_zone=ZONES["a"],
                networks=(NativeNetwork(uuid=SUBNET, fixed_ip=command.address),),
                security_groups=("web",),
                disks=(data,) if data is not None else None,
                key_name=command.key,
                scheduler_hints=hints,
            )
        )
        return {"s": (created.server.id,) if created.server is not None else ()}

    async def _delete(self, command: c.Delete) -> Mapping[str, tuple[str, ...]]:
        servers = [self._ids.of(server) for server in command.servers]
        return _job(await self._client.servers.delete(servers, delete_public_ip=False, delete_volume=command.volumes))

    async def _power(self, command: c.Power) -> Mapping[str, tuple[str, ...]]:
        servers = [self._ids.of(server) for server in command.servers]
        if command.action == "start":
            return _job(await self._client.servers.start(servers))
        if command.action == "stop":
            return _job(await self._client.servers.stop(servers, command.mode))
        return _job(await self._client.servers.reboot(servers, command.mode))

    async def _power_natively(self, command: c.PowerNatively) -> Mapping[str, tuple[str, ...]]:
        server = self._ids.of(command.server)
        if command.action == "start":
            await self._client.server_actions.start(server)
        elif command.action == "stop":
            await self._client.server_actions.stop(server, command.mode)
        else:
            await self._client.server_actions.reboot(server, command.mode)
        return {}

    async def _lock(self, command: c.Lock) -> Mapping[str, tuple[str, ...]]:
        actions = self._client.server_actions
        await (actions.lock if command.on else actions.unlock)(self._ids.of(command.server))
        return {}

    async def _resize(self, command: c.Resize) -> Mapping[str, tuple[str, ...]]:
        server = self._ids.of(command.server)
        if command.dry:
            await self._client.servers.check_resize(server, command.flavor)
            return {}
        return _job(await self._client.servers.resize(server, command.flavor))

    async def _settle(self, command: c.Settle) -> Mapping[str, tuple[str, ...]]:
        actions = self._client.server_actions
        await (actions.confirm_resize if command.keep else actions.revert_resize)(self._ids.of(command.server))
        return {}

    async def _reinstall(self, command: c.Reinstall) -> Mapping[str, tuple[str, ...]]:
        server, systems = self._ids.of(command.server), self._client.systems
        if command.image is None:
            return _job(await systems.reinstall(server, ReinstallSystem(key_name=command.key, user_id="user")))
        return _job(await systems.change(server, ChangeSystem(key_name=command.key, image_id=self._ids.of(command.image))))

    async def _make_image(self, command: c.MakeImage) -> Mapping[str, tuple[str, ...]]:
        return {"i": (await self._client.server_actions.create_image(self._ids.of(command.server), "golden"),)}

    # Labels and groups

    async def _set_metadata(self, command: c.SetMetadata) -> Mapping[str, tuple[str, ...]]:
        server, pairs = self._ids.of(command.server), {command.key: command.value}
        if command.how == "merge":
            await self._client.metadata.merge(server, pairs)
        elif command.how == "replace":
            await self._client.metadata.replace(server, pairs)
        else:
            await self._client.metadata.set_item(server, command.key, command.value)
        return {}

    async def _replace_tags(self, command: c.ReplaceTags) -> Mapping[str, tuple[str, ...]]:
        server = self._ids.of(command.server)
        if command.tags:
            await self._client.native_tags.replace(server, command.tags)
        else:
            await self._client.native_tags.clear(server)
        return {}

    async def _make_group(self, command: c.MakeGroup) -> Mapping[str, tuple[str, ...]]:
        if command.natively:
            return {"g": ((await self._client.native_groups.create("group")).id,)}
        return {"g": ((await self._client.groups.create("group", ["anti-affinity"])).id,)}

    async def _delete_group(self, command: c.DeleteGroup) -> Mapping[str, tuple[str, ...]]:
        group = self._ids.of(command.group)
        await (self._client.native_groups.delete(group) if command.natively else self._client.groups.delete(group))
        return {}

    async def _join(self, command: c.Join) -> Mapping[str, tuple[str, ...]]:
        groups = self._client.groups
        await (groups.add if command.on else groups.remove)(self._ids.of(command.group), self._ids.of(command.server))
        return {}

    # Volumes

    async def _make_volume(self, command: c.MakeVolume) -> Mapping[str, tuple[str, ...]]:
        snapshot = self._ids.of(command.snapshot) if command.snapshot is not None else None
        zone = ZONES[command.zone] if snapshot is None else None
        made = await self._client.volumes.create(NewVolume(size=command.size, availability_zone=zone, snapshot_id=snapshot))
        return {"v": (made.id,)}

    async def _attach(self, command: c.Attach) -> Mapping[str, tuple[str, ...]]:
        server, volume = self._ids.of(command.server), self._ids.of(command.volume)
        if command.natively:
            await self._client.volumes.attach_natively(server, volume)
            return {}
        return _job(await self._client.volumes.attach(server, volume))

    async def _detach(self, command: c.Detach) -> Mapping[str, tuple[str, ...]]:
        server, volume = self._ids.of(command.server), self._ids.of(command.volume)
        if command.natively:
            await self._client.volumes.detach_natively(server, volume, force=command.force)
            return {}
        return _job(await self._client.volumes.detach(server, volume, force=command.force))

    async def _make_snapshot(self, command: c.MakeSnapshot) -> Mapping[str, tuple[str, ...]]:
        return {"p": ((await self._client.snapshots.create(self._ids.of(command.volume), force=command.force)).id,)}

    # Networks

    async def _add_interfaces(self, command: c.AddInterfaces) -> Mapping[str, tuple[str, ...]]:
        web = (self._ids.of("web"),)
        wanted = [NewInterface(subnet_id=SUBNET, ip_address=command.address, security_group_ids=web) for _ in range(command.count)]
        return _job(await self._client.interfaces.add(self._ids.of(command.server), wanted))

    async def _remove_interface(self, command: c.RemoveInterface) -> Mapping[str, tuple[str, ...]]:
        server = self._ids.of(command.server)
        port = await self._port(server, command.index)
        if command.natively:
            await self._client.interfaces.detach(server, port)
            return {}
        return _job(await self._client.interfaces.remove(server, [port]))

    async def _port(self, server: str, index: int) -> str:
        try:
            ports = await self._client.interfaces.list(server)
        except CloudError:
            ports = ()
        return ports[index].port_id if index < len(ports) else self._ids.of("no port")

    async def _bind(self, command: c.Bind) -> Mapping[str, tuple[str, ...]]:
        server, address = self._ids.of(command.server), self._ids.address(command.ip)
        await (self._client.floating_ips.add if command.on else self._client.floating_ips.remove)(server, address)
        return {}

    async def _make_floating_ip(self, _: c.MakeFloatingIp) -> Mapping[str, tuple[str, ...]]:
        made = await self._client.floating_ips.create()
        self._ids.addresses[made.id] = made.ip
        return {"f": (made.id,)}

    async def _protect(self, command: c.Protect) -> Mapping[str, tuple[str, ...]]:
        groups = self._client.security_groups
        await (groups.add if command.on else groups.remove)(self._ids.of(command.server), command.security_group)
        return {}

    async def _make_security_group(self, command: c.MakeSecurityGroup) -> Mapping[str, tuple[str, ...]]:
        made = await self._client.security_groups.create(command.name)
        self._ids.note(command.name, made.id)
        return {}


def _job(accepted: JobAccepted) -> Mapping[str, tuple[str, ...]]:
    return {"j": (accepted.job_id,)}
