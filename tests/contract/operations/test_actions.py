"""ECS API reference 6.3: native actions on one server, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, EcsClient, Meaning, RootVolume
from tests.contract.stage import IMAGE, MARKER, Lab

WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"


async def status(client: EcsClient, server_id: str) -> str:
    return (await client.servers.get(server_id)).status


@pytest.mark.operation("6.3.1", "6.3.2", "6.3.3")
async def test_power(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.server_actions.stop(server_id, "HARD")
        await lab.advance(5)
        assert await status(client, server_id) == "SHUTOFF"
        await client.server_actions.start(server_id)
        await lab.advance(5)
        assert await status(client, server_id) == "ACTIVE"
        await client.server_actions.reboot(server_id, "HARD")
        assert await status(client, server_id) == "HARD_REBOOT"
        await lab.advance(5)
        assert await status(client, server_id) == "ACTIVE"


@pytest.mark.operation("6.3.4", "6.3.5")
async def test_a_lock_holds(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.server_actions.lock(server_id)
        with pytest.raises(CloudError) as caught:
            await client.server_actions.stop(server_id)
        assert caught.value.meaning is Meaning.CONFLICT
        await client.server_actions.unlock(server_id)
        await client.server_actions.stop(server_id)


@pytest.mark.operation("6.3.6")
async def test_a_rebuilt_server_has_the_image_and_its_disk(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        before = await client.servers.get(server_id)
        answered = await client.server_actions.rebuild(server_id, WINDOWS, name="rebuilt", metadata={**MARKER, "role": "front"})
        assert (answered.name, answered.status, answered.image_id) == ("rebuilt", "REBUILD", WINDOWS)
        await lab.advance(5)
        after = await client.servers.get(server_id)
        assert (after.name, after.status, after.image_id, after.volumes) == ("rebuilt", "ACTIVE", WINDOWS, before.volumes)
        assert after.metadata.items() >= {**MARKER, "role": "front", "metering.image_id": WINDOWS, "os_type": "Windows"}.items()


@pytest.mark.operation("6.3.7", "5.1.1", "11.2.3")
async def test_a_server_is_made_of_the_image_of_another(lab: Lab) -> None:
    async with lab.client() as client:
        source = await lab.server(client)
        image_id = await client.server_actions.create_image(source, "golden", metadata={"ImageVersion": "2.0"})
        saving = await client.images.get(image_id)
        assert (saving.status, saving.progress < 100, saving.server.id if saving.server else "") == ("SAVING", True, source)
        assert await status(client, source) == "ACTIVE"
        await lab.advance(5)
        image = await client.images.get(image_id)
        assert (image.name, image.status, image.progress, image.min_disk, image.os_type) == ("golden", "ACTIVE", 100, 40, "Linux")
        assert image.metadata["ImageVersion"] == "2.0"

        copy = await client.servers.get(await lab.server(client, image_ref=image_id, name="copy"))
        assert (copy.status, copy.image_id, copy.metadata["metering.imagetype"]) == ("ACTIVE", image_id, "private")
        for changes in ({"root_volume": RootVolume(volumetype="SSD", size=39)}, {"availability_zone": "eu-west-0b"}):
            with pytest.raises(CloudError) as caught:
                await lab.server(client, image_ref=image_id, **changes)
            assert caught.value.meaning is Meaning.INVALID


@pytest.mark.operation("6.3.7")
async def test_a_new_image_is_told_by_a_header_too(lab: Lab) -> None:
    await lab.tell("behaviour", {"maxMicroversion": "2.44"})
    async with lab.client() as client:
        server_id = await lab.server(client)
        image_id = await client.server_actions.create_image(server_id, "golden")
        assert image_id in {image.id for image in await client.images.names(name="golden")}


@pytest.mark.operation("6.3.8", "6.3.9")
async def test_a_confirmed_resize_stays(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.server_actions.resize(server_id, "s3.xlarge.2")
        assert await status(client, server_id) == "RESIZE"
        await lab.advance(5)
        waiting = await client.servers.get(server_id)
        assert (waiting.status, waiting.vm_state, waiting.task_state) == ("VERIFY_RESIZE", "resized", "")
        await client.server_actions.confirm_resize(server_id)
        after = await client.servers.get(server_id)
        assert (after.status, after.flavor_id) == ("ACTIVE", "s3.xlarge.2")
        with pytest.raises(CloudError) as caught:
            await client.server_actions.confirm_resize(server_id)
        assert caught.value.meaning is Meaning.CONFLICT


@pytest.mark.operation("6.3.8", "6.3.10", "5.7.1")
async def test_a_reverted_resize_leaves_nothing(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.server_actions.resize(server_id, "s3.small.1")
        await lab.advance(5)
        assert (await client.servers.get(server_id)).flavor_id == "s3.small.1"
        assert (await client.limits.get()).total_cores_used == 2, "the greater of both counts"
        await client.server_actions.revert_resize(server_id)
        assert await status(client, server_id) == "REVERT_RESIZE"
        await lab.advance(5)
        after = await client.servers.get(server_id)
        assert (after.status, after.flavor_id, after.image_id) == ("ACTIVE", "s3.large.2", IMAGE)


@pytest.mark.operation("6.3.11")
async def test_a_server_is_registered_for_monitoring(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.server_actions.monitor(server_id)
        (project,) = lab.cloud.world.projects.values()
        assert project.servers[server_id].monitored
        with pytest.raises(CloudError) as caught:
            await client.server_actions.monitor("00000000-0000-4000-8000-000000000000")
        assert (caught.value.meaning, caught.value.code) == (Meaning.NOT_FOUND, "Ecs.0114")
