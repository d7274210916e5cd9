"""Turns: one object at a time works on a server. The cloud would refuse the second one (Ecs.0603); so it is not asked.

Only in memory: who is at work stands in the status of its object, and takes its turn again in its first pass after a restart.
"""

from __future__ import annotations

from ecs_operator.engine.objects import ObjectKey

Place = tuple[str, str]
"""Project and id of a server."""


class Turns:
    """Whose turn it is, by server."""

    def __init__(self) -> None:
        self._holders: dict[Place, ObjectKey] = {}
        self._places: dict[ObjectKey, Place] = {}

    def take(self, place: Place, key: ObjectKey) -> ObjectKey | None:
        """Take the turn; it may be held already. Gives who has it instead, None when it was taken."""
        holder = self._holders.get(place)
        if holder is not None and holder != key:
            return holder
        self.give_back(key)
        self._holders[place] = key
        self._places[key] = place
        return None

    def give_back(self, key: ObjectKey) -> None:
        """The object has no work any more; so it may be that it had none."""
        place = self._places.pop(key, None)
        if place is not None:
            del self._holders[place]
