"""ECS API reference 6.13 and 6.14: what was done to a server, and what it wrote to its console, there and back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_operator.cloud import CloudError, Meaning
from tests.contract.stage import VOLUME, Lab, request


def asked(lab: Lab, operation: str) -> str:
    """The cloud's id of the last request of an operation, as its answer told it."""
    return next(record.cloud_request_id for record in reversed(lab.records) if record.operation == operation)


@pytest.mark.operation("6.13.1", "6.13.2")
async def test_what_was_done_is_found_by_its_request(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        create = asked(lab, "createServers")
        accepted = await client.servers.stop([server_id], "SOFT")
        stop = asked(lab, "stopServers")
        action = await client.instance_actions.get(server_id, stop)
        assert (action.action, action.is_over, action.failed) == ("stop", False, False)
        await lab.ended(client, accepted)
        await client.volumes.attach_natively(server_id, VOLUME)
        await lab.advance(1)
        attach = asked(lab, "createVolumeAttachment")

        actions = await client.instance_actions.list(server_id)
        assert [(each.action, each.request_id) for each in actions] == [("attach_volume", attach), ("stop", stop), ("create", create)]
        assert {each.server_id for each in actions} == {server_id}
        assert {each.project_id for each in actions} == {client.project_id}
        assert len({each.user_id for each in actions}) == 1
        assert actions[0].start_time > actions[1].start_time > actions[2].start_time
        for each in actions:
            action = await client.instance_actions.get(server_id, each.request_id)
            (event,) = action.events
            assert (action.is_over, action.failed, event.result) == (True, False, "Success")
            assert action.start_time <= event.start_time <= (event.finish_time or "") == action.updated_at


@pytest.mark.operation("6.13.1", "6.13.2")
async def test_a_failed_action_tells_why(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await lab.tell("next-job", {"project": client.project_id, "type": "attachVolume", "do": "fail", "code": "Ecs.0205", "reason": "no"})
        await lab.ended(client, await client.volumes.attach(server_id, VOLUME))
        action = (await client.instance_actions.list(server_id))[0]
        assert (action.action, action.message, action.failed) == ("attach_volume", "Error", True)
        (event,) = (await client.instance_actions.get(server_id, action.request_id)).events
        assert event.result == "Error"
        assert "Ecs.0205" in (event.traceback or "")


@pytest.mark.operation("6.13.1", "6.13.2", "5.1.2")
async def test_a_deleted_server_has_its_actions_still(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await lab.ended(client, await client.servers.delete([server_id], delete_public_ip=True, delete_volume=True))
        with pytest.raises(CloudError) as caught:
            await client.servers.get(server_id)
        assert caught.value.meaning is Meaning.NOT_FOUND
        assert [each.action for each in await client.instance_actions.list(server_id)] == ["delete", "create"]
        assert (await client.instance_actions.get(server_id, asked(lab, "deleteServers"))).action == "delete"


@pytest.mark.operation("6.13.1")
async def test_a_request_that_did_nothing_here(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await client.instance_actions.list(server_id)
        for request_id in ("req-0", asked(lab, "listServerActions")):
            with pytest.raises(CloudError) as caught:
                await client.instance_actions.get(server_id, request_id)
            assert (caught.value.status, caught.value.meaning) == (404, Meaning.NOT_FOUND)


@pytest.mark.operation("6.13.1")
async def test_more_actions_than_a_page_holds(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        (create,) = lab.cloud.world.projects[client.project_id].servers[server_id].actions
        locks = [replace(create, action="lock", request_id=f"req-{number}") for number in range(2100)]
        lab.cloud.world.projects[client.project_id].servers[server_id].actions += locks
        found = await client.instance_actions.list(server_id)
        assert [each.request_id for each in found] == [f"req-{number}" for number in reversed(range(2100))] + [create.request_id]
        assert sum(record.operation == "listServerActions" for record in lab.records) == 3


@pytest.mark.operation("6.14.1", "5.3.2")
async def test_the_console_tells_boots_and_shutdowns(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client, name="web-7")
        (interface,) = await client.interfaces.list(server_id)
        first = await client.consoles.output(server_id)
        for part in ("Booting Ubuntu 24.04 server 64bit", interface.mac_addr, interface.fixed_ips[0].ip_address, "web-7 login: "):
            assert part in first
        assert await client.consoles.output(server_id, length=1) == "web-7 login: "
        assert await client.consoles.output(server_id, length=0) == ""
        await lab.ended(client, await client.servers.reboot([server_id], "SOFT"))
        text = await client.consoles.output(server_id)
        assert text.startswith(first)
        assert (text.count("Booting"), text.count("reboot: Restarting system")) == (2, 1)
        await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
        assert (await client.consoles.output(server_id, length=1)) == "reboot: Power down"


@pytest.mark.operation("6.14.1")
async def test_no_console_before_a_server_runs(lab: Lab) -> None:
    async with lab.client() as client:
        accepted = await client.servers.create(request(), client_token=None)
        (server_id,) = accepted.server_ids
        with pytest.raises(CloudError) as caught:
            await client.consoles.output(server_id)
        assert (caught.value.status, caught.value.meaning) == (409, Meaning.CONFLICT)
        await lab.ended(client, accepted)
        assert await client.consoles.output(server_id)
