from __future__ import annotations

import asyncio

from ecs_operator.api.group import KINDS as NAMES
from ecs_operator.app.assembly import Platform
from ecs_operator.app.settings import Settings
from ecs_operator.app.wiring import KINDS
from ecs_operator.engine.status_writer import StatusWriter
from ecs_operator.kube.identity import StoredIdentity
from tests.fakes.store import FakeStore
from tests.unit.engine.stage import MemoryEvents, MemoryStore, SetAuthority, SetClock, kube_object, seeded


def test_every_kind_is_served_written_and_reconciled() -> None:
    plurals = {each.plural for each in NAMES}
    assert {each.plural for each in KINDS.types} == plurals
    assert {each.plural for each in KINDS.types if not each.namespaced} == {"ecsprojects"}
    assert set(KINDS.status_fields) == plurals
    assert all(
        {"conditions.reason", "observedGeneration", "lastHandledReconcileAt"} <= set(paths) for paths in KINDS.status_fields.values()
    )
    assert "create.token" in set(KINDS.status_fields["ecsservers"])


async def test_there_is_one_reconciler_for_each() -> None:
    store, events, clock = MemoryStore(kube_object()), MemoryEvents(), SetClock()
    platform = Platform(
        settings=Settings(identity="me"),
        store=store,
        held_secrets=FakeStore(clock),
        writer=StatusWriter(store, events, clock),
        events=events,
        authority=SetAuthority(),
        identity=StoredIdentity(cluster_id="c", key=b"k" * 32),
        clock=clock,
        rng=seeded(),
        wake=lambda _: None,
    )
    workload = KINDS.build(platform)
    assert sorted(each.resource for each in workload.reconcilers) == sorted(each.plural for each in NAMES)
    assert workload.close is not None
    await asyncio.wait_for(workload.close(), timeout=5)
