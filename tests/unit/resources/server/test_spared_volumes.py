"""Volumes that EcsVolumeAttachments put on a server survive its deletion, whatever was recorded of them (design: api.md)."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ecs_operator.api.group import API_VERSION, VOLUME_ATTACHMENT
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import AttachedVolume
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Again, Blocked
from tests.unit.resources.server.effects import Crash
from tests.unit.resources.server.fake_cloud import lost
from tests.unit.resources.server.stage import KEY, SPEC, Stage

DATA = ObjectKey(VOLUME_ATTACHMENT.plural, "shop", "data")
SCRATCH = {"name": "scratch", "type": "SSD", "sizeGiB": 20, "deleteWithServer": True}
STATUS = {"serverId": "server-1", "attachmentId": "volume-x", "project": "lab"}


def claim(stage: Stage, volume_id: str, *, status: dict[str, Any] | None = None, **spec: Any) -> None:
    """An EcsVolumeAttachment of this volume for web-0, or for the server that ``spec`` names."""
    wanted = {"serverRef": {"name": KEY.name}, "volumeId": volume_id, **spec}
    stage.store.put(
        KubeObject(
            key=DATA,
            kind=VOLUME_ATTACHMENT.kind,
            api_version=API_VERSION,
            uid="uid-of-data",
            resource_version="",
            generation=1,
            created_at=stage.clock.now(),
            deleted_at=None,
            finalizers=(),
            annotations={},
            labels={},
            spec={key: value for key, value in wanted.items() if value is not None},
            status=STATUS if status is None else status,
        )
    )


def put(stage: Stage, volume_id: str, size: int = 10) -> None:
    """Onto the server."""
    row = stage.cloud.servers_by_id["server-1"]
    stage.cloud.volumes_by_id[volume_id] = size
    row.server = replace(row.server, volumes=(*row.server.volumes, AttachedVolume(id=volume_id)))


async def built(**changes: Any) -> Stage:
    stage = Stage(spec={**SPEC, **changes})
    await stage.until_ready()
    return stage


def operation(stage: Stage, **changes: Any) -> dict[str, Any]:
    started = stage.clock.now()
    return {"id": "o", "kind": "Attach", "step": "Sending", "attempts": 1, "startedAt": started.isoformat(), **changes}


@pytest.mark.parametrize(
    "spec", [{}, {"serverRef": None, "serverId": "server-1"}, {"deletionPolicy": "Retain"}], ids=["by name", "by id", "retained"]
)
async def test_a_volume_that_is_claimed_is_detached_before_the_server_s_own_go(spec: dict[str, Any]) -> None:
    stage = await built(dataVolumes=[SCRATCH])
    put(stage, "volume-x")
    claim(stage, "volume-x", **spec)
    stage.delete()
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {"volume-x"}
    log = stage.effects.log
    assert log.index("cloud.detach") < log.index("cloud.delete")


async def test_a_disk_of_the_server_s_own_that_somebody_claims_is_not_the_server_s_any_more() -> None:
    """It was made with the server, taken off, and came back by an attachment: the record of its birth is out of date."""
    stage = await built(dataVolumes=[SCRATCH, {**SCRATCH, "name": "second"}])
    claim(stage, "server-1-data0")
    stage.delete()
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {"server-1-data0"}
    assert stage.cloud.deletions == [{"ids": ("server-1",), "delete_public_ip": False, "delete_volume": True}]
    assert any("kept: disk server-1-data0" in message for _, _, message in stage.events.recorded)
    assert stage.clock.monotonic() < 90, "nobody waits for it to vanish"


async def test_a_claim_on_another_server_changes_nothing() -> None:
    stage = await built(dataVolumes=[SCRATCH])
    claim(stage, "server-1-data0", serverRef={"name": "other"})
    stage.delete()
    await stage.until_gone()
    assert not stage.cloud.volumes_by_id
    assert stage.effects.count("cloud.detach") == 0


async def test_where_no_disk_goes_with_the_server_the_cloud_lets_them_all_go() -> None:
    stage = await built()
    put(stage, "volume-x")
    claim(stage, "volume-x", status={**STATUS, "operation": operation(stage, jobId="job-of-somebody")})
    stage.delete()
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {"volume-x"}
    assert stage.effects.count("cloud.detach") == 0
    assert stage.cloud.deletions == [{"ids": ("server-1",), "delete_public_ip": False, "delete_volume": False}]


async def test_what_may_still_be_on_its_way_to_the_server_is_waited_for() -> None:
    stage = await built(dataVolumes=[SCRATCH])
    until = stage.clock.now() + timedelta(seconds=100)
    claim(stage, "volume-x", status={"serverId": "server-1", "project": "lab", "operation": operation(stage, deadline=until.isoformat())})
    stage.delete()
    assert isinstance(await stage.once(), Again)
    assert stage.message == "server server-1 is deleted as soon as EcsVolumeAttachment data is done with its volume"
    assert stage.cloud.deletions == []
    stage.clock.advance(60)
    put(stage, "volume-x")
    assert isinstance(await stage.once(), Again)
    assert stage.cloud.deletions == []
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {"volume-x"}
    assert stage.clock.now() >= until


@pytest.mark.parametrize(("kind", "step"), [("Attach", "Running"), ("Detach", "Running")])
async def test_a_job_that_runs_is_waited_for(kind: str, step: str) -> None:
    stage = await built(dataVolumes=[SCRATCH])
    if kind == "Detach":
        put(stage, "volume-x")
    job_id = stage.cloud._job("attachVolume", ("server-1",), 30.0, (lambda: put(stage, "volume-x")) if kind == "Attach" else None)
    claim(stage, "volume-x", status={**STATUS, "operation": operation(stage, kind=kind, step=step, jobId=job_id)})
    stage.delete()
    assert isinstance(await stage.once(), Again)
    assert stage.cloud.deletions == []
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {"volume-x"}


@pytest.mark.parametrize("step", ["Retrying", "Failed"])
async def test_what_is_at_rest_is_not_waited_for(step: str) -> None:
    stage = await built(dataVolumes=[SCRATCH])
    claim(stage, "volume-x", status={"serverId": "server-1", "project": "lab", "operation": operation(stage, step=step)})
    stage.delete()
    await stage.once()
    assert len(stage.cloud.deletions) == 1


async def test_a_system_disk_that_is_claimed_holds_the_deletion_and_the_server_is_not_stopped_for_it() -> None:
    stage = await built()
    claim(stage, "server-1-root")
    stage.delete()
    assert await stage.once() == Blocked((DATA,), at_most=30.0)
    assert stage.reason == Reason.IN_USE
    assert "EcsVolumeAttachment data claims its system disk server-1-root" in stage.message
    assert "delete that object with deletionPolicy: Retain" in stage.message
    writes = stage.writer.writes
    await stage.once()
    assert stage.writer.writes == writes
    assert stage.effects.count("cloud.stop") == 0
    assert stage.cloud.deletions == []


async def test_from_a_stopped_server_the_system_disk_that_is_claimed_is_detached_first() -> None:
    stage = await built(powerState="Stopped")
    claim(stage, "server-1-root")
    stage.delete()
    await stage.until_gone()
    log = stage.effects.log
    assert log.index("cloud.detach") < log.index("cloud.delete")
    assert stage.cloud.alive() == []
    assert set(stage.cloud.volumes_by_id) == {"server-1-root"}


async def test_a_system_disk_that_is_given_up_goes_with_the_server() -> None:
    stage = await built()
    claim(stage, "server-1-root")
    stage.delete()
    await stage.once()
    del stage.store.objects[DATA]
    stage.clock.advance(30)
    await stage.until_gone()
    stage.none_left()
    assert stage.effects.count("cloud.detach") == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("claimed", ["volume-x", "server-1-root"])
async def test_killed_around_any_effect_of_the_deletion_the_volume_survives(claimed: str, when: Any) -> None:
    for nth in range(1, 100):
        stage = await built(dataVolumes=[SCRATCH], powerState="Stopped")
        put(stage, "volume-x")
        claim(stage, claimed)
        stage.delete()
        mishap = stage.effects.plan("*", when, Crash(), nth=nth)
        with contextlib.suppress(Crash):
            await stage.until_gone()
        if not mishap.hits:
            assert nth > 20, "there is more to a deletion"
            return
        stage.restart()
        await stage.until(lambda stage=stage: KEY not in stage.store.objects)
        assert set(stage.cloud.volumes_by_id) == {"volume-x", claimed}, nth
        assert stage.cloud.alive() == []
    raise AssertionError("it never got through")


@pytest.mark.parametrize(("data", "lists"), [([], 1), ([SCRATCH], 2)], ids=["the cloud keeps all", "the cloud deletes some"])
async def test_only_where_disks_go_with_the_server_is_the_list_made_anew(
    monkeypatch: pytest.MonkeyPatch, data: list[dict[str, Any]], lists: int
) -> None:
    """A thousand servers that are deleted together do not ask a thousand times."""
    stage = await built(dataVolumes=data)
    put(stage, "volume-x")
    asked: list[str] = []
    listed = stage.store.list

    async def count(resource: str, *, namespace: str | None = None) -> Any:
        asked.append(resource)
        return await listed(resource, namespace=namespace)

    monkeypatch.setattr(stage.store, "list", count)
    stage.delete()
    stage.effects.plan("cloud.detach", "before", lost("detachVolume"))
    stage.effects.plan("cloud.delete", "before", lost("deleteServers"))
    await stage.once()
    await stage.once()
    assert asked.count(VOLUME_ATTACHMENT.plural) == lists
