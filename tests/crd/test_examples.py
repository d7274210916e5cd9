"""The manifests of the repository on a real API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_operator.api.server import ServerSpec
from tests.crd.manifests import REPOSITORY

pytestmark = pytest.mark.asyncio(loop_scope="session")

_EXAMPLES = REPOSITORY / "manifests" / "examples"
_OURS = "ecs.huaweicloud.com/"


def _documents(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text())


@pytest.mark.parametrize("folder", ["server", "group", "attachment"])
async def test_examples_of_a_kind_are_accepted(served: ControlPlane, namespace: str, folder: str) -> None:
    applied = await served.kubectl("apply", "--dry-run=server", "-o", "name", "-f", str(_EXAMPLES / folder), namespace=namespace)
    assert len(applied.split()) == len(list(_documents(_EXAMPLES / folder)))


async def test_examples_are_accepted(served: ControlPlane, namespace: str) -> None:
    applied = await served.kubectl("apply", "--dry-run=server", "-o", "name", "-f", str(_EXAMPLES), namespace=namespace)
    kinds = sorted(line.split("/")[0] for line in applied.split())
    group = "ecs.huaweicloud.com"
    assert kinds == sorted([*[f"ecsserver.{group}"] * 3, f"ecsservergroup.{group}", f"ecsvolumeattachment.{group}", "secret"])


async def test_project_example_is_accepted(served: ControlPlane) -> None:
    projects = [found for found in _documents(_EXAMPLES / "project") if found["kind"] == "EcsProject"]
    assert len(projects) >= 3
    await served.kubectl("apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(projects))


async def test_adoption_examples_are_accepted(served: ControlPlane, namespace: str) -> None:
    """They name servers of a cloud that is not here, so they are not among those that become Ready."""
    folder = _EXAMPLES / "adoption"
    applied = await served.kubectl("apply", "--dry-run=server", "-o", "name", "-f", str(folder), namespace=namespace)
    assert len(applied.split()) == 2
    specs = [ServerSpec.model_validate(found["spec"]) for found in _documents(folder)]
    assert [(spec.management_policy, spec.import_ is not None) for spec in specs] == [("Managed", True), ("Observe", True)]


async def test_examples_show_different_ideas() -> None:
    servers = [ServerSpec.model_validate(found["spec"]) for found in _documents(_EXAMPLES) if found["kind"] == "EcsServer"]
    assert {server.power_state for server in servers} == {"Running", "Stopped"}
    assert any(server.user_data_ref for server in servers)
    assert any(server.data_volumes for server in servers)
    assert any(server.server_group_ref for server in servers)
    assert any(server.public_ip for server in servers)


async def test_references_inside_the_examples_resolve() -> None:
    found = list(_documents(_EXAMPLES))
    names = {(document["kind"], document["metadata"]["name"]) for document in found}
    for document in found:
        spec = document.get("spec", {}) if document["apiVersion"].startswith(_OURS) else {}
        if "serverGroupRef" in spec:
            assert ("EcsServerGroup", spec["serverGroupRef"]["name"]) in names
        if "serverRef" in spec:
            assert ("EcsServer", spec["serverRef"]["name"]) in names
        if "userDataRef" in spec:
            assert ("Secret", spec["userDataRef"]["secret"]["name"]) in names
