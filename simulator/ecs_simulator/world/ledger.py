"""The append-only record of every creation, change and deletion. Tests ask it: what was healed later is still written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

MARKER = "ecs-operator.owner"
"""The metadata key whose value is recorded as ``marker``."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a change goes back to: the request, the token it came with, and the user. By hand: no token, and a request id that says so."""

    request_id: str
    token: str | None = None
    user_id: str = ""


BY_HAND = Cause(request_id="by-hand")


class Ledger:
    """Entries numbered from 1; there is no way to change or remove one."""

    def __init__(self, entries: Sequence[dict[str, Any]] = ()) -> None:
        self._entries = list(entries)

    @property
    def last_seq(self) -> int:
        """The number of the newest entry, 0 for none."""
        return len(self._entries)

    def add(
        self,
        *,
        time: float,
        project: str,
        action: str,
        resource: str,
        identity: str,
        cause: Cause,
        name: str = "",
        marker: str | None = None,
        **more: Any,  # noqa: ANN401 -- whatever belongs to the action, as JSON
    ) -> None:
        """Append an entry. ``time`` is in epoch seconds of the world."""
        self._entries.append(
            {
                "seq": len(self._entries) + 1,
                "time": time,
                "project": project,
                "action": action,
                "resource": resource,
                "id": identity,
                "name": name,
                "marker": marker,
                "token": cause.token,
                "request_id": cause.request_id,
                **more,
            }
        )

    def to_json(self, project: str | None = None, *, since: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """Return copies of the entries in order: of one project, with a number above ``since``, the first ``limit`` of them."""
        newer = islice(self._entries, since, None)
        found = (dict(entry) for entry in newer if project is None or entry["project"] == project)
        return list(found if limit is None else islice(found, limit))
