"""The cloud as the phases use it: one call a step, 404 told apart from failure. Raises CloudError for everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar, assert_never

from pydantic import SecretStr

from ecs_operator.cloud import (
    BlockDevice,
    ChangeSystem,
    CloudError,
    CreateServers,
    Flavor,
    FloatingIp,
    Image,
    Interface,
    Job,
    JobAccepted,
    Limits,
    NewInterface,
    ReinstallSystem,
    Server,
    ServerGroup,
    Snapshot,
)
from ecs_operator.engine.ports import Authority
from ecs_operator.resources.calls import change, found, is_absent
from ecs_operator.resources.commands import Command, Delete, Reboot, Start, Stop
from ecs_operator.resources.ownership import MARKER_KEY
from ecs_operator.resources.server.deeds import (
    AddSecurityGroup,
    BindAddress,
    Describe,
    Edit,
    LeaveGroup,
    RemoveMetadata,
    RemoveSecurityGroup,
    RemoveTags,
    SetAutoRecovery,
    SetLock,
    SetMetadata,
    SetTags,
    UnbindAddress,
)
from ecs_operator.resources.server.evidence import Look, is_ours, look_among
from ecs_operator.resources.server.power import Kind, Mode
from ecs_operator.resources.server.render import Secrets, encoded
from ecs_operator.resources.tenancy import Tenant

STALE_LOOK = 10.0
"""Seconds: a list that old is good enough to find something, where it need not prove absence."""

_T = TypeVar("_T")


class Actuator:
    """Calls for one object's server in one project."""

    def __init__(self, tenant: Tenant, *, uid: str, authority: Authority) -> None:
        self.tenant = tenant
        self._uid = uid
        self._authority = authority

    async def create(self, request: CreateServers, *, token: str) -> JobAccepted:
        """5.1.1, once, within the policy's deadline or what is left of the lease. Not sent with less than ten seconds of it."""
        deadline = min(self.tenant.create_policy.request_deadline, self._authority.time_left())
        servers = self.tenant.client.servers
        return await self._change(lambda: servers.create(request, client_token=token, deadline=deadline), "createServers")

    async def server(self, server_id: str) -> Server | None:
        """6.2.6, or a row of 6.2.5 when many look at once; None when there is none of this id."""
        return await self.tenant.confirmations.server(server_id)

    async def job(self, job_id: str) -> Job | None:
        """5.8.1; None when the cloud has forgotten it."""
        return await found(self.tenant.client.jobs.get(job_id))

    async def part(self, job_id: str, *, server_id: str | None) -> Job | None:
        """5.8.1, as far as it concerns one server, by a look that all who wait for the job share."""
        job = await found(self.tenant.jobs.get(job_id))
        return None if job is None else job.part_of(server_id)

    async def look(self, *, not_before: datetime, now: datetime) -> Look:
        """The object's servers in a shared list begun at ``not_before`` or later, and at most ten seconds old."""
        age = min(STALE_LOOK, max(0.0, (now - not_before).total_seconds()))
        return await self._list(age)

    async def look_believed(self, *, not_before: datetime, now: datetime) -> Look:
        """Likewise; while most of the project's servers are absent it proves nothing. Raises StoreError too."""
        look = await self.look(not_before=not_before, now=now)
        if look.found or not look.complete:
            return look
        snapshot = await self.tenant.snapshots.at_most(STALE_LOOK)
        return look if await self.believes(snapshot) else replace(look, complete=False)

    async def believes(self, snapshot: Snapshot) -> bool:
        """A complete list may be taken for evidence that a server is gone. Raises StoreError."""
        return await self.tenant.absence.believes(self.tenant.name, snapshot)

    async def look_now(self) -> Look:
        """The object's servers in a list begun now."""
        return await self._list(0.0)

    async def _list(self, age: float) -> Look:
        snapshot = await self.tenant.snapshots.at_most(age)
        servers = snapshot.servers.values()
        return look_among(servers, uid=self._uid, identity=self.tenant.identity, complete=snapshot.complete, started_at=snapshot.taken_at)

    def owns(self, server: Server) -> bool:
        """The server carries the object's marker."""
        return is_ours(server, self.tenant.identity, self._uid)

    async def power(self, server_id: str, kind: Kind, mode: Mode) -> JobAccepted:
        """5.3.1, 5.3.2 or 5.3.3, together with other servers of the project that are due."""
        return await self._command(_command(kind, mode), (server_id,))

    async def delete(self, server_ids: tuple[str, ...], *, delete_public_ip: bool, delete_volume: bool) -> JobAccepted:
        """5.1.2, likewise."""
        return await self._command(Delete(public_ip=delete_public_ip, volume=delete_volume), server_ids)

    async def _command(self, command: Command, server_ids: tuple[str, ...]) -> JobAccepted:
        return await self.tenant.batches.carry_out(command, server_ids, authority=self._authority)

    async def detach(self, server_id: str, volume_id: str) -> JobAccepted:
        """5.6.2, so that the disk survives the server."""
        volumes = self.tenant.client.volumes
        return await self._change(lambda: volumes.detach(server_id, volume_id, force=False), "detachVolume")

    async def devices(self, server_id: str) -> tuple[BlockDevice, ...]:
        """5.6.3."""
        return await self.tenant.client.volumes.block_devices(server_id)

    async def add_interface(self, server_id: str, *, subnet_id: str, ip_address: str | None, groups: tuple[str, ...]) -> JobAccepted:
        """5.5.1, of one interface. Not to be repeated blindly."""
        interfaces = self.tenant.client.interfaces
        wanted = NewInterface(subnet_id=subnet_id, ip_address=ip_address, security_group_ids=groups)
        return await self._change(lambda: interfaces.add(server_id, (wanted,)), "addInterfaces")

    async def remove_interface(self, server_id: str, port_id: str) -> JobAccepted:
        """5.5.2, of one interface."""
        interfaces = self.tenant.client.interfaces
        return await self._change(lambda: interfaces.remove(server_id, (port_id,)), "removeInterfaces")

    async def public_address(self, address_id: str) -> FloatingIp | None:
        """11.5.5; None when there is none of this id, or the endpoint does not have the call."""
        return await found(self.tenant.client.floating_ips.get(address_id))

    async def has_public_addresses(self) -> bool:
        """The endpoint has the calls of 11.5: it lists addresses (11.5.4), be it none."""
        return await found(self.tenant.client.floating_ips.list()) is not None

    async def interfaces(self, server_id: str) -> tuple[Interface, ...]:
        """6.7.1."""
        return tuple(await self.tenant.client.interfaces.list(server_id))

    async def security_groups(self, server_id: str) -> Mapping[str, str]:
        """6.5.3: names by id."""
        groups = await self.tenant.client.security_groups.of_server(server_id)
        return {group.id: group.name for group in groups}

    async def auto_recovery(self, server_id: str) -> bool:
        """11.1.1."""
        return await self.tenant.client.auto_recovery.get(server_id)

    async def flavor(self, flavor_id: str) -> Flavor | None:
        """5.4.1, with what is known of where it can be had; None when there is none of this id."""
        return next((flavor for flavor in await self.tenant.client.flavors.sold() if flavor.id == flavor_id), None)

    async def limits(self) -> Limits:
        """5.7.1: quota of the project, and what of it is used."""
        return await self.tenant.client.limits.get()

    async def resize(self, server_id: str, flavor_id: str) -> JobAccepted:
        """5.2.4."""
        servers = self.tenant.client.servers
        return await self._change(lambda: servers.resize(server_id, flavor_id), "resizeServer")

    async def image(self, image_id: str) -> Image | None:
        """11.2.3; None when there is none of this id."""
        return await found(self.tenant.client.images.get(image_id))

    async def has_key_pair(self, name: str) -> bool:
        """6.11.2, of the user whose credentials these are."""
        return await found(self.tenant.client.key_pairs.get(name)) is not None

    async def install(self, server_id: str, *, image_id: str, key_name: str | None, secrets: Secrets, is_same: bool) -> JobAccepted:
        """5.2.1 for the image the server has, where it is known who we are; else 5.2.2, which can say the same image again."""
        systems = self.tenant.client.systems
        password = SecretStr(secrets.password) if secrets.password is not None else None
        data = SecretStr(encoded(secrets.user_data)) if secrets.user_data is not None else None
        user_id = await self.tenant.client.user_id() if is_same else None
        if user_id:
            again = ReinstallSystem(user_id=user_id, key_name=key_name, admin_pass=password, user_data=data)
            return await self._change(lambda: systems.reinstall(server_id, again), "reinstallServer")
        other = ChangeSystem(image_id=image_id, key_name=key_name, admin_pass=password, user_data=data)
        return await self._change(lambda: systems.change(server_id, other), "changeServerImage")

    async def migrate(self, server_id: str, dedicated_host_id: str | None) -> JobAccepted:
        """5.2.3; None: to the shared pool."""
        systems = self.tenant.client.systems
        return await self._change(lambda: systems.migrate(server_id, dedicated_host_id), "migrateServer")

    async def group(self, group_id: str) -> ServerGroup | None:
        """5.10.6; None when there is none of this id."""
        return await found(self.tenant.client.groups.get(group_id))

    async def group_of(self, server_id: str, *, likely: str) -> str | None:
        """Id of the group a server is in: the ``likely`` one is asked first (5.10.6), then all (5.10.5)."""
        group = await self.group(likely)
        if group is not None and server_id in group.members:
            return group.id
        return next((each.id for each in await self.tenant.client.groups.list() if server_id in each.members), None)

    async def join_group(self, server_id: str, group_id: str) -> None:
        """5.10.3, at once."""
        groups = self.tenant.client.groups
        await self._change(lambda: groups.add(group_id, server_id), "addServerGroupMember")

    async def leave_group(self, server_id: str, group_id: str) -> None:
        """5.10.4, at once. A group that is gone has no members."""
        groups = self.tenant.client.groups
        await self._gone(lambda: groups.remove(group_id, server_id), "removeServerGroupMember")

    async def edit(self, server_id: str, edit: Edit) -> None:
        """One change that costs nothing. What is already so counts as done."""
        client = self.tenant.client
        match edit:
            case Describe(name=name, description=description):
                await self._change(lambda: client.servers.update(server_id, name=name, description=description), "updateServer")
            case SetMetadata(pairs=pairs):
                await self._change(lambda: client.metadata.merge(server_id, pairs), "updateServerMetadata")
            case RemoveMetadata(key=key):
                await self._gone(lambda: client.metadata.remove(server_id, key), "deleteServerMetadataItem")
            case SetTags(tags=tags):
                await self._change(lambda: client.tags.add(server_id, tags), "addServerTags")
            case RemoveTags(tags=tags):
                await self._change(lambda: client.tags.remove(server_id, tags), "deleteServerTags")
            case AddSecurityGroup(group_id=group_id):
                await self._change(lambda: client.security_groups.add(server_id, group_id), "addSecurityGroup")
            case RemoveSecurityGroup(group_id=group_id):
                await self._gone(lambda: client.security_groups.remove(server_id, group_id), "removeSecurityGroup")
            case SetAutoRecovery(on=on):
                await self._change(lambda: client.auto_recovery.set(server_id, enabled=on), "setAutoRecovery")
            case LeaveGroup(group_id=group_id):
                await self.leave_group(server_id, group_id)
            case BindAddress(address=address, fixed_address=fixed):
                await self._change(lambda: client.floating_ips.add(server_id, address, fixed_address=fixed), "addFloatingIp")
            case UnbindAddress(address=address):
                await self._change(lambda: client.floating_ips.remove(server_id, address), "removeFloatingIp")
            case SetLock(on=True):
                await self._change(lambda: client.server_actions.lock(server_id), "lockServer")
            case SetLock():
                await self._change(lambda: client.server_actions.unlock(server_id), "unlockServer")
            case _ as unreachable:
                assert_never(unreachable)

    async def volume_exists(self, volume_id: str) -> bool:
        """11.4.3."""
        return await found(self.tenant.client.volumes.get(volume_id)) is not None

    async def mark(self, server_id: str, marker: str) -> None:
        """6.9.1: set the marker, leave all other pairs."""
        metadata = self.tenant.client.metadata
        await self._change(lambda: metadata.merge(server_id, {MARKER_KEY: marker}), "updateServerMetadata")

    async def remove_marker(self, server_id: str) -> None:
        """6.9.3; gone already counts as done."""
        metadata = self.tenant.client.metadata
        await self._gone(lambda: metadata.remove(server_id, MARKER_KEY), "removeServerMetadata")

    async def _gone(self, send: Callable[[], Awaitable[None]], operation: str) -> None:
        """Remove something; that it is gone already is as good."""
        try:
            await self._change(send, operation)
        except CloudError as error:
            if not is_absent(error):
                raise

    async def _change(self, send: Callable[[], Awaitable[_T]], operation: str) -> _T:
        return await change(self._authority, send, operation=operation)


def _command(kind: Kind, mode: Mode) -> Command:
    return Start() if kind == "Start" else Stop(mode) if kind == "Stop" else Reboot(mode)
