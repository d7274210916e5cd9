import subprocess
import sys
from pathlib import Path

from ecs_lab.repository import repository_root


def _run(tmp_path: Path, *steps: str) -> subprocess.CompletedProcess[str]:
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "making $1"\n[ "$1" != broken ] || exit 2\n')
    make.chmod(0o755)
    script = repository_root() / "tools" / "steps.py"
    return subprocess.run([sys.executable, script, *steps], capture_output=True, text=True, check=False, env={"MAKE": str(make)})


def test_all_steps_run_in_order(tmp_path: Path) -> None:
    ran = _run(tmp_path, "lint", "unit")

    assert ran.returncode == 0
    assert ran.stdout.index("making lint") < ran.stdout.index("making unit") < ran.stdout.index("=== summary")


def test_the_first_failure_ends_it_and_the_rest_is_named(tmp_path: Path) -> None:
    ran = _run(tmp_path, "lint", "broken", "unit", "e2e")

    assert ran.returncode == 2
    assert "making unit" not in ran.stdout
    summary = ran.stdout.partition("=== summary")[2]
    assert [line.split()[:2] for line in summary.splitlines()[1:5]] == [
        ["lint", "ok,"],
        ["broken", "FAILED,"],
        ["unit", "not"],
        ["e2e", "not"],
    ]


def test_what_is_no_part_of_it_is_said(tmp_path: Path) -> None:
    assert "argo cd" in _run(tmp_path, "lint").stdout.partition("=== summary")[2]
