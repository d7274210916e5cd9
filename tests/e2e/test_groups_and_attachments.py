"""EcsServerGroup and EcsVolumeAttachment: who waits for whom, what is in use, and what is left at the end."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_lab.waiting import until
from tests.scenes import Object, Scene, condition, is_ready, says

pytestmark = pytest.mark.asyncio(loop_scope="session")


def message(obj: Object) -> str:
    """The text of Ready."""
    return str(condition(obj, "Ready").get("message"))


# --- groups ---


async def test_a_group_and_its_members(scene: Scene) -> None:
    """The servers are applied before their group; they stand on different hosts, and the group goes last."""
    await scene.apply(*(scene.server(name, serverGroupRef={"name": "web"}) for name in ("web-0", "web-1")))
    waiting = await scene.until_says("ecsvm/web-0", "WaitingForDependency")
    assert "EcsServerGroup web" in message(waiting)
    await scene.apply(scene.group("web"))
    servers = await scene.until_all_ready()
    ids = sorted(each["status"]["id"] for each in servers.values())
    group = await scene.until("ecsgrp/web", lambda obj: len(obj["status"].get("members", [])) == 2 and is_ready(obj))
    members = {each["serverId"]: each["hostId"] for each in group["status"]["members"]}
    assert sorted(members) == ids
    assert len(set(members.values())) == 2
    named = await scene.until("ecsgrp/web", lambda obj: all("serverRef" in each for each in obj["status"]["members"]))
    references = {each["serverRef"]["name"]: each["serverId"] for each in named["status"]["members"]}
    assert references == {name: each["status"]["id"] for name, each in servers.items()}
    assert "violations" not in group["status"]
    assert group["status"]["project"] == scene.project.name
    [made] = await scene.ledger(resource="server_group")
    assert (made["id"], made["name"].rpartition("-")[0]) == (group["status"]["id"], "web")

    await scene.delete("ecsgrp/web")
    used = await scene.until_says("ecsgrp/web", "InUse")
    assert "EcsServer web-0, EcsServer web-1" in message(used)
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    used = await scene.until("ecsgrp/web", lambda obj: "web-0" not in message(obj))
    assert "EcsServer web-1" in message(used)
    await scene.delete("ecsvm/web-1")
    await scene.until_gone("ecsgrp/web")
    order = [
        each["resource"] for each in await scene.ledger() if each["action"] == "delete" and each["resource"] in {"server", "server_group"}
    ]
    assert order == ["server", "server", "server_group"]


async def test_members_that_meet_on_a_host_are_shown_and_left_there(scene: Scene) -> None:
    """The cloud's operators may move servers as they like: it is a violation, and nothing is repaired. It ends as it began."""
    await scene.apply(scene.group("web"), *(scene.server(name, serverGroupRef={"name": "web"}) for name in ("web-0", "web-1")))
    first, second = sorted((await scene.until_all_ready()).values(), key=lambda each: each["metadata"]["name"])
    path = f"/_sim/servers/{second['status']['id']}"
    await scene.lab.sim.admin("POST", path, {"do": "move", "beside": first["status"]["id"]})
    violated = await scene.until("ecsgrp/web", lambda obj: bool(obj["status"].get("violations")), why="shows no violation")
    [violation] = violated["status"]["violations"]
    host = {each["hostId"] for each in violated["status"]["members"]}
    assert violation == f"EcsServer web-0, EcsServer web-1 stand on the same host {host.pop()}"
    assert not host
    assert is_ready(violated)
    assert f"the policy is violated: {violation}" in message(violated)
    assert violation in await scene.kubectl("get", "ecsgrp", "web", "-o", "wide")
    assert [each["action"] for each in await scene.ledger(identity=second["status"]["id"])] == ["create", "migrate"], "only by hand"
    await scene.delete("ecsvm/web-1")
    await scene.until("ecsgrp/web", lambda obj: "violations" not in obj["status"] and len(obj["status"]["members"]) == 1)


async def test_a_group_with_members_from_elsewhere_stays(scene: Scene) -> None:
    """A server of which no object here knows anything is a member: nobody takes the group from under it."""
    await scene.apply(scene.group("web"), scene.server("web-0", serverGroupRef={"name": "web"}, deletionPolicy="Retain"))
    await scene.until_ready("ecsvm/web-0")
    server_id = (await scene.get("ecsvm/web-0"))["status"]["id"]
    await scene.delete("ecsvm/web-0", "ecsgrp/web")
    await scene.until_gone("ecsvm/web-0")
    used = await scene.until("ecsgrp/web", lambda obj: says(obj, "InUse") and server_id in message(obj))
    assert "members" in message(used)
    await scene.steer(server_id, "delete")
    await scene.annotate("ecsgrp/web", "reconcile-requested-at=now")
    await scene.until_gone("ecsgrp/web")


async def test_a_group_that_is_retained(scene: Scene) -> None:
    await scene.apply(scene.group("web", deletionPolicy="Retain"))
    group_id = (await scene.until_ready("ecsgrp/web"))["status"]["id"]
    await scene.delete("ecsgrp/web")
    await scene.until_gone("ecsgrp/web")
    assert [each["action"] for each in await scene.ledger(identity=group_id)] == ["create"]


# --- attachments ---


async def test_an_attachment_waits_for_its_server(scene: Scene) -> None:
    """Applied first, it waits; its fields are those of the cloud; its deletion leaves the server as it is."""
    await scene.apply(scene.attachment("data", serverRef={"name": "web-0"}, device="/dev/sdc"))
    waiting = await scene.until_says("ecsva/data", "WaitingForDependency")
    assert "EcsServer web-0 does not exist" in message(waiting)
    await scene.apply(scene.server("web-0"))
    obj = await scene.until_ready("ecsva/data")
    status, volume_id = obj["status"], scene.project.account.volume_id
    server_id = (await scene.get("ecsvm/web-0"))["status"]["id"]
    assert (await scene.get("ecsvm/web-0"))["status"]["serverStatus"] == "ACTIVE"
    expected = {"serverId": server_id, "device": "/dev/vdc", "sizeGiB": 10, "project": scene.project.name, "attachmentId": volume_id}
    assert {field: status.get(field) for field in expected} == expected
    assert status["pciAddress"]
    assert status["bootIndex"] > 0
    assert (status["job"]["type"], status["job"]["status"]) == ("attachVolume", "SUCCESS")
    await scene.until("ecsvm/web-0", lambda server: _disks(server).get(volume_id) is False, why="does not show the volume")
    columns = (await scene.kubectl("get", "ecsva")).splitlines()[1].split()
    assert columns[:5] == ["data", "True", volume_id, "/dev/vdc", "10"]

    await scene.delete("ecsva/data")
    await scene.until_gone("ecsva/data")
    await _until_available(scene, volume_id)
    assert await _deeds(scene) == ["attach", "detach"]
    row = await scene.cloud.server(server_id)
    assert row is not None
    assert row["status"] == "ACTIVE"


async def test_a_server_that_goes_lets_its_volume_go(scene: Scene) -> None:
    """The attachment stays and waits for a server of that name; the volume outlives the server."""
    await scene.apply(scene.server("web-0", dataVolumes=[{"name": "a", "type": "SSD", "sizeGiB": 10, "deleteWithServer": True}]))
    await scene.apply(scene.attachment("data", serverRef={"name": "web-0"}))
    first = (await scene.until_ready("ecsva/data"))["status"]["serverId"]
    await scene.until("ecsvm/web-0", lambda server: scene.project.account.volume_id in _disks(server))
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0", seconds=60)
    await scene.until_says("ecsva/data", "WaitingForDependency")
    await _until_available(scene, scene.project.account.volume_id)
    await scene.apply(scene.server("web-0"))
    await scene.until_ready("ecsva/data")
    second = (await scene.until("ecsva/data", lambda obj: obj["status"]["serverId"] != first))["status"]["serverId"]
    assert second == (await scene.get("ecsvm/web-0"))["status"]["id"]


async def test_an_attachment_to_a_server_that_is_not_managed_here(scene: Scene) -> None:
    project = scene.project.account.project_id
    server_id = (await scene.lab.sim.admin("POST", "/_sim/servers", {"project": project, "name": "theirs"}))["id"]
    await scene.apply(scene.attachment("data", serverId=server_id))
    obj = await scene.until_ready("ecsva/data")
    assert obj["status"]["serverId"] == server_id
    # Taken off by somebody, it is put back.
    await scene.cloud.detach(server_id, scene.project.account.volume_id)
    await _until_deeds(scene, ["attach", "detach", "attach"])
    await scene.until_ready("ecsva/data")
    await scene.delete("ecsva/data")
    await scene.until_gone("ecsva/data")
    assert await _deeds(scene) == ["attach", "detach", "attach", "detach"]
    assert await scene.cloud.server(server_id)


async def test_a_volume_that_somebody_attached_already(scene: Scene) -> None:
    """The pair is what counts: found attached as wanted, it is not attached again. Retain leaves it so."""
    project, volume_id = scene.project.account.project_id, scene.project.account.volume_id
    server_id = (await scene.lab.sim.admin("POST", "/_sim/servers", {"project": project, "name": "theirs"}))["id"]
    await scene.cloud.attach(server_id, volume_id)
    await scene.apply(scene.attachment("data", serverId=server_id, deletionPolicy="Retain"))
    await scene.until_ready("ecsva/data")
    await scene.delete("ecsva/data")
    await scene.until_gone("ecsva/data")
    assert await _deeds(scene) == ["attach"]


async def test_a_volume_on_another_server(scene: Scene) -> None:
    project, volume_id = scene.project.account.project_id, scene.project.account.volume_id
    other = (await scene.lab.sim.admin("POST", "/_sim/servers", {"project": project, "name": "other"}))["id"]
    await scene.cloud.attach(other, volume_id)
    await scene.apply(scene.server("web-0"), scene.attachment("data", serverRef={"name": "web-0"}))
    await scene.until_ready("ecsvm/web-0")
    waiting = await scene.until("ecsva/data", lambda obj: says(obj, "WaitingForDependency") and other in message(obj))
    assert f"volume {volume_id} is attached to server {other}" in message(waiting)
    assert await _deeds(scene) == ["attach"], "it is not taken from there"
    await scene.cloud.detach(other, volume_id)
    await _until_available(scene, volume_id)
    # It would be seen by itself after half a minute (test_conditions.py).
    await scene.annotate("ecsva/data", "reconcile-requested-at=now")
    await scene.until_ready("ecsva/data")
    # One that stands in the way of nothing is deleted like any other.
    await scene.delete("ecsva/data")
    await scene.until_gone("ecsva/data")


MISSING = "5f0f3d6a-0000-4000-8000-000000000000"
# name: (spec of the attachment, reason, what the message says)
HINDRANCES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no-such-volume": (
        {"serverRef": {"name": "web-0"}, "volumeId": MISSING},
        "WaitingForDependency",
        f"volume {MISSING} does not exist in the project",
    ),
    "no-such-server": ({"serverId": MISSING}, "WaitingForDependency", f"server {MISSING} does not exist in the project"),
    "another-zone": (
        {"serverRef": {"name": "web-1"}},
        "InvalidConfiguration",
        "the server is in zone eu-west-0b, the volume in eu-west-0a: they must be in the same",
    ),
    "server-in-error": ({"serverRef": {"name": "web-2"}}, "WaitingForDependency", "is ERROR: a volume can be attached when it is ACTIVE"),
}


async def test_what_hinders_an_attachment(scene: Scene) -> None:
    """Nothing is sent, the message names what hinders, and the object can be deleted as it is."""
    await scene.apply(scene.server("web-0"), scene.server("web-1", availabilityZone="eu-west-0b"), scene.server("web-2"))
    servers = await scene.until_all_ready()
    await scene.steer(servers["web-2"]["status"]["id"], "error")
    await scene.until_says("ecsvm/web-2", "ServerError")
    await scene.apply(*(scene.attachment(name, **spec) for name, (spec, _, _) in HINDRANCES.items()))
    for name, (_, reason, named) in HINDRANCES.items():
        assert named in message(await scene.until_says(f"ecsva/{name}", reason)), name
    assert await _deeds(scene) == []
    await scene.delete("ecsva", "--all")
    for name in HINDRANCES:
        await scene.until_gone(f"ecsva/{name}")


async def test_two_objects_for_one_volume(scene: Scene) -> None:
    """The first one has it; the second says whose it is, and gets it when the first is deleted."""
    await scene.apply(scene.server("web-0"), scene.server("web-1"), scene.attachment("first", serverRef={"name": "web-0"}))
    await scene.until_ready("ecsva/first")
    await scene.until_ready("ecsvm/web-1")
    await scene.apply(scene.attachment("second", serverRef={"name": "web-1"}))
    obj = await scene.until_says("ecsva/second", "OwnershipConflict")
    volume_id = scene.project.account.volume_id
    assert f"EcsVolumeAttachment first claims volume {volume_id} too, and came first" in message(obj)
    assert condition(obj, "Stalled")["status"] == "True"
    assert await _deeds(scene) == ["attach"]
    await scene.delete("ecsva/first")
    await scene.until_gone("ecsva/first")
    await scene.until_ready("ecsva/second")
    assert await _deeds(scene) == ["attach", "detach", "attach"]
    assert (await scene.get("ecsva/second"))["status"]["serverId"] == (await scene.get("ecsvm/web-1"))["status"]["id"]


async def test_a_volume_that_is_detached_by_force(scene: Scene) -> None:
    """Its place on the server stays taken, which somebody is told."""
    await scene.apply(
        scene.server("web-0"), scene.attachment("data", serverRef={"name": "web-0"}, device="/dev/vdc", detach={"mode": "Force"})
    )
    status = (await scene.until_ready("ecsva/data"))["status"]
    await scene.delete("ecsva/data")
    await scene.until_gone("ecsva/data")
    event = await scene.until_event("data", "Detaching", "by force .* cannot be used again")
    assert f"/dev/vdc and PCI address {status['pciAddress']}" in event["note"]
    await scene.apply(scene.attachment("same-place", serverRef={"name": "web-0"}, device="/dev/vdc"))
    refused = await scene.until_says("ecsva/same-place", "Rejected")
    assert "The device /dev/vdc is already in use" in message(refused)
    await scene.delete("ecsva/same-place")
    await scene.until_gone("ecsva/same-place")
    await scene.apply(scene.attachment("data", serverRef={"name": "web-0"}))
    again = await scene.until_ready("ecsva/data")
    assert again["status"]["device"] != "/dev/vdc"


async def test_the_system_disk_goes_to_another_place_and_back(scene: Scene) -> None:
    """It waits until its server is stopped by the spec, and never stops it; afterwards the server runs from the same disk."""
    await scene.apply(scene.server("web-0"))
    server = await scene.until_ready("ecsvm/web-0")
    server_id = server["status"]["id"]
    [root] = [each["id"] for each in server["status"]["volumes"] if each["bootIndex"] == 0]
    disk = scene.attachment("disk", serverRef={"name": "web-0"}, volumeId=root, device="/dev/sda")
    await scene.apply(disk)
    found = await scene.until_ready("ecsva/disk")
    assert (found["status"]["bootIndex"], found["status"]["device"]) == (0, "/dev/vda")
    await scene.patch("ecsvm/web-0", {"powerState": "Running"})
    await scene.delete("ecsva/disk")
    waiting = await scene.until_says("ecsva/disk", "WaitingForDependency")
    assert "stop the server (spec.powerState: Stopped of EcsServer web-0)" in message(waiting)
    assert await scene.deeds(server_id) == []
    await scene.patch("ecsvm/web-0", {"powerState": "Stopped"})
    await scene.until_gone("ecsva/disk")
    await _until_available(scene, root)
    await scene.until_says("ecsvm/web-0", "StoppedAsDesired")

    await scene.apply(disk)
    back = await scene.until_ready("ecsva/disk")
    assert (back["status"]["bootIndex"], back["status"]["device"]) == (0, "/dev/vda")
    await scene.patch("ecsvm/web-0", {"powerState": "Running"})
    await scene.until_ready("ecsvm/web-0")
    row = await scene.cloud.server(server_id)
    assert row is not None
    assert row["status"] == "ACTIVE"
    assert await scene.deeds(server_id) == ["stop SOFT", "start SOFT"]


async def test_a_system_disk_that_is_claimed_outlives_its_server(scene: Scene) -> None:
    """The cloud would delete it with the server: the deletion waits until it can be detached, and takes nothing of anybody's."""
    await scene.apply(scene.server("web-0", dataVolumes=[{"name": "a", "type": "SSD", "sizeGiB": 10, "deleteWithServer": True}]))
    server = await scene.until_ready("ecsvm/web-0")
    server_id = server["status"]["id"]
    disks = {each["bootIndex"] == 0: each["id"] for each in server["status"]["volumes"]}
    await scene.apply(
        scene.attachment("disk", serverRef={"name": "web-0"}, volumeId=disks[True]), scene.attachment("data", serverRef={"name": "web-0"})
    )
    await scene.until_ready("ecsva/disk")
    await scene.until_ready("ecsva/data")
    await scene.delete("ecsvm/web-0")
    held = await scene.until_says("ecsvm/web-0", "InUse")
    assert f"EcsVolumeAttachment disk claims its system disk {disks[True]}" in message(held)
    await scene.steer(server_id, "stop")
    await scene.annotate("ecsvm/web-0", "reconcile-requested-at=now")
    await scene.until_gone("ecsvm/web-0", seconds=60)
    await _until_available(scene, disks[True])
    await _until_available(scene, scene.project.account.volume_id)
    assert await scene.cloud.volume(disks[False]) is None
    for name in ("disk", "data"):
        obj = await scene.until(f"ecsva/{name}", lambda obj: says(obj, "WaitingForDependency") and "attachmentId" not in obj["status"])
        assert "EcsServer web-0 does not exist" in message(obj)
    await scene.delete("ecsva", "--all")
    await scene.until_gone("ecsva/disk")
    await scene.until_gone("ecsva/data")


def _disks(server: Object) -> dict[str, bool | None]:
    """The disks in the status of an EcsServer, and whether each goes with it."""
    return {each["id"]: each.get("deleteWithServer") for each in server["status"].get("volumes", [])}


async def _deeds(scene: Scene) -> list[str]:
    """What was done with the project's free volume, in order."""
    return [each["action"] for each in await scene.ledger(resource="attachment") if scene.project.account.volume_id in each["id"]]


async def _until_deeds(scene: Scene, wanted: list[str]) -> None:
    async def probe() -> bool:
        return await _deeds(scene) == wanted

    await until(probe, seconds=30, every=0.1, what=f"the volume was not {wanted}")


async def _until_available(scene: Scene, volume_id: str) -> None:
    async def probe() -> bool:
        row = await scene.cloud.volume(volume_id)
        return row is not None and row["status"] == "available"

    await until(probe, seconds=20, every=0.1, what=f"volume {volume_id} is not available")
