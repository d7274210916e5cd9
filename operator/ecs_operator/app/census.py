"""Holds what the watches told against what there is: at the start, and once in every resync period."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from random import Random

from ecs_operator.engine.loop import ReconcileLoop
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Lane
from ecs_operator.engine.ports import StoreError
from ecs_operator.engine.sightings import Sighting, Sightings
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.inventory import inventory
from ecs_operator.kube.resource_types import ResourceType

logger = logging.getLogger(__name__)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0


class Census:
    """Knows which objects exist, and passes news on to the reconcile loop.

    A deletion inside a gap of the watch never comes as an event; the list of metadata finds it.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        types: Sequence[ResourceType],
        namespaces: Sequence[str],
        loop: ReconcileLoop,
        rng: Random,
        period: float,
    ) -> None:
        """``period`` is in seconds."""
        self._connection = connection
        self._types = tuple(types)
        self._namespaces = tuple(namespaces)
        self._loop = loop
        self._rng = rng
        self._period = period
        self._sightings = Sightings()
        self.filled = asyncio.Event()
        """Set once every object was seen."""

    def __len__(self) -> int:
        return len(self._sightings)

    def seen(self, key: ObjectKey, now: Sighting) -> None:
        """An event of an object that exists."""
        self._loop.exists(key, lane=self._sightings.see(key, now))

    def gone(self, key: ObjectKey) -> None:
        """The event of a deletion."""
        self._sightings.gone(key)
        self._loop.deleted(key)

    def look_at_all(self) -> None:
        """Have every known object worked on: the lease was gained, and whoever had it may have left anything half done."""
        for key in self._sightings:
            self._loop.exists(key, lane=Lane.RESYNC)

    async def run(self) -> None:
        """Count until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self.take()
            except StoreError as error:
                logger.warning("the objects could not be listed, trying again: %s", error)
                await asyncio.sleep(self._rng.uniform(0.5, 1.0) * pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
                continue
            pause = _FIRST_PAUSE
            if not self.filled.is_set():
                logger.info("%d objects found", len(self))
                self.filled.set()
            await asyncio.sleep(self._period * self._rng.uniform(0.9, 1.1))

    async def take(self) -> None:
        """List everything once. Raises StoreError; what was seen until then is kept."""
        listing = self._sightings.begin_listing()
        listed: set[ObjectKey] = set()
        for each in self._types:
            async for key, now in inventory(self._connection, each, namespaces=self._namespaces):
                listed.add(key)
                lane = self._sightings.see(key, now)
                if lane is not None:
                    self._loop.exists(key, lane=lane)
        for key in self._sightings.missing(listing, listed):
            logger.info("%s is gone, and its deletion was not seen", key)
            self.gone(key)
