"""What the admin API asks of a world. A LookupError from any of these answers 404, a ValueError 400, both with their text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Steering(Protocol):
    """The steering wheel of a world. Ids and zones are texts, durations and delays seconds of the world's clock."""

    def settle(self) -> None:
        """Bring about everything that is due by now."""

    def summary(self) -> dict[str, Any]:
        """Return counts per project, for ``GET /_sim/state``."""

    def add_project(self, name: str, *, quota: Mapping[str, int] | None = None) -> dict[str, Any]:
        """Add an isolated project with its own account and network; returns the object of ``POST /_sim/projects``."""

    def set_project(
        self,
        project_id: str,
        *,
        quota: Mapping[str, int] | None = None,
        frozen: bool | None = None,
        suspended_credentials: bool | None = None,
    ) -> None:
        """Change a project; None leaves a setting alone."""

    def fail_job(self, job_id: str, *, code: str, reason: str) -> None:
        """Let a running job fail now."""

    def finish_job(self, job_id: str) -> None:
        """Finish a running job now."""

    def fail_next_job(self, project_id: str, *, job_type: str, code: str, reason: str, leave: str) -> None:
        """Let the next job of a type fail; ``leave`` is what it leaves behind, "server" or "nothing"."""

    def set_server(self, server_id: str, do: str) -> None:
        """Put a server into ERROR, stop, start or delete it: "error", "stop", "start", "delete"."""

    def plant_server(self, project_id: str, *, name: str, metadata: Mapping[str, str]) -> str:
        """Plant a running server nobody asked for and return its id."""

    def sell_out(self, flavor_id: str, zones: tuple[str, ...]) -> None:
        """Say in which zones a flavor is sold out; none makes it available again."""

    def set_behaviour(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change switches by their names in ``POST /_sim/behaviour`` and return all of them."""

    def set_durations(self, changes: Mapping[str, float]) -> dict[str, Any]:
        """Change durations of transitions by name ("create_server", …, "jitter") and return all of them."""
