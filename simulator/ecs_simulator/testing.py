"""The simulator inside a test: on free loopback ports, in the running loop or in a thread of its own.

    async with simulated_cloud() as cloud:      # in an async test
    with simulated_cloud_thread() as cloud:     # in any other
    def test(ecs_cloud): ...                    # with pytest, which finds this fixture by itself (pytest_plugin.py)

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

from ecs_simulator.environment import environment
from ecs_simulator.process import Running, serving
from ecs_simulator.simulator import Simulator
from ecs_simulator.world import World
from ecs_simulator.world.seeding import account_of

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
        """Run a function on the world in the simulator's thread and return what it returns. The world is settled before and after."""

        def within() -> T:
            self.simulator.world.settle()
            result = function(self.simulator.world)
            self.simulator.world.settle()
            return result

        async def there() -> T:
            return within()

        try:
            is_here = asyncio.get_running_loop() is self.loop
        except RuntimeError:
            is_here = False
        return within() if is_here else asyncio.run_coroutine_threadsafe(there(), self.loop).result(START_SECONDS)

    def advance(self, seconds: float) -> None:
        """Let the world's time pass, and everything happen that is due by then."""
        self.run(lambda world: world.clock.advance(seconds))

    def freeze(self) -> None:
        """Let the world's time stand still, so that only ``advance`` moves it."""
        self.run(lambda world: world.clock.set_mode("frozen"))

    def account(self, project: str | None = None) -> dict[str, Any]:
        """Return what is needed to log in to a project, given by id or name or else the first, and to make a server there."""

        def found(world: World) -> dict[str, Any]:
            for each in world.projects.values():
                if project in {None, each.id, each.name}:
                    return account_of(world, each)
            raise LookupError(f"there is no project {project}")

        return self.run(found)

    def environment(self, project: str | None = None) -> dict[str, str]:
        """Return the environment variables by which other tools find this cloud, as ``ecs-simulator env`` prints them."""
        return environment(self.account(project), api=self.url)


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
