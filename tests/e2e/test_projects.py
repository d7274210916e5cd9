"""EcsProject at work: a cloud that is away, servers whose object is gone, namespaces that come and go, and whose key it is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ecs_lab.operator import NAMESPACE
from ecs_lab.tenancy import as_yaml
from ecs_lab.waiting import until
from tests.scenes import Object, Scene, condition, is_ready, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

HELD_BACK = r"failed \d+ times in a row, the last time with: HTTP 503; the next try is at \d\d:\d\d:\d\d UTC"
FIRST, SECOND = "First-Passw0rd-1", "Secnd-Passw0rd-2"


def message(obj: Object) -> str:
    """The text of Ready."""
    return str(condition(obj, "Ready").get("message"))


async def requests(scene: Scene, **params: str) -> list[dict[str, Any]]:
    """What the cloud was asked in the test's project, the newest last."""
    found = await scene.lab.sim.admin(
        "GET", "/_sim/requests", params={"project": scene.project.account.project_id, "limit": "1000", **params}
    )
    rows: list[dict[str, Any]] = found["requests"]
    return rows


async def test_a_cloud_that_is_away_is_left_alone_until_it_answers_again(scene: Scene) -> None:
    project, account = f"ecsproject/{scene.project.name}", scene.project.account
    await scene.apply(scene.server("web-0"))
    await scene.until_ready("ecsvm/web-0")
    fault = {"match": {"project": account.project_id}, "when": "before", "do": {"status": 503}}
    rule = (await scene.lab.sim.admin("POST", "/_sim/faults", fault))["id"]
    try:
        await scene.until(
            project, lambda obj: says(obj, "CloudUnreachable") and re.search(HELD_BACK, message(obj)) is not None, why="is not held back"
        )
        away = await scene.until(
            "ecsvm/web-0",
            lambda obj: says(obj, "CloudUnreachable") and re.search(HELD_BACK, message(obj)) is not None,
            why="does not say so",
        )
        assert condition(away, "Reconciling")["status"] == "True"
        assert condition(await scene.get(project), "Authenticated")["status"] == "True", "the credentials are as good as before"
        # An edit meanwhile: it waits as well, and is not lost.
        await scene.patch("ecsvm/web-0", {"description": "edited meanwhile"})
        await scene.until("ecsvm/web-0", lambda obj: says(obj, "CloudUnreachable"))
        assert is_ready(await scene.get("ecsproject/lab")), "another project does not notice"
    finally:
        await scene.lab.sim.admin("DELETE", f"/_sim/faults/{rule}")
    spoiled = [each for each in await requests(scene) if each["fault"]]
    assert 10 <= len(spoiled) <= 30, "it opens after ten failures; what was on its way then, and one call after each pause, may follow"
    await scene.until_ready(project, seconds=70)
    await scene.until_ready("ecsvm/web-0", seconds=90)
    server_id = (await scene.get("ecsvm/web-0"))["status"]["id"]
    assert ((await scene.cloud.server(server_id)) or {})["description"] == "edited meanwhile"
    assert (await scene.creations()).total() == 1


async def test_a_server_whose_object_was_removed_by_force_is_reported(scene: Scene) -> None:
    """Somebody takes the finalizer off: the object goes, the server stays. The project says so, and forgets it when it is gone."""
    project = f"ecsproject/{scene.project.name}"
    await scene.apply(scene.server("lost"), scene.server("kept"))
    servers = await scene.until_all_ready()
    server_id = servers["lost"]["status"]["id"]
    # The deletion is held up, so that the finalizer can be taken off before the operator has done its work.
    await scene.annotate("ecsvm/lost", "paused=true")
    await scene.until_says("ecsvm/lost", "Paused")
    await scene.delete("ecsvm/lost")
    await scene.kubectl("patch", "ecsvm/lost", "--type=json", "-p", json.dumps([{"op": "remove", "path": "/metadata/finalizers"}]))
    await scene.until_gone("ecsvm/lost")

    found = await scene.until(project, lambda obj: "orphans" in obj["status"], why="does not report it")
    orphans = found["status"]["orphans"]
    assert orphans["count"] == 1
    assert [(each["serverId"], each["name"]) for each in orphans["servers"]] == [(server_id, "lost")]
    assert is_ready(found)

    async def told() -> str | None:
        events = json.loads(await scene.lab.cp.kubectl("get", "events.events.k8s.io", "-A", "-o", "json"))["items"]
        notes = [each["note"] for each in events if each["reason"] == "OrphansFound" and each["regarding"]["name"] == scene.project.name]
        return notes[0] if notes else None

    assert server_id in await until(told, seconds=20, every=0.2, what="no event OrphansFound")
    assert await scene.deeds(server_id) == [], "it is only reported"
    await scene.steer(server_id, "delete")
    await scene.until(project, lambda obj: "orphans" not in obj["status"], why="still reports it")
    assert is_ready(await scene.get("ecsvm/kept"))


async def test_a_namespace_is_admitted_and_refused_by_its_labels_as_they_change(scene: Scene) -> None:
    project = scene.project.name
    selector = {"from": "Selector", "names": None, "selector": {"matchLabels": {"stage": project}}}
    await scene.lab.cp.kubectl("patch", "ecsproject", project, "--type=merge", "-p", json.dumps({"spec": {"allowedNamespaces": selector}}))
    await scene.apply(scene.server("web-0"))
    refused = await scene.until_says("ecsvm/web-0", "WaitingForDependency")
    assert f"does not admit the namespace {scene.namespace}: allow it" in message(refused)
    await scene.lab.cp.kubectl("label", "namespace", scene.namespace, f"stage={project}")
    server_id = (await scene.until_ready("ecsvm/web-0", seconds=60))["status"]["id"]
    await scene.lab.cp.kubectl("label", "namespace", scene.namespace, "stage-")
    refused = await scene.until_says("ecsvm/web-0", "WaitingForDependency")
    assert f"does not admit the namespace {scene.namespace} any more" in message(refused)
    await scene.patch("ecsvm/web-0", {"powerState": "Stopped"})
    await scene.until("ecsvm/web-0", lambda obj: says(obj, "WaitingForDependency"))
    assert await scene.deeds(server_id) == [], "what is not admitted is left as it is"
    # So that it can be deleted.
    await scene.lab.cp.kubectl("label", "namespace", scene.namespace, f"stage={project}")


async def test_with_an_access_key_the_users_id_opens_the_reinstallation(scene: Scene) -> None:
    """5.2.1 wants to know whose key it is: the spec tells, for an access key does not."""
    account, name = scene.project.account, f"{scene.project.name}-ak"
    key = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": {"accessKey": account.access_key, "secretKey": account.secret_key},
    }
    await scene.lab.cp.kubectl("apply", "--server-side", "-f", "-", stdin=as_yaml(key), namespace=NAMESPACE)
    token = scene.cloud.client.headers["X-Auth-Token"]
    answer = await scene.cloud.client.get("/v3/auth/tokens", headers={"X-Subject-Token": token})
    user_id = answer.raise_for_status().json()["token"]["user"]["id"]
    edit = {"credentials": {"password": None, "accessKey": {"secretRef": {"name": name}}}, "userId": user_id}
    await scene.lab.cp.kubectl("patch", "ecsproject", scene.project.name, "--type=merge", "-p", json.dumps({"spec": edit}))
    await scene.until_ready(f"ecsproject/{scene.project.name}")

    password = {"adminPasswordSecretRef": {"name": "web-0", "key": "password"}}
    await scene.apply(
        scene.secret("web-0", password=FIRST, next=SECOND), scene.server("web-0", disruption={"allow": "Reinstall"}, **password)
    )
    server_id = (await scene.until_ready("ecsvm/web-0"))["status"]["id"]
    await scene.patch("ecsvm/web-0", {"adminPasswordSecretRef": {"key": "next"}})
    await scene.until_ready("ecsvm/web-0")
    assert [each.split()[0] for each in await scene.deeds(server_id)] == ["stop", "reinstall", "start"]
    assert [each["operation"] for each in await requests(scene) if each["operation"] in {"reinstallServer", "changeServerImage"}] == [
        "reinstallServer"
    ]
