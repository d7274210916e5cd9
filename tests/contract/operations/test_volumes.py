"""ECS API reference 5.6, 6.8, 11.4 and 11.6: volumes and their snapshots, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, EcsClient, JobStatus, Meaning, NewVolume, Outcome
from tests.contract.stage import CREDENTIALS, VOLUME, Lab

NOWHERE = "00000000-0000-4000-8000-000000000000"


async def status(client: EcsClient, volume_id: str = VOLUME) -> str:
    return (await client.volumes.get(volume_id)).status


@pytest.mark.operation("5.6.1", "5.6.2", "5.6.3", "5.6.4", "6.8.1", "6.8.2", "11.4.3")
@pytest.mark.parametrize("credentials", CREDENTIALS)
async def test_a_volume_is_attached_and_detached_by_jobs(lab: Lab, credentials: str) -> None:
    async with lab.client(CREDENTIALS[credentials]) as client:
        server_id = await lab.server(client)
        await client.volumes.check_attach(server_id, VOLUME, device="/dev/sdd")
        assert await status(client) == "available", "a check attaches nothing"
        accepted = await client.volumes.attach(server_id, VOLUME, device="/dev/sdd")
        assert await status(client) == "attaching"
        job = await lab.ended(client, accepted)
        assert (job.status, job.entities.server_id, job.entities.volume_id) == (JobStatus.SUCCESS, server_id, VOLUME)

        volume = await client.volumes.get(VOLUME)
        assert (volume.status, volume.server_ids, volume.attachments[0].device) == ("in-use", (server_id,), "/dev/vdd")
        root, device = await client.volumes.block_devices(server_id)
        assert await client.volumes.block_device(server_id, VOLUME) == device
        assert (root.boot_index, device.boot_index, device.size, device.bus) == (0, 1, 10, "virtio")
        assert root.pci_address != device.pci_address
        attachments = await client.volumes.attachments(server_id)
        assert [(each.volume_id, each.device) for each in attachments] == [(root.id, "/dev/vda"), (VOLUME, "/dev/vdd")]
        assert await client.volumes.attachment(server_id, VOLUME) == attachments[1]

        assert (await lab.ended(client, await client.volumes.detach(server_id, VOLUME, force=False))).status is JobStatus.SUCCESS
        assert await status(client) == "available"
        for read in (client.volumes.block_device, client.volumes.attachment):
            with pytest.raises(CloudError) as caught:
                await read(server_id, VOLUME)
            assert caught.value.meaning is Meaning.NOT_FOUND
        assert [each.volume_id for each in await client.volumes.attachments(server_id)] == [root.id]


@pytest.mark.operation("5.6.1")
async def test_room_for_volumes_that_are_not_made_yet(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.volumes.check_room(server_id, "SSD", scsi=True, count=59)
        with pytest.raises(CloudError) as caught:
            await client.volumes.check_room(server_id, "SSD", count=60)
        assert caught.value.code == "Ecs.0104"
        with pytest.raises(CloudError) as caught:
            await client.volumes.check_room(server_id, "TAPE")
        assert caught.value.code == "Ecs.0043"
        assert len(await client.volumes.block_devices(server_id)) == 1


@pytest.mark.operation("6.8.3", "6.8.4")
async def test_natively_without_a_job(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        attachment = await client.volumes.attach_natively(server_id, VOLUME)
        assert (attachment.volume_id, attachment.server_id, attachment.device) == (VOLUME, server_id, "/dev/vdb")
        assert await status(client) == "attaching"
        await lab.advance(1)
        assert await status(client) == "in-use"
        assert VOLUME in [each.id for each in (await client.servers.get(server_id)).volumes]
        await client.volumes.detach_natively(server_id, VOLUME, force=False)
        assert await status(client) == "detaching"
        await lab.advance(1)
        assert await status(client) == "available"


@pytest.mark.operation("6.8.3", "6.8.4", "5.3.2")
async def test_a_detach_by_force_takes_the_device_until_the_server_boots(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        for device in ("/dev/vdb", "/dev/vdc"):
            assert (await client.volumes.attach_natively(server_id, VOLUME)).device == device
            await lab.advance(1)
            await client.volumes.detach_natively(server_id, VOLUME, force=True)
            await lab.advance(1)
        with pytest.raises(CloudError) as caught:
            await client.volumes.attach_natively(server_id, VOLUME, device="/dev/vdb")
        assert (caught.value.status, caught.value.meaning) == (409, Meaning.CONFLICT)
        await lab.ended(client, await client.servers.reboot([server_id], "HARD"))
        assert (await client.volumes.attach_natively(server_id, VOLUME)).device == "/dev/vdb"


@pytest.mark.operation("6.8.4", "6.8.3", "5.3.1")
async def test_the_system_disk_leaves_a_stopped_server_and_comes_back(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        (root,) = await client.volumes.attachments(server_id)
        with pytest.raises(CloudError) as caught:
            await client.volumes.detach_natively(server_id, root.volume_id, force=False)
        assert (caught.value.status, caught.value.outcome) == (409, Outcome.REFUSED)
        await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
        await client.volumes.detach_natively(server_id, root.volume_id, force=False)
        await lab.advance(1)
        with pytest.raises(CloudError) as caught:
            await client.servers.start([server_id])
        assert caught.value.code == "Ecs.0105"
        with pytest.raises(CloudError) as caught:
            await client.volumes.attach_natively(server_id, root.volume_id)
        assert (caught.value.status, caught.value.meaning) == (400, Meaning.INVALID), "a bootable volume needs a device"
        assert (await client.volumes.attach_natively(server_id, root.volume_id, device="/dev/vda")).device == "/dev/vda"
        await lab.advance(1)
        assert (await lab.ended(client, await client.servers.start([server_id]))).status is JobStatus.SUCCESS


REFUSALS: list[tuple[str, str, str | None, int, Meaning]] = [
    ("unknown", NOWHERE, None, 404, Meaning.NOT_FOUND),
    ("device in use", VOLUME, "/dev/vda", 409, Meaning.CONFLICT),
    ("beyond vdx", VOLUME, "/dev/vdy", 400, Meaning.INVALID),
]


@pytest.mark.operation("6.8.1")
@pytest.mark.parametrize(("volume_id", "device", "http", "meaning"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
async def test_native_refusals_change_nothing(lab: Lab, volume_id: str, device: str | None, http: int, meaning: Meaning) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        with pytest.raises(CloudError) as caught:
            await client.volumes.attach_natively(server_id, volume_id, device=device)
        assert (caught.value.status, caught.value.meaning, caught.value.outcome) == (http, meaning, Outcome.REFUSED)
        assert len(await client.volumes.attachments(server_id)) == 1
        assert await status(client) == "available"


@pytest.mark.operation("11.4.1", "11.4.2", "11.4.3", "11.4.4", "11.4.5", "5.6.1", "5.6.2")
async def test_a_volume_made_here_lives_as_all_others(lab: Lab) -> None:
    async with lab.client() as client:
        wanted = NewVolume(size=20, name="data-1", description="d", volume_type="SSD", availability_zone="eu-west-0a", metadata={"a": "b"})
        made = await client.volumes.create(wanted)
        assert (made.status, made.size, made.volume_type, made.name, made.description) == ("creating", 20, "SSD", "data-1", "d")
        assert made.server_ids == ()
        assert made.metadata["a"] == "b"
        await lab.advance(1)
        assert await status(client, made.id) == "available"
        for rows in (await client.volumes.list(), await client.volumes.list_details()):
            assert [row.id for row in rows] == [VOLUME, made.id]

        server_id = await lab.server(client)
        await lab.ended(client, await client.volumes.attach(server_id, made.id))
        assert (await client.volumes.get(made.id)).server_ids == (server_id,)
        with pytest.raises(CloudError) as caught:
            await client.volumes.delete(made.id)
        assert (caught.value.status, caught.value.outcome) == (400, Outcome.REFUSED)
        await lab.ended(client, await client.volumes.detach(server_id, made.id, force=False))

        await client.volumes.delete(made.id)
        assert await status(client, made.id) == "deleting"
        await lab.advance(1)
        with pytest.raises(CloudError) as caught:
            await client.volumes.get(made.id)
        assert caught.value.meaning is Meaning.NOT_FOUND
        assert made.id not in [row.id for row in await client.volumes.list()]


@pytest.mark.operation("11.4.4", "11.4.5")
async def test_a_volume_in_a_zone_that_does_not_exist_ends_in_error(lab: Lab) -> None:
    async with lab.client() as client:
        made = await client.volumes.create(NewVolume(size=1, availability_zone="az9"))
        await lab.advance(1)
        assert await status(client, made.id) == "error"
        await client.volumes.delete(made.id)


@pytest.mark.operation("11.4.4")
async def test_the_quota_of_volumes(lab: Lab) -> None:
    async with lab.client() as client:
        await lab.tell(f"projects/{client.project_id}", {"quota": {"gigabytes": 30}})
        with pytest.raises(CloudError) as caught:
            await client.volumes.create(NewVolume(size=21))
        assert (caught.value.status, caught.value.outcome) == (403, Outcome.REFUSED)
        await client.volumes.create(NewVolume(size=20))


@pytest.mark.operation("11.6.1", "11.6.2", "11.6.3", "11.4.4", "11.4.5")
async def test_a_snapshot_holds_its_volume_and_makes_others(lab: Lab) -> None:
    async with lab.client() as client:
        made = await client.snapshots.create(VOLUME, name="snap", description="before the change")
        assert (made.status, made.volume_id, made.size, made.name, made.description) == (
            "creating",
            VOLUME,
            10,
            "snap",
            "before the change",
        )
        await lab.advance(1)
        assert (await client.snapshots.get(made.id)).status == "available"
        with pytest.raises(CloudError) as caught:
            await client.volumes.delete(VOLUME)
        assert (caught.value.status, caught.value.outcome) == (400, Outcome.REFUSED)

        copy = await client.volumes.create(NewVolume(snapshot_id=made.id))
        assert (copy.size, copy.snapshot_id, copy.volume_type, copy.availability_zone) == (10, made.id, "SSD", "eu-west-0a")
        await lab.advance(1)
        await client.snapshots.delete(made.id)
        await lab.advance(1)
        with pytest.raises(CloudError) as caught:
            await client.snapshots.get(made.id)
        assert caught.value.meaning is Meaning.NOT_FOUND
        await client.volumes.delete(VOLUME)
        await lab.advance(1)
        assert [row.id for row in await client.volumes.list()] == [copy.id]


@pytest.mark.operation("11.6.1")
async def test_a_volume_in_use_needs_force(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        (root,) = await client.volumes.attachments(server_id)
        with pytest.raises(CloudError) as caught:
            await client.snapshots.create(root.volume_id)
        assert (caught.value.status, caught.value.outcome) == (400, Outcome.REFUSED)
        assert (await client.snapshots.create(root.volume_id, force=True)).size == 40
