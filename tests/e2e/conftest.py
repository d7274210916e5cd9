"""One laboratory for the level, whose operator tells everything, and one scene for each test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.laboratory import Laboratory, joined
from ecs_lab.progress import OnProgress
from ecs_lab.simulator import Simulator
from tests.e2e.pace import QUICK
from tests.scenes import Scene, scene_of

# A short lease lets a rival take over soon; the log is complete because tests look for secrets and refusals in it; orphans are told soon.
OPERATOR = ("--lease-duration", "20", "--log-level", "DEBUG", "--orphan-age", "3")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def laboratory(
    tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane, simulator: Simulator, on_progress: OnProgress
) -> AsyncIterator[Laboratory]:
    """Everything, with a quick cloud."""
    directory = tmp_path_factory.mktemp("laboratory")
    await simulator.admin("POST", "/_sim/durations", QUICK)
    whole = joined(directory=directory, plane=control_plane, sim=simulator, operator_args=OPERATOR, on_progress=on_progress)
    async with whole as lab:
        yield lab


def refusals(log: str) -> list[str]:
    """Messages of an operator's log that tell of a right it lacks."""
    messages = [json.loads(line)["message"] for line in log.splitlines() if line.startswith("{") and line.endswith("}")]
    # A namespace that is being deleted takes no more events; that right is proven in test_process.py.
    return [each for each in messages if "403 Forbidden" in each and "event" not in each]


@pytest_asyncio.fixture(loop_scope="session")
async def scene(laboratory: Laboratory, namespace: str) -> AsyncIterator[Scene]:
    """A namespace and a cloud project of the test's own. The cloud is compared with the objects every two seconds.

    Meanwhile the API server must not have refused the operator anything. (One that was just started does so before it has read all roles.)
    """
    told_before = laboratory.op.log_path.stat().st_size
    project = await laboratory.add_project(namespace, namespace=namespace, spec={"resyncPeriodSeconds": 2})
    async with scene_of(laboratory, project) as mine:
        yield mine
    await laboratory.remove_project(project)
    with laboratory.op.log_path.open("rb") as log:
        log.seek(told_before)
        assert refusals(log.read().decode()) == [], "manifests/base lacks a right"
