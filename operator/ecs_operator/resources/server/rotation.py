"""What no list shows of a server is read again in slow rotation: at most one detail of each server in a period.

The time of the last look is in memory only: in the status it would be a heartbeat. Each process begins somewhere in the period by chance,
so that a restart does not let all servers be read at once, and one that restarts often still comes round to all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

DETAILS_PERIOD = 3600.0
"""Seconds."""

Detail = Literal["security_groups", "auto_recovery", "server_group"]


@dataclass(slots=True)
class _Turn:
    due: float
    number: int


class Rotation:
    """Whose turn it is, by uid of the object, on the monotonic clock."""

    def __init__(self, *, period: float, rng: Random) -> None:
        """``period``: seconds; 0 never reads anything again."""
        self._period = period
        self._rng = rng
        self._turns: dict[str, _Turn] = {}

    def __len__(self) -> int:
        return len(self._turns)

    def due(self, uid: str, details: tuple[Detail, ...], *, at: float) -> Detail | None:
        """The one of these details that is to be read now, if any is. It counts as read, whatever comes of it."""
        if not self._period or not details:
            return None
        turn = self._turns.get(uid)
        if turn is None:
            turn = _Turn(due=at + self._rng.random() * self._period, number=self._rng.randrange(len(details)))
            self._turns[uid] = turn
        if at < turn.due:
            return None
        turn.due, turn.number = at + self._period, turn.number + 1
        return details[turn.number % len(details)]

    def forget(self, uid: str) -> None:
        """The object is gone."""
        self._turns.pop(uid, None)
