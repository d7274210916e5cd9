"""A recording proxy in front of one socket: the API server's or the cloud's.

It forwards everything, watches included, writes down every exchange, and lets a test take single exchanges into its own hands:
hold them, forward without answering, answer without forwarding, or kill a process between two of these.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"})
_CLOSED_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it arrived. ``seq`` counts the requests of this proxy from 1."""

    seq: int
    method: str
    path: str
    query: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_watch(self) -> bool:
        """A stream of events, not a single answer."""
        return self.query.get("watch") in {"true", "1"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, as it came from upstream or as a test makes one up."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What happened to one request.

    ``forwarded`` says whether upstream saw it; ``status`` is what the client was sent, None when it got no answer.
    """

    call: Call
    forwarded: bool = False
    status: int | None = None


class Exchange:
    """One request in the hands of a test."""

    def __init__(self, call: Call, *, request: web.Request, forward: Callable[[], Awaitable[Answer]]) -> None:
        self.call = call
        self._request = request
        self._forward = forward
        self.replied: int | None = None

    async def forward(self) -> Answer:
        """Let upstream carry it out; the answer is kept from the client."""
        return await self._forward()

    def drop(self) -> None:
        """Reset the connection: the client gets no answer."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def reply(self, answer: Answer) -> None:
        """Send an answer now and go on; the handler then returns None."""
        response = web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))
        await response.prepare(self._request)
        await response.write_eof()
        self.replied = answer.status

    async def client_gone(self) -> None:
        """Wait until the client has closed its side, because it gave up or is dead."""
        while self._request.transport is not None and not self._request.transport.is_closing():  # noqa: ASYNC110 - aiohttp signals no close
            await asyncio.sleep(_CLOSED_POLL_SECONDS)


Handler = Callable[[Exchange], Awaitable[Answer | None]]
"""Takes an exchange over. What it returns is sent to the client; None means that it has dropped or outlived the client."""


@dataclass(slots=True)
class Rule:
    """``skip`` matching calls pass, then ``times`` of them are handled (None: all)."""

    match: Callable[[Call], bool]
    handle: Handler
    skip: int = 0
    times: int | None = 1
    hits: int = 0
    hit: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_hit(self, *, seconds: float) -> None:
        """Until it has taken its first call; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self.hit.wait()

    def take(self, call: Call) -> bool:
        """Whether this rule handles the call; counts."""
        if self.times == 0 or not self.match(call):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        self.hit.set()
        return True


class Proxy:
    """Listens on a loopback port and forwards to ``upstream``. Use ``proxy()`` to start one."""

    def __init__(self, *, upstream: str, tls: ssl.SSLContext | None) -> None:
        self._upstream = upstream.rstrip("/")
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._rules: list[Rule] = []
        self._streams: set[asyncio.Transport] = set()
        self.records: list[Record] = []
        self.url = ""

    def on(self, match: Callable[[Call], bool], handle: Handler, *, skip: int = 0, times: int | None = 1) -> Rule:
        """Add a rule; the first that takes a call wins."""
        rule = Rule(match=match, handle=handle, skip=skip, times=times)
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget the rules; exchanges already taken go on."""
        self._rules.clear()

    def cut_streams(self) -> None:
        """Reset every watch that is open now."""
        for transport in tuple(self._streams):
            transport.abort()

    async def start(self) -> web.AppRunner:
        """Begin to listen."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._tls if self._tls is not None else True),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        return runner

    async def stop(self) -> None:
        """Close what leads upstream."""
        if self._session is not None:
            await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = Call(
            seq=len(self.records) + 1,
            method=request.method,
            path=request.path,
            query=dict(request.query),
            body=await request.read(),
        )
        record = Record(call)
        self.records.append(record)
        transport = request.transport
        if call.is_watch and transport is not None:
            self._streams.add(transport)
        try:
            return await self._take(request, call, record)
        finally:
            if transport is not None:
                self._streams.discard(transport)

    async def _take(self, request: web.Request, call: Call, record: Record) -> web.StreamResponse:
        rule = next((rule for rule in self._rules if rule.take(call)), None)
        if rule is None:
            return await self._stream(request, call, record)

        async def forward() -> Answer:
            record.forwarded = True
            async with self._open(request, call) as upstream:
                return Answer(status=upstream.status, body=await upstream.read(), headers=_end_to_end(upstream.headers))

        exchange = Exchange(call, request=request, forward=forward)
        answer = await rule.handle(exchange)
        if answer is None:
            record.status = exchange.replied
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        record.status = answer.status
        return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))

    async def _stream(self, request: web.Request, call: Call, record: Record) -> web.StreamResponse:
        record.forwarded = True
        try:
            async with self._open(request, call) as upstream:
                response = web.StreamResponse(status=upstream.status, headers=_end_to_end(upstream.headers))
                record.status = upstream.status
                await response.prepare(request)
                async for chunk in upstream.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response
        except (aiohttp.ClientError, ConnectionError):
            # Upstream is down or died within the answer, or the client left: it sees what a broken connection looks like.
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)

    @asynccontextmanager
    async def _open(self, request: web.Request, call: Call) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            msg = "the proxy is not started"
            raise RuntimeError(msg)
        async with self._session.request(
            call.method,
            self._upstream + request.raw_path,
            headers=_end_to_end(request.headers),  # Host included: request signatures cover it
            data=call.body or None,
            allow_redirects=False,
        ) as upstream:
            yield upstream


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP)


@asynccontextmanager
async def proxy(*, upstream: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """A running proxy in front of ``upstream`` (a URL); stopped when the context ends."""
    running = Proxy(upstream=upstream, tls=tls)
    runner = await running.start()
    try:
        yield running
    finally:
        running.clear()
        running.cut_streams()
        await running.stop()
        await runner.cleanup()


def json_answer(status: int, body: Any, **headers: str) -> Answer:  # noqa: ANN401 - any JSON value
    """An answer made up by a test."""
    return Answer(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json", **headers})
