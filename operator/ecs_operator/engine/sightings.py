"""What was last seen of each object, reduced to what tells whether somebody else than this operator changed it.

A status write of our own comes back as an event. Were it taken as news, a failing pass that notes its failure in the status would
start the next pass at once, and no backoff would hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Lane


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at an object's metadata. ``marks`` is a digest of its annotations and labels."""

    uid: str
    generation: int
    deleting: bool
    finalizers: frozenset[str]
    marks: bytes


def sighting(metadata: Mapping[str, Any]) -> Sighting:
    """Reduce an object's metadata. Keeps no reference into it."""
    marks = [sorted((metadata.get(name) or {}).items()) for name in ("annotations", "labels")]
    return Sighting(
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        deleting=metadata.get("deletionTimestamp") is not None,
        finalizers=frozenset(metadata.get("finalizers") or ()),
        marks=blake2b(json.dumps(marks).encode(), digest_size=8).digest(),
    )


def lane_of_news(before: Sighting | None, now: Sighting) -> Lane | None:
    """How urgent the difference is; None when only the status changed, or when all that is new are finalizers."""
    if before is None or before.uid != now.uid:
        return Lane.URGENT if now.deleting else Lane.CREATE
    changed = (
        before.generation != now.generation
        or before.deleting != now.deleting
        or before.marks != now.marks
        or not before.finalizers <= now.finalizers
    )
    return Lane.URGENT if changed else None


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing under way: what was seen after ``since`` may be missing from it without being gone."""

    since: int


class Sightings:
    """The last sighting of every key, and which keys exist at all."""

    def __init__(self) -> None:
        self._seen: dict[ObjectKey, tuple[int, Sighting]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[ObjectKey]:
        """The known keys, as of now."""
        return iter(tuple(self._seen))

    def see(self, key: ObjectKey, now: Sighting) -> Lane | None:
        """Note a sighting; the lane in which the key must be worked on, None when nothing of interest changed."""
        self._count += 1
        _, before = self._seen.get(key, (0, None))
        self._seen[key] = (self._count, now)
        return lane_of_news(before, now)

    def gone(self, key: ObjectKey) -> bool:
        """Note that the object does not exist any more; False when it was not known."""
        return self._seen.pop(key, None) is not None

    def begin_listing(self) -> Listing:
        """Call before the first page of a list is read."""
        return Listing(since=self._count)

    def missing(self, listing: Listing, listed: set[ObjectKey]) -> list[ObjectKey]:
        """The known keys that a finished list does not show: their deletion was in a gap of the watch."""
        return [key for key, (seen, _) in self._seen.items() if seen <= listing.since and key not in listed]
