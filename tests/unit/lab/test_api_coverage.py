"""The table of the API's coverage finds every kind of gap."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ecs_lab.repository import repository_root
from ecs_operator.cloud.operation import Operation


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("api_coverage", repository_root() / "tools" / "api_coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


COVERAGE = _load()
REFERENCE = {
    "section": "9.1",
    "title": "Wake a server",
    "method": "POST",
    "path": "/v1/{project_id}/wake",
    "action": "wake",
    "microversion": None,
}


def _row(**changes: Any) -> Any:
    whole: Mapping[str, Any] = {
        "methods": [COVERAGE.Method("servers", "wake")],
        "operations": [Operation(section="9.1", name="wake", method="POST", path="/v1/{project_id}/wake")],
        "modules": ["ecs.waking"],
        "routes": [("POST", "/v1/{project}/wake", "wake")],
        "tests": ["test_waking.py"],
    }
    return COVERAGE.Row(REFERENCE, **{**whole, **changes})


GAPS: list[tuple[str, dict[str, Any], str]] = [
    ("no method", {"methods": []}, "no method"),
    ("no route", {"routes": []}, "no route"),
    ("no round trip", {"tests": []}, "there and back"),
    ("another method", {"routes": [("PUT", "/v1/{project_id}/wake", "wake")]}, "the simulator has it at PUT"),
    ("another path", {"operations": [Operation(section="9.1", name="wake", method="POST", path="/v1/wake")]}, "the client has it at"),
    ("another action", {"routes": [("POST", "/v1/{project_id}/wake", "rouse")]}, "knows it by rouse"),
]


@pytest.mark.parametrize(("changes", "said"), [case[1:] for case in GAPS], ids=[case[0] for case in GAPS])
def test_a_gap_is_named(changes: dict[str, Any], said: str) -> None:
    (problem,) = _row(**changes).problems()
    assert said in problem


def test_what_is_whole_has_no_gap_and_a_line_on_the_page() -> None:
    row = _row()
    assert list(row.problems()) == []
    row.reference = {**REFERENCE, "section": "5.1"}
    assert (
        "| 5.1 | Wake a server | `POST /v1/{project_id}/wake` `wake` | `servers.wake` | `ecs.waking` | `test_waking.py` |"
        in COVERAGE.page([row])
    )


def test_marks_are_read_wherever_they_stand(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "import pytest\n\n@pytest.mark.operation('1.1', '1.2')\ndef test_a(): ...\n"
        "CASES = [pytest.param(1, marks=pytest.mark.operation('1.3'))]\n# pytest.mark.operation('1.4')\n"
    )
    assert sorted(COVERAGE.marked_tests(tmp_path)) == [("1.1", "test_a.py"), ("1.2", "test_a.py"), ("1.3", "test_a.py")]


def test_uses_are_found_by_the_name_of_the_group(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("self.tenant.client.groups.create(1)\nservers.get(2)\nself._volumes.attach()\n")
    assert COVERAGE.called_methods([tmp_path / "a.py"]) >= {("groups", "create"), ("servers", "get"), ("volumes", "attach")}
