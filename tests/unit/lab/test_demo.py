from pathlib import Path
from typing import Any

import pytest

from ecs_lab.demo import Standing, play_on, standing


def _server(*, generation: int = 2, observed: int = 2, ready: str | None = "True") -> dict[str, Any]:
    conditions = [] if ready is None else [{"type": "Ready", "status": ready, "reason": "Creating", "message": "job 1/2"}]
    return {
        "kind": "EcsServer",
        "metadata": {"name": "web", "namespace": "shop", "generation": generation},
        "status": {"observedGeneration": observed, "conditions": [{"type": "Reconciling", "status": "True"}, *conditions]},
    }


@pytest.mark.parametrize(
    ("item", "ready"),
    [
        pytest.param(_server(), True, id="ready"),
        pytest.param(_server(ready="False"), False, id="not ready"),
        pytest.param(_server(ready="Unknown"), False, id="unknown"),
        pytest.param(_server(observed=1), False, id="speaks of an older generation"),
        pytest.param(_server(ready=None), False, id="no condition yet"),
        pytest.param({"kind": "EcsServer", "metadata": {"name": "web", "generation": 1}}, False, id="no status yet"),
    ],
)
def test_ready_counts_for_the_present_generation(item: dict[str, Any], ready: bool) -> None:  # noqa: FBT001 -- a table's column
    assert standing(item).ready is ready


def test_why_it_is_not_ready() -> None:
    assert str(standing(_server(ready="False"))) == "EcsServer shop/web (Creating: job 1/2)"
    assert str(standing(_server(ready=None))) == "EcsServer shop/web (not looked at yet)"


def test_what_to_try_names_a_running_server_and_the_directory() -> None:
    seen = [
        Standing(kind="EcsServer", name="shop/reports-0", ready=True, reason="StoppedAsDesired", message=""),
        Standing(kind="EcsServer", name="shop/web-0", ready=True, reason="Available", message=""),
        Standing(kind="EcsVolumeAttachment", name="shop/data", ready=True, reason="Available", message=""),
    ]

    text = play_on(Path(".lab/demo"), seen=seen)

    assert "kubectl -n shop describe ecsserver web-0" in text
    assert 'eval "$(ecs-lab --dir .lab/demo env)"' in text
    assert '\'{"spec":{"powerState":"Stopped"}}\'' in text
