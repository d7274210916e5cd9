"""ECS API reference 11.1: automatic recovery, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError
from tests.contract.stage import Lab


@pytest.mark.operation("11.1.1", "11.1.2")
async def test_recovery_is_set_and_taken_away(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        assert not await client.auto_recovery.get(server_id)
        await client.auto_recovery.set(server_id, enabled=True)
        assert await client.auto_recovery.get(server_id)
        await client.auto_recovery.set(server_id, enabled=False)
        assert not await client.auto_recovery.get(server_id)


@pytest.mark.operation("11.1.2")
async def test_recovery_is_for_flavors_that_can_do_it(lab: Lab) -> None:
    async with lab.client() as client:
        plain = await lab.server(client, flavor_ref="s3.medium.2")
        with pytest.raises(CloudError) as caught:
            await client.auto_recovery.set(plain, enabled=True)
        assert caught.value.code == "Ecs.0036"
        server_id = await lab.server(client)
        await client.auto_recovery.set(server_id, enabled=True)
        await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
        with pytest.raises(CloudError) as caught:
            await client.servers.resize(server_id, "s3.medium.2")
        assert caught.value.code == "Ecs.0036"
