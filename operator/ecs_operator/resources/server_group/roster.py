"""Which EcsServer stands for which server of the cloud: one list of a namespace serves all of its groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ecs_operator.api.group import SERVER
from ecs_operator.engine.ports import Clock, KubeStore

FRESH = 2.0
"""Seconds: a server that is not in a list so new is asked for in the next pass. Many may join at once."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of EcsServers by the ids of their servers."""

    by_id: Mapping[str, str]
    is_new: bool
    """The list was made for this question: who is not in it is not there."""


class Roster:
    """The lists that were made last, by namespace."""

    def __init__(self, *, store: KubeStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lists: dict[str, tuple[float, Mapping[str, str]]] = {}

    async def names(self, namespace: str, wanted: Iterable[str], *, at_most: float) -> Names:
        """From a list that is ``at_most`` so old, in seconds; a new one where it does not name each ``wanted`` id. Raises StoreError."""
        now = self._clock.monotonic()
        self._lists = {name: held for name, held in self._lists.items() if now - held[0] < at_most}
        if namespace in self._lists:
            made_at, by_id = self._lists[namespace]
            if now - made_at < FRESH or all(each in by_id for each in wanted):
                return Names(by_id, is_new=False)
        by_id = await self._list(namespace)
        self._lists[namespace] = (now, by_id)
        return Names(by_id, is_new=True)

    async def _list(self, namespace: str) -> Mapping[str, str]:
        servers = await self._store.list(SERVER.plural, namespace=namespace)
        # Of two objects for one server, which only a mistake can bring about, always the same one.
        ordered = sorted(servers, key=lambda each: each.key, reverse=True)
        return {str(each.status["id"]): each.key.name for each in ordered if each.status.get("id")}
