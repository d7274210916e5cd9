"""ECS API reference 5.9 and 6.15: tags, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, Meaning, Outcome, TagFilter, TagQuery
from tests.contract.stage import Lab


@pytest.mark.operation("5.9.3", "5.9.4", "5.9.6")
async def test_pairs_of_a_server(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.tags.add(server_id, {"role": "web", "stage": "test", "\u4e91": ""})
        await client.tags.add(server_id, {"stage": "live"})
        assert await client.tags.get(server_id) == {"role": "web", "stage": "live", "\u4e91": ""}
        assert (await client.servers.get(server_id)).tags == ("role=web", "\u4e91", "stage=live")
        await client.tags.remove(server_id, {"role": None, "stage": "test", "unknown": None})
        assert await client.tags.get(server_id) == {"stage": "live", "\u4e91": ""}
        with pytest.raises(CloudError) as caught:
            await client.tags.add(server_id, {f"k{number}": "v" for number in range(9)})
        assert (caught.value.code, caught.value.outcome, caught.value.meaning) == ("Ecs.0905", Outcome.REFUSED, Meaning.QUOTA)
    entries = (await lab.ask("ledger"))["entries"]
    assert [entry["action"] for entry in entries if entry["resource"] == "server"] == ["create", "tag", "tag", "tag"]


@pytest.mark.operation("5.9.2", "5.9.5")
async def test_servers_are_found_by_their_tags(lab: Lab) -> None:
    async with lab.client() as client:
        names = {}
        for name, tags in {"a-1": {"role": "web"}, "a-2": {"role": "db"}, "b-1": {"role": "web", "old": ""}}.items():
            names[await lab.server(client, name=name)] = name
            await client.tags.add(next(reversed(names)), tags)
        cases = [
            (TagQuery(), "a-1 a-2 b-1"),
            (TagQuery(tags=(TagFilter(key="role", values=("web",)),)), "a-1 b-1"),
            (TagQuery(tags=(TagFilter(key="role", values=("web",)),), not_tags=(TagFilter(key="old"),)), "a-1"),
            (TagQuery(name="a-"), "a-1 a-2"),
            (TagQuery(tags=(TagFilter(key="none"),)), ""),
        ]
        for query, expected in cases:
            found = [server async for server in client.tags.find(query, limit=1)]
            assert sorted(names[server.id] for server in found) == expected.split()
            assert await client.tags.count(query) == len(expected.split())
            assert all(server.tags["role"] in {"web", "db"} for server in found)
        assert await client.tags.of_project() == {"old": ("",), "role": ("db", "web")}


@pytest.mark.operation("6.15.1", "6.15.2", "6.15.3", "6.15.4", "6.15.5", "6.15.6")
async def test_texts(lab: Lab) -> None:
    odd = "a =\u00fc?#%&+"
    async with lab.client() as client:
        server_id = await lab.server(client)
        assert await client.native_tags.replace(server_id, ["foo", "baz=xyy", "foo"]) == ("foo", "baz=xyy")
        assert await client.tags.get(server_id) == {"foo": "", "baz": "xyy"}
        assert await client.native_tags.add(server_id, odd)
        assert not await client.native_tags.add(server_id, odd)
        assert await client.native_tags.list(server_id) == ("foo", "baz=xyy", odd)
        assert await client.native_tags.has(server_id, odd)
        assert not await client.native_tags.has(server_id, "baz")
        await client.native_tags.remove(server_id, odd)
        with pytest.raises(CloudError) as caught:
            await client.native_tags.remove(server_id, odd)
        assert caught.value.meaning is Meaning.NOT_FOUND
        await client.native_tags.clear(server_id)
        assert await client.native_tags.list(server_id) == ()


@pytest.mark.operation("6.1.1", "5.9.3")
async def test_an_endpoint_without_tags_as_texts(lab: Lab) -> None:
    await lab.tell("behaviour", {"maxMicroversion": "2.25"})
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.tags.add(server_id, {"role": "web"})
        with pytest.raises(CloudError, match=r"2\.26") as caught:
            await client.native_tags.list(server_id)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert await client.tags.get(server_id) == {"role": "web"}
