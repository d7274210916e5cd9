"""Pauses, in seconds: how they grow, and how often things are looked at."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

_SPREAD = 0.15


def growing(number: int, *, first: float, cap: float) -> float:
    """The ``number``-th pause, counted from 1: it doubles each time, up to ``cap``."""
    return min(cap, first * 2.0 ** min(max(number, 1) - 1, 30))


def resend_at(began: datetime, sent: int, *, first: float, cap: float) -> datetime:
    """When a call that was sent ``sent`` times, and did not help, is sent again: by the record alone, so that it survives a restart."""
    return began + timedelta(seconds=sum(growing(number, first=first, cap=cap) for number in range(1, sent + 1)))


def poll_pause(elapsed: float) -> float:
    """Until a job is asked again, ``elapsed`` seconds after it began: 1 s at first, 10 s in the end."""
    return min(10.0, max(1.0, elapsed / 2.0))


def resync_pause(period: float, *, uid: str) -> float:
    """Until an object is looked at again: a little less than the period, by another amount for each object, so that they do not meet."""
    part = hashlib.blake2b(uid.encode(), digest_size=4).digest()
    return period * (1.0 - _SPREAD * int.from_bytes(part, "big") / 2**32)
