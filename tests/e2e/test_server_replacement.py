"""What only another server can have, on a real API server: the former server goes, is proven gone, and another one is made; never two."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_lab.waiting import until
from tests.e2e.pace import durations
from tests.scenes import Object, Scene, condition, is_ready, says, uid_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def one_after_the_other(scene: Scene, obj: Object, *, servers: int) -> None:
    """I1, asked of the ledger: a server is only created when the one before is deleted, each with the next incarnation in its mark."""
    life = [each for each in await scene.ledger(resource="server") if each["action"] in {"create", "delete"}]
    assert [each["action"] for each in life] == ["create", *["delete", "create"] * (servers - 1)]
    created = [each for each in life if each["action"] == "create"]
    assert {uid_of(each) for each in created} == {obj["metadata"]["uid"]}
    assert [each["marker"].split("/")[2] for each in created] == [str(number + 1) for number in range(servers)]
    assert created[-1]["id"] == obj["status"]["id"]


async def watched(scene: Scene, what: str) -> list[Object]:
    """The object until it is Ready, seen again and again."""
    seen: list[Object] = []

    async def probe() -> bool:
        seen.append(await scene.get(what))
        return is_ready(seen[-1])

    await until(probe, seconds=60, every=0.05, what=lambda: f"{what} is not Ready: {condition(seen[-1], 'Ready')}")
    return seen


async def test_another_system_disk_waits_for_approval_and_attached_volumes_follow(scene: Scene) -> None:
    data = [
        {"name": "goes", "type": "SSD", "sizeGiB": 10, "deleteWithServer": True},
        {"name": "stays", "type": "SSD", "sizeGiB": 20, "deleteWithServer": False},
    ]
    await scene.apply(
        scene.server("web-0", availabilityZone="eu-west-0a", dataVolumes=data),
        scene.attachment("data", serverRef={"name": "web-0"}),
    )
    before = await scene.until_ready("ecsvm/web-0")
    await scene.until_ready("ecsva/data")
    former = before["status"]["id"]
    disks = {each["sizeGiB"]: each["id"] for each in before["status"]["volumes"]}

    await scene.patch("ecsvm/web-0", {"rootVolume": {"sizeGiB": 50}})
    waiting = await scene.until_says("ecsvm/web-0", "WaitingForApproval")
    plan = waiting["status"]["plan"]
    assert plan["changes"] == [{"path": "spec.rootVolume", "from": "SSD 40 GiB", "to": "SSD 50 GiB", "cost": "Replace"}]
    assert "another one" in condition(waiting, "ApprovalRequired")["message"]
    assert await scene.deeds(former) == []

    await scene.annotate("ecsvm/web-0", f"approve-plan={plan['hash']}")
    seen = await watched(scene, "ecsvm/web-0")
    obj = seen[-1]
    assert any(says(each, "Replacing") for each in seen)
    assert {each["status"]["replacement"]["approved"] for each in seen if "replacement" in each["status"]} == {plan["hash"]}
    await one_after_the_other(scene, obj, servers=2)
    row = await scene.cloud.server(obj["status"]["id"])
    assert row is not None
    assert (obj["status"]["id"] != former, row["status"]) == (True, "ACTIVE")
    assert "replacement" not in obj["status"]
    assert await scene.cloud.volume(disks[10]) is None
    stays = await scene.cloud.volume(disks[20])
    assert stays is not None
    assert stays["attachments"] == []
    assert "kept: " in (await scene.until_event("web-0", "Replacing", disks[20]))["note"]
    followed = await scene.until("ecsva/data", lambda each: is_ready(each) and each["status"]["serverId"] == obj["status"]["id"])
    assert followed["status"]["attachmentId"]


MOMENTS: dict[str, Callable[[Object], bool]] = {
    "the former server is being deleted": lambda obj: "operation" in obj["status"] and obj["status"]["operation"]["kind"] == "Delete",
    "the former server is gone": lambda obj: obj["status"]["create"]["incarnation"] == 2,
    "the new server is being built": lambda obj: obj["status"]["create"]["incarnation"] == 2 and "id" in obj["status"],
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
async def test_the_operator_is_killed_in_the_middle(scene: Scene, moment: Callable[[Object], bool]) -> None:
    async with durations(scene.lab, delete_server=1.5, create_server=1.5):
        await scene.apply(scene.server("web-0", availabilityZone="eu-west-0a", disruption={"allow": "Replace"}))
        await scene.until_ready("ecsvm/web-0")
        await scene.patch("ecsvm/web-0", {"availabilityZone": "eu-west-0b"})
        await scene.until("ecsvm/web-0", moment)
        await scene.lab.op.kill()
        await scene.lab.op.start()
        obj = (await watched(scene, "ecsvm/web-0"))[-1]
    assert obj["status"]["availabilityZone"] == "eu-west-0b"
    await one_after_the_other(scene, obj, servers=2)


async def test_there_and_back_and_a_stopped_server_stays_stopped(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", availabilityZone="eu-west-0a", disruption={"allow": "Replace"}))
    first = await scene.until_ready("ecsvm/web-0")
    await scene.steer(first["status"]["id"], "stop")
    await scene.until("ecsvm/web-0", lambda obj: obj["status"]["serverStatus"] == "SHUTOFF")
    for number, zone in enumerate(("eu-west-0b", "eu-west-0a"), start=2):
        await scene.patch("ecsvm/web-0", {"availabilityZone": zone})
        obj = (await watched(scene, "ecsvm/web-0"))[-1]
        assert (obj["status"]["availabilityZone"], obj["status"]["serverStatus"]) == (zone, "SHUTOFF")
        await one_after_the_other(scene, obj, servers=number)


async def test_nothing_is_deleted_when_another_server_cannot_be_had(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", disruption={"allow": "Replace"}))
    before = await scene.until_ready("ecsvm/web-0")
    await scene.patch("ecsvm/web-0", {"rootVolume": {"sizeGiB": 60}, "keyPairName": "nobody-s"})
    waiting = await scene.until_says("ecsvm/web-0", "WaitingForDependency")
    assert "key pair nobody-s (spec.keyPairName)" in condition(waiting, "Ready")["message"]
    assert await scene.deeds(before["status"]["id"]) == []
    await scene.patch("ecsvm/web-0", {"rootVolume": {"sizeGiB": 40}, "keyPairName": None})
    obj = await scene.until_ready("ecsvm/web-0")
    assert obj["status"]["id"] == before["status"]["id"]
    assert await scene.deeds(before["status"]["id"]) == []


async def test_deleted_by_somebody_else(scene: Scene) -> None:
    """Where it is allowed another server is made by itself; else a plan waits."""
    await scene.apply(scene.server("web-0"))
    first = await scene.until_ready("ecsvm/web-0")
    await scene.steer(first["status"]["id"], "delete")
    waiting = await scene.until_says("ecsvm/web-0", "DeletedExternally")
    plan = waiting["status"]["plan"]
    assert (plan["cost"], plan["changes"][0]["path"]) == ("Replace", "status.id")
    assert f"approve-plan={plan['hash']}" in condition(waiting, "Ready")["message"]
    await one_after_the_other_was_only(scene, first)
    await scene.annotate("ecsvm/web-0", f"approve-plan={plan['hash']}")
    second = (await watched(scene, "ecsvm/web-0"))[-1]
    await one_after_the_other(scene, second, servers=2)
    await scene.patch("ecsvm/web-0", {"disruption": {"allow": "Replace"}})
    await scene.until_ready("ecsvm/web-0")
    await scene.steer(second["status"]["id"], "delete")
    third = await scene.until("ecsvm/web-0", lambda obj: is_ready(obj) and obj["status"].get("id") != second["status"]["id"])
    await one_after_the_other(scene, third, servers=3)


async def one_after_the_other_was_only(scene: Scene, obj: Object) -> None:
    """So far one server was made, and it is gone."""
    life = [each["action"] for each in await scene.ledger(resource="server", identity=obj["status"]["id"])]
    assert [each for each in life if each in {"create", "delete"}] == ["create", "delete"]
    assert await scene.creations() == {obj["metadata"]["uid"]: 1}


async def test_a_locked_server_goes_with_its_object(scene: Scene) -> None:
    """The lock is ours to open."""
    await scene.apply(scene.server("web-0", locked=True))
    obj = await scene.until_ready("ecsvm/web-0")
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    assert await scene.cloud.server(obj["status"]["id"]) is None
