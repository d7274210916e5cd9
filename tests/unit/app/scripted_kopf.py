"""kopf replaced by a script, where the supervision around it is what is tested."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Script = Callable[..., Awaitable[None]]


def as_root_task(script: Script) -> Callable[..., Awaitable[list[asyncio.Task[None]]]]:
    """A stand-in for ``kopf.spawn_tasks`` with the script as the one task that runs as long as kopf does."""

    async def spawn(**options: Any) -> list[asyncio.Task[None]]:
        async def root() -> None:
            await script(**options)

        return [asyncio.create_task(root())]

    return spawn
