"""ECS API reference 6.9: metadata of a server, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, Meaning, Outcome
from tests.contract.stage import MARKER, Lab


@pytest.mark.operation("6.9.1", "6.9.3", "6.9.4", "6.9.5", "6.9.6")
async def test_single_pairs(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client, metadata={**MARKER, "role": "front"})
        await client.metadata.set_item(server_id, "role", "back")
        assert await client.metadata.item(server_id, "role") == "back"
        merged = await client.metadata.merge(server_id, {"stage": "live"})
        assert merged.items() >= {**MARKER, "role": "back", "stage": "live"}.items()
        await client.metadata.remove(server_id, "role")
        with pytest.raises(CloudError) as caught:
            await client.metadata.item(server_id, "role")
        assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.NOT_FOUND)
        pairs = await client.metadata.get(server_id)
        assert pairs.items() >= {**MARKER, "stage": "live"}.items()
        assert (await client.servers.get(server_id)).metadata == pairs


@pytest.mark.operation("6.9.2")
async def test_replacing_takes_the_marker_away(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        assert await client.metadata.replace(server_id, {"only": "this"}) == {"only": "this"}
        assert (await client.servers.get(server_id)).metadata == {"only": "this"}
    (entry,) = [entry for entry in (await lab.ask("ledger"))["entries"] if entry["action"] == "update"]
    assert entry["marker"] == next(iter(MARKER.values())), "the ledger knows whose it was"
    assert "metadata.ecs-operator.owner" in entry["fields"]


@pytest.mark.operation("6.9.4")
async def test_a_server_that_failed_keeps_its_metadata(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        before = await client.metadata.get(server_id)
        await lab.tell(f"servers/{server_id}", {"do": "error"})
        for change in (client.metadata.merge, client.metadata.replace):
            with pytest.raises(CloudError) as caught:
                await change(server_id, {"a": "b"})
            assert (caught.value.status, caught.value.meaning) == (409, Meaning.CONFLICT)
        with pytest.raises(CloudError, match="vm_state error"):
            await client.metadata.set_item(server_id, "a", "b")
        with pytest.raises(CloudError, match="vm_state error"):
            await client.metadata.remove(server_id, "os_type")
        assert await client.metadata.get(server_id) == before
