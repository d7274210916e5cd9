"""The simulator as a running thing: both ports in one event loop, the state file beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ecs_simulator import keeper
from ecs_simulator.admin import admin_application
from ecs_simulator.routes import OPERATIONS, beyond, neighbours
from ecs_simulator.server import ApiServer
from ecs_simulator.simulator import Simulator
from ecs_simulator.statefile import Claim
from ecs_simulator.wire import listen, make_server, url_of


@dataclass(frozen=True, slots=True)
class Address:
    """Where the two ports listen; port 0 takes a free one. The admin port stays on loopback unless told otherwise."""

    host: str = "127.0.0.1"
    port: int = 0
    admin_host: str = "127.0.0.1"
    admin_port: int = 0


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that answers: its URLs and what is behind them."""

    url: str
    admin_url: str
    simulator: Simulator


@asynccontextmanager
async def serving(simulator: Simulator, address: Address | None = None, *, state: Claim | None = None) -> AsyncGenerator[Running, None]:
    """Serve a simulator while the context lasts. OSError if a port is taken.

    With a state file the world is written to it soon after every change, and at the end.
    """
    where = address or Address()
    api_socket = listen(where.host, where.port)
    try:
        admin_socket = listen(where.admin_host, where.admin_port)
    except BaseException:
        api_socket.close()
        raise
    urls = url_of(api_socket), url_of(admin_socket)
    api = make_server(ApiServer(simulator, (*OPERATIONS, *beyond.OPERATIONS, *neighbours.OPERATIONS)))
    admin = make_server(admin_application(simulator, api_url=urls[0]))
    servers = [asyncio.create_task(api.serve([api_socket])), asyncio.create_task(admin.serve([admin_socket]))]
    keeping = asyncio.create_task(keeper.keep(simulator, state)) if state is not None else None
    try:
        await asyncio.gather(api.ready.wait(), admin.ready.wait())
        yield Running(url=urls[0], admin_url=urls[1], simulator=simulator)
    finally:
        simulator.close()
        api.stop()
        admin.stop()
        await asyncio.gather(*servers, return_exceptions=True)
        if state is not None and keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            keeper.write(simulator, state)
