"""The cloud as an attachment needs it: one call a step. Everything raises CloudError."""

from __future__ import annotations

from ecs_operator.cloud import Attachment, BlockDevice, Job, JobAccepted, Server, Volume
from ecs_operator.engine.ports import Authority
from ecs_operator.resources.calls import change, found
from ecs_operator.resources.tenancy import Tenant


class Actuator:
    """Calls for one pair of server and volume."""

    def __init__(self, tenant: Tenant, *, server_id: str, volume_id: str, authority: Authority) -> None:
        self.tenant = tenant
        self.server_id = server_id
        self.volume_id = volume_id
        self._authority = authority

    async def is_listed(self) -> bool:
        """The shared list of servers shows the volume on the server. It may be as old as the resync period."""
        snapshot = await self.tenant.snapshots.at_most(self.tenant.resync_seconds)
        server = snapshot.servers.get(self.server_id)
        return server is not None and any(volume.id == self.volume_id for volume in server.volumes)

    async def attachment(self) -> Attachment | None:
        """6.8.2; None when the volume is not on the server, or the server is gone."""
        return await found(self.tenant.client.volumes.attachment(self.server_id, self.volume_id))

    async def server(self) -> Server | None:
        """6.2.6."""
        return await found(self.tenant.client.servers.get(self.server_id))

    async def volume(self) -> Volume | None:
        """11.4.3."""
        return await found(self.tenant.client.volumes.get(self.volume_id))

    async def job(self, job_id: str) -> Job | None:
        """5.8.1; None when the cloud has forgotten it."""
        return await found(self.tenant.client.jobs.get(job_id))

    async def devices(self) -> tuple[BlockDevice, ...]:
        """5.6.3: the disks as the server has them."""
        return await found(self.tenant.client.volumes.block_devices(self.server_id)) or ()

    async def device(self) -> BlockDevice | None:
        """5.6.3: the disk as the server has it; None when it is not shown yet."""
        return next((each for each in await self.devices() if each.volume_id == self.volume_id), None)

    async def attach(self, *, device: str | None) -> JobAccepted:
        """5.6.1."""
        volumes = self.tenant.client.volumes
        return await change(
            self._authority, lambda: volumes.attach(self.server_id, self.volume_id, device=device), operation="attachVolume"
        )

    async def detach(self, *, force: bool) -> JobAccepted:
        """5.6.2."""
        volumes = self.tenant.client.volumes
        return await change(self._authority, lambda: volumes.detach(self.server_id, self.volume_id, force=force), operation="detachVolume")
