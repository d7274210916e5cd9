"""ECS API reference 6.1: versions of the API, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, Meaning
from tests.contract.stage import Lab


@pytest.mark.operation("6.1.1", "6.1.2")
async def test_each_version_as_the_list_has_it(lab: Lab) -> None:
    async with lab.client() as client:
        old, current = await client.versions.discover()
        assert (old.id, old.status, old.microversions()) == ("v2.0", "SUPPORTED", None)
        assert (current.id, current.status, current.microversions()) == ("v2.1", "CURRENT", ((2, 1), (2, 60)))
        assert [await client.versions.get(name) for name in ("v2", "v2.1")] == [old, current]
        with pytest.raises(CloudError) as caught:
            await client.versions.get("v2.2")
        assert caught.value.meaning is Meaning.NOT_FOUND


@pytest.mark.operation("6.1.1")
async def test_the_greatest_microversion_is_the_endpoints_own(lab: Lab) -> None:
    await lab.tell("behaviour", {"maxMicroversion": "2.30"})
    async with lab.client() as client:
        assert (await client.versions.discover())[1].version == "2.30"
        assert await client.versions.for_reads() == "2.30"
        assert (await client.versions.get("v2.1")).version == "2.30"
