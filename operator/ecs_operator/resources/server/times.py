"""Times: as the cloud writes them, and how pauses grow."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 time of the cloud, in UTC; None when there is none or it cannot be read."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def growing(number: int, *, first: float, cap: float) -> float:
    """Seconds of the ``number``-th pause (from 1): doubles each time, up to ``cap``."""
    return min(cap, first * 2.0 ** min(max(number, 1) - 1, 30))


def poll_pause(elapsed: float) -> float:
    """Seconds until a job is asked again, ``elapsed`` seconds after it began: 1 s at first, 10 s in the end."""
    return min(10.0, max(1.0, elapsed / 2.0))
