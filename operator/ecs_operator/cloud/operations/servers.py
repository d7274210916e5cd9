"""Servers: their life, power and size, and how they are listed (ECS API reference 5.1, 5.2, 5.3, 6.2, 6.3)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import Field, ValidationError

from ecs_operator.cloud.errors import Meaning, Outcome
from ecs_operator.cloud.failures import failed
from ecs_operator.cloud.models.catalog import Links
from ecs_operator.cloud.models.create import CreateServers
from ecs_operator.cloud.models.jobs import JobAccepted, JobAcceptedAnswer
from ecs_operator.cloud.models.native_create import CreatedServers, NativeCreate
from ecs_operator.cloud.models.servers import Server, ServerName, ServerRow
from ecs_operator.cloud.models.wire import Answer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import batch, check
from ecs_operator.cloud.operations.server_filter import ServerFilter
from ecs_operator.cloud.session import CloudAnswer, Session
from ecs_operator.cloud.sweep import Page, Sweep, collect

_SERVERS = "/v1/{project_id}/cloudservers"
_NATIVE = "/v2.1/{project_id}/servers"
_MOST_PAGES = 2000

CREATE = Operation(section="5.1.1", name="createServers", method="POST", path=_SERVERS, kind=Kind.CREATE, lane=Lane.CREATE)
DELETE = Operation(section="5.1.2", name="deleteServers", method="POST", path=f"{_SERVERS}/delete", kind=Kind.WRITE, lane=Lane.URGENT)
RESIZE = Operation(
    section="5.2.4", name="resizeServer", method="POST", path=f"{_SERVERS}/{{server_id}}/resize", kind=Kind.WRITE, lane=Lane.URGENT
)
START = Operation(section="5.3.1", name="startServers", method="POST", path=f"{_SERVERS}/action", kind=Kind.WRITE, lane=Lane.URGENT)
REBOOT = Operation(section="5.3.2", name="rebootServers", method="POST", path=f"{_SERVERS}/action", kind=Kind.WRITE, lane=Lane.URGENT)
STOP = Operation(section="5.3.3", name="stopServers", method="POST", path=f"{_SERVERS}/action", kind=Kind.WRITE, lane=Lane.URGENT)
CREATE_NATIVE = Operation(
    section="6.2.1",
    name="createServer",
    method="POST",
    path=_NATIVE,
    family=Family.NOVA,
    kind=Kind.CREATE,
    lane=Lane.CREATE,
    microversion=MICROVERSION_HIGHEST,
)
UPDATE = Operation(
    section="6.2.2",
    name="updateServer",
    method="PUT",
    path=f"{_NATIVE}/{{server_id}}",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)
DELETE_NATIVE = Operation(
    section="6.2.3",
    name="deleteServer",
    method="DELETE",
    path=f"{_NATIVE}/{{server_id}}",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)
LIST_NAMES = Operation(
    section="6.2.4",
    name="listServers",
    method="GET",
    path=_NATIVE,
    family=Family.NOVA,
    lane=Lane.RESYNC,
    lists=True,
    microversion=MICROVERSION_HIGHEST,
)
LIST = Operation(
    section="6.2.5",
    name="listServersDetails",
    method="GET",
    path=f"{_NATIVE}/detail",
    family=Family.NOVA,
    lane=Lane.RESYNC,
    lists=True,
    microversion=MICROVERSION_HIGHEST,
)
SHOW = Operation(
    section="6.2.6",
    name="showServer",
    method="GET",
    path=f"{_NATIVE}/{{server_id}}",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)


class _ServerAnswer(Answer):
    server: ServerRow


class _ServerPage(Answer):
    """The rows are read one by one, so that a broken one does not hide the others."""

    servers: tuple[Mapping[str, object], ...]
    links: Links = Field(alias="servers_links", default=())

    def last_id(self) -> str:
        """The marker of the next page: the last id there is; empty on an empty page."""
        ids = [identity for row in self.servers if isinstance(identity := row.get("id"), str)]
        return ids[-1] if ids else ""


class _NamePage(Answer):
    servers: tuple[ServerName, ...]


class Servers:
    """Operations on servers. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, request: CreateServers, *, client_token: str | None, deadline: float | None = None) -> JobAccepted:
        """5.1.1: start creating servers. Sent once, within ``deadline`` seconds (60 by default), waiting included.

        ``client_token`` (a UUID) makes endpoints that know it answer a repeated request as the first time.
        """
        headers = {"X-Client-Token": client_token} if client_token else {}
        answer = await self._session.call(CREATE, body=request.body(), headers=headers, deadline=deadline, secrets=request.secrets())
        return answer.read(JobAcceptedAnswer).accepted()

    async def delete(self, server_ids: Iterable[str], *, delete_public_ip: bool, delete_volume: bool) -> JobAccepted:
        """5.1.2: start deleting 1 to 1000 servers. ``delete_volume`` concerns all data disks attached to them."""
        servers = batch(DELETE, "servers", server_ids)
        body = {"servers": servers, "delete_publicip": delete_public_ip, "delete_volume": delete_volume}
        return await self._job(DELETE, body)

    async def start(self, server_ids: Iterable[str]) -> JobAccepted:
        """5.3.1: start 1 to 1000 servers."""
        return await self._job(START, {"os-start": {"servers": batch(START, "os-start.servers", server_ids)}})

    async def stop(self, server_ids: Iterable[str], mode: Literal["SOFT", "HARD"]) -> JobAccepted:
        """5.3.3: stop 1 to 1000 servers, softly or by pulling the plug."""
        return await self._job(STOP, {"os-stop": {"type": mode, "servers": batch(STOP, "os-stop.servers", server_ids)}})

    async def reboot(self, server_ids: Iterable[str], mode: Literal["SOFT", "HARD"]) -> JobAccepted:
        """5.3.2: reboot 1 to 1000 servers."""
        return await self._job(REBOOT, {"reboot": {"type": mode, "servers": batch(REBOOT, "reboot.servers", server_ids)}})

    async def resize(self, server_id: str, flavor: str, *, dedicated_host_id: str | None = None) -> JobAccepted:
        """5.2.4: give a stopped server another flavor. Servers on a dedicated host must name it (``Ecs.0803``)."""
        check(RESIZE, "resize.flavorRef", "must not be empty", holds=bool(flavor))
        resize = {"flavorRef": flavor} | ({"dedicated_host_id": dedicated_host_id} if dedicated_host_id else {})
        return await self._job(RESIZE, {"resize": resize}, path={"server_id": server_id})

    async def check_resize(self, server_id: str, flavor: str) -> None:
        """5.2.4: check with the cloud whether a server could have another flavor, and change nothing."""
        check(RESIZE, "resize.flavorRef", "must not be empty", holds=bool(flavor))
        await self._session.call(RESIZE, path={"server_id": server_id}, body={"resize": {"flavorRef": flavor}, "dry_run": True})

    async def create_native(self, request: NativeCreate) -> CreatedServers:
        """6.2.1: start creating servers natively: without a job, and what goes wrong later is left behind in ERROR. Sent once."""
        answer = await self._session.call(CREATE_NATIVE, body=request.body(), secrets=request.secrets())
        return answer.read(CreatedServers)

    async def delete_native(self, server_id: str) -> None:
        """6.2.3: start deleting a server natively. Its disks go as they were attached; ports that it was given by their id stay."""
        await self._session.call(DELETE_NATIVE, path={"server_id": server_id})

    async def names(self, *, limit: int = 1000, only: ServerFilter | None = None) -> tuple[ServerName, ...]:
        """6.2.4: all servers by id and name, in the order of the list."""
        servers: dict[str, ServerName] = {}
        async with aclosing(self._walk(LIST_NAMES, limit=limit, only=only)) as pages:
            async for answer, _ in pages:
                servers.update((row.id, row) for row in answer.read(_NamePage).servers)
        return tuple(servers.values())

    async def get(self, server_id: str) -> Server:
        """6.2.6: one server."""
        answer = await self._session.call(SHOW, path={"server_id": server_id})
        return answer.read(_ServerAnswer).server.server()

    async def pages(
        self, *, limit: int = 100, changes_since: str | None = None, only: ServerFilter | None = None
    ) -> AsyncIterator[tuple[Server, ...]]:
        """6.2.5: all servers, page by page; with ``changes_since`` (ISO 8601) those that changed after it, deleted ones too."""
        wanted = replace(only or ServerFilter(), changes_since=changes_since) if changes_since else only
        async with aclosing(self._pages(limit=limit, only=wanted)) as pages:
            async for page in pages:
                if page.servers:
                    yield page.servers

    async def sweep(self, *, limit: int = 100, changes_since: str | None = None) -> Sweep:
        """6.2.5: all servers, and whether the list is complete. Raises only when not even the first page came.

        With ``changes_since`` (ISO 8601) only those that changed after it, deleted ones with status DELETED.
        """
        only = ServerFilter(changes_since=changes_since) if changes_since else None
        async with aclosing(self._pages(limit=limit, only=only)) as pages:
            return await collect(pages)

    async def update(self, server_id: str, *, name: str | None = None, description: str | None = None) -> Server:
        """6.2.2: rename or describe a server, without effect on what runs in it."""
        check(UPDATE, "server.name", "1 to 255 characters", holds=name is None or 1 <= len(name) <= 255)
        fits = description is None or len(description.encode()) <= 255
        check(UPDATE, "server.description", "at most 255 bytes", holds=fits)
        changes = {"name": name, "description": description}
        body = {"server": {key: value for key, value in changes.items() if value is not None}}
        check(UPDATE, "server", "name or description must be given", holds=bool(body["server"]))
        answer = await self._session.call(UPDATE, path={"server_id": server_id}, body=body)
        return answer.read(_ServerAnswer).server.server()

    async def _job(self, operation: Operation, body: Mapping[str, object], *, path: Mapping[str, str] | None = None) -> JobAccepted:
        answer = await self._session.call(operation, path=path, body=body)
        return answer.read(JobAcceptedAnswer).accepted()

    async def _pages(self, *, limit: int, only: ServerFilter | None) -> AsyncGenerator[Page, None]:
        """The pages of 6.2.5; the last one yielded is empty, unless there is but one."""
        async with aclosing(self._walk(LIST, limit=limit, only=only)) as pages:
            async for answer, page in pages:
                yield _read(page, cloud_time=answer.raw.date)

    async def _walk(
        self, operation: Operation, *, limit: int, only: ServerFilter | None
    ) -> AsyncGenerator[tuple[CloudAnswer, _ServerPage], None]:
        """Pages until an empty one without a next link: a short page is not the last. A list by image is one page (6.2.4)."""
        check(operation, "limit", "1 to 1000", holds=1 <= limit <= 1000)
        wanted = only.query(operation) if only is not None else {}
        if "image" in wanted:
            answer = await self._session.call(operation, query=wanted)
            yield answer, answer.read(_ServerPage)
            return
        markers: set[str] = set()
        query = {"limit": str(limit), **wanted}
        while True:
            answer = await self._session.call(operation, query=query)
            page = answer.read(_ServerPage)
            yield answer, page
            last_id, has_next = page.last_id(), any(link.rel == "next" for link in page.links)
            if not last_id and not has_next:
                return
            if not last_id or last_id in markers or len(markers) >= _MOST_PAGES:
                problem = "the list of servers has no end: the same page again, none where one was announced, or too many"
                raise failed(answer.call, outcome=Outcome.UNKNOWN, meaning=Meaning.INTERNAL, message=problem, answer=answer.raw)
            markers.add(last_id)
            query = {**query, "marker": last_id}


def _read(page: _ServerPage, *, cloud_time: datetime | None) -> Page:
    servers, unreadable = [], 0
    for row in page.servers:
        try:
            servers.append(ServerRow.model_validate(row).server())
        except ValidationError:
            unreadable += 1
    has_next = any(link.rel == "next" for link in page.links)
    return Page(servers=tuple(servers), unreadable=unreadable, last_id=page.last_id(), has_next=has_next, cloud_time=cloud_time)
