"""What only happens on the wire: bytes that are no HTTP, bodies that do not come, clients that go. Nothing hangs, nobody else notices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from ecs_simulator.testing import SimulatedCloud, simulated_cloud
from tests.contract.fuzz.verdict import refusal_problems
from tests.contract.invariants import assert_consistent
from tests.contract.simulator_http.stage import PASSWORD, PROJECT

CREATE = f"/v1/{PROJECT}/cloudservers"
LIST = f"/v2.1/{PROJECT}/servers"
# Longer than any answer takes on a busy machine; a connection that is open still is left hanging.
PATIENCE = 10


class Part(NamedTuple):
    """An answer on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """A running simulator and a token for it."""

    cloud: SimulatedCloud
    token: str

    async def exchange(self, raw: bytes, *, ends: bool = False) -> list[Part]:
        """Send bytes and read until the other side closes; ``ends`` closes our direction first, as a client does that gives up."""
        parts = urlsplit(self.cloud.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(raw.replace(b"$TOKEN", self.token.encode()))
            if ends:
                writer.write_eof()
            async with asyncio.timeout(PATIENCE):
                return _parts(await reader.read())
        finally:
            writer.transport.abort()

    async def assert_well(self) -> None:
        """Fail unless the simulator answers and its world is as it should be."""
        async with httpx.AsyncClient(base_url=self.cloud.url, trust_env=False) as client:
            answer = await client.get(LIST, headers={"X-Auth-Token": self.token})
        assert (answer.status_code, answer.json()["servers"]) == (200, [])
        assert_consistent(self.cloud.world)


@pytest_asyncio.fixture
async def wire() -> AsyncIterator[Wire]:
    async with simulated_cloud() as cloud, httpx.AsyncClient(base_url=cloud.url, trust_env=False) as client:
        user = {"name": "lab-user", "password": PASSWORD, "domain": {"name": "lab"}}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": {"id": PROJECT}}}
        answer = await client.post("/v3/auth/tokens", json={"auth": auth})
        yield Wire(cloud, answer.headers["X-Subject-Token"])


def _parts(raw: bytes) -> list[Part]:
    """Take apart what came back: every answer here says how long it is."""
    found = []
    while raw:
        head, blank, rest = raw.partition(b"\r\n\r\n")
        assert blank, f"half an answer: {raw[:100]!r}"
        first, *lines = head.split(b"\r\n")
        headers = {name.decode().lower(): value.strip().decode() for name, _, value in (line.partition(b":") for line in lines)}
        # Whoever is no HTTP client is told so without further ado.
        length = int(headers["content-length"]) if "content-length" in headers else len(rest)
        found.append(Part(int(first.split(b" ")[1]), headers, rest[:length]))
        raw = rest[length:]
    return found


def _request(line: str, *headers: str, body: bytes = b"", close: bool = True) -> bytes:
    lines = [line, "Host: cloud.test", "X-Auth-Token: $TOKEN", *(["Connection: close"] if close else []), *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


_JSON = "Content-Type: application/json"
# By the status of the documented refusal; what is beyond HTTP has none.
REFUSED: dict[str, tuple[bytes, int]] = {
    "a method that is none": (_request(f"FOO {LIST} HTTP/1.1"), 400),
    "a method of another path": (_request(f"DELETE {LIST} HTTP/1.1"), 405),
    "no path there": (_request("GET /v1/nonsense HTTP/1.1"), 404),
    "the star": (_request("OPTIONS * HTTP/1.1"), 405),
    "the whole URL": (_request(f"GET http://cloud.test{CREATE}/x HTTP/1.1"), 404),
    "a fragment": (_request(f"GET {CREATE}/x#y HTTP/1.1"), 404),
    "no length and no body": (_request(f"POST {CREATE} HTTP/1.1", _JSON), 400),
    "a length of nothing": (_request(f"POST {CREATE} HTTP/1.1", _JSON, "Content-Length: 0"), 400),
    "another coding": (_request(f"POST {CREATE} HTTP/1.1", _JSON, "Content-Encoding: gzip", "Content-Length: 2", body=b"\x1f\x8b"), 400),
    "chunks of nonsense": (_request(f"POST {CREATE} HTTP/1.1", _JSON, "Transfer-Encoding: chunked", body=b"3\r\n{]}\r\n0\r\n\r\n"), 400),
    "chunks with a trailer": (
        _request(f"POST {CREATE} HTTP/1.1", _JSON, "Transfer-Encoding: chunked", body=b"2\r\n[]\r\n0\r\nX-More: y\r\n\r\n"),
        400,
    ),
    "a token twice": (_request(f"GET {LIST} HTTP/1.1", "X-Auth-Token: other"), 401),
    "HTTP/1.0": (f"GET {LIST} HTTP/1.0\r\n\r\n".encode(), 401),
    "no host": (f"GET {LIST} HTTP/1.1\r\nConnection: close\r\n\r\n".encode(), 401),
    "an upgrade": (_request(f"GET {CREATE}/x HTTP/1.1", "Upgrade: websocket", "Sec-WebSocket-Key: x"), 404),
    "many headers": (_request("GET /v1/nonsense HTTP/1.1", *(f"X-{number}: y" for number in range(2000))), 404),
    "a long header": (_request("GET /v1/nonsense HTTP/1.1", "X-Long: " + "y" * 50_000), 404),
    "a long path": (_request(f"GET /v1/{'x' * 50_000} HTTP/1.1"), 404),
    "a body with a GET": (_request("GET /v1/nonsense HTTP/1.1", "Content-Length: 5", body=b"hello"), 404),
    "bytes in headers": (_request("GET /v1/nonsense HTTP/1.1", "X-Odd: \xff\xfe\x80"), 404),
}
NO_HTTP: dict[str, bytes] = {
    "nonsense": b"nonsense\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "zeros": b"\x00" * 1000,
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "a header without colon": b"GET / HTTP/1.1\r\nHost x\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-Odd: a\x00b\r\n\r\n",
    "a negative length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a length and chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "a tunnel": b"CONNECT cloud.test:443 HTTP/1.1\r\nHost: cloud.test\r\n\r\n",
}
GONE: dict[str, bytes] = {
    "at once": b"",
    "in the request line": b"GET /v1",
    "in the headers": f"GET {LIST} HTTP/1.1\r\nHost: x\r\nX-Auth".encode(),
    "in the body": _request(f"POST {CREATE} HTTP/1.1", _JSON, "Content-Length: 100", body=b'{"server": '),
    "in a chunk": _request(f"POST {CREATE} HTTP/1.1", _JSON, "Transfer-Encoding: chunked", body=b'40\r\n{"server'),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused(wire: Wire, case: str) -> None:
    raw, status = REFUSED[case]
    (answer,) = await wire.exchange(raw)
    assert answer.status == status, answer
    if answer.headers.get("content-type") == "application/json":
        target = raw.split(b" ")[1].decode().removeprefix("http://cloud.test")
        assert list(refusal_problems(target, status, json.loads(answer.body))) == []
    else:
        # Only what the HTTP parser itself takes no part in.
        assert case == "a method that is none"
    await wire.assert_well()


@pytest.mark.parametrize("case", NO_HTTP)
async def test_no_http(wire: Wire, case: str) -> None:
    answers = await wire.exchange(NO_HTTP[case], ends=True)
    assert len(answers) <= 1
    for answer in answers:
        assert 400 <= answer.status < 500, answer
        assert not answer.body.lstrip().startswith(b"<")
        assert b"Traceback" not in answer.body
    await wire.assert_well()


@pytest.mark.parametrize("case", GONE)
async def test_clients_that_go(wire: Wire, case: str) -> None:
    answers = await wire.exchange(GONE[case], ends=True)
    assert [answer.status for answer in answers if answer.status not in {400, 408}] == []
    await wire.assert_well()


async def test_one_after_the_other_on_one_connection(wire: Wire) -> None:
    """What is refused does not close the connection, and answers come in the order of their requests."""
    first = _request(f"POST {CREATE} HTTP/1.1", _JSON, "Content-Length: 1", body=b"{", close=False)
    second = _request(f"GET {LIST} HTTP/1.1", close=False)
    third = _request("GET /v1/nonsense HTTP/1.1")
    assert [answer.status for answer in await wire.exchange(first + second + third)] == [400, 200, 404]


async def test_head_has_no_body(wire: Wire) -> None:
    (answer,) = _without_bodies(await _bytes_of(wire, _request(f"HEAD {LIST} HTTP/1.1")))
    assert answer == 405


async def test_a_body_that_is_waited_for_is_asked_for(wire: Wire) -> None:
    body = b'{"server": {}}'
    raw = _request(f"POST {CREATE} HTTP/1.1", _JSON, "Expect: 100-continue", f"Content-Length: {len(body)}", body=body)
    assert _without_bodies(await _bytes_of(wire, raw))[-1] == 400


async def test_a_huge_body_is_refused_and_the_next_caller_served(wire: Wire) -> None:
    size = 33 * 1024 * 1024
    raw = _request(f"POST {CREATE} HTTP/1.1", _JSON, f"Content-Length: {size}", body=b" " * size)
    (answer,) = await wire.exchange(raw)
    assert answer.status == 413
    assert list(refusal_problems(CREATE, 413, json.loads(answer.body))) == []
    await wire.assert_well()


async def test_a_caller_who_dawdles_holds_nobody_up(wire: Wire) -> None:
    parts = urlsplit(wire.cloud.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(_request(f"POST {CREATE} HTTP/1.1", _JSON, "Content-Length: 100", body=b"{").replace(b"$TOKEN", wire.token.encode()))
    await writer.drain()
    await asyncio.gather(*(wire.assert_well() for _ in range(5)))
    writer.write(b" " * 99)
    async with asyncio.timeout(PATIENCE):
        (answer,) = _parts(await reader.read())
    writer.close()
    assert answer.status == 400


async def _bytes_of(wire: Wire, raw: bytes) -> bytes:
    parts = urlsplit(wire.cloud.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(raw.replace(b"$TOKEN", wire.token.encode()))
    async with asyncio.timeout(PATIENCE):
        found = await reader.read()
    writer.close()
    return found


def _without_bodies(raw: bytes) -> list[int]:
    """Return the statuses of answers of which none has a body before the last."""
    return [int(line.split(b" ")[1]) for line in raw.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
