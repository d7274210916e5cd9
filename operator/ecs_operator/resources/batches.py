"""Commands to servers that travel together (ECS API reference 5.1.2, 5.3): one call for all of a project that are due within a second.

Each object writes ahead and asks for its own server, as if it were alone, and is told what became of its own server alone:
accepted (with the job of the batch, of which its part is read), or a CloudError, whose outcome holds for this server.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field

from ecs_operator.cloud import CloudError, Failure, JobAccepted, Meaning, Outcome
from ecs_operator.engine.ports import Authority
from ecs_operator.engine.seats import aside
from ecs_operator.resources.calls import SHORTEST_LEASE, change, short_of_lease, unanswered
from ecs_operator.resources.commands import Command, ServerCommands, make
from ecs_operator.resources.ration import PER_MINUTE, Portion, Ration

logger = logging.getLogger(__name__)

MOST = 500
"""Servers in one call. The API takes 1000, but an answer about its job has a part for each of them, and a lost one leaves all in doubt."""
PARTS = 4
"""A batch that is refused as a whole is sent again in so many parts, until each server that can be served is, and no other."""
MOST_CALLS = 40
"""Calls that one batch may become; two bad servers among 500 take 35. Whoever is left then asks again."""
OF_THE_CALLER = frozenset({Meaning.AUTH, Meaning.THROTTLED, Meaning.TRANSIENT, Meaning.UNREACHABLE, Meaning.INTERNAL})
"""What a refusal may mean that is not about any of the servers: smaller parts would be refused as well."""


@dataclass(frozen=True, slots=True)
class BatchPace:
    """All times in seconds."""

    window: float = 1.0
    """Between two calls of the same command: the longest that a server waits for others. After a longer pause none has to."""
    linger: float = 0.05
    """What the first one waits after a pause: passes that run side by side come together within this time."""


@dataclass(frozen=True, slots=True, eq=False)
class _Member:
    """One object's part of a batch. It has left, in either direction, when its answer is done."""

    server_ids: tuple[str, ...]
    authority: Authority
    answer: asyncio.Future[JobAccepted]

    @property
    def waits(self) -> bool:
        """Nobody has cancelled it, and it was told nothing yet."""
        return not self.answer.done()

    def accept(self, accepted: JobAccepted) -> None:
        if self.waits:
            self.answer.set_result(accepted)

    def refuse(self, error: BaseException) -> None:
        if self.waits:
            self.answer.set_exception(error)


@dataclass(slots=True)
class _Line:
    """Those who wait for the next call of one command."""

    members: list[_Member] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    left_at: float | None = None
    """When the last call was sent, by the loop's clock."""


@dataclass(frozen=True, slots=True)
class _Least:
    """The lease as the most cautious of several sees it."""

    authorities: tuple[Authority, ...]

    def time_left(self) -> float:
        return min(each.time_left() for each in self.authorities)


class Batches:
    """The commands to the servers of one project. One event loop uses it."""

    def __init__(self, servers: ServerCommands, *, pace: BatchPace | None = None) -> None:
        self._servers = servers
        self._pace = pace or BatchPace()
        self._lines: dict[Command, _Line] = {}
        self._rations: dict[str, Ration] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def carry_out(self, command: Command, server_ids: Sequence[str], *, authority: Authority) -> JobAccepted:
        """Command one object's server, or servers, together with others that are due. Raises CloudError, on their behalf alone.

        Whoever is cancelled before the call leaves is taken out of it. After that the call goes on, and its outcome is unknown to him.
        The lease is asked for when the call leaves: without enough of it the object is not part of it.
        """
        member = _Member(tuple(server_ids), authority, asyncio.get_running_loop().create_future())
        line = self._lines.setdefault(command, _Line())
        line.members.append(member)
        self._set_off(command, line)
        async with aside():
            return await member.answer

    async def close(self) -> None:
        """Break off everything. Whoever still waits is told, so that nobody hangs."""
        for line in self._lines.values():
            if line.timer is not None:
                line.timer.cancel()
            for member in line.members:
                member.refuse(unanswered("command", Outcome.NOT_SENT, Meaning.UNREACHABLE, "the connection was closed"))
        self._lines.clear()
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)

    def _set_off(self, command: Command, line: _Line) -> None:
        """See to it that the next call leaves when it is due: at once when it is full."""
        now = asyncio.get_running_loop().time()
        if sum(len(each.server_ids) for each in line.members) >= MOST:
            self._leave(command)
        elif line.timer is None:
            due = now + self._pace.linger if line.left_at is None else max(now + self._pace.linger, line.left_at + self._pace.window)
            line.timer = asyncio.get_running_loop().call_later(due - now, self._leave, command, context=Context())

    def _leave(self, command: Command) -> None:
        """Send those who wait, as many as fit into one call."""
        line = self._lines[command]
        if line.timer is not None:
            line.timer.cancel()
            line.timer = None
        waiting = [member for member in line.members if member.waits]
        batch, line.members = _first(waiting, most=MOST)
        if not batch:
            # One object with more servers than that is let through alone, or it would never leave.
            batch, line.members = waiting[:1], waiting[1:]
        if batch:
            line.left_at = asyncio.get_running_loop().time()
            task = asyncio.get_running_loop().create_task(self._send(command, batch), name="batch", context=Context())
            self._running.add(task)
            task.add_done_callback(self._ended)
        if line.members:
            self._set_off(command, line)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen: the members were told

    async def _send(self, command: Command, batch: list[_Member]) -> None:
        """Make the call, and smaller ones where it is refused. Every member is told, whatever happens."""
        try:
            await self._divide(command, batch)
        except Exception as error:
            logger.exception("a batch failed unexpectedly")
            for member in batch:
                member.refuse(RuntimeError(f"the batch failed: {type(error).__name__}"))
        except asyncio.CancelledError:
            raise
        except BaseException as end:
            # Whatever ends the process here ends those who wait for the call.
            for member in batch:
                member.refuse(end)
            raise
        finally:
            for member in batch:
                member.refuse(unanswered(command.operation, Outcome.UNKNOWN, Meaning.UNREACHABLE, "the call was broken off"))

    async def _divide(self, command: Command, batch: list[_Member]) -> None:
        groups = deque([batch])
        for _ in range(MOST_CALLS):
            if not groups:
                return
            group = groups.popleft()
            if await self._call(command, group):
                size = -(-len(group) // PARTS)
                groups.extend(group[start : start + size] for start in range(0, len(group), size))
        text = "it was due together with too many servers that cannot take it; it is sent again without them"
        for member in (member for group in groups for member in group):
            member.refuse(unanswered(command.operation, Outcome.NOT_SENT, Meaning.THROTTLED, text))

    async def _call(self, command: Command, group: list[_Member]) -> bool:
        """One call for those who still wait and may. True when they were refused, perhaps because of one of them."""
        ready, portion = self._admitted(command, [member for member in group if member.waits])
        if not ready:
            return False
        server_ids = _ids(ready)
        authority = _Least(tuple(member.authority for member in ready))
        try:
            accepted = await change(authority, lambda: make(command, self._servers, server_ids), operation=command.operation)
        except CloudError as error:
            self._account(command, portion, did_nothing=error.outcome is not Outcome.UNKNOWN)
            if len(ready) > 1 and error.outcome is not Outcome.UNKNOWN and error.meaning not in OF_THE_CALLER:
                logger.info("%d servers together: %s; asking for fewer at a time", len(ready), error)
                return True
            for member in ready:
                member.refuse(CloudError(error.failure))
        else:
            self._account(command, portion, did_nothing=False)
            for member in ready:
                member.accept(accepted)
        return False

    def _admitted(self, command: Command, group: list[_Member]) -> tuple[list[_Member], Portion | None]:
        """Who may be part of a call now, and what it takes of the ration. The others are told why not."""
        for member in group:
            left = member.authority.time_left()
            if left < SHORTEST_LEASE:
                member.refuse(short_of_lease(command.operation, left))
        ready = [member for member in group if member.waits]
        if not command.is_rationed:
            return ready, None
        now = asyncio.get_running_loop().time()
        ration = self._rations.setdefault(command.operation, Ration())
        ready, late = _first(ready, most=ration.room(now))
        wait = ration.wait(now)
        for member in late:
            member.refuse(_rationed(command.operation, wait))
        return ready, ration.take(len(_ids(ready))) if ready else None

    def _account(self, command: Command, portion: Portion | None, *, did_nothing: bool) -> None:
        if portion is None:
            return
        ration = self._rations[command.operation]
        if did_nothing:
            ration.give_back(portion)
        else:
            ration.counted(portion, asyncio.get_running_loop().time())


def _ids(members: Sequence[_Member]) -> list[str]:
    """Each server once."""
    return list(dict.fromkeys(server_id for member in members for server_id in member.server_ids))


def _first(members: list[_Member], *, most: int) -> tuple[list[_Member], list[_Member]]:
    """As many as have not more than ``most`` servers together, and the rest."""
    count = 0
    for number, member in enumerate(members):
        count += len(member.server_ids)
        if count > most:
            return members[:number], members[number:]
    return members, []


def _rationed(operation: str, wait: float) -> CloudError:
    return CloudError(
        Failure(
            operation=operation,
            method="",
            outcome=Outcome.NOT_SENT,
            meaning=Meaning.THROTTLED,
            message=f"the project's {PER_MINUTE} servers for this minute are used up",
            retry_after=wait,
        )
    )
