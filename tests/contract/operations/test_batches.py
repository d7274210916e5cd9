"""ECS API reference 5.3: many servers at once, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, EcsClient, JobStatus, Meaning
from tests.contract.stage import Lab, request


async def statuses(client: EcsClient, server_ids: tuple[str, ...]) -> set[str]:
    return {(await client.servers.get(server_id)).status for server_id in server_ids}


@pytest.mark.operation("5.3.1", "5.3.2", "5.3.3")
async def test_servers_are_stopped_started_and_rebooted_together(lab: Lab) -> None:
    async with lab.client() as client:
        made = await lab.ended(client, await client.servers.create(request(count=3), client_token=None))
        server_ids = made.server_ids()
        job = await lab.ended(client, await client.servers.stop(server_ids, "HARD"))
        assert (job.job_type, job.progress(), await statuses(client, server_ids)) == ("stopServer", "3/3", {"SHUTOFF"})
        job = await lab.ended(client, await client.servers.start(server_ids))
        assert (job.job_type, job.status, await statuses(client, server_ids)) == ("startServer", JobStatus.SUCCESS, {"ACTIVE"})
        accepted = await client.servers.reboot(server_ids, "SOFT")
        assert await statuses(client, server_ids) == {"REBOOT"}
        assert (await lab.ended(client, accepted)).status is JobStatus.SUCCESS
        assert await statuses(client, server_ids) == {"ACTIVE"}


@pytest.mark.operation("5.3.3")
async def test_a_thousand_in_a_minute(lab: Lab) -> None:
    async with lab.client() as client:
        made = await lab.ended(client, await client.servers.create(request(count=2), client_token=None))
        one, other = made.server_ids()
        strangers = [f"00000000-0000-4000-8000-{number:012}" for number in range(998)]
        job = await lab.ended(client, await client.servers.stop([one, *strangers], "SOFT"))
        assert (job.status, (await client.servers.get(one)).status) == (JobStatus.FAIL, "SHUTOFF")
        await client.servers.stop([other], "SOFT")
        with pytest.raises(CloudError) as caught:
            await client.servers.stop([one], "SOFT")
        assert caught.value.meaning is Meaning.THROTTLED
