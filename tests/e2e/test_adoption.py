"""Servers that were there before their objects, on a real API server and over HTTP: adopted, only observed, retained and adopted again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenes import MARKER, Object, Scene, condition, is_ready

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHANGES = {"stop", "start", "reboot", "resize", "rebuild", "delete-requested", "delete"}


def message(obj: Object) -> str:
    """The text of Ready."""
    return str(condition(obj, "Ready").get("message"))


async def planted(scene: Scene, name: str, **metadata: str) -> str:
    """A running server that nobody here asked for."""
    body = {"project": scene.project.account.project_id, "name": name, "metadata": metadata}
    return str((await scene.lab.sim.admin("POST", "/_sim/servers", body))["id"])


async def row_of(scene: Scene, server_id: str) -> dict[str, Any]:
    """The server as the cloud shows it."""
    row = await scene.cloud.server(server_id)
    assert row is not None
    return row


async def alike(scene: Scene, name: str, server_id: str, /, **spec: Any) -> Object:
    """An object for a server that is there, as it is."""
    row = await row_of(scene, server_id)
    same = {"name": row["name"], "flavor": row["flavor"]["id"], "image": {"id": row["image"]["id"]}, "rootVolume": {"type": "SSD"}}
    return scene.server(name, **{**same, "import": {"id": server_id}, **spec})


async def owner_of(scene: Scene, server_id: str) -> str | None:
    """Uid in the mark the server carries."""
    mark = (await row_of(scene, server_id))["metadata"].get(MARKER)
    return mark.split("/")[1] if mark else None


async def test_a_server_as_the_spec_says_is_adopted_and_kept_like_any_other(scene: Scene) -> None:
    server_id = await planted(scene, "there", role="theirs")
    await scene.apply(await alike(scene, "web-0", server_id))
    obj = await scene.until_ready("ecsvm/web-0")
    assert (obj["status"]["id"], obj["status"]["adoption"]["state"], "create" in obj["status"]) == (server_id, "Adopted", False)
    assert await owner_of(scene, server_id) == obj["metadata"]["uid"]
    assert (await row_of(scene, server_id))["metadata"]["role"] == "theirs"
    await scene.patch("ecsvm/web-0", {"powerState": "Stopped", "tags": {"team": "shop"}})
    await scene.until_says("ecsvm/web-0", "StoppedAsDesired")
    row = await row_of(scene, server_id)
    assert (row["status"], row["tags"]) == ("SHUTOFF", ["team=shop"])
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    assert await scene.cloud.server(server_id) is None
    assert len([each for each in await scene.ledger(resource="server") if each["action"] == "create"]) == 1


async def test_what_differs_is_shown_before_anything_is_changed(scene: Scene) -> None:
    server_id = await planted(scene, "there", role="theirs")
    before = await row_of(scene, server_id)
    await scene.apply(await alike(scene, "web-0", server_id, name="mine", powerState="Stopped", tags={"team": "shop"}))
    obj = await scene.until_says("ecsvm/web-0", "WaitingForApproval")
    plan = obj["status"]["plan"]
    assert [(each["path"], each["cost"]) for each in plan["changes"]] == [
        ("spec.powerState", "Restart"),
        ("spec.name", "None"),
        ("spec.tags", "None"),
    ]
    assert condition(obj, "ApprovalRequired")["status"] == "True"
    assert await row_of(scene, server_id) == before
    await scene.annotate("ecsvm/web-0", f"approve-plan={plan['hash']}")
    obj = await scene.until_says("ecsvm/web-0", "StoppedAsDesired")
    row = await row_of(scene, server_id)
    assert (row["name"], row["status"], row["tags"]) == ("mine", "SHUTOFF", ["team=shop"])
    assert await owner_of(scene, server_id) == obj["metadata"]["uid"]


async def test_the_second_object_for_a_server_names_the_first(scene: Scene) -> None:
    server_id = await planted(scene, "there")
    await scene.apply(await alike(scene, "web-0", server_id))
    first = await scene.until_ready("ecsvm/web-0")
    await scene.apply(await alike(scene, "web-1", server_id))
    second = await scene.until_says("ecsvm/web-1", "OwnershipConflict")
    assert f"EcsServer {scene.namespace}/web-0" in message(second)
    assert condition(second, "Stalled")["status"] == "True"
    await scene.delete("ecsvm/web-1")
    await scene.until_gone("ecsvm/web-1")
    assert await owner_of(scene, server_id) == first["metadata"]["uid"]
    assert is_ready(await scene.get("ecsvm/web-0"))


async def test_an_observed_server_is_never_changed(scene: Scene) -> None:
    server_id = await planted(scene, "there", role="theirs")
    before = await row_of(scene, server_id)
    await scene.apply(await alike(scene, "web-0", server_id, name="mine", powerState="Stopped", managementPolicy="Observe"))
    obj = await scene.until_says("ecsvm/web-0", "Observed")
    assert (obj["status"]["id"], obj["status"]["serverStatus"]) == (server_id, "ACTIVE")
    await scene.steer(server_id, "stop")
    await scene.until("ecsvm/web-0", lambda seen: seen["status"].get("serverStatus") == "SHUTOFF")
    await scene.steer(server_id, "start")
    await scene.until("ecsvm/web-0", lambda seen: seen["status"].get("serverStatus") == "ACTIVE")
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    row = await row_of(scene, server_id)
    assert {key: row[key] for key in ("name", "metadata", "status")} == {key: before[key] for key in ("name", "metadata", "status")}


async def test_retained_and_adopted_again(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", deletionPolicy="Retain", metadata={"role": "front"}))
    first = await scene.until_ready("ecsvm/web-0")
    server_id = first["status"]["id"]
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    assert await owner_of(scene, server_id) is None
    disk = first["status"]["volumes"][0]["id"]
    await scene.until_event("web-0", "Deleting", f"server {server_id} stays without this object's mark.*disk {disk}")
    await scene.apply(await alike(scene, "web-1", server_id, metadata={"role": "front"}, deletionPolicy="Retain"))
    second = await scene.until_ready("ecsvm/web-1")
    assert second["status"]["id"] == server_id
    assert await owner_of(scene, server_id) == second["metadata"]["uid"]
    assert len([each for each in await scene.ledger(resource="server") if each["action"] == "create"]) == 1
    assert CHANGES.isdisjoint(await scene.deeds(server_id))


async def test_a_group_and_an_attachment_that_are_there(scene: Scene) -> None:
    """The group is adopted with its name as it is; the volume is only watched."""
    account = scene.project.account
    path = f"/v1/{account.project_id}/cloudservers/os-server-groups"
    answer = await scene.cloud.client.post(path, json={"server_group": {"name": "theirs", "policies": ["anti-affinity"]}})
    group_id = answer.raise_for_status().json()["server_group"]["id"]
    await scene.apply(
        scene.group("web", **{"import": {"id": group_id}}), scene.group("seen", managementPolicy="Observe", **{"import": {"id": group_id}})
    )
    group = await scene.until_ready("ecsgrp/web")
    await scene.until_says("ecsgrp/seen", "Observed")
    assert (group["status"]["id"], group["status"]["adoption"]["state"]) == (group_id, "Adopted")
    await scene.apply(scene.server("web-0", serverGroupRef={"name": "web"}))
    await scene.until_ready("ecsvm/web-0")
    await scene.until(
        "ecsgrp/web",
        lambda obj: [each["serverRef"]["name"] for each in obj["status"].get("members", []) if "serverRef" in each] == ["web-0"],
    )

    await scene.apply(scene.attachment("data", serverRef={"name": "web-0"}, managementPolicy="Observe"))
    waiting = await scene.until_says("ecsva/data", "WaitingForDependency")
    assert "nothing is attached" in message(waiting)
    server_id = (await scene.get("ecsvm/web-0"))["status"]["id"]
    await scene.cloud.attach(server_id, account.volume_id)
    await scene.until_says("ecsva/data", "Observed")
    await scene.delete("ecsva/data", "ecsgrp/seen")
    await scene.until_gone("ecsva/data")
    await scene.until_gone("ecsgrp/seen")
    volume = await scene.cloud.volume(account.volume_id)
    assert volume is not None
    assert [each["serverId"] for each in volume["attachments"]] == [server_id]
    await scene.delete("ecsvm/web-0", "ecsgrp/web")
    await scene.until_gone("ecsvm/web-0")
    await scene.until_gone("ecsgrp/web")
    [made, gone] = await scene.ledger(resource="server_group")
    assert (made["id"], gone["id"], gone["action"]) == (group_id, group_id, "delete")
