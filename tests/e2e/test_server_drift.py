"""Somebody changes a server at the cloud's console: what kubectl shows of it, and what becomes of it, on a real API server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from ecs_lab.waiting import until
from tests.scenes import Object, Scene, condition, is_ready

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPEC: dict[str, Any] = {
    "name": "front",
    "metadata": {"role": "front-value", "kept": "1"},
    "tags": {"team": "shop", "kept": "1"},
    "powerState": "Running",
}
PATHS = ["spec.metadata.role", "spec.name", "spec.powerState", "spec.tags.team"]


async def call(scene: Scene, method: str, path: str, body: Any) -> None:
    """As a person at the console."""
    answer = await scene.cloud.client.request(method, f"/{path.format(project=scene.cloud.project_id)}", json=body)
    answer.raise_for_status()


async def meddle(scene: Scene, server_id: str) -> None:
    """Another name, metadata value and tag, and the power off."""
    await call(scene, "PUT", f"v2.1/{{project}}/servers/{server_id}", {"server": {"name": "theirs"}})
    await call(scene, "POST", f"v2.1/{{project}}/servers/{server_id}/metadata", {"metadata": {"role": "back-value"}})
    tags = {"action": "create", "tags": [{"key": "team", "value": "theirs"}]}
    await call(scene, "POST", f"v1/{{project}}/cloudservers/{server_id}/tags/action", tags)
    await scene.steer(server_id, "stop")


async def lists(scene: Scene) -> int:
    """How many lists of the project's servers the operator has read."""
    answer = await scene.lab.sim.admin("GET", "/_sim/requests", params={"project": scene.project.account.project_id})
    return sum(each["operation"] == "listServersDetails" for each in answer["requests"])


def paths(obj: Object) -> list[str]:
    return [each["path"] for each in obj["status"].get("drift", [])]


async def settled(scene: Scene, **spec: Any) -> Object:
    """The server once everything it was created with is there."""
    await scene.apply(scene.server("web-0", **SPEC, **spec))
    return await scene.until("ecsvm/web-0", lambda obj: is_ready(obj) and "spec.tags.team" in obj["status"]["applied"]["settled"])


async def test_drift_is_reported_with_its_time_and_left_alone(scene: Scene) -> None:
    obj = await settled(scene, driftPolicy="Report")
    server_id = obj["status"]["id"]
    began = datetime.now(UTC)
    await meddle(scene, server_id)
    obj = await scene.until("ecsvm/web-0", lambda obj: paths(obj) == PATHS)
    status = yaml.safe_load(await scene.kubectl("get", "ecsvm/web-0", "-o", "yaml"))["status"]
    shown = {each["path"]: (each["want"], each["have"]) for each in status["drift"]}
    assert shown == {
        "spec.metadata.role": ("(the spec's value)", "(another value)"),
        "spec.name": ("front", "theirs"),
        "spec.powerState": ("Running", "Stopped"),
        "spec.tags.team": ("team=shop", "team=theirs"),
    }
    assert all(each["since"] >= f"{began:%Y-%m-%dT%H:%M:%S}" for each in status["drift"])
    assert (condition(obj, "Ready")["status"], condition(obj, "Ready")["reason"]) == ("False", "Drifted")
    assert "condition met" in await scene.kubectl("wait", "--for=condition=DriftDetected", "ecsvm/web-0")
    header, row = (await scene.kubectl("get", "ecsvm/web-0", "-o", "wide")).splitlines()
    assert row[header.index("DRIFT") :].startswith("True")
    for path in PATHS:
        await scene.until_event("web-0", "DriftDetected", f"^{path}: wanted ")
    # Three resyncs later nothing was written, and nothing done.
    version, seen = obj["metadata"]["resourceVersion"], len(await scene.ledger())
    read = await lists(scene)

    async def later() -> bool:
        return await lists(scene) >= read + 3

    await until(later, seconds=30, every=0.2, what="no more lists")
    assert (await scene.get("ecsvm/web-0"))["metadata"]["resourceVersion"] == version
    assert len(await scene.ledger()) == seen
    # An edit is carried out all the same, and drift beside it stays.
    await scene.patch("ecsvm/web-0", {"name": "renamed"})
    obj = await scene.until("ecsvm/web-0", lambda obj: paths(obj) == [each for each in PATHS if each != "spec.name"])
    row_now = await scene.cloud.server(server_id)
    assert row_now is not None
    assert (row_now["name"], row_now["status"], "team=theirs" in row_now["tags"]) == ("renamed", "SHUTOFF", True)
    since = {each["path"]: each["since"] for each in status["drift"]}
    assert all(each["since"] == since[each["path"]] for each in obj["status"]["drift"])
    # The policy is an edit as well.
    await scene.patch("ecsvm/web-0", {"driftPolicy": "Correct"})
    obj = await scene.until_ready("ecsvm/web-0")
    assert "drift" not in obj["status"]
    assert condition(obj, "DriftDetected") == {}


async def test_drift_is_corrected(scene: Scene) -> None:
    obj = await settled(scene)
    server_id = obj["status"]["id"]
    await meddle(scene, server_id)
    for path in PATHS:
        await scene.until_event("web-0", "DriftDetected", f"^{path}: wanted ")
        await scene.until_event("web-0", "DriftCorrected", f"^{path}: ")
    obj = await scene.until("ecsvm/web-0", lambda obj: is_ready(obj) and not paths(obj))
    row = await scene.cloud.server(server_id)
    assert row is not None
    assert (row["name"], row["metadata"]["role"], row["metadata"]["kept"], row["status"]) == ("front", "front-value", "1", "ACTIVE")
    assert sorted(row["tags"]) == ["kept=1", "team=shop"]
    assert condition(obj, "DriftDetected") == {}
    events = json.dumps(await scene.events("web-0"))
    assert "front-value" not in events
    assert "back-value" not in events
