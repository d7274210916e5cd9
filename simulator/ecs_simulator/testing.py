"""The simulator inside a test: on free loopback ports, in the running loop or in a thread of its own.

    async with simulated_cloud() as cloud:      # in an async test
    with simulated_cloud_thread() as cloud:     # in any other

``cloud.world`` is the world itself. Under ``simulated_cloud_thread`` touch it only within ``cloud.run(function)``, which runs the function
in the simulator's thread between two requests.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from ecs_simulator.process import Running, serving
from ecs_simulator.simulator import Simulator
from ecs_simulator.world import World

T = TypeVar("T")
START_SECONDS = 20


@dataclass(frozen=True, slots=True)
class SimulatedCloud:
    """A running simulator: ``url`` serves IAM and ECS, ``admin_url`` the ``/_sim/…`` calls."""

    url: str
    admin_url: str
    simulator: Simulator
    loop: asyncio.AbstractEventLoop

    @property
    def world(self) -> World:
        """The present world; a reset or restore replaces it."""
        return self.simulator.world

    def run(self, function: Callable[[World], T]) -> T:
        """Run a function on the world in the simulator's thread and return what it returns."""

        async def within() -> T:
            return function(self.simulator.world)

        return asyncio.run_coroutine_threadsafe(within(), self.loop).result(START_SECONDS)


@asynccontextmanager
async def simulated_cloud(
    *, seed: Mapping[str, Any] | None = None, simulator: Simulator | None = None
) -> AsyncGenerator[SimulatedCloud, None]:
    """Serve a simulator in the running loop."""
    async with serving(simulator or Simulator(seed=seed)) as running:
        yield _cloud(running, asyncio.get_running_loop())


@contextmanager
def simulated_cloud_thread(*, seed: Mapping[str, Any] | None = None) -> Generator[SimulatedCloud, None, None]:
    """Serve a simulator in a thread of its own."""
    started: list[SimulatedCloud] = []
    failed: list[BaseException] = []
    ready = threading.Event()
    stop: list[Callable[[], object]] = []

    async def live() -> None:
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with serving(Simulator(seed=seed)) as running:
            started.append(_cloud(running, loop))
            stop.append(lambda: loop.call_soon_threadsafe(end.set))
            ready.set()
            await end.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:  # noqa: BLE001
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="simulated-cloud", daemon=True)
    thread.start()
    ready.wait(START_SECONDS)
    if failed or not started:
        raise RuntimeError("the simulator did not start") from (failed[0] if failed else None)
    try:
        yield started[0]
    finally:
        stop[0]()
        thread.join(START_SECONDS)


def _cloud(running: Running, loop: asyncio.AbstractEventLoop) -> SimulatedCloud:
    return SimulatedCloud(url=running.url, admin_url=running.admin_url, simulator=running.simulator, loop=loop)
