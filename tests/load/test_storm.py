"""500 servers created at once: all Ready, none doubled, memory bounded, quiet afterwards. Prints its figures."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.installation import install, operator_kubeconfig
from ecs_lab.laboratory import Laboratory
from ecs_lab.operator import operator
from ecs_lab.progress import OnProgress
from ecs_lab.proxy import proxy
from ecs_lab.pytest_plugin import unique_name
from ecs_lab.simulator import Simulator
from tests.faults.stage import Case, Stage, effect, is_write

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVERS = 500
MEMORY_MIB = 150
RESYNC_SECONDS = 20
QUIET_PERIODS = 3


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane, simulator: Simulator) -> AsyncIterator[Stage]:
    """An operator as it runs by default, behind recording proxies."""
    directory = tmp_path_factory.mktemp("load")
    await install(control_plane)
    tls = ssl.create_default_context(cafile=str(control_plane.ca_file))
    async with proxy(upstream=control_plane.server, tls=tls) as kube, proxy(upstream=simulator.url) as cloud:
        kubeconfig = await operator_kubeconfig(control_plane, directory / "operator.kubeconfig", server=kube.url)
        async with operator(kubeconfig=kubeconfig, directory=directory) as op:
            yield Stage(lab=Laboratory(directory=directory, cp=control_plane, sim=simulator, op=op), op=op, kube=kube, cloud=cloud)


async def test_five_hundred_at_once(stage: Stage, on_progress: OnProgress, request: pytest.FixtureRequest) -> None:
    name = unique_name(request.node.name)
    await stage.lab.cp.kubectl("create", "namespace", name)
    spec = {"resyncPeriodSeconds": RESYNC_SECONDS, "limits": {"readsPerSecond": 100, "writesPerSecond": 100, "createsInFlight": 100}}
    project = await stage.lab.add_project(name, namespace=name, endpoint=stage.cloud.url, quota={"instances": SERVERS}, spec=spec)
    case = Case(stage=stage, project=project)

    before = stage.op.memory_mib()
    kube_from, cloud_from = len(stage.kube.records), len(stage.cloud.records)
    started = time.monotonic()
    await case.apply(*case.servers(SERVERS))
    applied = time.monotonic()
    objects = await case.wait_ready(SERVERS, seconds=300)
    ready = time.monotonic()
    calls = Counter(case.effects(kube_from=kube_from, cloud_from=cloud_from))
    memory = stage.op.memory_mib()
    await case.assert_exactly_one_each(objects)

    # One resync settles what an answer to the last poll may still have left to write; then nothing may be written any more.
    await asyncio.sleep(RESYNC_SECONDS)
    kube_quiet, cloud_quiet = len(stage.kube.records), len(stage.cloud.records)
    await asyncio.sleep(QUIET_PERIODS * RESYNC_SECONDS)
    writes = case.writes_since(kube_quiet, cloud_quiet)
    reads = Counter(effect(r.call) for r in stage.cloud.records[cloud_quiet:] if not is_write(r))
    peak = max(memory, stage.op.memory_mib())

    on_progress(f"{SERVERS} servers: applied in {applied - started:.1f} s, all Ready {ready - applied:.1f} s later")
    on_progress(f"memory of the operator: {before:.0f} MiB before, {peak:.0f} MiB at most")
    on_progress(f"exchanges until Ready: {dict(calls)}; per server: {sum(calls.values()) / SERVERS:.1f}")
    on_progress(f"in {QUIET_PERIODS} resync periods: {len(writes)} writes, reads of the cloud {dict(reads)}")
    assert writes == []
    assert reads["get"] == 0, "no GET per server in steady state"
    assert peak < MEMORY_MIB

    await case.delete_all()
    await case.wait_gone(seconds=300)
    await case.assert_nothing_left()
    await stage.lab.remove_project(project)
