"""A complete list of a project's servers, and how far it can be trusted (ECS API reference 6.2.5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from ecs_operator.cloud.errors import CloudError
from ecs_operator.cloud.models.servers import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. ``unreadable`` rows carried no id or no metadata, so nothing can be said about them.

    ``last_id`` is the marker of the next page, empty on an empty page; ``has_next`` tells whether the cloud announced one.
    ``cloud_time`` is the cloud's clock when it answered, None when it did not say.
    """

    servers: tuple[Server, ...]
    unreadable: int = 0
    last_id: str = ""
    has_next: bool = False
    cloud_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """All servers that were listed. Only a complete sweep is evidence that something is absent.

    ``problem`` says in one line why it is not complete. ``cloud_time`` is the cloud's clock at the first page.
    """

    servers: tuple[Server, ...]
    complete: bool
    problem: str = ""
    cloud_time: datetime | None = None


async def collect(pages: AsyncIterator[Page]) -> Sweep:
    """Read the pages to the end. Raises CloudError only when not even the first one came."""
    servers: dict[str, Server] = {}
    problems: list[str] = []
    is_first, ended = True, False
    cloud_time: datetime | None = None
    try:
        async for page in pages:
            cloud_time = page.cloud_time if is_first else cloud_time
            is_first = False
            servers.update((server.id, server) for server in page.servers)
            unknown = page.unreadable + sum(not server.is_known for server in page.servers)
            if unknown:
                problems.append(f"{unknown} rows of unknown state")
            ended = not page.last_id and not page.has_next
    except CloudError as error:
        if is_first:
            raise
        problems.append(f"a page is missing: {error}")
    if not ended and not problems:
        problems.append("the list did not end with an empty page")
    return Sweep(servers=tuple(servers.values()), complete=ended and not problems, problem="; ".join(problems), cloud_time=cloud_time)
