"""What is in use stays: protected servers, EcsProjects with objects in them, and the Secrets they need."""

from __future__ import annotations

import json

import pytest

from ecs_lab.errors import KubectlError
from ecs_lab.operator import NAMESPACE
from ecs_lab.tenancy import as_yaml, secret
from ecs_lab.waiting import until
from ecs_operator.api.group import CREDENTIALS_FINALIZER
from tests.scenes import Object, Scene, condition, is_ready, says

pytestmark = pytest.mark.asyncio(loop_scope="session")


def message(obj: Object) -> str:
    """The text of Ready."""
    return str(condition(obj, "Ready").get("message"))


async def _secret(scene: Scene, name: str) -> Object | None:
    text = await scene.lab.cp.kubectl("get", "secret", name, "-o", "json", "--ignore-not-found", namespace=NAMESPACE)
    found: Object | None = json.loads(text)["metadata"] if text else None
    return found


async def _until_gone(scene: Scene, name: str) -> None:
    async def gone() -> bool:
        return await _secret(scene, name) is None

    await until(gone, seconds=45, every=0.2, what=f"the Secret {name} is still there")


async def _look(scene: Scene, token: str) -> None:
    """Have the project looked at now. By itself its Secret is read every 45 seconds."""
    await scene.annotate(f"ecsproject/{scene.project.name}", f"reconcile-requested-at={token}")


async def test_a_protected_server_is_not_touched(scene: Scene) -> None:
    await scene.apply(scene.server("db-0", deletionProtection=True), scene.server("web-0"))
    servers = await scene.until_all_ready()
    with pytest.raises(KubectlError, match=f"EcsServer {scene.namespace}/db-0 is protected against deletion"):
        await scene.delete("ecsvm", "--all")
    await scene.until_gone("ecsvm/web-0")
    protected = servers["db-0"]["status"]["id"]
    assert "delete" not in await scene.deeds(protected)
    assert is_ready(await scene.get("ecsvm/db-0"))
    await scene.patch("ecsvm/db-0", {"deletionProtection": False})
    await scene.delete("ecsvm/db-0")
    await scene.until_gone("ecsvm/db-0")
    assert await scene.cloud.server(protected) is None


async def test_a_project_in_use_stays_and_lets_its_secret_go_last(scene: Scene) -> None:
    """The server is deleted with the credentials of a project that is in deletion itself."""
    name = scene.project.name
    await scene.apply(scene.server("web-0"))
    await scene.until_ready("ecsvm/web-0")
    held = await _secret(scene, name)
    assert held is not None
    assert held["finalizers"] == [CREDENTIALS_FINALIZER]
    await scene.lab.cp.kubectl("delete", "secret", name, "--wait=false", namespace=NAMESPACE)
    await scene.delete(f"ecsproject/{name}")
    used = await scene.until_says(f"ecsproject/{name}", "InUse")
    assert message(used) == f"the project is used by EcsServer {scene.namespace}/web-0: delete them first"
    assert await _secret(scene, name) is not None
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    await scene.until_gone(f"ecsproject/{name}")
    await _until_gone(scene, name)
    assert [each["action"] for each in await scene.ledger(resource="server")] == ["create", "delete-requested", "delete"]


async def test_a_secret_in_use_stays_until_another_one_serves(scene: Scene) -> None:
    """It stays although it is deleted, the project says why, and goes on working with it."""
    name = scene.project.name
    await scene.apply(scene.server("web-0", powerState="Running"))
    await scene.until_ready("ecsvm/web-0")
    await scene.lab.cp.kubectl("delete", "secret", name, "--wait=false", namespace=NAMESPACE)
    await _look(scene, "1")
    why = f"the Secret {NAMESPACE}/{name} is being deleted and kept while it is needed by EcsServer {scene.namespace}/web-0"
    await scene.until(f"ecsproject/{name}", lambda obj: is_ready(obj) and why in message(obj), why="does not say why the Secret stays")
    found = await _secret(scene, name)
    assert found is not None
    assert found["deletionTimestamp"]
    await scene.patch("ecsvm/web-0", {"powerState": "Stopped"})
    await scene.until("ecsvm/web-0", lambda obj: is_ready(obj) and says(obj, "StoppedAsDesired"))

    second = f"{name}-2"
    await scene.lab.cp.kubectl("apply", "-f", "-", stdin=as_yaml(secret(second, scene.project.account)))
    credentials = {"credentials": {"password": {"secretRef": {"name": second}}}}
    await scene.patch(f"ecsproject/{name}", credentials)
    await _until_gone(scene, name)
    await scene.until(f"ecsproject/{name}", lambda obj: is_ready(obj) and "deleted" not in message(obj))
    found = await _secret(scene, second)
    assert found is not None
    assert found["finalizers"] == [CREDENTIALS_FINALIZER]

    # The last object goes, and then the Secret may.
    await scene.lab.cp.kubectl("delete", "secret", second, "--wait=false", namespace=NAMESPACE)
    await _look(scene, "2")
    await scene.until(f"ecsproject/{name}", lambda obj: f"{NAMESPACE}/{second} is being deleted" in message(obj))
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    await _until_gone(scene, second)
    missing = await scene.until_says(f"ecsproject/{name}", "CredentialsMissing")
    assert f"the Secret {NAMESPACE}/{second} does not exist" in message(missing)
