"""The world's time: real, scaled, or frozen and advanced by hand. It never goes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

MODES = ("real", "scaled", "frozen")


class Clock:
    """Epoch seconds of the world, derived from a wall clock."""

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.mode = "real"
        self.scale = 1.0
        self._world_from = self._wall_from = self._latest = wall()

    def now(self) -> float:
        """Return the present time. A wall clock that is set back stops the world until it has caught up."""
        self._latest = max(self._latest, self._world_from + (self._wall() - self._wall_from) * self._rate())
        return self._latest

    def set_mode(self, mode: str, scale: float | None = None) -> None:
        """Change how time passes from now on; ValueError for an unknown mode or a scale that is not above 0."""
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
        if scale is not None and not 0 < scale < float("inf"):
            raise ValueError(f"scale must be above 0, not {scale}")
        self._rebase(self.now())
        self.mode = mode
        self.scale = scale if scale is not None else self.scale

    def advance(self, seconds: float) -> None:
        """Jump ahead."""
        if seconds < 0:
            raise ValueError("time never goes back: advance must not be negative")
        self._rebase(self.now() + seconds)

    def to_json(self) -> dict[str, Any]:
        """Snapshot form."""
        return {"mode": self.mode, "scale": self.scale, "now": self.now(), "wall": self._wall()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, wall: Callable[[], float] = time.time) -> Clock:
        """Read the form of to_json. Real time has passed meanwhile; scaled and frozen time goes on where it was."""
        clock = cls(wall=wall)
        clock.mode, clock.scale = str(data["mode"]), float(data["scale"])
        clock._world_from = clock._latest = float(data["now"])
        clock._wall_from = float(data["wall"]) if clock.mode == "real" else wall()
        return clock

    def _rebase(self, now: float) -> None:
        self._world_from = self._latest = now
        self._wall_from = self._wall()

    def _rate(self) -> float:
        return {"real": 1.0, "scaled": self.scale, "frozen": 0.0}[self.mode]
