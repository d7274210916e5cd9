"""EcsProject: what its status tells, and how soon it follows what changes."""

from __future__ import annotations

import pytest

from ecs_lab.operator import NAMESPACE
from ecs_lab.tenancy import as_yaml, secret
from tests.scenes import Object, Scene, condition, is_ready, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROTATION_SECONDS = 60.0
"""The promise: a changed Secret is used within a minute, without a restart and without being asked."""


def authenticated(obj: Object) -> tuple[str, str]:
    """Status and reason of the condition."""
    found = condition(obj, "Authenticated")
    return found.get("status", ""), found.get("reason", "")


async def test_the_quota_is_shown_and_follows_the_cloud(scene: Scene) -> None:
    project, account = f"ecsproject/{scene.project.name}", scene.project.account
    obj = await scene.until_ready(project)
    assert set(obj["status"]["quota"]) == {"instances", "cores", "ramMiB"}
    assert obj["status"]["quota"]["instances"]["used"] == 0
    assert (obj["status"]["projectId"], obj["status"]["microversion"]) == (account.project_id, "2.46")
    await scene.lab.sim.admin("POST", f"/_sim/projects/{account.project_id}", {"quota": {"instances": 7}})
    await scene.apply(scene.server("web-0"))
    await scene.until_ready("ecsvm/web-0")
    # At the next resync, which is after two seconds here.
    await scene.until(project, lambda now: now["status"]["quota"]["instances"] == {"used": 1, "limit": 7}, seconds=10)
    columns = (await scene.kubectl("get", project, "-o", "wide")).splitlines()
    assert columns[0].split()[6:8] == ["USED", "LIMIT"]
    assert columns[1].split()[6:8] == ["1", "7"]


async def test_a_rotated_secret_is_used_within_a_minute(scene: Scene) -> None:
    """Both ways: what was right becomes wrong, and right again. Nobody restarts or asks for anything."""
    project = f"ecsproject/{scene.project.name}"
    right = secret(scene.project.name, scene.project.account)
    await scene.until(project, lambda obj: is_ready(obj) and authenticated(obj) == ("True", "SignedIn"))
    wrong = {**right, "stringData": {**right["stringData"], "password": "Wr0ng-password"}}
    await scene.lab.cp.kubectl("apply", "--server-side", "-f", "-", stdin=as_yaml(wrong), namespace=NAMESPACE)
    refused = await scene.until(project, lambda obj: authenticated(obj) == ("False", "Unauthorized"), seconds=ROTATION_SECONDS)
    assert says(refused, "Unauthorized")
    await scene.lab.cp.kubectl("apply", "--server-side", "-f", "-", stdin=as_yaml(right), namespace=NAMESPACE)
    await scene.until(project, lambda obj: is_ready(obj) and authenticated(obj) == ("True", "SignedIn"), seconds=ROTATION_SECONDS)


async def test_that_it_signed_in_is_told_apart_from_what_it_may_do(scene: Scene) -> None:
    """A frozen account is known to the cloud; credentials that are suspended are not."""
    project, path = f"ecsproject/{scene.project.name}", f"/_sim/projects/{scene.project.account.project_id}"
    await scene.until_ready(project)
    await scene.lab.sim.admin("POST", path, {"suspendedCredentials": True})
    await scene.until(project, lambda obj: says(obj, "Unauthorized") and authenticated(obj) == ("False", "Unauthorized"))
    await scene.lab.sim.admin("POST", path, {"suspendedCredentials": False})
    await scene.until(project, lambda obj: is_ready(obj) and authenticated(obj) == ("True", "SignedIn"))
    fault = {"match": {"project": scene.project.account.project_id}, "when": "before", "times": 3, "do": {"status": 503}}
    await scene.lab.sim.admin("POST", "/_sim/faults", fault)
    unreachable = await scene.until(project, lambda obj: condition(obj, "Ready").get("status") == "False")
    assert authenticated(unreachable) == ("True", "SignedIn"), "a failing gateway says nothing about the credentials"
    await scene.until_ready(project)
