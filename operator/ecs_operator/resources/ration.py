"""What a project may ask for within a minute. The API takes at most so many servers a command (ECS API reference 5.3)."""

from __future__ import annotations

from dataclasses import dataclass

PER_MINUTE = 1000
"""Servers started, stopped or rebooted within a minute: ``Common.1503`` beyond."""
PERIOD = 61.0
"""Seconds after the answer for which a call counts: the cloud's minute began before that."""


@dataclass(slots=True, eq=False)
class Portion:
    """What one call takes. ``ends_at`` is None while it is not known when it was counted."""

    count: int
    ends_at: float | None = None


class Ration:
    """The count of one command. Times are monotonic seconds, handed in."""

    def __init__(self, most: int = PER_MINUTE) -> None:
        self._most = most
        self._portions: list[Portion] = []

    def room(self, now: float) -> int:
        """How many can be asked for now."""
        self._portions = [each for each in self._portions if each.ends_at is None or each.ends_at > now]
        return max(0, self._most - sum(each.count for each in self._portions))

    def wait(self, now: float) -> float:
        """Seconds until there may be more room."""
        return min((each.ends_at - now for each in self._portions if each.ends_at is not None), default=1.0)

    def take(self, count: int) -> Portion:
        """A call for so many is about to leave."""
        portion = Portion(count)
        self._portions.append(portion)
        return portion

    def counted(self, portion: Portion, now: float) -> None:
        """The cloud took the call, or may have."""
        portion.ends_at = now + PERIOD

    def give_back(self, portion: Portion) -> None:
        """The cloud did nothing."""
        self._portions.remove(portion)
