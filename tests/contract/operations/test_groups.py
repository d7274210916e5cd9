"""ECS API reference 5.10 and 6.12: server groups of both families, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, Meaning, SchedulerHints
from tests.contract.stage import PROJECT, Lab


@pytest.mark.operation("5.10.1", "5.10.2", "5.10.3", "5.10.4", "5.10.5", "5.10.6")
async def test_members_come_and_go(lab: Lab) -> None:
    async with lab.client() as client:
        group = await client.groups.create("g", ["anti-affinity"])
        assert (group.name, group.policies, group.members) == ("g", ("anti-affinity",), ())
        first, second = await lab.server(client, name="a"), await lab.server(client, name="b")
        for server_id in (first, second):
            with pytest.raises(CloudError) as caught:
                await client.groups.add(group.id, server_id)
            assert caught.value.code == "Ecs.0100", "it must be stopped"
            await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
            await client.groups.add(group.id, server_id)
        assert (await client.groups.get(group.id)).members == (first, second)
        assert len({(await client.servers.get(server_id)).host_id for server_id in (first, second)}) == 2
        await client.groups.remove(group.id, first)
        assert [each.members for each in await client.groups.list()] == [(second,)]
        await client.groups.delete(group.id)
        assert await client.groups.list() == ()
        assert (await client.servers.get(second)).status == "SHUTOFF"


@pytest.mark.operation("6.12.1", "6.12.2", "6.12.3", "6.12.4")
async def test_both_families_have_the_same_groups(lab: Lab) -> None:
    async with lab.client() as client:
        native, other = await client.native_groups.create("g"), await client.groups.create("g", ["anti-affinity"])
        server_id = await lab.server(client, scheduler_hints=SchedulerHints(group=native.id))
        shown = await client.native_groups.get(native.id)
        assert (shown.name, shown.policies, shown.members, shown.project_id) == ("g", ("anti-affinity",), (server_id,), PROJECT)
        assert shown.user_id == native.user_id != ""
        assert [group.id for group in await client.native_groups.list()] == [native.id, other.id]
        assert [group.members for group in await client.groups.list()] == [(server_id,), ()]
        await client.native_groups.delete(other.id)
        await client.groups.delete(native.id)
        assert await client.native_groups.list() == ()
        with pytest.raises(CloudError) as caught:
            await client.native_groups.get(native.id)
        assert caught.value.meaning is Meaning.NOT_FOUND


@pytest.mark.operation("5.10.1", "6.12.1")
async def test_quota(lab: Lab) -> None:
    await lab.tell(f"projects/{PROJECT}", {"quota": {"serverGroups": 2}})
    async with lab.client() as client:
        await client.native_groups.create("a")
        await client.groups.create("b", ["anti-affinity"])
        with pytest.raises(CloudError) as native:
            await client.native_groups.create("c")
        with pytest.raises(CloudError) as other:
            await client.groups.create("c", ["anti-affinity"])
        assert (native.value.status, native.value.meaning, other.value.code, other.value.meaning) == (
            403,
            Meaning.QUOTA,
            "Ecs.0022",
            Meaning.QUOTA,
        )
