"""Edits of a server that is there, through kubectl: at no cost at once, at a cost with consent, on a real API server and over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecs_lab.waiting import until
from tests.e2e.pace import durations
from tests.scenes import Object, Scene, condition, is_ready, says

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def converged(scene: Scene, name: str) -> Object:
    """The object once its present generation is Ready."""
    seen: list[Object] = []

    async def probe() -> bool:
        seen[:] = [await scene.get(name)]
        ready = condition(seen[0], "Ready")
        return is_ready(seen[0]) and ready["observedGeneration"] == seen[0]["metadata"]["generation"]

    await until(probe, seconds=40, every=0.1, what=f"{name} is not Ready")
    return seen[0]


async def test_what_costs_nothing_is_done_at_once(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", metadata={"role": "front", "old": "1"}))
    before = await scene.until_ready("ecsvm/web-0")
    account = scene.project.account
    edit: dict[str, Any] = {
        "name": "renamed",
        "description": "front end",
        "metadata": {"role": "back", "old": None},
        "tags": {"team": "shop"},
        "securityGroupIds": [account.security_group_id],
        "autoRecovery": True,
        "locked": True,
    }
    await scene.patch("ecsvm/web-0", edit)
    obj = await converged(scene, "ecsvm/web-0")
    row = await scene.cloud.server(obj["status"]["id"])
    assert row is not None
    assert (row["name"], row["description"], row["tags"], row["locked"]) == ("renamed", "front end", ["team=shop"], True)
    assert (row["metadata"]["role"], "old" in row["metadata"]) == ("back", False)
    applied = obj["status"]["applied"]
    assert (applied["metadataKeys"], applied["tagKeys"]) == (["role"], ["team"])
    assert obj["status"]["id"] == before["status"]["id"]
    assert await scene.creations() == {obj["metadata"]["uid"]: 1}
    powers = [each["action"] for each in await scene.ledger(resource="server") if each["action"] in {"stop", "start", "reboot"}]
    assert powers == [], "nothing was restarted for it"


async def test_a_resize_waits_for_consent_and_brings_the_server_back(scene: Scene) -> None:
    async with durations(scene.lab, resize_server=1.0):
        await scene.apply(scene.server("web-0", powerState="Running", flavor="s3.medium.2"))
        await scene.until_ready("ecsvm/web-0")
        await scene.patch("ecsvm/web-0", {"flavor": "s3.large.2", "description": "soon larger"})
        obj = await scene.until_says("ecsvm/web-0", "WaitingForApproval")
        plan = obj["status"]["plan"]
        assert plan["changes"] == [{"path": "spec.flavor", "from": "s3.medium.2", "to": "s3.large.2", "cost": "Restart"}]
        assert condition(obj, "ApprovalRequired")["status"] == "True"
        row = await scene.cloud.server(obj["status"]["id"])
        assert row is not None
        assert (row["status"], row["description"]) == ("ACTIVE", "soon larger")
        assert "ApprovalRequired" in await scene.kubectl("wait", "--for=condition=ApprovalRequired", "ecsvm/web-0", "-o", "json")

        await scene.kubectl("annotate", "ecsvm/web-0", f"ecs.huaweicloud.com/approve-plan={plan['hash']}")
        seen: list[Object] = []

        async def probe() -> bool:
            seen.append(await scene.get("ecsvm/web-0"))
            return is_ready(seen[-1])

        await until(probe, seconds=40, every=0.05, what="web-0 is not Ready again")
    assert any(says(each, "Resizing") for each in seen)
    assert {each["status"]["change"]["restore"]["powerState"] for each in seen if "change" in each["status"]} == {"Running"}
    status = seen[-1]["status"]
    assert (status["flavor"], status["serverStatus"], "plan" in status, "change" in status) == ("s3.large.2", "ACTIVE", False, False)
    deeds = [each["action"] for each in await scene.ledger(resource="server")]
    assert [each for each in deeds if each in {"stop", "resize", "start"}] == ["stop", "resize", "start"]


async def test_nobody_else_owns_the_spec(scene: Scene) -> None:
    """After an edit has converged, the same manifest applied by another manager changes nothing: the operator wrote no spec."""
    await scene.apply(scene.server("web-0", tags={"team": "shop"}))
    obj = await converged(scene, "ecsvm/web-0")
    managers = {
        each["manager"]
        for each in json.loads(await scene.kubectl("get", "ecsvm/web-0", "-o", "json", "--show-managed-fields"))["metadata"][
            "managedFields"
        ]
        if "f:spec" in each["fieldsV1"]
    }
    assert len(managers) == 1, managers
    assert obj["metadata"]["generation"] == 1
