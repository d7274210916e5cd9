"""Looks at single servers, before they are changed and after: by id when few look, by one list when many do.

The list (ECS API reference 6.2.5) is begun after all whom it serves have asked: a page for each hundred servers instead of a call (6.2.6)
for each one. The row of a list is as good as the answer by id, as long as it is there. That a server is absent is only ever said by its id.
"""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from dataclasses import dataclass
from typing import Protocol

from ecs_operator.cloud import CloudError, Meaning, Outcome, Server, ServerSnapshots
from ecs_operator.engine.seats import aside
from ecs_operator.resources.calls import found, unanswered

logger = logging.getLogger(__name__)

LINGER = 0.05
"""Seconds that the first one waits for others: passes that run side by side come together within this time."""
FEWEST = 8
"""Below that nobody waits for a list, however short it is."""
ROWS = 100
"""Servers on a page."""
UNKNOWN_SIZE = 1000
"""How many servers a project is taken to have until its first list."""
_GONE = "DELETED"


class ServerReader(Protocol):
    """What is needed of ``client.servers``."""

    async def get(self, server_id: str) -> Server:
        """6.2.6. Raises CloudError."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ask:
    """One pass that waits to be told: the row, or None to ask by id itself."""

    server_id: str
    answer: asyncio.Future[Server | None]

    def tell(self, row: Server | None) -> None:
        if not self.answer.done():
            self.answer.set_result(row)

    def refuse(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Confirmations:
    """The looks at the servers of one project. One event loop uses it."""

    def __init__(self, servers: ServerReader, snapshots: ServerSnapshots, *, linger: float = LINGER) -> None:
        self._servers = servers
        self._snapshots = snapshots
        self._linger = linger
        self._asks: list[_Ask] = []
        self._by_id: set[_Ask] = set()
        """Who was told to ask by id, and has no answer yet."""
        self._serving: asyncio.Task[None] | None = None

    async def server(self, server_id: str) -> Server | None:
        """The server as it is after this call; None when there is none of this id. Raises CloudError."""
        ask = _Ask(server_id, asyncio.get_running_loop().create_future())
        self._asks.append(ask)
        if self._serving is None:
            self._serving = asyncio.get_running_loop().create_task(self._serve(), name="confirm servers", context=Context())
        try:
            async with aside():
                row = await ask.answer
            return row if row is not None else await found(self._servers.get(server_id))
        finally:
            self._by_id.discard(ask)

    async def close(self) -> None:
        """Break off everything. Whoever waits gets a CloudError (not sent)."""
        serving = self._serving
        if serving is not None:
            serving.cancel()
            await asyncio.wait({serving})

    async def _serve(self) -> None:
        """Serve who has asked, together, until nobody is left. Who comes while a list is taken is served by the next one."""
        taken: list[_Ask] = []
        try:
            while self._asks:
                await asyncio.sleep(self._linger)
                taken, self._asks = [ask for ask in self._asks if not ask.answer.done()], []
                if len(taken) + len(self._by_id) < self._enough():
                    self._leave(taken)
                else:
                    await self._list(taken)
        except asyncio.CancelledError:
            self._end(taken, unanswered("showServer", Outcome.NOT_SENT, Meaning.UNREACHABLE, "the connection to the project was closed"))
            raise
        except BaseException as end:
            # Whatever ends the process here ends those who wait.
            self._end(taken, end)
            raise
        finally:
            self._serving = None

    def _enough(self) -> int:
        """From how many on a list costs no more calls: its pages, and the empty one at its end."""
        size = self._snapshots.size
        return max(FEWEST, (UNKNOWN_SIZE if size is None else size) // ROWS + 2)

    async def _list(self, asks: list[_Ask]) -> None:
        try:
            snapshot = await self._snapshots.at_most(0.0)
        except CloudError as error:
            logger.info("%d servers are asked for one by one, since they cannot be listed: %s", len(asks), error)
            self._leave(asks)
            return
        missing = []
        for ask in asks:
            row = snapshot.servers.get(ask.server_id)
            if row is not None and row.is_known and row.status != _GONE:
                ask.tell(row)
            else:
                missing.append(ask)
        self._leave(missing)

    def _leave(self, asks: list[_Ask]) -> None:
        """Let each ask by id."""
        self._by_id.update(ask for ask in asks if not ask.answer.done())
        for ask in asks:
            ask.tell(None)

    def _end(self, taken: list[_Ask], error: BaseException) -> None:
        for ask in (*taken, *self._asks):
            ask.refuse(error)
        self._asks = []
