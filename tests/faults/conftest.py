"""One stage for all fault tests; a case of its own for each."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.installation import install, operator_kubeconfig
from ecs_lab.laboratory import Laboratory
from ecs_lab.operator import operator
from ecs_lab.proxy import proxy
from ecs_lab.pytest_plugin import unique_name
from ecs_lab.simulator import Simulator
from tests.faults.stage import Case, Stage

# A lost request may arrive this late at the most; the real defaults (60 s + 60 s + 30 s) would only make the tests slow.
TIMES = ("--create-deadline", "3", "--gateway-timeout", "1", "--list-lag", "1")
DURATIONS = {"create_server": 0.8, "delete_server": 0.4, "start_server": 0.2, "stop_server": 0.2}
"""Seconds the cloud takes: long enough for every state to be seen."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane, simulator: Simulator) -> AsyncIterator[Stage]:
    """Operator, with a proxy in front of either socket."""
    directory = tmp_path_factory.mktemp("faults")
    await install(control_plane)
    await simulator.admin("POST", "/_sim/durations", DURATIONS)
    tls = ssl.create_default_context(cafile=str(control_plane.ca_file))
    async with proxy(upstream=control_plane.server, tls=tls) as kube, proxy(upstream=simulator.url) as cloud:
        kubeconfig = await operator_kubeconfig(control_plane, directory / "operator.kubeconfig", server=kube.url)
        async with operator(kubeconfig=kubeconfig, directory=directory, args=TIMES) as op:
            whole = Stage(lab=Laboratory(directory=directory, cp=control_plane, sim=simulator, op=op), op=op, kube=kube, cloud=cloud)
            yield whole
            for played in whole.played:
                await played.wait_gone()
                await played.assert_nothing_left()


@pytest.fixture
def project_spec() -> Mapping[str, Any]:
    """Fields of the EcsProject that a test wants otherwise; a test module overrides this fixture or parametrizes it."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def case(stage: Stage, request: pytest.FixtureRequest, project_spec: Mapping[str, Any]) -> AsyncIterator[Case]:
    """A namespace and a cloud project of the test's own.

    Afterwards everything is deleted, by the operator. That nothing is left is proven at the end of the level, so that the next test
    need not wait; its kills fall into this one's deletions, which must bear that.
    """
    name = unique_name(request.node.name)
    await stage.lab.cp.kubectl("create", "namespace", name)
    project = await stage.lab.add_project(name, namespace=name, endpoint=stage.cloud.url, spec=project_spec)
    mine = Case(stage=stage, project=project, first_kube=len(stage.kube.records), first_cloud=len(stage.cloud.records))
    try:
        yield mine
    finally:
        stage.clear()
        if not stage.op.alive:
            await stage.op.start()
        await mine.delete_all()
        stage.played.append(mine)
