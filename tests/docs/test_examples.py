"""The examples do what they say: all of a folder at once, with one operator, until everything is Ready."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecs_lab.laboratory import Laboratory
from ecs_lab.tenancy import SEED_ACCOUNT
from ecs_lab.waiting import until
from ecs_operator.api.group import API_VERSION, APPROVE_ANNOTATION
from tests.docs.pages import ROOT
from tests.docs.shell import NAMESPACE, Shell
from tests.scenes import is_ready, summary

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = ROOT / "manifests" / "examples"
# The folder `project` holds the project of the simulator itself too, which the laboratory has already.
TRIED = sorted(each for each in EXAMPLES.rglob("*.yaml") if each.parent != EXAMPLES and each.name != "lab.yaml")
THERE_ALREADY = (
    "2c1b5d1e-0000-4000-8000-000000000001",
    "2c1b5d1e-6f0a-4d7e-9b51-0a4d8c3e7f10",
    "9f7c0d2b-41c8-4b9b-8a0e-5d3f6b1e2c44",
)
"""The servers that no object made, as the examples name them: one that keeps to itself, one to adopt, one to observe."""
SECONDS = 90.0


def _documents(files: list[Path]) -> list[dict[str, Any]]:
    return [each for file in files for each in yaml.safe_load_all(file.read_text())]


async def _until_ready(lab: Laboratory) -> list[dict[str, Any]]:
    """Until all objects of our kinds are; gives them."""
    seen: list[dict[str, Any]] = []

    async def probe() -> bool:
        seen[:] = json.loads(await lab.cp.kubectl("get", "ecs", "-o", "json", namespace=NAMESPACE))["items"]
        return all(map(is_ready, seen))

    def failure() -> str:
        return "; ".join(f"{each['kind']} {each['metadata']['name']}: {summary(each)}" for each in seen if not is_ready(each))

    await until(probe, seconds=SECONDS, every=0.3, what=failure, check=lab.op.check_alive)
    return seen


async def _approve(lab: Laboratory, name: str) -> None:
    """As the example says: what differs from a server that is adopted is shown first."""
    plan: list[str] = []

    async def probe() -> bool:
        plan[:] = [await lab.cp.kubectl("get", "ecsvm", name, "-o", "jsonpath={.status.plan.hash}", namespace=NAMESPACE)]
        return bool(plan[0])

    await until(probe, seconds=SECONDS, every=0.3, what=f"{name} shows no plan", check=lab.op.check_alive)
    await lab.cp.kubectl("annotate", "ecsvm", name, f"{APPROVE_ANNOTATION}={plan[0]}", namespace=NAMESPACE)


async def test_all_examples_become_ready(laboratory: Laboratory, shell: Shell) -> None:
    sim, plane = laboratory.sim, laboratory.cp
    documents = _documents(TRIED)
    text = shell.written(yaml.safe_dump_all(documents))
    for server_id in THERE_ALREADY:
        body = {"project": SEED_ACCOUNT.project_id, "name": "theirs", "metadata": {}}
        text = text.replace(server_id, (await sim.admin("POST", "/_sim/servers", body))["id"])
    (shell.folder / "examples.yaml").write_text(text)
    code, output = await shell.run("kubectl apply -f examples.yaml")
    assert code == 0, output
    await _approve(laboratory, "db-0")
    ready = await _until_ready(laboratory)
    wanted = {(each["kind"], each["metadata"]["name"]) for each in documents if each["apiVersion"] == API_VERSION}
    assert {(each["kind"], each["metadata"]["name"]) for each in ready} - {("EcsProject", "lab")} == wanted
    assert {each["status"]["serverStatus"] for each in ready if each["metadata"]["name"] == "stopped"} == {"SHUTOFF"}
    for each in ready:
        if each["spec"].get("deletionProtection"):
            what = f"{each['kind'].lower()}/{each['metadata']['name']}"
            await plane.kubectl("patch", what, "--type=merge", "-p", '{"spec":{"deletionProtection":false}}', namespace=NAMESPACE)
    await plane.kubectl("delete", "ecsvm,ecsva,ecsgrp", "--all", "--timeout=60s", namespace=NAMESPACE)
    mine = [each for each in documents if each["metadata"].get("namespace") or each["kind"] == "EcsProject"]
    await plane.kubectl("delete", "-f", "-", "--timeout=60s", stdin=yaml.safe_dump_all(mine))


async def test_every_example_says_what_it_is_about() -> None:
    """In a comment at its top; and no two objects of a kind have one name."""
    files = sorted(EXAMPLES.rglob("*.yaml"))
    assert [file.name for file in files if not file.read_text().startswith("# ")] == []
    names = [(each["kind"], each["metadata"]["name"]) for each in _documents(files)]
    assert len(names) == len(set(names))
