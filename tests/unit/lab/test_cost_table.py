"""The page with the costs is the one in the repository, and the tool tells when it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ecs_lab.repository import repository_root

ROOT = repository_root()
PAGE = Path("docs/reference/costs.md")


def _run(*arguments: str) -> tuple[int, str]:
    tool = ROOT / "tools" / "cost_table.py"
    done = subprocess.run([sys.executable, tool, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_it_writes_what_differs(tmp_path: Path) -> None:
    page = tmp_path / PAGE
    page.parent.mkdir(parents=True)
    assert _run("--check", "--directory", str(tmp_path)) == (1, f"{PAGE}\n")
    assert not page.exists()
    assert _run("--directory", str(tmp_path)) == (0, f"{PAGE}\n")
    assert page.read_text() == (ROOT / PAGE).read_text()
    assert _run("--check", "--directory", str(tmp_path)) == (0, "")
    page.write_text(page.read_text().replace("Restart", "nothing"))
    assert _run("--check", "--directory", str(tmp_path)) == (1, f"{PAGE}\n")


def test_cells_stay_cells() -> None:
    rows = [line for line in (ROOT / PAGE).read_text().splitlines() if line.startswith("| `")]
    assert rows
    assert {line.count("|") for line in rows} == {5}
