"""Who else wants to adopt the same thing of the cloud: two objects never both get it, whatever order, crash or restart.

A claim is written before its object asks for the others, by a consistent list that is begun after the write. So of two objects that claim
the same thing at once at least one sees the other. The older waits until the younger has stepped back, or has got it; the younger steps
back. What holds a thing already, or has begun to take it, never steps back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from ecs_operator.api.group import KIND_BY_PLURAL
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import Clock, KubeStore


class Stage(IntEnum):
    """How far an object is."""

    WANTS = 1
    """It found the thing, and nothing more."""
    CLAIMS = 2
    """It has written that it is going to take it."""
    HOLDS = 3
    """It has it, or has begun to take it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One object that wants, claims or holds a thing of the cloud."""

    key: ObjectKey
    uid: str
    created_at: datetime
    cloud_id: str
    stage: Stage

    @property
    def age(self) -> tuple[datetime, ObjectKey, str]:
        """Sorts the older first."""
        return (self.created_at, self.key, self.uid)

    def __str__(self) -> str:
        return f"{KIND_BY_PLURAL[self.key.resource].kind} {self.key.namespace}/{self.key.name}"


@dataclass(frozen=True, slots=True)
class Ledger:
    """All claims of one list, and all objects in it by uid."""

    begun_at: float
    claims: Mapping[str, Sequence[Claim]]
    names: Mapping[str, str]

    def rivals(self, mine: Claim) -> tuple[Claim, ...]:
        """The claims that ``mine`` must not override, the one that counts most first."""
        others = [each for each in self.claims.get(mine.cloud_id, ()) if each.uid != mine.uid and _stands_against(each, mine)]
        return tuple(sorted(others, key=lambda each: (-each.stage, each.age)))


@dataclass(slots=True)
class Claims:
    """The newest list of one kind's objects, which all who need one at the same time share."""

    _newest: Ledger | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def since(self, moment: float, *, resource: str, store: KubeStore, clock: Clock) -> Ledger:
        """A list that was begun after ``moment`` (monotonic). Raises StoreError."""
        async with self._lock:
            if self._newest is None or self._newest.begun_at <= moment:
                begun_at = clock.monotonic()
                objects = await store.list(resource)
                self._newest = _ledger(objects, begun_at=begun_at)
            return self._newest


def claim_of(obj: KubeObject) -> Claim | None:
    """What an object wants, claims or holds. What is only observed is nobody's."""
    adoption: Mapping[str, Any] = obj.status.get("adoption") or {}
    state = adoption.get("state")
    # A group that was asked for and is not known yet goes by its name.
    cloud_id = adoption.get("id") or obj.status.get("id") or (obj.status.get("intent") or {}).get("name")
    if not isinstance(cloud_id, str) or obj.spec.get("managementPolicy") == "Observe" or state == "Observed":
        return None
    stage = {"Compared": Stage.WANTS, "Claimed": Stage.CLAIMS}.get(str(state), Stage.HOLDS)
    if obj.is_deleting and stage is not Stage.HOLDS:
        return None
    return Claim(obj.key, obj.uid, obj.created_at, cloud_id, stage)


def _stands_against(other: Claim, mine: Claim) -> bool:
    if mine.stage is Stage.CLAIMS:
        return other.stage >= Stage.CLAIMS
    return other.stage >= Stage.CLAIMS or other.age < mine.age


def _ledger(objects: Sequence[KubeObject], *, begun_at: float) -> Ledger:
    claims: dict[str, list[Claim]] = {}
    for each in objects:
        claim = claim_of(each)
        if claim is not None:
            claims.setdefault(claim.cloud_id, []).append(claim)
    names = {each.uid: f"{each.kind} {each.key.namespace}/{each.key.name}" for each in objects}
    return Ledger(begun_at=begun_at, claims=claims, names=names)
