"""What needs a living server stopped beyond a resize: another system, another group, all in one stop; on a real API server."""

from __future__ import annotations

import pytest

from ecs_lab.waiting import until
from tests.e2e.pace import durations
from tests.scenes import Object, Scene, condition, is_ready, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

WINDOWS = "Windows Server 2022 64bit"
FIRST, SECOND = "First-Passw0rd-1", "Secnd-Passw0rd-2"


async def test_one_approval_one_stop_and_the_server_is_back_with_another_system(scene: Scene) -> None:
    """Image by name, flavor and group in one edit: it waits, is approved as a whole, and the password is nowhere to be seen."""
    async with durations(scene.lab, change_server_image=1.0, resize_server=0.5):
        password = {"adminPasswordSecretRef": {"name": "web-0", "key": "password"}}
        await scene.apply(
            scene.secret("web-0", password=FIRST, next=SECOND),
            scene.group("web"),
            scene.server("web-0", powerState="Running", flavor="s3.medium.2", **password),
        )
        before = await scene.until_ready("ecsvm/web-0")
        edit = {
            "image": {"id": None, "name": WINDOWS},
            "flavor": "s3.large.2",
            "serverGroupRef": {"name": "web"},
            "adminPasswordSecretRef": {"name": "web-0", "key": "next"},
        }
        await scene.patch("ecsvm/web-0", edit)
        waiting = await scene.until_says("ecsvm/web-0", "WaitingForApproval")
        plan = waiting["status"]["plan"]
        assert plan["cost"] == "Reinstall"
        assert [(each["path"], each["cost"]) for each in plan["changes"]] == [
            ("spec.serverGroupRef", "Restart"),
            ("spec.flavor", "Restart"),
            ("spec.image", "Reinstall"),
            ("spec.adminPasswordSecretRef", "Reinstall"),
        ]
        assert "everything is lost" in condition(waiting, "ApprovalRequired")["message"]
        assert await scene.deeds(before["status"]["id"]) == []

        await scene.annotate("ecsvm/web-0", f"approve-plan={plan['hash']}")
        seen: list[Object] = []

        async def probe() -> bool:
            seen.append(await scene.get("ecsvm/web-0"))
            return is_ready(seen[-1])

        await until(probe, seconds=40, every=0.05, what="web-0 is not Ready again")
    status = seen[-1]["status"]
    assert any(says(each, "Reinstalling") for each in seen)
    assert {each["status"]["change"]["approved"] for each in seen if "change" in each["status"]} == {plan["hash"]}
    assert (status["flavor"], status["serverStatus"], "plan" in status, "change" in status) == ("s3.large.2", "ACTIVE", False, False)
    assert (status["applied"]["installed"]["imageName"], status["imageId"]) == (WINDOWS, status["applied"]["installed"]["imageId"])
    assert status["volumes"][0]["id"] != before["status"]["volumes"][0]["id"], "another system disk"
    assert [each.split()[0] for each in await scene.deeds(status["id"])] == ["stop", "resize", "change-image", "start"]
    group = await scene.until("ecsgrp/web", lambda obj: len(obj["status"].get("members", [])) == 1)
    assert group["status"]["members"][0]["serverId"] == status["id"]
    assert await scene.creations() == {seen[-1]["metadata"]["uid"]: 1}
    for value in (FIRST, SECOND):
        assert not any(value in str(each) for each in [*seen, *await scene.events("web-0")])

    # Leaving a group costs nothing, and the group learns of it; then it may go.
    await scene.patch("ecsvm/web-0", {"serverGroupRef": None})
    await scene.until_ready("ecsvm/web-0")
    await scene.until("ecsgrp/web", lambda obj: not obj["status"].get("members"))
    assert [each.split()[0] for each in await scene.deeds(status["id"])] == ["stop", "resize", "change-image", "start"]
    await scene.delete("ecsgrp/web")
    await scene.until_gone("ecsgrp/web")


async def test_an_installation_without_its_secret_stops_nothing(scene: Scene) -> None:
    await scene.apply(
        scene.secret("web-0", password=FIRST),
        scene.server("web-0", adminPasswordSecretRef={"name": "web-0", "key": "password"}, disruption={"allow": "Reinstall"}),
    )
    server_id = (await scene.until_ready("ecsvm/web-0"))["status"]["id"]
    await scene.patch("ecsvm/web-0", {"adminPasswordSecretRef": {"name": "later"}})
    waiting = await scene.until_says("ecsvm/web-0", "WaitingForDependency")
    assert "Secret later (spec.adminPasswordSecretRef)" in condition(waiting, "Ready")["message"]
    assert await scene.deeds(server_id) == []
    await scene.apply(scene.secret("later", password=SECOND))
    await scene.annotate("ecsvm/web-0", "reconcile-requested-at=now")
    await scene.until_ready("ecsvm/web-0")
    assert [each.split()[0] for each in await scene.deeds(server_id)] == ["stop", "reinstall", "start"]
