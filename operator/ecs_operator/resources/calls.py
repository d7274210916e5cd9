"""Two rules for calls to the cloud: an absent thing is an answer, and nothing is changed without the lease."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ecs_operator.cloud import CloudError, Failure, Meaning, Outcome
from ecs_operator.engine.ports import Authority

SHORTEST_LEASE = 10.0
"""Seconds of the lease that must be left for a change: with less, another operator could be at work before it is answered."""

_T = TypeVar("_T")


def is_absent(error: CloudError) -> bool:
    """The cloud says for certain that there is no such thing."""
    return error.outcome is Outcome.REFUSED and error.meaning is Meaning.NOT_FOUND


async def found(call: Awaitable[_T]) -> _T | None:
    """The answer of a read, None when the cloud says that there is no such thing. Raises CloudError for everything else."""
    try:
        return await call
    except CloudError as error:
        if is_absent(error):
            return None
        raise


async def change(authority: Authority, send: Callable[[], Awaitable[_T]], *, operation: str) -> _T:
    """Make one call that changes the cloud, while the lease is certainly held. Raises CloudError.

    It is not sent when too little of the lease is left, and given up, with an unknown outcome, when the lease runs out meanwhile.
    """
    left = authority.time_left()
    if left < SHORTEST_LEASE:
        raise short_of_lease(operation, left)
    try:
        async with asyncio.timeout(left):
            return await send()
    except TimeoutError:
        text = "no answer before the lease could be lost"
        raise unanswered(operation, Outcome.UNKNOWN, Meaning.UNREACHABLE, text) from None


def short_of_lease(operation: str, left: float) -> CloudError:
    """A call is not sent, because too little of the lease is left for it."""
    text = f"the lease is held for {max(left, 0.0):.0f} s only"
    return unanswered(operation, Outcome.NOT_SENT, Meaning.TRANSIENT, text)


def unanswered(operation: str, outcome: Outcome, meaning: Meaning, message: str) -> CloudError:
    """The error for a call that the cloud did not answer, by our own doing."""
    return CloudError(Failure(operation=operation, method="", outcome=outcome, meaning=meaning, message=message))
