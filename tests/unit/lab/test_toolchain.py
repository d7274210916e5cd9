from pathlib import Path

import pytest

from ecs_lab.toolchain import go_of_path, version_numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go1.27", (1, 27)),
        ("1.26.0", (1, 26, 0)),
        ("devel", ()),
    ],
)
def test_version_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert version_numbers(text) == numbers


def _go(folder: Path, script: str) -> str:
    folder.mkdir(exist_ok=True)
    program = folder / "go"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("script", "version"),
    [
        pytest.param("echo go1.26.8", (1, 26, 8), id="new enough"),
        pytest.param("echo go1.25.9", None, id="too old"),
        pytest.param("echo go1.27rc1", (1, 27), id="a release candidate"),
        pytest.param("echo go1.26.8; exit 2", None, id="does not work"),
        pytest.param("echo devel", None, id="tells no version"),
    ],
)
def test_go_of_the_path(tmp_path: Path, script: str, version: tuple[int, ...] | None) -> None:
    found = go_of_path(minimum=(1, 26), search_path=_go(tmp_path, script))

    assert (found.version if found else None) == version


def test_no_go_in_the_path(tmp_path: Path) -> None:
    assert go_of_path(minimum=(1, 26), search_path=str(tmp_path)) is None
