"""Putting a simulator together from files: the seed, the state, the pace of time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ecs_simulator import statefile
from ecs_simulator.simulator import Simulator


class StartError(Exception):
    """The simulator cannot start like this; the text names the file and what is wrong with it."""


def prepare(*, seed: Path | None = None, state: Path | None = None, time_scale: float | None = None) -> Simulator:
    """Return a simulator with the world of its state file, else of its seed, else the default one; StartError if a file is unusable."""
    content = read_seed(seed) if seed is not None else None
    try:
        simulator = Simulator(seed=content)
    except (ValueError, LookupError, TypeError) as error:
        raise StartError(f"{seed}: {error}") from error
    if state is not None:
        try:
            kept = statefile.load(state)
            if kept is not None:
                simulator.load(kept)
        except statefile.StateError as error:
            raise StartError(str(error)) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise StartError(f"{state}: does not fit this version ({error!r}); move it away to start afresh") from error
    if time_scale is not None:
        simulator.world.clock.set_mode("scaled", scale=time_scale)
    return simulator


def read_seed(path: Path) -> Mapping[str, Any]:
    """Read a seed file; StartError if it is none. What is in it is judged when a world is made of it."""
    way_out = "`ecs-simulator seed print` shows one to begin with"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"{path}: {error.strerror or error}; {way_out}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise StartError(f"{path}: is no YAML: {error}") from error
    if not isinstance(content, dict):
        raise StartError(f"{path}: a seed is a YAML mapping; {way_out}")
    return content
