"""Seats: how many passes are at work at a time. A pass that only waits for others steps aside, and somebody else sits down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar


class _Seat:
    """The seat of one pass. While it is not taken, the pass stands aside."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self.is_taken = False

    async def take(self) -> None:
        await self._seats.free.acquire()
        self.is_taken = True

    def leave(self) -> None:
        if self.is_taken:
            self.is_taken = False
            self._seats.free.release()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Leave it, and take one again afterwards, after an error too. Who is cancelled ends without one."""
        self.leave()
        self._seats.aside += 1
        try:
            self._seats.on_aside()
            yield
        except Exception:
            await self._back()
            raise
        except BaseException:
            self._seats.aside -= 1
            raise
        else:
            await self._back()

    async def _back(self) -> None:
        self._seats.aside -= 1
        await self.take()


_SEAT: ContextVar[_Seat | None] = ContextVar("ecs_operator_seat", default=None)


class Seats:
    """At most ``number`` passes are at work; any number may stand aside, each of which still holds its key."""

    def __init__(self, number: int, *, on_aside: Callable[[], None]) -> None:
        """``on_aside`` is called when a pass steps aside: it takes a worker more to make use of the seat."""
        self.number = number
        self.aside = 0
        self.free = asyncio.Semaphore(number)
        self.on_aside = on_aside

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Sit down for one pass; waits for a free seat."""
        seat = _Seat(self)
        await seat.take()
        token = _SEAT.set(seat)
        try:
            yield
        finally:
            _SEAT.reset(token)
            seat.leave()


@asynccontextmanager
async def aside() -> AsyncIterator[None]:
    """Let others work while this pass waits for something that needs them, such as a call they share. Outside a pass it does nothing."""
    seat = _SEAT.get()
    if seat is None or not seat.is_taken:
        yield
        return
    async with seat.lent():
        yield
