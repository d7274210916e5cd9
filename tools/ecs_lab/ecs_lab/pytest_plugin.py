"""Fixtures: the laboratory's parts, once for a session; a namespace and a cloud project, anew for each test.

Tests that use them run in the session's loop: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.control_plane import control_plane as start_control_plane
from ecs_lab.laboratory import CloudProject, Laboratory, joined
from ecs_lab.progress import OnProgress
from ecs_lab.simulator import Simulator
from ecs_lab.simulator import simulator as start_simulator


def pytest_configure() -> None:
    """No loop is current until one is made.

    pytest-asyncio asks for the current loop before the first fixture; Python 3.11 then makes one that nobody closes,
    and its ResourceWarning fails whichever test runs when it is collected.
    """
    asyncio.set_event_loop(None)


def unique_name(test: str) -> str:
    """A name for things of one test: what can be kept of its name in 40 characters, and a random end."""
    kept = re.sub(r"[^a-z0-9]+", "-", test.removeprefix("test_").lower())[:40].strip("-")
    return f"t-{kept}-{secrets.token_hex(3)}"


@pytest.fixture(scope="session")
def on_progress(request: pytest.FixtureRequest) -> OnProgress:
    """Shows progress although pytest captures the output: a first build takes minutes."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def report(line: str) -> None:
        if capture is None:
            print(f"... {line}", flush=True)
            return
        with capture.global_and_fixture_disabled():
            print(f"... {line}", flush=True)

    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def control_plane(tmp_path_factory: pytest.TempPathFactory, on_progress: OnProgress) -> AsyncIterator[ControlPlane]:
    """A control plane; the programs are built first if need be. A test that stops the API server starts it again."""
    async with start_control_plane(directory=tmp_path_factory.mktemp("control-plane"), on_progress=on_progress) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def simulator(tmp_path_factory: pytest.TempPathFactory, on_progress: OnProgress) -> AsyncIterator[Simulator]:
    """A simulated cloud. Tests keep to a project of their own (`cloud_project`); faults are set for that project."""
    async with start_simulator(directory=tmp_path_factory.mktemp("simulator"), on_progress=on_progress) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def laboratory(
    tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane, simulator: Simulator, on_progress: OnProgress
) -> AsyncIterator[Laboratory]:
    """Both, with definitions, rights, the default EcsProject and a running operator. A test that kills the operator starts it again."""
    directory = tmp_path_factory.mktemp("laboratory")
    async with joined(directory=directory, plane=control_plane, sim=simulator, on_progress=on_progress) as whole:
        yield whole


@pytest_asyncio.fixture(loop_scope="session")
async def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A namespace of the test's own; its deletion is asked for afterwards, not waited for."""
    name = unique_name(request.node.name)
    await control_plane.kubectl("create", "namespace", name)
    yield name
    await control_plane.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@pytest_asyncio.fixture(loop_scope="session")
async def cloud_project(laboratory: Laboratory, namespace: str) -> AsyncIterator[CloudProject]:
    """A cloud project with an account of its own, and an EcsProject of the namespace's name that admits only this namespace."""
    added = await laboratory.add_project(namespace, namespace=namespace)
    yield added
    await laboratory.remove_project(added)
