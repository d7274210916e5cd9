"""The wire under the application: listening sockets, the servers on them, and the ways to leave a client without a proper answer."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

TRANSPORT = "ecs_simulator.transport"
# As long as a usual gateway keeps an idle connection.
KEEP_ALIVE_SECONDS = 75
# A delayed request may be under way when the process is told to end; it is lost then, as in a crash.
GRACE_SECONDS = 1


class TransportProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also hands the connection itself to the application: faults happen below HTTP."""

    def on_message_begin(self) -> None:
        """Add the transport to the scope of the request that begins."""
        super().on_message_begin()
        cast("Scope", self.scope)[TRANSPORT] = self.transport


class QuietServer(uvicorn.Server):
    """A server that leaves signals to its owner, says when it listens, and ends when it is told to, not at its next look at a flag."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._told = asyncio.Event()

    def stop(self) -> None:
        """Tell it to end."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        """Wait to be told."""
        await self._told.wait()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the process's signal handlers alone: two servers share one process."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets=sockets)
        self.ready.set()


def make_server(application: Application) -> QuietServer:
    """Return a server for an application; it is to be served on a socket of ``listen``."""
    return QuietServer(
        uvicorn.Config(
            application,
            http=TransportProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to host and port; port 0 takes a free one. OSError says which address could not be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the protocol's number asyncio does not switch Nagle's algorithm off, and every answer waits 40 ms for an acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        way_out = "; give another port, 0 takes a free one" if error.errno == errno.EADDRINUSE else ""
        raise OSError(error.errno, f"cannot listen on {host} port {port}: {error.strerror}{way_out}") from error
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def drop(scope: Scope, receive: Receive) -> None:
    """Close the connection without an answer."""
    scope[TRANSPORT].close()
    await _gone(receive)


async def reset(scope: Scope, receive: Receive) -> None:
    """Reset the connection: the client sees ECONNRESET, not an end of file."""
    transport = scope[TRANSPORT]
    bound = transport.get_extra_info("socket")
    if bound is not None:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _gone(receive)


async def truncate(scope: Scope, receive: Receive, *, status: int, headers: list[tuple[bytes, bytes]], body: bytes, length: int) -> None:
    """Promise the whole body, send only ``length`` bytes of it, and close."""
    head = b"HTTP/1.1 %d \r\n" % status + b"".join(b"%b: %b\r\n" % header for header in headers)
    scope[TRANSPORT].write(head + b"\r\n" + body[:length])
    scope[TRANSPORT].close()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    # The server takes a return without an answer for a mistake, unless it has seen the connection go.
    while (await receive())["type"] != "http.disconnect":
        pass
