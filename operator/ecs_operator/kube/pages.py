"""Lists, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from ecs_operator.engine.ports import UnavailableError
from ecs_operator.kube.connection import JSON, Connection

PAGE = 500


async def pages(
    connection: Connection,
    path: str,
    *,
    subject: str,
    timeout: float,  # noqa: ASYNC109 - a deadline for each page, kept by the connection
    accept: str = JSON,
    page: int = PAGE,
) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """The items of a consistent list, ``page`` at a time: without a resourceVersion the first page fixes one moment for all of them.

    Raises StoreError; UnavailableError also when the moment expired before the last page (410): begin again then.
    """
    query = {"limit": str(page)}
    while True:
        body = await connection.request("GET", path, subject=subject, query=query, accept=accept, timeout=timeout)
        # An empty list of metadata comes as null.
        items, metadata = body.get("items", "absent") or [], body.get("metadata")
        if not isinstance(items, list) or not isinstance(metadata, dict):
            raise UnavailableError(f"{subject}: the answer is not a list")
        yield items
        following = metadata.get("continue")
        if not following:
            return
        query = {"limit": str(page), "continue": following}
