"""manifests/base on a real API server: it installs, it is safe, and it gives the operator exactly these rights."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.errors import KubectlError
from ecs_lab.repository import repository_root
from ecs_lab.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

_BASE = repository_root() / "manifests" / "base"
_OWN = "ecs-operator-system"
_WHO = f"system:serviceaccount:{_OWN}:ecs-operator"
_KINDS = ("ecsprojects", "ecsservers", "ecsservergroups", "ecsvolumeattachments")
_GROUP = "ecs.huaweicloud.com"

_EVERYWHERE = {
    **{f"{kind}.{_GROUP}": {"get", "list", "watch", "patch"} for kind in _KINDS},
    **{f"{kind}.{_GROUP}/status": {"patch"} for kind in _KINDS},
    "secrets": {"get"},
    "configmaps": {"get"},
    "namespaces": {"get"},
    "events.events.k8s.io": {"create", "patch"},
}
_IN_ITS_OWN_NAMESPACE = {
    **_EVERYWHERE,
    "secrets": {"get", "list", "patch"},
    "secrets ecs-operator-identity": {"create"},
    "leases.coordination.k8s.io": {"create"},
    "leases.coordination.k8s.io ecs-operator": {"get", "update"},
}
# What every account has, to ask about itself.
_EVERYBODY = re.compile(r"^selfsubject\w+\.(authentication|authorization)\.k8s\.io$")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deployed(installed: ControlPlane) -> AsyncIterator[ControlPlane]:
    """The whole of manifests/base, as `kubectl apply -k` makes it. The Deployment goes afterwards; the rights stay."""
    await installed.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(_BASE))
    yield installed
    await installed.kubectl("delete", "deployment", "ecs-operator", "--wait=false", namespace=_OWN)


async def _rights(plane: ControlPlane, namespace: str) -> dict[str, set[str]]:
    """Resource, with the name it is limited to, and what may be done."""
    groups = ("--as-group=system:authenticated", "--as-group=system:serviceaccounts")
    table = await plane.kubectl("auth", "can-i", "--list", f"--as={_WHO}", *groups, namespace=namespace)
    found: dict[str, set[str]] = defaultdict(set)
    for line in table.splitlines()[1:]:
        resource, _, names, verbs = re.fullmatch(r"(\S*)\s+\[(.*?)\]\s+\[(.*?)\]\s+\[(.*?)\]", line).groups()  # type: ignore[union-attr]
        if resource and not _EVERYBODY.match(resource):
            found[f"{resource} {names}".strip()] |= set(verbs.split())
    return dict(found)


@pytest.mark.parametrize(
    ("namespace", "rights"), [("default", _EVERYWHERE), (_OWN, _IN_ITS_OWN_NAMESPACE)], ids=["everywhere", "in its own namespace"]
)
async def test_rights(deployed: ControlPlane, namespace: str, rights: dict[str, set[str]]) -> None:
    assert await _rights(deployed, namespace) == rights


@pytest.mark.parametrize(
    "refused",
    [
        ("list", "secrets", "default"),
        ("patch", "secrets", "default"),
        ("watch", "secrets", _OWN),
        ("update", "secrets", _OWN),
        ("create", "secrets", _OWN),
        ("delete", "secrets", _OWN),
        ("create", f"ecsservers.{_GROUP}", "default"),
        ("delete", f"ecsservers.{_GROUP}", "default"),
        ("update", f"ecsservers.{_GROUP}", "default"),
        ("get", "pods", _OWN),
        ("list", "namespaces", "default"),
        ("update", "leases.coordination.k8s.io/other", _OWN),
        ("impersonate", "users", "default"),
        ("bind", "clusterroles.rbac.authorization.k8s.io", "default"),
    ],
    ids=" ".join,
)
async def test_what_it_may_not(deployed: ControlPlane, refused: tuple[str, str, str]) -> None:
    verb, resource, namespace = refused
    with pytest.raises(KubectlError):  # can-i ends with 1 when the answer is no
        await deployed.kubectl("auth", "can-i", verb, resource, f"--as={_WHO}", "--quiet", namespace=namespace)


async def test_the_pod_is_admitted_in_a_restricted_namespace(deployed: ControlPlane) -> None:
    """Nothing runs here, but the pod is made, and admission judges it."""
    policy = await deployed.kubectl("get", "namespace", _OWN, "-o", "jsonpath={.metadata.labels}")
    assert json.loads(policy)["pod-security.kubernetes.io/enforce"] == "restricted"

    async def admitted() -> bool:
        made = await deployed.kubectl("get", "pods", "-l", "app.kubernetes.io/name=ecs-operator", "-o", "name", namespace=_OWN)
        return bool(made.strip())

    await until(admitted, seconds=60, every=0.5, what="no pod of the Deployment was admitted")


async def test_the_deployment(deployed: ControlPlane) -> None:
    stored = json.loads(await deployed.kubectl("get", "deployment", "ecs-operator", "-o", "json", namespace=_OWN))
    pod = stored["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["securityContext"]["runAsUser"] == 65532
    paths = {probe: container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    assert "--identity=$(POD_NAME)" in container["args"]
    assert {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}} in container["env"]
    assert "--allow-http" not in container["args"]


async def test_its_arguments_are_known(deployed: ControlPlane) -> None:
    """Every flag of the Deployment exists in the program."""
    from argparse import ArgumentParser  # noqa: PLC0415 -- only this test reads the command line

    from ecs_operator.app.settings import add_flags, from_flags  # noqa: PLC0415

    stored = json.loads(await deployed.kubectl("get", "deployment", "ecs-operator", "-o", "json", namespace=_OWN))
    command, *flags = stored["spec"]["template"]["spec"]["containers"][0]["args"]
    parser = ArgumentParser()
    add_flags(parser, environment={})
    settings = from_flags(parser.parse_args(flags))
    assert command == "run"
    assert (settings.probe_host, settings.probe_port, settings.kubeconfig) == ("0.0.0.0", 8080, None)


async def test_the_base_has_no_definitions(deployed: ControlPlane) -> None:
    """`kubectl delete -k manifests/base` must never delete the servers that people declared."""
    rendered = await deployed.kubectl("kustomize", str(_BASE))
    assert "CustomResourceDefinition" not in rendered
