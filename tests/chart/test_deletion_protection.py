"""The admission policy of manifests/base on a real API server: what it refuses, what it says, what it lets through. No operator runs."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_lab.errors import KubectlError
from ecs_lab.repository import repository_root
from ecs_lab.waiting import until
from tests.crd.manifests import manifest, text

pytestmark = pytest.mark.asyncio(loop_scope="session")

_POLICY = "ecs-deletion-protection"
_PROTECTED: dict[str, Any] = {"deletionProtection": True}
_UNPROTECT = '{"spec":{"deletionProtection":false}}'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(installed: ControlPlane) -> AsyncIterator[ControlPlane]:
    """The policy is in force: a new one takes the API server a moment."""
    canary = f"canary-{secrets.token_hex(4)}"
    await installed.kubectl("create", "-f", "-", stdin=text(manifest("EcsServer", name=canary, patch=_PROTECTED)))

    async def refuses() -> bool:
        try:
            await installed.kubectl("delete", "ecsserver", canary, "--dry-run=server")
        except KubectlError:
            return True
        return False

    await until(refuses, seconds=30, every=0.2, what="the policy does not come into force")
    yield installed
    await installed.kubectl("patch", "ecsserver", canary, "--type=merge", "-p", _UNPROTECT)
    await installed.kubectl("delete", "ecsserver", canary)


async def _create(plane: ControlPlane, kind: str, name: str, namespace: str, **spec: Any) -> None:
    await plane.kubectl("create", "-f", "-", stdin=text(manifest(kind, name=name, patch=spec)), namespace=namespace)


async def _names(plane: ControlPlane, namespace: str) -> set[str]:
    return set((await plane.kubectl("get", "ecs", "-o", "name", namespace=namespace)).replace(".ecs.huaweicloud.com", "").split())


@pytest.mark.parametrize("kind", ["EcsServer", "EcsServerGroup"])
async def test_the_refusal_names_the_object_and_the_way_out(guarded: ControlPlane, namespace: str, kind: str) -> None:
    await _create(guarded, kind, "db-0", namespace, **_PROTECTED)
    plural = kind.lower()
    with pytest.raises(KubectlError) as refusal:
        await guarded.kubectl("delete", plural, "db-0", namespace=namespace)
    way_out = f"kubectl -n {namespace} patch {plural} db-0 --type=merge -p '{_UNPROTECT}'"
    assert f"{kind} {namespace}/db-0 is protected against deletion. To delete it, first: {way_out}" in refusal.value.stderr
    assert shlex.split(way_out)[0] == "kubectl"
    await guarded.kubectl(*shlex.split(way_out)[1:])
    await guarded.kubectl("delete", plural, "db-0", namespace=namespace)
    assert await _names(guarded, namespace) == set()


@pytest.mark.parametrize("spec", [{}, {"deletionProtection": False}], ids=["by default", "when false"])
async def test_what_is_not_protected_can_be_deleted(guarded: ControlPlane, namespace: str, spec: dict[str, Any]) -> None:
    await _create(guarded, "EcsServer", "db-0", namespace, **spec)
    await guarded.kubectl("delete", "ecsserver", "db-0", namespace=namespace)


@pytest.mark.parametrize("how", [("--grace-period=0", "--force"), ("--cascade=orphan",), ("--now",)], ids=" ".join)
async def test_no_way_of_deleting_gets_past_it(guarded: ControlPlane, namespace: str, how: tuple[str, ...]) -> None:
    await _create(guarded, "EcsServer", "db-0", namespace, **_PROTECTED)
    with pytest.raises(KubectlError, match="is protected against deletion"):
        await guarded.kubectl("delete", "ecsserver", "db-0", *how, namespace=namespace)
    assert await _names(guarded, namespace) == {"ecsserver/db-0"}


async def test_a_deletecollection_stops_at_the_protected_one_by_name(guarded: ControlPlane, namespace: str) -> None:
    """The request names no object there; the message does all the same. Those before it may be gone: each is judged alone."""
    await _create(guarded, "EcsServer", "db-0", namespace, **_PROTECTED)
    await _create(guarded, "EcsServer", "web-0", namespace)
    with pytest.raises(KubectlError) as refusal:
        await guarded.kubectl("delete", "--raw", f"/apis/ecs.huaweicloud.com/v1alpha1/namespaces/{namespace}/ecsservers")
    assert f"EcsServer {namespace}/db-0 is protected against deletion" in refusal.value.stderr
    assert "ecsserver/db-0" in await _names(guarded, namespace)


async def test_delete_all_takes_the_others(guarded: ControlPlane, namespace: str) -> None:
    await _create(guarded, "EcsServer", "db-0", namespace, **_PROTECTED)
    await _create(guarded, "EcsServer", "web-0", namespace)
    with pytest.raises(KubectlError, match=f"EcsServer {namespace}/db-0 is protected"):
        await guarded.kubectl("delete", "ecsserver", "--all", namespace=namespace)
    assert await _names(guarded, namespace) == {"ecsserver/db-0"}


async def test_a_namespace_that_is_deleted_stops_at_it_and_says_so(guarded: ControlPlane, namespace: str) -> None:
    """The unprotected siblings go, which the documentation warns of; without the protection the namespace goes as well."""
    await _create(guarded, "EcsServer", "db-0", namespace, **_PROTECTED)
    await _create(guarded, "EcsServerGroup", "web", namespace)
    await guarded.kubectl("delete", "namespace", namespace, "--wait=false")

    async def stopped() -> bool:
        found = json.loads(await guarded.kubectl("get", "namespace", namespace, "-o", "json"))["status"]
        said = [each for each in found.get("conditions", []) if each["type"] == "NamespaceDeletionContentFailure"]
        return bool(said) and said[0]["status"] == "True" and f"EcsServer {namespace}/db-0 is protected" in said[0]["message"]

    await until(stopped, seconds=60, every=0.5, what="the namespace does not say what it stops at")

    async def alone() -> bool:
        return await _names(guarded, namespace) == {"ecsserver/db-0"}

    await until(alone, seconds=60, every=0.5, what="the unprotected group is still there")
    await guarded.kubectl("patch", "ecsserver", "db-0", "--type=merge", "-p", _UNPROTECT, namespace=namespace)
    await guarded.kubectl("wait", "--for=delete", f"namespace/{namespace}", "--timeout=90s")


async def test_the_policy_does_not_bother_the_kinds_without_the_field(guarded: ControlPlane, namespace: str) -> None:
    await _create(guarded, "EcsVolumeAttachment", "data", namespace)
    await guarded.kubectl("delete", "ecsvolumeattachment", "data", namespace=namespace)


async def test_the_api_server_finds_no_fault_in_the_policy(guarded: ControlPlane) -> None:
    """It checks the expressions against the schemas of our kinds and warns in the policy's status."""

    async def checked() -> dict[str, Any] | None:
        found = json.loads(await guarded.kubectl("get", "validatingadmissionpolicy", _POLICY, "-o", "json"))
        status: dict[str, Any] = found.get("status", {})
        return status if status.get("observedGeneration") == found["metadata"]["generation"] else None

    status = await until(checked, seconds=30, every=0.5, what="the policy was not checked")
    assert status.get("typeChecking", {}) == {}


async def test_the_documentation_shows_what_kubectl_says(guarded: ControlPlane) -> None:
    page = (repository_root() / "docs" / "concepts.md").read_text()
    created = "shop" not in (await guarded.kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}")).split()
    if created:
        await guarded.kubectl("create", "namespace", "shop")
    await _create(guarded, "EcsServer", "db-0", "shop", **_PROTECTED)
    with pytest.raises(KubectlError) as refusal:
        await guarded.kubectl("-n", "shop", "delete", "ecsvm", "db-0")
    shown = next(block for block in page.split("```") if "kubectl -n shop delete ecsvm db-0" in block)
    assert " ".join(refusal.value.stderr.split()) in " ".join(shown.split())
    patched = await guarded.kubectl("-n", "shop", "patch", "ecsserver", "db-0", "--type=merge", "-p", _UNPROTECT)
    assert patched.strip() in shown
    assert (await guarded.kubectl("-n", "shop", "delete", "ecsvm", "db-0")).strip() in shown
    await guarded.kubectl("delete", "namespace", "shop", "--wait=false")


async def test_it_is_found_in_the_base(guarded: ControlPlane) -> None:
    """With its binding, without which it does nothing."""
    rendered = await guarded.kubectl("kustomize", str(repository_root() / "manifests" / "base"))
    found = {each["kind"]: each for each in yaml.safe_load_all(rendered) if each["kind"].startswith("Validating")}
    assert set(found) == {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
    assert found["ValidatingAdmissionPolicyBinding"]["spec"] == {"policyName": _POLICY, "validationActions": ["Deny"]}
    assert found["ValidatingAdmissionPolicy"]["spec"]["failurePolicy"] == "Fail"
