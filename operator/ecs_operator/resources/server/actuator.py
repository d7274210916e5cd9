"""The cloud as the phases use it: one call a step, 404 told apart from failure. Raises CloudError for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ecs_operator.cloud import BlockDevice, CloudError, CreateServers, Job, JobAccepted, Meaning, Outcome, Server
from ecs_operator.resources.ownership import MARKER_KEY
from ecs_operator.resources.server.evidence import Look, is_ours, look_among
from ecs_operator.resources.server.power import Kind, Mode
from ecs_operator.resources.tenancy import Tenant

STALE_LOOK = 10.0
"""Seconds: a list that old is good enough to find something, where it need not prove absence."""


class Actuator:
    """Calls for one object's server in one project."""

    def __init__(self, tenant: Tenant, *, uid: str) -> None:
        self.tenant = tenant
        self._uid = uid

    async def create(self, request: CreateServers, *, token: str, deadline: float) -> JobAccepted:
        """5.1.1, once. ``deadline`` in seconds."""
        return await self.tenant.client.servers.create(request, client_token=token, deadline=deadline)

    async def server(self, server_id: str) -> Server | None:
        """6.2.6; None when there is none of this id."""
        try:
            return await self.tenant.client.servers.get(server_id)
        except CloudError as error:
            if error.outcome is Outcome.REFUSED and error.meaning is Meaning.NOT_FOUND:
                return None
            raise

    async def job(self, job_id: str) -> Job | None:
        """5.8.1; None when the cloud has forgotten it."""
        try:
            return await self.tenant.client.jobs.get(job_id)
        except CloudError as error:
            if error.outcome is Outcome.REFUSED and error.meaning is Meaning.NOT_FOUND:
                return None
            raise

    async def look(self, *, not_before: datetime, now: datetime) -> Look:
        """The object's servers in a shared list begun at ``not_before`` or later, and at most ten seconds old."""
        age = min(STALE_LOOK, max(0.0, (now - not_before).total_seconds()))
        return await self._list(age)

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
        """5.3.1, 5.3.2 or 5.3.3."""
        servers = self.tenant.client.servers
        if kind == "Start":
            return await servers.start((server_id,))
        return await (servers.stop((server_id,), mode) if kind == "Stop" else servers.reboot((server_id,), mode))

    async def delete(self, server_ids: tuple[str, ...], *, delete_public_ip: bool, delete_volume: bool) -> JobAccepted:
        """5.1.2."""
        return await self.tenant.client.servers.delete(server_ids, delete_public_ip=delete_public_ip, delete_volume=delete_volume)

    async def detach(self, server_id: str, volume_id: str) -> JobAccepted:
        """5.6.2, so that the disk survives the server."""
        return await self.tenant.client.volumes.detach(server_id, volume_id, force=False)

    async def devices(self, server_id: str) -> tuple[BlockDevice, ...]:
        """5.6.3."""
        return await self.tenant.client.servers.block_devices(server_id)

    async def ports(self, server_id: str) -> Mapping[str, str]:
        """6.7.1: port ids by MAC address."""
        interfaces = await self.tenant.client.interfaces.list(server_id)
        return {each.mac_addr: each.port_id for each in interfaces if each.mac_addr and each.port_id}

    async def volume_exists(self, volume_id: str) -> bool:
        """11.4.3."""
        try:
            await self.tenant.client.volumes.get(volume_id)
        except CloudError as error:
            if error.outcome is Outcome.REFUSED and error.meaning is Meaning.NOT_FOUND:
                return False
            raise
        return True

    async def remove_marker(self, server_id: str) -> None:
        """6.9.3; gone already counts as done."""
        try:
            await self.tenant.client.metadata.remove(server_id, MARKER_KEY)
        except CloudError as error:
            if not (error.outcome is Outcome.REFUSED and error.meaning is Meaning.NOT_FOUND):
                raise
