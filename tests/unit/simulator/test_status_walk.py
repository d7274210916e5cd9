"""Table A-4 at every moment: whatever is done to a server, and however it ends, its three states go together as the reference says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.unit.simulator.stage import IMAGE, Stage, ids, request

TABLE = {
    (row["vm_state"], task_state): row["status"]
    for row in json.loads(Path("tests/reference/status_table.json").read_text())
    for task_state in row["task_state"]
}
USER = "7e25b1da389f4697a79df3a0e5bd494e"
REINSTALL = {"os-reinstall": {"userid": USER, "keyname": "ops"}}
CHANGE = {"os-change": {"imageid": IMAGE, "keyname": "ops"}}


class Walk(NamedTuple):
    """A command, the job that carries it out, and the statuses a server goes through; at the end those after success and failure."""

    name: str
    body: Any
    job_type: str
    start: str
    way: tuple[str, ...]
    well: str
    badly: str


WALKS = [
    Walk("stopServer", {"os-stop": {}}, "stopServer", "ACTIVE", ("ACTIVE",), "SHUTOFF", "ACTIVE"),
    Walk("startServer", {"os-start": None}, "startServer", "SHUTOFF", ("SHUTOFF",), "ACTIVE", "SHUTOFF"),
    Walk("rebootServer", {"reboot": {"type": "SOFT"}}, "rebootServer", "ACTIVE", ("REBOOT",), "ACTIVE", "ACTIVE"),
    Walk("rebootServer", {"reboot": {"type": "HARD"}}, "rebootServer", "ACTIVE", ("HARD_REBOOT",), "ACTIVE", "ACTIVE"),
    Walk("resizeServer", {"resize": {"flavorRef": "s3.xlarge.2"}}, "resizeServer", "SHUTOFF", ("RESIZE",), "SHUTOFF", "SHUTOFF"),
    Walk("migrateServer", {"migrate": {"dedicated_host_id": "h"}}, "migrateServer", "SHUTOFF", ("RESIZE",), "SHUTOFF", "SHUTOFF"),
    Walk("reinstallServer", REINSTALL, "reinstallServer", "SHUTOFF", ("REBUILD",), "SHUTOFF", "ERROR"),
    Walk("reinstallServer", REINSTALL, "reinstallServer", "ERROR", ("REBUILD",), "SHUTOFF", "ERROR"),
    Walk("changeServerImage", CHANGE, "changeServerImage", "SHUTOFF", ("REBUILD",), "SHUTOFF", "ERROR"),
    Walk("changeServerImage", CHANGE, "changeServerImage", "ERROR", ("REBUILD",), "SHUTOFF", "ERROR"),
    Walk("rebuildServer", {"rebuild": {"imageRef": IMAGE}}, "rebuildServer", "ACTIVE", ("REBUILD",), "ACTIVE", "ERROR"),
    Walk("rebuildServer", {"rebuild": {"imageRef": IMAGE}}, "rebuildServer", "SHUTOFF", ("REBUILD",), "SHUTOFF", "ERROR"),
    Walk("createServerImage", {"createImage": {"name": "n"}}, "createImage", "ACTIVE", ("ACTIVE",), "ACTIVE", "ACTIVE"),
    Walk("createServerImage", {"createImage": {"name": "n"}}, "createImage", "SHUTOFF", ("SHUTOFF",), "SHUTOFF", "SHUTOFF"),
    Walk(
        "resizeServerNative",
        {"resize": {"flavorRef": "s3.small.1"}},
        "nativeResizeServer",
        "ACTIVE",
        ("RESIZE",),
        "VERIFY_RESIZE",
        "ACTIVE",
    ),
    Walk(
        "resizeServerNative",
        {"resize": {"flavorRef": "s3.small.1"}},
        "nativeResizeServer",
        "SHUTOFF",
        ("RESIZE",),
        "VERIFY_RESIZE",
        "SHUTOFF",
    ),
    Walk("revertResize", {"revertResize": None}, "revertResizeServer", "VERIFY_RESIZE", ("REVERT_RESIZE",), "ACTIVE", "VERIFY_RESIZE"),
]


def prepared(stage: Stage, status: str) -> str:
    """A server at rest in a status."""
    server_id = stage.server()
    if status == "VERIFY_RESIZE":
        stage.call("resizeServerNative", {"resize": {"flavorRef": "s3.small.1"}}, server_id=server_id)
        stage.pass_time(60)
    if status in {"SHUTOFF", "ERROR"}:
        stage.world.set_server(server_id, "stop")
    if status == "ERROR":
        stage.world.fail_next_job(stage.project.id, job_type="reinstallServer", code="Ecs.0202", reason="no", leave="nothing")
        stage.ended(stage.call("reinstallServer", REINSTALL, server_id=server_id))
    assert stage.show(server_id)["status"] == status
    return server_id


def walked(stage: Stage, server_id: str) -> list[str]:
    """The statuses a server goes through until it is at rest, each held against the table."""
    seen: list[str] = []
    for _ in range(60):
        row = stage.show(server_id)
        vm_state, task_state = row["OS-EXT-STS:vm_state"], row["OS-EXT-STS:task_state"]
        assert row["status"] == TABLE.get((vm_state, task_state)), (vm_state, task_state)
        if not seen or seen[-1] != row["status"]:
            seen.append(row["status"])
        stage.pass_time(0.05)
    assert stage.project.servers[server_id].task_state is None
    return seen


def label(walk: Walk) -> str:
    return f"{walk.name}-{walk.start}"


@pytest.mark.parametrize("walk", WALKS, ids=label)
def test_a_command_that_succeeds(stage: Stage, walk: Walk) -> None:
    server_id = prepared(stage, walk.start)
    stage.call(walk.name, walk.body, server_id=server_id)
    assert walked(stage, server_id) == list(dict.fromkeys([*walk.way, walk.well]))


@pytest.mark.parametrize("walk", WALKS, ids=label)
def test_a_command_that_fails(stage: Stage, walk: Walk) -> None:
    server_id = prepared(stage, walk.start)
    stage.world.fail_next_job(stage.project.id, job_type=walk.job_type, code="Ecs.0207", reason="no", leave="nothing")
    stage.call(walk.name, walk.body, server_id=server_id)
    assert walked(stage, server_id) == list(dict.fromkeys([*walk.way, walk.badly]))
    assert not stage.project.orders, "the failure was this job's"


def test_a_create(stage: Stage) -> None:
    (server_id,) = stage.call("createServers", request()).body["serverIds"]
    assert walked(stage, server_id) == ["BUILD", "ACTIVE"]


@pytest.mark.parametrize("start", ["ACTIVE", "SHUTOFF", "ERROR", "VERIFY_RESIZE"])
def test_a_deletion(stage: Stage, start: str) -> None:
    """Who deletes a server in VERIFY_RESIZE confirms it too: the table knows no other way."""
    server_id = prepared(stage, start)
    stage.call("deleteServers", {"servers": ids(server_id)})
    row = stage.show(server_id)
    assert row["status"] == ("ACTIVE" if start == "VERIFY_RESIZE" else start)
    assert row["status"] == TABLE[row["OS-EXT-STS:vm_state"], row["OS-EXT-STS:task_state"]]
    stage.pass_time(60)
    assert stage.alive() == {name for name in stage.alive() if server_id not in name}
