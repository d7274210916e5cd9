"""Polling a condition of another process, with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ecs_lab.errors import LaboratoryError

T = TypeVar("T")


async def until(
    probe: Callable[[], Awaitable[T | None]],
    *,
    seconds: float,
    what: Callable[[], str] | str,
    every: float = 0.05,
    check: Callable[[], None] | None = None,
) -> T:
    """Ask `probe` every `every` seconds until it gives something other than None or False, and return that.

    `check` is called before each question and raises when there is no more hope, e.g. because the process has ended.
    Raises LaboratoryError with `what` after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        if check is not None:
            check()
        answer = await probe()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() >= deadline:
            raise LaboratoryError(f"{what if isinstance(what, str) else what()} (waited {seconds:g} s)")
        await asyncio.sleep(every)
