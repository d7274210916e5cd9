"""A laboratory for the pages whose consoles are real, and the option that writes them anew."""

from __future__ import annotations

import importlib.resources
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_lab.installation import install
from ecs_lab.laboratory import Laboratory, apply_default_project, joined
from ecs_lab.progress import OnProgress
from ecs_lab.simulator import Simulator
from tests.docs.shell import ECS, IAM, NAMESPACE, Shell

# Fast enough for a test, slow enough to be seen where a page wants it.
DURATIONS = {
    "create_server": 0.4,
    "delete_server": 0.3,
    "start_server": 0.2,
    "stop_server": 0.2,
    "reboot_server": 0.2,
    "resize_server": 0.5,
}

# Those that the examples name.
MORE_VOLUMES = ("c215c9ec-281e-452c-9a8b-4d9cbad6b325", "d326dafd-392f-4563-8b9c-5eadcbe7c436")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make docs-outputs`."""
    parser.addoption("--update-outputs", action="store_true", help="write what commands answer into docs/kinds, instead of comparing it")


@pytest.fixture
def is_update(request: pytest.FixtureRequest) -> bool:
    """Whether the pages are written, not checked."""
    return bool(request.config.getoption("--update-outputs"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(control_plane: ControlPlane) -> ControlPlane:
    """A control plane that serves our kinds, with the operator's namespace."""
    await install(control_plane)
    return control_plane


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def laboratory(
    tmp_path_factory: pytest.TempPathFactory, served: ControlPlane, simulator: Simulator, on_progress: OnProgress
) -> AsyncIterator[Laboratory]:
    """Everything, as `make demo` starts it, with a quick cloud."""
    directory = tmp_path_factory.mktemp("laboratory")
    async with joined(directory=directory, plane=served, sim=simulator, on_progress=on_progress) as lab:
        await simulator.admin("POST", "/_sim/durations", DURATIONS)
        yield lab


@pytest_asyncio.fixture(loop_scope="session")
async def shell(laboratory: Laboratory, tmp_path: Path) -> AsyncIterator[Shell]:
    """In a world as it is at the beginning, and an empty namespace."""
    plane, sim = laboratory.cp, laboratory.sim
    await _as_new(sim)
    await apply_default_project(plane, sim)
    await plane.kubectl("create", "namespace", NAMESPACE)
    await plane.kubectl("label", "namespace", NAMESPACE, "team=shop")
    kubeconfig = plane.write_kubeconfig(tmp_path / "kubeconfig", token=plane.admin_token, namespace=NAMESPACE)
    folder = tmp_path / "folder"
    folder.mkdir()
    environment = {
        "KUBECONFIG": str(kubeconfig),
        "ECS_SIMULATOR_ADMIN_URL": sim.admin_url,
        "PATH": f"{sysconfig.get_path('scripts')}:{plane.binaries.folder}:/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    yield Shell(folder=folder, environment=environment, addresses={f"{sim.url}/": IAM, sim.url: ECS})
    await sim.admin("POST", "/_sim/durations", DURATIONS)
    await plane.kubectl("delete", "namespace", NAMESPACE, "--timeout=60s")


async def _as_new(sim: Simulator) -> None:
    """The default world, with two volumes more than it has."""
    seed = yaml.safe_load(importlib.resources.files("ecs_simulator").joinpath("seed.yaml").read_text())
    volumes = seed["projects"][0]["volumes"]
    volumes += [{**volumes[0], "id": each, "name": each[:8]} for each in MORE_VOLUMES]
    await sim.admin("POST", "/_sim/seed", seed)
    await sim.admin("POST", "/_sim/durations", DURATIONS)
