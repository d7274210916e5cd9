"""ECS API reference 11.5: floating IPs, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, Meaning
from tests.contract.stage import PROJECT, Lab

EIP = "a2b4c6d8-1111-4222-8333-944455566677"


@pytest.mark.operation("11.5.3", "11.5.4", "11.5.5", "11.5.6", "11.5.7")
async def test_addresses_come_from_a_pool_within_the_quota(lab: Lab) -> None:
    async with lab.client() as client:
        (pool,) = await client.floating_ips.pools()
        await lab.tell(f"projects/{PROJECT}", {"quota": {"floatingIps": 3}})
        named, unnamed = await client.floating_ips.create(pool=pool), await client.floating_ips.create()
        assert (named.pool, unnamed.pool, named.fixed_ip, named.instance_id) == (pool, pool, None, None)
        assert [each.id for each in await client.floating_ips.list()] == [EIP, named.id, unnamed.id]
        assert len({each.ip for each in await client.floating_ips.list()}) == 3
        with pytest.raises(CloudError) as caught:
            await client.floating_ips.create()
        assert (caught.value.status, caught.value.meaning) == (403, Meaning.QUOTA)
        await client.floating_ips.delete(named.id)
        with pytest.raises(CloudError) as caught:
            await client.floating_ips.get(named.id)
        assert caught.value.meaning is Meaning.NOT_FOUND
        another = await client.floating_ips.create()
        assert await client.floating_ips.get(another.id) == another
        assert another.ip not in {named.ip, unnamed.ip}
        await client.floating_ips.delete(another.id)
        with pytest.raises(CloudError) as caught:
            await client.floating_ips.create(pool="puddle")
        assert caught.value.meaning is Meaning.NOT_FOUND


@pytest.mark.operation("11.5.1", "11.5.2", "11.5.5")
async def test_an_address_is_on_one_server_at_a_time(lab: Lab) -> None:
    async with lab.client() as client:
        first, second = await lab.server(client, name="first"), await lab.server(client, name="second")
        await client.floating_ips.add(first, "80.158.1.2")
        bound = await client.floating_ips.get(EIP)
        shown = {address.ip: address.type for address in (await client.servers.get(first)).addresses}
        assert (bound.instance_id, shown) == (first, {bound.fixed_ip: "fixed", "80.158.1.2": "floating"})
        with pytest.raises(CloudError) as caught:
            await client.floating_ips.add(second, "80.158.1.2")
        assert caught.value.meaning is Meaning.INVALID
        with pytest.raises(CloudError) as caught:
            await client.floating_ips.remove(second, "80.158.1.2")
        assert caught.value.meaning is Meaning.CONFLICT
        await client.floating_ips.remove(first, "80.158.1.2")
        assert (await client.floating_ips.get(EIP)).instance_id is None
        assert "80.158.1.2" not in {address.ip for address in (await client.servers.get(first)).addresses}
        await client.floating_ips.add(second, "80.158.1.2")
        assert (await client.floating_ips.get(EIP)).instance_id == second


@pytest.mark.operation("11.5.1", "11.5.4", "11.5.6")
async def test_an_address_that_is_given_back_leaves_its_server(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.floating_ips.add(server_id, "80.158.1.2")
        await client.floating_ips.delete(EIP)
        assert await client.floating_ips.list() == ()
        assert [address.type for address in (await client.servers.get(server_id)).addresses] == ["fixed"]
        entries = (await lab.ask("ledger", project=PROJECT))["entries"]
        assert [entry["action"] for entry in entries if entry["id"] == EIP] == ["bind", "unbind", "delete"]
