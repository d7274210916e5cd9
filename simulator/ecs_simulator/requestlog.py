"""What came in: one entry a request, the newest kept, nothing secret in it. Bodies are not kept at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

CAPACITY = 50_000
# Paths come from outside; a log of endless ones would not be bounded.
MAX_PATH = 1024


@dataclass(slots=True)
class Entry:
    """One request.

    ``status`` is what the client was sent, None when it got no answer; ``handled`` is the status with which the request was really
    carried out, None when it was not. They differ only where a fault came between.
    """

    time: float
    method: str
    path: str
    operation: str | None
    section: str | None
    project: str | None
    request_id: str
    client_request_id: str | None
    credential: str | None
    status: int | None = None
    handled: int | None = None
    code: str | None = None
    fault: str | None = None
    duration: float = 0.0
    seq: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the form of ``GET /_sim/requests``; ``time`` is epoch seconds of the world, ``duration_ms`` real milliseconds."""
        return {
            "seq": self.seq,
            "time": self.time,
            "method": self.method,
            "path": self.path,
            "operation": self.operation,
            "section": self.section,
            "status": self.status,
            "handled": self.handled,
            "code": self.code,
            "requestId": self.request_id,
            "clientRequestId": self.client_request_id,
            "credential": self.credential,
            "duration_ms": round(self.duration * 1000, 3),
            "project": self.project,
            "fault": self.fault,
        }


class RequestLog:
    """A bounded log with running numbers, which say how many there were in all."""

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self._entries: deque[Entry] = deque(maxlen=capacity)
        self.total = 0

    def add(self, entry: Entry) -> None:
        """Number an entry, counted from 1 in the order of the answers, and keep it; the oldest makes room."""
        self.total += 1
        entry.seq = self.total
        if len(entry.path) > MAX_PATH:
            entry.path = entry.path[:MAX_PATH] + "…"
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget all entries; the numbers go on."""
        self._entries.clear()

    def select(self, *, project: str | None = None, since: int = 0, limit: int | None = None) -> list[Entry]:
        """Return entries in order: of a project, with a number above ``since``, the last ``limit`` of them."""
        found = [entry for entry in self._newer(since) if project is None or entry.project == project]
        return found if limit is None else found[-limit:] if limit else []

    def after(self, since: int, *, limit: int) -> list[Entry]:
        """Return the first ``limit`` of the entries with a number above ``since``, for those who follow the log."""
        return list(islice(self._newer(since), limit))

    def _newer(self, since: int) -> Iterator[Entry]:
        # Their numbers have no gap, so where to begin needs no search.
        first = self._entries[0].seq if self._entries else 1
        return islice(self._entries, max(0, since + 1 - first), None)
