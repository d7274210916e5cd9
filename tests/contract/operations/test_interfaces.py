"""ECS API reference 5.5, 6.4 and 6.7: interfaces and addresses, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, EcsClient, Interface, JobStatus, Meaning, NewInterface, Nic, Outcome
from tests.contract.stage import PROJECT, SECURITY_GROUP, SUBNET, VPC, Lab

SMALL_SUBNET = "3a8f2c11-5f0e-4c59-9a53-3f1d9b0c8e22"
WEB = "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"
PORT = "d5a3f1c7-2b64-4e0e-8f31-7c9a5e8b1d20"
EIP = "a2b4c6d8-1111-4222-8333-944455566677"


async def addresses(client: EcsClient, server_id: str) -> list[str]:
    """All addresses of a server, as three reads show them alike."""
    shown = [address.ip for address in (await client.servers.get(server_id)).addresses]
    assert [address.ip for address in await client.networks.addresses(server_id)] == shown
    private = {fixed.ip_address for interface in await client.interfaces.list(server_id) for fixed in interface.fixed_ips}
    assert private <= set(shown)
    return shown


def address(interface: Interface) -> str:
    (fixed,) = interface.fixed_ips
    return fixed.ip_address


async def refused(client: EcsClient, server_id: str, *wanted: NewInterface) -> CloudError:
    """The refusal of an addition, which must change nothing."""
    before = await addresses(client, server_id)
    with pytest.raises(CloudError) as caught:
        await client.interfaces.add(server_id, wanted)
    assert await addresses(client, server_id) == before
    assert caught.value.outcome is Outcome.REFUSED
    return caught.value


@pytest.mark.operation("5.5.1", "5.5.2", "6.4.2", "6.7.1", "6.7.2")
async def test_interfaces_come_and_go_in_jobs_with_a_part_each(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client, nics=(Nic(subnet_id=SUBNET, ip_address="192.168.0.9"),))
        (primary,) = await client.interfaces.list(server_id)
        chosen = NewInterface(subnet_id=SMALL_SUBNET, ip_address="192.168.16.20", security_group_ids=(WEB,))
        accepted = await client.interfaces.add(server_id, [chosen, NewInterface(subnet_id=SUBNET)])
        _, second, _ = await client.interfaces.list(server_id)
        assert (primary.port_state, second.port_state) == ("ACTIVE", "DOWN"), "it is not up before the job is done"
        job = await lab.ended(client, accepted)
        assert (job.status, job.progress()) == (JobStatus.SUCCESS, "2/2")

        first, second, third = await client.interfaces.list(server_id)
        assert first == primary
        assert [part.entities.nic_id for part in job.sub_jobs] == [second.port_id, third.port_id]
        assert (second.net_id, address(second), second.port_state) == (SMALL_SUBNET, "192.168.16.20", "ACTIVE")
        assert await client.interfaces.get(server_id, second.port_id) == second
        assert await addresses(client, server_id) == ["192.168.0.9", "192.168.16.20", address(third)]
        assert {group.id for group in await client.security_groups.of_server(server_id)} == {SECURITY_GROUP, WEB}

        job = await lab.ended(client, await client.interfaces.remove(server_id, [second.port_id]))
        assert (job.status, job.sub_jobs[0].entities.nic_id) == (JobStatus.SUCCESS, second.port_id)
        assert await client.interfaces.list(server_id) == (first, third)
        assert {group.id for group in await client.security_groups.of_server(server_id)} == {SECURITY_GROUP}
        again = await client.interfaces.add(server_id, [chosen])
        assert (await lab.ended(client, again)).status is JobStatus.SUCCESS, "the address is free again"


@pytest.mark.operation("5.5.1", "5.5.2", "6.7.4")
async def test_the_primary_interface_stays(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await lab.ended(client, await client.interfaces.add(server_id, [NewInterface(subnet_id=SUBNET)]))
        primary, second = await client.interfaces.list(server_id)
        for ids in ([primary.port_id], [second.port_id, primary.port_id]):
            with pytest.raises(CloudError) as caught:
                await client.interfaces.remove(server_id, ids)
            error = caught.value
            assert (error.status, error.code, error.outcome, error.meaning) == (403, "Ecs.0507", Outcome.REFUSED, Meaning.FORBIDDEN)
        with pytest.raises(CloudError) as caught:
            await client.interfaces.detach(server_id, primary.port_id)
        assert (caught.value.status, caught.value.meaning) == (403, Meaning.FORBIDDEN)
        assert await client.interfaces.list(server_id) == (primary, second)
        await lab.ended(client, await client.interfaces.remove(server_id, [second.port_id]))
        await lab.ended(client, await client.interfaces.add(server_id, [NewInterface(subnet_id=SUBNET)]))
        _, third = await client.interfaces.list(server_id)
        await client.interfaces.detach(server_id, third.port_id)
        assert await client.interfaces.list(server_id) == (primary,)


@pytest.mark.operation("5.5.1")
async def test_no_more_than_the_flavor_takes(lab: Lab) -> None:
    async with lab.client() as client:
        small = await lab.server(client, name="small", flavor_ref="s3.small.1")
        large = await lab.server(client, name="large")
        one = NewInterface(subnet_id=SUBNET)
        assert (await refused(client, small, one, one)).code == "Ecs.0050"
        await lab.ended(client, await client.interfaces.add(small, [one]))
        assert (await refused(client, small, one)).code == "Ecs.0050"
        assert (await refused(client, large, *[one] * 12)).code == "Ecs.0050"
        await lab.ended(client, await client.interfaces.add(large, [one] * 11))
        assert len(set(await addresses(client, large))) == 12


@pytest.mark.operation("5.5.1")
async def test_addresses_are_unique_and_inside_their_subnet(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client, nics=(Nic(subnet_id=SUBNET, ip_address="192.168.0.9"),))
        cases = {
            "192.168.0.9": "Ecs.0010",
            "192.168.0.1": "Ecs.0010",
            "192.168.15.255": "Ecs.0010",
            "192.168.16.1": "Ecs.0039",
            "10.0.0.1": "Ecs.0039",
        }
        for wanted, code in cases.items():
            assert (await refused(client, server_id, NewInterface(subnet_id=SUBNET, ip_address=wanted))).code == code
        twice = NewInterface(subnet_id=SUBNET, ip_address="192.168.0.10")
        assert (await refused(client, server_id, twice, twice)).code == "Ecs.0010"
        assert (await refused(client, server_id, NewInterface(subnet_id=VPC))).code == "Ecs.0038"
        assert (await refused(client, server_id, NewInterface(subnet_id=SUBNET, security_group_ids=(SUBNET,)))).code == "Ecs.0014"
        await lab.ended(client, await client.interfaces.add(server_id, [twice]))


@pytest.mark.operation("6.7.1", "6.7.2", "6.7.3", "6.7.4")
async def test_one_natively_at_once(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        (primary,) = await client.interfaces.list(server_id)
        added = await client.interfaces.attach(server_id, network_id=SMALL_SUBNET, ip_address="192.168.16.30")
        assert (added.net_id, address(added), added.port_state) == (SMALL_SUBNET, "192.168.16.30", "DOWN")
        _, shown = await client.interfaces.list(server_id)
        assert shown == await client.interfaces.get(server_id, added.port_id)
        assert (shown.port_id, shown.port_state) == (added.port_id, "ACTIVE")
        assert "192.168.16.30" in await addresses(client, server_id)
        with pytest.raises(CloudError) as caught:
            await client.interfaces.attach(server_id, network_id=SMALL_SUBNET, ip_address="192.168.16.30")
        assert (caught.value.status, caught.value.meaning) == (409, Meaning.CONFLICT)

        await client.interfaces.detach(server_id, added.port_id)
        assert await client.interfaces.list(server_id) == (primary,)
        with pytest.raises(CloudError) as caught:
            await client.interfaces.get(server_id, added.port_id)
        assert caught.value.meaning is Meaning.NOT_FOUND
        again = await client.interfaces.attach(server_id, network_id=SMALL_SUBNET, ip_address="192.168.16.30")
        assert again.port_id != added.port_id, "what was attached by network is deleted, and its address free"


@pytest.mark.operation("6.7.3", "6.7.4")
async def test_a_port_attached_by_its_id_outlives_it(lab: Lab) -> None:
    async with lab.client() as client:
        first, second = await lab.server(client, name="first"), await lab.server(client, name="second")
        added = await client.interfaces.attach(first, port_id=PORT)
        assert (added.port_id, address(added)) == (PORT, "192.168.8.8")
        with pytest.raises(CloudError) as caught:
            await client.interfaces.attach(second, port_id=PORT)
        assert caught.value.meaning is Meaning.CONFLICT
        await client.interfaces.detach(first, PORT)
        assert address(await client.interfaces.attach(second, port_id=PORT)) == "192.168.8.8"
        await lab.ended(client, await client.servers.delete([second], delete_public_ip=False, delete_volume=False))
        assert address(await client.interfaces.attach(first, port_id=PORT)) == "192.168.8.8", "it outlives a server too"


@pytest.mark.operation("5.5.2", "6.7.3")
async def test_a_floating_ip_of_an_interface_that_goes_is_down(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        added = await client.interfaces.attach(server_id, network_id=SMALL_SUBNET)
        await client.floating_ips.add(server_id, "80.158.1.2", fixed_address=address(added))
        assert (await client.floating_ips.get(EIP)).fixed_ip == address(added)
        assert "80.158.1.2" in await addresses(client, server_id)
        await lab.ended(client, await client.interfaces.remove(server_id, [added.port_id]))
        free = await client.floating_ips.get(EIP)
        assert (free.fixed_ip, free.instance_id) == (None, None)
        assert "80.158.1.2" not in await addresses(client, server_id)
        assert lab.cloud.world.projects[PROJECT].floating_ips[EIP].status == "DOWN"


@pytest.mark.operation("6.4.1", "6.4.2", "6.4.3")
async def test_networks_and_the_addresses_on_them(lab: Lab) -> None:
    async with lab.client() as client:
        networks = await client.networks.list()
        assert [network.id for network in networks] == [SUBNET, SMALL_SUBNET]
        server_id = await lab.server(client, nics=(Nic(subnet_id=SUBNET, ip_address="192.168.0.9"), Nic(subnet_id=SMALL_SUBNET)))
        every = await client.networks.addresses(server_id)
        assert every == await client.networks.addresses_on(server_id, networks[0].label)
        assert (every[0].network, every[0].ip, every[0].version) == (networks[0].label, "192.168.0.9", 4)
        with pytest.raises(CloudError) as caught:
            await client.networks.addresses_on(server_id, "云网络 1")
        assert caught.value.meaning is Meaning.NOT_FOUND
