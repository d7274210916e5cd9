"""ECS API reference 11.2: images, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, ImageFilter, Meaning, PasswordCredentials
from tests.contract.stage import IMAGE, Lab

WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"


@pytest.mark.operation("11.2.1", "11.2.2")
async def test_lists_and_their_filters(lab: Lab) -> None:
    async with lab.client() as client:
        image_id = await client.server_actions.create_image(await lab.server(client), "golden")
        assert {image.id for image in await client.images.names()} == {IMAGE, WINDOWS, image_id}
        assert [image.id for image in await client.images.list(only=ImageFilter(status="queued"))] == [image_id]
        assert [image.id for image in await client.images.names(only=ImageFilter(min_ram=1))] == [WINDOWS]
        assert [image.id for image in await client.images.list(name="golden", only=ImageFilter(min_disk=40))] == [image_id]
        assert await client.images.list(name="golden", only=ImageFilter(min_disk=41)) == ()
        await lab.advance(3600)
        (golden,) = await client.images.list(name="golden", only=ImageFilter(status="active"))
        assert [image.id for image in await client.images.names(only=ImageFilter(changes_since=golden.updated))] == [image_id]


@pytest.mark.operation("11.2.3", "11.2.4")
async def test_one_image_and_its_metadata(lab: Lab) -> None:
    async with lab.client() as client:
        image = await client.images.get(WINDOWS)
        assert (image.name, image.status, image.min_disk, image.min_ram) == ("Windows Server 2022 64bit", "ACTIVE", 40, 2048)
        assert image.size > 0
        assert await client.images.metadata(WINDOWS) == image.metadata
        assert image.metadata["__os_type"] == "Windows"


@pytest.mark.operation("11.2.5")
async def test_a_private_image_is_seen_and_deleted_by_its_project_only(lab: Lab) -> None:
    added = await lab.tell("projects", {"name": "other"})
    stranger = PasswordCredentials(username=added["username"], password=added["password"], domain_name=added["domainName"])
    async with lab.client() as client, lab.client(stranger, project_id=added["projectId"]) as other:
        image_id = await client.server_actions.create_image(await lab.server(client), "golden")
        await lab.advance(5)
        assert image_id not in {image.id for image in await other.images.list()}
        for call in (other.images.get(image_id), other.images.metadata(image_id), other.images.delete(image_id)):
            with pytest.raises(CloudError) as caught:
                await call
            assert caught.value.meaning is Meaning.NOT_FOUND
        with pytest.raises(CloudError) as caught:
            await client.images.delete(IMAGE)
        assert caught.value.meaning is Meaning.FORBIDDEN
        await client.images.delete(image_id)
        with pytest.raises(CloudError) as caught:
            await client.images.get(image_id)
        assert caught.value.meaning is Meaning.NOT_FOUND
        with pytest.raises(CloudError) as caught:
            await lab.server(client, image_ref=image_id)
        assert caught.value.code == "Ecs.0031"
