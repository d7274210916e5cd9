"""Where the files of this repository are."""

import os
from pathlib import Path

from ecs_lab.errors import LaboratoryError

_LANDMARK = Path("tools/control-plane/go.mod")


def repository_root() -> Path:
    """The folder that holds `crds/`, `manifests/` and `tools/control-plane/`.

    `ECS_LAB_REPOSITORY` names it when this package is not installed from a checkout.
    """
    named = os.environ.get("ECS_LAB_REPOSITORY")
    candidates = [Path(named).resolve()] if named else [*Path(__file__).resolve().parents, Path.cwd(), *Path.cwd().parents]
    for folder in candidates:
        if (folder / _LANDMARK).is_file():
            return folder
    raise LaboratoryError(f"no folder with {_LANDMARK} above this package; set ECS_LAB_REPOSITORY to a checkout of ecs-operator")


def made(folder: Path) -> Path:
    """The folder as an absolute path, made if it is not there."""
    absolute = folder.resolve()
    absolute.mkdir(parents=True, exist_ok=True)
    return absolute


def cache_folder() -> Path:
    """The user's cache folder for this project, outside of any clone (XDG base directories)."""
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "ecs-operator"
