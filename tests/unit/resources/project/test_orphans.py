"""Servers with our mark whose object is gone: who is one, who is not, and what is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ecs_operator.api.group import SERVER
from ecs_operator.cloud import Meaning, Outcome, Server, ServerSnapshots
from ecs_operator.engine.ports import ConflictError
from ecs_operator.resources.ownership import MARKER_KEY, ClusterIdentity, Owner
from ecs_operator.resources.project.orphans import OrphanPolicy
from ecs_operator.resources.tenancy import Tenant
from tests.fakes.cloud import IDENTITY, cloud_error
from tests.fakes.effects import When
from tests.unit.resources.project.stage import LAB, Stage

GONE = "00000000-0000-0000-0000-00000000dead"
RESYNC = 300.0


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.add()
    return stage


def put(stage: Stage, server_id: str, *, uid: str = GONE, age: float = 7200.0, mark: str | None = None, status: str = "ACTIVE") -> None:
    """A server in the cloud; with our mark unless another is given."""
    created = (stage.clock.now() - timedelta(seconds=age)).isoformat()
    marker = IDENTITY.marker(Owner(uid, 1)) if mark is None else mark
    stage.cloud.server_rows[server_id] = Server(
        id=server_id, name=f"name-{server_id}", status=status, created=created, metadata={MARKER_KEY: marker, "other": "x"}
    )


async def sweep(stage: Stage, *, times: int = 1) -> None:
    """As many resyncs of the project."""
    for _ in range(times):
        stage.clock.advance(RESYNC)
        await stage.reconciler.reconcile(LAB)


async def shared_list(stage: Stage) -> ServerSnapshots:
    """The one that servers are observed by."""
    tenant = await stage.registry.find(namespace="shop", project_ref="lab", pinned=None)
    assert isinstance(tenant, Tenant)
    return tenant.snapshots


def orphans(stage: Stage) -> list[str]:
    found = stage.store[LAB].status.get("orphans")
    return [] if found is None else [each["serverId"] for each in found["servers"]]


async def test_a_server_without_its_object_is_told_after_two_looks(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1")
    await sweep(stage)
    assert orphans(stage) == []
    first_seen = stage.clock.now()
    await sweep(stage)
    since = first_seen.isoformat().replace("+00:00", "Z")
    assert stage.store[LAB].status["orphans"] == {"count": 1, "servers": [{"serverId": "s-1", "name": "name-s-1", "since": since}]}
    assert stage.condition() == ("True", "Available"), "the project can be used"
    told = [each for each in stage.events.recorded if each.reason == "OrphansFound"]
    assert [(each.kind, each.key) for each in told] == [("Warning", LAB)]
    assert "s-1 (name-s-1)" in told[0].message
    assert (stage.orphans.counters.present, stage.orphans.counters.reported) == ({"lab": 1}, {"lab": 1})
    writes = stage.writer.writes
    await sweep(stage, times=3)
    assert (stage.writer.writes, stage.events.reasons.count("OrphansFound")) == (writes, 1), "told once, and written once"
    assert "s-1" in stage.cloud.server_rows, "nothing is done to it"
    assert not {"deleteServers", "stopServers"} & set(stage.cloud.calls)


async def test_when_it_is_gone_the_status_forgets_it(stage: Stage) -> None:
    put(stage, "s-1")
    await stage.reconciler.reconcile(LAB)
    await sweep(stage, times=2)
    assert orphans(stage) == ["s-1"]
    stage.cloud.remove_server("s-1")
    stage.cloud.list_is_complete = False
    await sweep(stage, times=2)
    assert orphans(stage) == ["s-1"], "an incomplete list does not show that it is gone"
    stage.cloud.list_is_complete = True
    await sweep(stage)
    assert "orphans" not in stage.store[LAB].status
    assert stage.orphans.counters.present == {"lab": 0}


OTHERS = [
    pytest.param({"mark": ""}, id="without a mark"),
    pytest.param({"mark": f"{IDENTITY.cluster_id}/{GONE}/1/{'0' * 32}"}, id="with a forged mark"),
    pytest.param({"mark": ClusterIdentity("another-cluster", b"k" * 32).marker(Owner(GONE, 1))}, id="of another cluster"),
    pytest.param({"age": 600.0 - RESYNC}, id="too young"),
    pytest.param({"status": "SOFT_DELETED"}, id="deleted, and kept by the cloud for a while"),
]


@pytest.mark.parametrize("row", OTHERS)
async def test_who_is_none(stage: Stage, row: dict[str, Any]) -> None:
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1", **row)
    await sweep(stage, times=3)
    assert orphans(stage) == []


async def test_the_server_of_an_object_is_none_whatever_the_object_says(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    owner = stage.user("web-0", project="another")
    leaving = stage.store.create(SERVER.plural, "web-1", {}, namespace="blog")
    await stage.store.add_finalizer(leaving)
    stage.store.delete(leaving.key)
    put(stage, "s-1", uid=owner.uid)
    put(stage, "s-2", uid=leaving.uid)
    await sweep(stage, times=3)
    assert orphans(stage) == []


async def test_a_deletion_between_list_and_objects_is_no_orphan(stage: Stage) -> None:
    """The list was begun while the server was there; when the objects are listed, both are gone."""
    await stage.reconciler.reconcile(LAB)
    owner = stage.user("web-0")
    put(stage, "s-1", uid=owner.uid)
    snapshots = await shared_list(stage)
    stage.clock.advance(RESYNC)
    await snapshots.at_most(0)
    stage.cloud.remove_server("s-1")
    stage.store.delete(owner.key)
    await stage.reconciler.reconcile(LAB)
    assert orphans(stage) == []
    await sweep(stage, times=2)
    assert orphans(stage) == []


async def test_a_list_that_lags_does_not_make_an_orphan_of_a_server_just_deleted(stage: Stage) -> None:
    stage.policy = OrphanPolicy(between_looks=400.0)
    stage.start()
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1")
    await sweep(stage, times=2)
    assert orphans(stage) == [], "the second look came too soon after the first"
    await sweep(stage)
    assert orphans(stage) == ["s-1"]


async def test_the_list_is_the_shared_one(stage: Stage) -> None:
    """Servers of the project are observed by it: where they are, the search costs no list."""
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1")
    snapshots = await shared_list(stage)
    for _ in range(3):
        stage.clock.advance(RESYNC)
        await snapshots.at_most(0.8 * RESYNC)
        await stage.reconciler.reconcile(LAB)
    assert stage.cloud.calls.count("listServersDetails") == 3
    assert orphans(stage) == ["s-1"]


async def test_the_same_list_twice_is_one_look(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1")
    await sweep(stage)
    listed = stage.store.reads.count(f"list {SERVER.plural}")
    stage.store.annotate(LAB, reconcile_requested_at="now")
    stage.clock.advance(40)
    await stage.reconciler.reconcile(LAB)
    assert orphans(stage) == []
    assert stage.store.reads.count(f"list {SERVER.plural}") == listed


async def test_without_marked_servers_the_objects_are_not_listed(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1", mark="")
    await sweep(stage, times=2)
    assert f"list {SERVER.plural}" not in stage.store.reads


async def test_an_operator_that_sees_some_namespaces_only_says_nothing(stage: Stage) -> None:
    """The objects of the others look like none."""
    stage.sees_all = False
    stage.start()
    put(stage, "s-1")
    await stage.reconciler.reconcile(LAB)
    await sweep(stage, times=3)
    assert orphans(stage) == []
    assert "listServersDetails" not in stage.cloud.calls


async def test_many_are_counted_and_a_few_named(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    for number in range(30):
        put(stage, f"s-{number:02}")
    await sweep(stage, times=2)
    found = stage.store[LAB].status["orphans"]
    assert (found["count"], len(found["servers"]), orphans(stage)[0]) == (30, 20, "s-00")
    told = [each.message for each in stage.events.recorded if each.reason == "OrphansFound"]
    assert len(told) == 1
    assert "and 20 more" in told[0]


async def test_after_a_restart_what_was_told_stays_and_is_not_told_again(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1")
    await sweep(stage, times=2)
    before = stage.store[LAB].status["orphans"]
    stage.start()
    await sweep(stage, times=3)
    assert stage.store[LAB].status["orphans"] == before
    assert stage.events.reasons.count("OrphansFound") == 1


async def test_a_cloud_that_cannot_be_listed_changes_nothing(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1")
    await sweep(stage, times=2)
    trouble = cloud_error("listServersDetails", meaning=Meaning.UNREACHABLE, outcome=Outcome.UNKNOWN, status=503)
    stage.cloud.fail("listServersDetails", trouble, times=2)
    await sweep(stage, times=2)
    assert (stage.condition(), orphans(stage)) == (("True", "Available"), ["s-1"])


async def test_a_status_that_could_not_be_written_is_written_at_the_next_look(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1")
    await sweep(stage)
    stage.store.fail("apply_status", ConflictError("409"))
    with pytest.raises(ConflictError):
        await sweep(stage)
    await sweep(stage)
    assert orphans(stage) == ["s-1"]
    assert stage.events.reasons.count("OrphansFound") == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(4))
async def test_killed_around_any_effect(stage: Stage, effect: int, when: When) -> None:
    put(stage, "s-1")
    stage.effects.kill(effect, when)
    await stage.work(seconds=6 * RESYNC)
    assert stage.deaths == 1
    assert stage.condition() == ("True", "Available")
    assert orphans(stage) == ["s-1"]
    assert stage.cloud.server_rows.keys() == {"s-1"}


async def test_a_project_with_orphans_can_go(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    put(stage, "s-1")
    await sweep(stage, times=2)
    stage.store.delete(LAB)
    await stage.work()
    assert LAB not in stage.store
    assert stage.orphans.counters.present == {}
