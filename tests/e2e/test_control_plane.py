"""The control plane by itself: everything else in this folder stands on it."""

import json

import pytest

from ecs_lab.control_plane import ControlPlane
from ecs_lab.errors import KubectlError
from ecs_lab.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_namespace_gets_its_service_account_and_goes_with_all_that_is_in_it(control_plane: ControlPlane) -> None:
    await control_plane.kubectl("create", "namespace", "short-lived")
    await control_plane.kubectl("create", "configmap", "inside", "--from-literal=a=b", namespace="short-lived")

    async def account() -> bool:
        return "default" in await control_plane.kubectl("get", "serviceaccounts", "-o", "name", namespace="short-lived")

    await until(account, seconds=20, what="no ServiceAccount")
    await control_plane.kubectl("delete", "namespace", "short-lived", "--timeout=60s")

    assert json.loads(await control_plane.kubectl("get", "configmaps", "-o", "json", namespace="short-lived"))["items"] == []


async def test_rights_are_enforced(control_plane: ControlPlane, namespace: str) -> None:
    with pytest.raises(KubectlError, match="forbidden"):
        await control_plane.kubectl("get", "secrets", f"--as=system:serviceaccount:{namespace}:default", namespace=namespace)


async def test_objects_and_address_survive_a_killed_api_server(control_plane: ControlPlane, namespace: str) -> None:
    await control_plane.kubectl("create", "configmap", "kept", "--from-literal=a=b", namespace=namespace)

    await control_plane.kill_apiserver()
    try:
        with pytest.raises(KubectlError, match="refused"):
            await control_plane.kubectl("get", "configmap", "kept", namespace=namespace)
    finally:
        await control_plane.start_apiserver()

    assert await control_plane.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}", namespace=namespace) == "b"
