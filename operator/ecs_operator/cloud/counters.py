"""Counts of what became of a project's calls, as plain values; how they are shown is not the client's business."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class CallCounters:
    """Totals since the connection was opened."""

    sent: int = 0
    """Requests that left, tries and those for tokens included."""
    retries: int = 0
    """Tries after the first one of a read."""
    retries_denied: int = 0
    """Retries that were left out because the budget for them was spent."""
    held_back: int = 0
    """Calls that did not leave because the endpoint's breaker was open."""
