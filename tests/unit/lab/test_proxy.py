"""The recording proxy: what it lets pass, what it hands to a test, what it writes down."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from ecs_lab.proxy import Answer, Call, Exchange, Proxy, json_answer, proxy


@dataclass
class Upstream:
    url: str = ""
    seen: list[str] = field(default_factory=list)
    tick: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    state = Upstream()

    async def plain(request: web.Request) -> web.Response:
        state.seen.append(f"{request.method} {request.path} {(await request.read()).decode()}")
        return web.Response(status=201, text="carried out", headers={"X-Request-Id": "r-1"})

    async def watch(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        await state.tick.wait()
        await response.write(b"second\n")
        return response

    async def zipped(_: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(b"plain text"), headers={"Content-Encoding": "gzip"})

    app = web.Application()
    app.router.add_get("/watch", watch)
    app.router.add_get("/zipped", zipped)
    app.router.add_route("*", "/{tail:.*}", plain)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield state
    finally:
        await runner.cleanup()


@asynccontextmanager
async def setup() -> AsyncIterator[tuple[Upstream, Proxy, aiohttp.ClientSession]]:
    async with upstream() as up, proxy(upstream=up.url) as px, aiohttp.ClientSession() as client:
        yield up, px, client


def post(call: Call) -> bool:
    return call.method == "POST"


async def forward_then_drop(exchange: Exchange) -> Answer | None:
    await exchange.forward()
    return None


async def drop(exchange: Exchange) -> Answer | None:
    exchange.drop()
    return None


async def refuse(_: Exchange) -> Answer | None:
    return json_answer(503, {"message": "made up"})


async def test_passes_requests_and_records_them() -> None:
    async with setup() as (up, px, client):
        async with client.post(px.url + "/a?b=1", data=b"body") as answer:
            assert (answer.status, await answer.text(), answer.headers["X-Request-Id"]) == (201, "carried out", "r-1")
        assert up.seen == ["POST /a body"]
        [record] = px.records
        assert record.call == Call(seq=1, method="POST", path="/a", query={"b": "1"}, body=b"body")
        assert (record.forwarded, record.status) == (True, 201)


async def test_passes_compressed_answers_as_they_are() -> None:
    async with setup() as (_, px, client), client.get(px.url + "/zipped") as answer:
        assert await answer.text() == "plain text"


async def test_streams_a_watch_piece_by_piece() -> None:
    async with setup() as (up, px, client), client.get(px.url + "/watch?watch=true") as answer:
        assert await answer.content.readline() == b"first\n"
        up.tick.set()
        assert await answer.content.readline() == b"second\n"


async def test_cuts_open_watches() -> None:
    async with setup() as (_, px, client), client.get(px.url + "/watch?watch=true") as answer:
        assert await answer.content.readline() == b"first\n"
        px.cut_streams()
        with pytest.raises(aiohttp.ClientError):
            await answer.content.read()


@pytest.mark.parametrize(
    ("handler", "seen", "status"),
    [
        pytest.param(forward_then_drop, 1, None, id="carried out, answer lost"),
        pytest.param(drop, 0, None, id="never arrived"),
        pytest.param(refuse, 0, 503, id="refused without effect"),
    ],
)
async def test_hands_an_exchange_over(handler: object, seen: int, status: int | None) -> None:
    async with setup() as (up, px, client):
        rule = px.on(post, handler)  # type: ignore[arg-type]
        if status is None:
            with pytest.raises(aiohttp.ClientError):
                await client.post(px.url + "/a")
        else:
            async with client.post(px.url + "/a") as answer:
                assert answer.status == status
        assert (len(up.seen), rule.hits) == (seen, 1)
        assert [(r.forwarded, r.status) for r in px.records] == [(seen == 1, status)]


async def test_carries_out_late_when_the_client_has_given_up() -> None:
    carried_out = asyncio.Event()

    async def late(exchange: Exchange) -> Answer | None:
        await exchange.client_gone()
        await exchange.forward()
        carried_out.set()
        return None

    async with setup() as (up, px, client):
        px.on(post, late)
        with pytest.raises(asyncio.TimeoutError):
            await client.post(px.url + "/a", timeout=aiohttp.ClientTimeout(total=0.1))
        await asyncio.wait_for(carried_out.wait(), 5)
        assert up.seen == ["POST /a "]


async def test_skips_and_counts() -> None:
    async with setup() as (up, px, client):
        px.on(post, refuse, skip=1, times=1)
        statuses = []
        for _ in range(3):
            async with client.post(px.url + "/a") as answer:
                statuses.append(answer.status)
        assert (statuses, len(up.seen)) == ([201, 503, 201], 2)
