"""6.9: when metadata can be written. What it does is in test_rows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.stage import Stage

WRITES: list[tuple[str, Any, dict[str, Any]]] = [
    ("updateServerMetadata", {"metadata": {"a": "c"}}, {}),
    ("replaceServerMetadata", {"metadata": {"a": "d"}}, {}),
    ("setServerMetadataItem", {"meta": {"a": "e"}}, {"key": "a"}),
    ("deleteServerMetadataItem", None, {"key": "a"}),
]


@pytest.mark.parametrize(("name", "body", "path"), WRITES, ids=[case[0] for case in WRITES])
def test_states(stage: Stage, name: str, body: Any, path: dict[str, Any]) -> None:
    server_id = stage.server(metadata={"a": "b"})
    server = stage.project.servers[server_id]
    for vm_state in ("building", "error", "resized", "deleted", "rescued", "active", "stopped", "paused", "suspended"):
        server.vm_state, server.metadata = vm_state, {"a": "b"}
        if vm_state in {"active", "stopped", "paused", "suspended"}:
            assert stage.call(name, body, server_id=server_id, **path).status in {200, 204}
            assert server.metadata != {"a": "b"}
        else:
            assert stage.code(name, body, server_id=server_id, **path) == (409, "Ecs.0100")
            assert server.metadata == {"a": "b"}


@pytest.mark.parametrize(("name", "body", "path"), WRITES, ids=[case[0] for case in WRITES])
def test_what_task_runs_does_not_matter(stage: Stage, name: str, body: Any, path: dict[str, Any]) -> None:
    server_id = stage.server(metadata={"a": "b"})
    stage.call("rebootServer", {"reboot": {"type": "HARD"}}, server_id=server_id)
    assert stage.show(server_id)["OS-EXT-STS:task_state"] == "rebooting_hard"
    assert stage.call(name, body, server_id=server_id, **path).status in {200, 204}


def test_what_is_reserved_stays_when_everything_is_replaced(stage: Stage) -> None:
    server_id = stage.server()
    stage.project.servers[server_id].metadata["virtual_env_type"] = "FusionCompute"
    expected = {"a": "b", "virtual_env_type": "FusionCompute"}
    assert stage.call("replaceServerMetadata", {"metadata": {"a": "b"}}, server_id=server_id).body == {"metadata": expected}
    assert stage.code("deleteServerMetadataItem", server_id=server_id, key="virtual_env_type")[0] == 400
    assert stage.call("listServerMetadata", server_id=server_id).body == {"metadata": expected}


@pytest.mark.parametrize(("key", "value", "status"), [("k" * 255, "v" * 255, 200), ("k" * 256, "v", 400), ("k", "v" * 256, 400)])
def test_limits(stage: Stage, key: str, value: str, status: int) -> None:
    server_id = stage.server()
    writes: list[tuple[str, Any, dict[str, Any]]] = [
        ("updateServerMetadata", {"metadata": {key: value}}, {}),
        ("replaceServerMetadata", {"metadata": {key: value}}, {}),
        ("setServerMetadataItem", {"meta": {key: value}}, {"key": key}),
    ]
    for name, body, path in writes:
        found = (
            stage.call(name, body, server_id=server_id, **path) if status == 200 else stage.refused(name, body, server_id=server_id, **path)
        )
        assert found.status == status
