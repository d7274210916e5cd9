"""Fixtures for pytest, found by it wherever this distribution is installed. Nothing of the simulator is imported before one is used.

    def test_mine(ecs_cloud):
        client = MyClient(ecs_cloud.url, **ecs_cloud.environment())

They serve sync and async tests alike: the simulator runs in a thread of its own.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ecs_simulator.testing import SimulatedCloud


@pytest.fixture
def ecs_seed() -> Mapping[str, Any] | None:
    """Return the seed of ``ecs_cloud``, None for the default world. Define a fixture of this name to start with another."""
    return None


@pytest.fixture
def ecs_cloud(ecs_seed: Mapping[str, Any] | None) -> Generator[SimulatedCloud, None, None]:
    """Serve a simulated cloud with a fresh world for one test."""
    from ecs_simulator.testing import simulated_cloud_thread  # noqa: PLC0415 -- pytest must not pay for it unless it is used

    with simulated_cloud_thread(seed=ecs_seed) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def ecs_shared_cloud() -> Generator[SimulatedCloud, None, None]:
    """Serve one simulated cloud for all tests that ask for it; give each a project of its own (``world.add_project``)."""
    from ecs_simulator.testing import simulated_cloud_thread  # noqa: PLC0415 -- as above

    with simulated_cloud_thread() as cloud:
        yield cloud
