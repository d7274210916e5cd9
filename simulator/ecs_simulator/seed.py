"""The default world, described in seed.yaml beside this module."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import yaml


def default_seed_text() -> str:
    """Return the default seed as it was written, with its comments."""
    return files("ecs_simulator").joinpath("seed.yaml").read_text(encoding="utf-8")


def default_seed() -> dict[str, Any]:
    """Return the default seed, parsed anew each time."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load(default_seed_text(), Loader=loader)  # noqa: S506 -- both are safe loaders
    return content
