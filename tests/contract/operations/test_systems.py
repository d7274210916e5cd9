"""ECS API reference 5.2: systems, hosts and sizes of servers, there and back."""

from __future__ import annotations

import base64

import pytest

from ecs_operator.cloud import ChangeSystem, CloudError, EcsClient, JobStatus, Meaning, ReinstallSystem, Server
from tests.contract.stage import IMAGE, MARKER, PROJECT, Lab

WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"
USER_ID = "7e25b1da389f4697a79df3a0e5bd494e"
PASSWORD = "Canary-Passw0rd"
USER_DATA = base64.b64encode(b"canary-user-data").decode()


async def stopped(lab: Lab, client: EcsClient) -> Server:
    """A stopped server with a data disk on it."""
    server_id = await lab.server(client)
    await lab.ended(client, await client.volumes.attach(server_id, "b104b8db-170d-441b-897a-3c8ba9c5a214"))
    await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
    return await client.servers.get(server_id)


async def system_disk(client: EcsClient, server_id: str) -> tuple[str, int, str]:
    (disk,) = [device for device in await client.volumes.block_devices(server_id) if device.boot_index == 0]
    return disk.volume_id, disk.size, disk.device


@pytest.mark.operation("5.2.1")
async def test_a_reinstalled_server_has_a_new_system_disk(lab: Lab) -> None:
    async with lab.client() as client:
        server = await stopped(lab, client)
        old_id, size, device = await system_disk(client, server.id)
        accepted = await client.systems.reinstall(server.id, ReinstallSystem(user_id=USER_ID, admin_pass=PASSWORD, user_data=USER_DATA))
        assert (await client.servers.get(server.id)).status == "REBUILD"
        assert (await lab.ended(client, accepted)).status is JobStatus.SUCCESS

        after = await client.servers.get(server.id)
        new_id, *place = await system_disk(client, server.id)
        assert (after.status, after.image_id, after.key_name, after.addresses) == ("SHUTOFF", IMAGE, "", server.addresses)
        assert after.metadata.items() >= MARKER.items()
        assert (new_id != old_id, place) == (True, [size, device])
        assert {disk.id for disk in after.volumes} == {disk.id for disk in server.volumes} - {old_id} | {new_id}
        with pytest.raises(CloudError) as caught:
            await client.volumes.get(old_id)
        assert caught.value.meaning is Meaning.NOT_FOUND
    for path in ("ledger", "requests"):
        assert PASSWORD not in str(await lab.ask(path)), path
    assert PASSWORD not in str(lab.cloud.world.projects[PROJECT].servers)


@pytest.mark.operation("5.2.1", "5.2.2")
async def test_a_changed_server_has_the_new_image_even_after_failures(lab: Lab) -> None:
    async with lab.client() as client:
        server = await stopped(lab, client)
        old_id, _, _ = await system_disk(client, server.id)
        for job_type in ("reinstallServer", "changeServerImage"):
            await lab.tell("next-job", {"project": PROJECT, "type": job_type, "do": "fail", "code": "Ecs.0202", "reason": "no disk"})
        again = ReinstallSystem(user_id=USER_ID, key_name="ops")
        change = ChangeSystem(image_id=WINDOWS, key_name="ops")
        assert (await lab.ended(client, await client.systems.reinstall(server.id, again))).failure_code == "Ecs.0202"
        broken = await client.servers.get(server.id)
        assert (broken.status, broken.fault.message if broken.fault else "") == ("ERROR", "no disk")
        assert (await lab.ended(client, await client.systems.change(server.id, change))).status is JobStatus.FAIL
        assert (await client.servers.get(server.id)).image_id == IMAGE
        assert (await lab.ended(client, await client.systems.change(server.id, change))).status is JobStatus.SUCCESS

        after = await client.servers.get(server.id)
        new_id, _, _ = await system_disk(client, server.id)
        assert (after.status, after.fault, after.image_id, after.key_name) == ("SHUTOFF", None, WINDOWS, "ops")
        assert new_id != old_id
        assert {
            "metering.image_id": WINDOWS,
            "image_name": "Windows Server 2022 64bit",
            "os_type": "Windows",
        }.items() <= after.metadata.items()


@pytest.mark.operation("5.2.3")
async def test_a_server_moves_to_a_dedicated_host_and_back(lab: Lab) -> None:
    async with lab.client() as client:
        server = await stopped(lab, client)
        hosts = [server.host_id]
        for target in ("459a2b9d-804a-4745-ab19-a113bb1b4ddc", None):
            assert (await lab.ended(client, await client.systems.migrate(server.id, target))).status is JobStatus.SUCCESS
            moved = await client.servers.get(server.id)
            assert (moved.status, moved.flavor_id) == ("SHUTOFF", server.flavor_id)
            hosts.append(moved.host_id)
        assert len(set(hosts)) == 3
        with pytest.raises(CloudError) as caught:
            await client.systems.migrate(server.id, None)
        assert caught.value.meaning is Meaning.INVALID


@pytest.mark.operation("5.2.4", "5.7.1")
async def test_a_resized_server_has_the_flavor(lab: Lab) -> None:
    async with lab.client() as client:
        server = await stopped(lab, client)
        await client.servers.check_resize(server.id, "s3.xlarge.2")
        assert (await client.servers.get(server.id)).flavor_id == "s3.large.2"
        with pytest.raises(CloudError) as caught:
            await client.servers.check_resize(server.id, "s3.huge.2")
        assert caught.value.code == "Ecs.0029"
        job = await lab.ended(client, await client.servers.resize(server.id, "s3.xlarge.2"))
        assert job.status is JobStatus.SUCCESS
        after = await client.servers.get(server.id)
        assert (after.status, after.flavor_id) == ("SHUTOFF", "s3.xlarge.2")
        assert (await client.limits.get()).total_cores_used == 4
