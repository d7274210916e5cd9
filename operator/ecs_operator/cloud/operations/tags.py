"""Tags of servers as keys and values (ECS API reference 5.9)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from ecs_operator.cloud.models.tags import (
    ProjectTagsAnswer,
    ServerTagsAnswer,
    TaggedServer,
    TaggedServerCount,
    TaggedServers,
    TagQuery,
)
from ecs_operator.cloud.operation import Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

MAX_TAGS = 10
"""On one server."""
_SERVERS = "/v1/{project_id}/servers"
_TAGS = f"{_SERVERS}/{{server_id}}/tags"
_QUERY = f"{_SERVERS}/resource_instances/action"
# The dot, which some places of the reference allow in values, is not sent.
_KEY = re.compile(r"[A-Za-z0-9_\-\u4e00-\u9fff]{1,36}")
_VALUE = re.compile(r"[A-Za-z0-9_\-\u4e00-\u9fff]{0,43}")

# They change nothing, whatever their method says.
FILTER = Operation(section="5.9.2", name="filterServersByTag", method="POST", path=_QUERY, lane=Lane.RESYNC, lists=True)
COUNT = Operation(section="5.9.2", name="countServersByTag", method="POST", path=_QUERY, lane=Lane.RESYNC)
ADD = Operation(section="5.9.3", name="createServerTags", method="POST", path=f"{_TAGS}/action", kind=Kind.WRITE, lane=Lane.URGENT)
REMOVE = Operation(section="5.9.4", name="deleteServerTags", method="POST", path=f"{_TAGS}/action", kind=Kind.WRITE, lane=Lane.URGENT)
LIST_PROJECT = Operation(section="5.9.5", name="listProjectTags", method="GET", path=f"{_SERVERS}/tags", lane=Lane.RESYNC, lists=True)
LIST = Operation(section="5.9.6", name="showServerTags", method="GET", path=_TAGS)


class ServerTags:
    """Operations on tags as keys and values. All raise CloudError.

    They are the same tags as those of ``native_tags``, which see the pair k, v as ``k=v``; the reference advises not to mix the two.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def find(self, query: TagQuery, *, limit: int = 100) -> AsyncIterator[TaggedServer]:
        """5.9.2: the servers that a query is about, ``limit`` at a time. Pages are counted off, so what changes meanwhile can be missed."""
        check(FILTER, "limit", "1 to 1000", holds=1 <= limit <= 1000)
        offset = 0
        while True:
            body = {"action": "filter", "limit": str(limit), "offset": str(offset), **query.body()}
            page = (await self._session.call(FILTER, body=body)).read(TaggedServers)
            for server in page.resources:
                yield server
            offset += len(page.resources)
            if not page.resources or offset >= page.total_count:
                return

    async def count(self, query: TagQuery) -> int:
        """5.9.2: how many servers a query is about."""
        answer = await self._session.call(COUNT, body={"action": "count", **query.body()})
        return answer.read(TaggedServerCount).total_count

    async def add(self, server_id: str, tags: Mapping[str, str]) -> None:
        """5.9.3: set these tags, and leave those with other keys as they are. A server has at most 10."""
        check(ADD, "tags", f"1 to {MAX_TAGS} tags", holds=1 <= len(tags) <= MAX_TAGS)
        for key, value in tags.items():
            check(ADD, "tags[].key", "1 to 36 letters, digits, '-', '_' or Chinese characters", holds=bool(_KEY.fullmatch(key)))
            check(ADD, "tags[].value", "at most 43 letters, digits, '-', '_' or Chinese characters", holds=bool(_VALUE.fullmatch(value)))
        rows = [{"key": key, "value": value} for key, value in tags.items()]
        await self._session.call(ADD, path={"server_id": server_id}, body={"action": "create", "tags": rows})

    async def remove(self, server_id: str, tags: Mapping[str, str | None]) -> None:
        """5.9.4: remove tags by key; with a value only the tag that has it. It is no error if there is none."""
        check(REMOVE, "tags", f"1 to {MAX_TAGS} tags", holds=1 <= len(tags) <= MAX_TAGS)
        for key, value in tags.items():
            check(REMOVE, "tags[].key", "1 to 127 characters", holds=1 <= len(key) <= 127)
            check(REMOVE, "tags[].value", "at most 255 characters", holds=value is None or len(value) <= 255)
        rows = [{"key": key} if value is None else {"key": key, "value": value} for key, value in tags.items()]
        await self._session.call(REMOVE, path={"server_id": server_id}, body={"action": "delete", "tags": rows})

    async def of_project(self) -> Mapping[str, tuple[str, ...]]:
        """5.9.5: the tags in use on the project's servers, all values by key."""
        answer = await self._session.call(LIST_PROJECT)
        return {tag.key: tag.values for tag in answer.read(ProjectTagsAnswer).tags}

    async def get(self, server_id: str) -> Mapping[str, str]:
        """5.9.6: the tags of a server. If it has several of one key, given natively, the last one counts."""
        answer = await self._session.call(LIST, path={"server_id": server_id})
        return {tag.key: tag.value for tag in answer.read(ServerTagsAnswer).tags}
