"""Times as the API writes and reads them, all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from ecs_simulator.world.refusal import invalid

# The times of a world are the same in every list: of ten thousand servers, three each.
_KEPT = 1 << 16


@lru_cache(maxsize=_KEPT)
def seconds(epoch: float) -> str:
    """Return 2019-05-22T03:19:19Z."""
    return datetime.fromtimestamp(epoch, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=_KEPT)
def milliseconds(epoch: float) -> str:
    """Return 2016-04-25T20:04:47.591Z."""
    moment = datetime.fromtimestamp(epoch, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


@lru_cache(maxsize=_KEPT)
def microseconds(epoch: float) -> str:
    """Return 2019-05-22T07:48:19.000000."""
    return datetime.fromtimestamp(epoch, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def parse(text: str, *, where: str) -> float:
    """Read ISO 8601; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise invalid(f"{where} {text!r} is no time of ISO 8601") from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
