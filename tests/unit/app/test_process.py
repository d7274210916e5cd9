"""What the probes of the process look at. Its life as a whole is in tests/e2e."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import kopf
import pytest
import pytest_asyncio

from ecs_lab.waiting import until
from ecs_operator.app.assembly import Parts, assemble
from ecs_operator.app.process import Process
from ecs_operator.app.settings import Settings
from ecs_operator.app.wiring import KINDS
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.credentials import Credentials, KubeconfigFile
from ecs_operator.kube.identity import StoredIdentity
from tests.unit.app.scripted_kopf import as_root_task
from tests.unit.engine.stage import SetClock, seeded
from tests.unit.kube.stage import kubeconfig


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(kubeconfig=kubeconfig(tmp_path / "k", server="http://127.0.0.1:9", token="t"), identity="me")


@pytest_asyncio.fixture
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    assert settings.kubeconfig is not None
    credentials = Credentials(KubeconfigFile(settings.kubeconfig))
    connection = Connection(credentials)
    identity = StoredIdentity(cluster_id="c", key=b"k" * 32)
    made = assemble(
        settings,
        KINDS,
        connection=connection,
        credentials=credentials,
        identity=identity,
        clock=SetClock(),
        rng=seeded(),
        resync_seconds=300,
    )
    yield made
    await made.informer.close()
    assert made.workload.close is not None
    await made.workload.close()
    await connection.close()


async def test_it_is_not_ready_while_the_watches_end_again_and_again(
    settings: Settings, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = 0

    async def watch(*, stop_flag: asyncio.Event, **_: object) -> None:
        nonlocal ends
        ends += 1
        if ends > 3:
            await stop_flag.wait()

    monkeypatch.setattr(kopf, "spawn_tasks", as_root_task(watch))
    process = Process(settings, KINDS, environment={})
    assert process._ready() == {"waiting for the API server": False}
    assert process._live() == {"event loop": True, "watches": True}
    process._parts = parts
    assert process._live()["watches"] is process._ready()["watches"] is False
    parts.informer.start()
    assert process._live()["watches"] is process._ready()["watches"] is True

    async def fourth_run() -> bool:
        return ends == 4

    await until(fourth_run, seconds=30, what="a fourth run")
    assert process._ready() == {"caches filled": False, "lease known": False, "not stopping": True, "watches": False}
    assert process._live() == {"event loop": True, "watches": True}
