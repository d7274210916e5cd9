"""Deletion: what goes, what stays, and that the finalizer waits for the proof (design: lifecycle.md, Delete)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_operator.api.group import FINALIZER
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import AttachedVolume, Meaning, Server
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Blocked, Done, Gone
from ecs_operator.engine.ports import SecretData
from ecs_operator.resources.ownership import MARKER_KEY, Owner
from ecs_operator.resources.tenancy import TenantUnavailable
from tests.unit.resources.server.effects import Crash
from tests.unit.resources.server.fake_cloud import lost, refusal
from tests.unit.resources.server.stage import IDENTITY, KEY, SETTLE, SPEC, UID, Stage, pause_of

TWO_DISKS = [
    {"name": "scratch", "type": "SSD", "sizeGiB": 20, "deleteWithServer": True},
    {"name": "data", "type": "SSD", "sizeGiB": 30, "deleteWithServer": False},
]


async def built(**changes: Any) -> Stage:
    stage = Stage(spec={**SPEC, **changes})
    await stage.until_ready()
    return stage


def protect(stage: Stage, *, on: bool) -> None:
    stage.store.edit(KEY, spec={**stage.obj.spec, "deletionProtection": on})


def cloud_calls(stage: Stage) -> list[str]:
    return [each for each in stage.effects.log if each.startswith("cloud.")]


async def test_the_finalizer_stays_until_the_server_is_gone_by_id_and_from_a_complete_list() -> None:
    stage = await built()
    stage.cloud.list_is_complete = False
    stage.delete()
    for _ in range(20):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.cloud.alive() == []
    assert stage.obj.finalizers == (FINALIZER,)
    assert stage.reason == Reason.DELETING
    stage.cloud.list_is_complete = True
    await stage.until_gone()
    stage.none_left()


async def test_the_progress_of_the_deletion_is_shown() -> None:
    stage = await built()
    stage.delete()
    await stage.once()
    operation = stage.status["operation"]
    assert (operation["kind"], operation["attempts"]) == ("Delete", 1)
    assert operation["jobId"].startswith("job-")
    assert stage.reason == Reason.DELETING
    assert "server-1" in stage.message


async def test_nothing_was_ever_sent_so_no_call_is_made() -> None:
    stage = Stage(spec={**SPEC, "serverGroupRef": {"name": "not there"}, "adminPasswordSecretRef": {"name": "none", "key": "k"}})
    await stage.once()
    asked = stage.tenants.asked
    calls = len(cloud_calls(stage))
    stage.delete()
    assert isinstance(await stage.once(), Gone)
    assert KEY not in stage.store.objects
    assert len(cloud_calls(stage)) == calls
    assert stage.tenants.asked == asked


async def test_a_protected_object_that_is_deleted_all_the_same_keeps_its_server_until_the_protection_ends() -> None:
    """Where the admission policy is not installed."""
    stage = await built(deletionProtection=True)
    calls = len(cloud_calls(stage))
    stage.delete()
    assert await stage.once() == Done()
    assert stage.reason == Reason.IN_USE
    assert "spec.deletionProtection" in stage.message
    writes = stage.writer.writes
    assert await stage.once() == Done()
    assert (stage.writer.writes, len(cloud_calls(stage))) == (writes, calls)
    assert [each.id for each in stage.cloud.alive()] == ["server-1"]
    protect(stage, on=False)
    await stage.until_gone()
    stage.none_left()


async def test_a_protection_that_comes_after_the_delete_was_sent_is_too_late() -> None:
    """The object must not outlive its server and claim to wait."""
    stage = await built()
    stage.delete()
    await stage.once()
    protect(stage, on=True)
    await stage.until_gone()
    stage.none_left()


async def test_a_protected_object_of_which_nothing_was_sent_goes() -> None:
    stage = Stage(spec={**SPEC, "deletionProtection": True, "serverGroupRef": {"name": "not there"}})
    await stage.once()
    stage.delete()
    assert isinstance(await stage.once(), Gone)


async def test_a_refused_creation_leaves_nothing_to_ask_for() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", refusal("createServers", meaning=Meaning.AUTH, status=401))
    await stage.once()
    stage.tenants.tenant = TenantUnavailable(Reason.UNAUTHORIZED, "dead credentials")
    stage.delete()
    await stage.once()
    assert KEY not in stage.store.objects


async def _unlocked(stage: Stage, *, position: int) -> list[str]:
    """What was changed in the cloud until the object was gone."""
    await stage.until_gone()
    stage.none_left()
    changing = {"cloud.lock", "cloud.unlock", "cloud.detach", "cloud.delete"}
    return [each.removeprefix("cloud.") for each in stage.effects.log[position:] if each in changing]


async def test_a_lock_that_the_spec_asked_for_is_opened_first() -> None:
    stage = await built(locked=True, dataVolumes=TWO_DISKS)
    position = len(stage.effects.log)
    stage.delete()
    assert await _unlocked(stage, position=position) == ["unlock", "detach", "delete"]


async def test_it_is_killed_around_every_effect_of_deleting_a_locked_server() -> None:
    reference = await built(locked=True)
    position = len(reference.effects.log)
    reference.delete()
    await reference.until_gone()
    effects = len(reference.effects.log) - position
    for when in ("before", "after"):
        for number in range(1, effects + 1):
            stage = await built(locked=True)
            stage.effects.plan("*", when, Crash(), nth=number)
            stage.delete()
            with pytest.raises(Crash):
                await stage.until_gone()
            stage.restart()
            if KEY in stage.store.objects:
                await stage.until_gone()
            stage.none_left()


async def test_a_lock_of_somebody_else_is_not_opened() -> None:
    """The spec says nothing about it: the deletion waits, says why, and goes on when it is open."""
    stage = await built()
    (alive,) = stage.cloud.alive()
    stage.cloud.set(alive.id, locked=True)
    stage.delete()
    position = len(stage.effects.log)
    for _ in range(20):
        stage.clock.advance(pause_of(await stage.once()))
    assert "deleteServers was refused" in stage.message
    assert [each.locked for each in stage.cloud.alive()] == [True]
    stage.cloud.set(alive.id, locked=False)
    assert "unlock" not in await _unlocked(stage, position=position)


async def test_it_works_when_secrets_no_longer_resolve() -> None:
    stage = Stage(spec={**SPEC, "adminPasswordSecretRef": {"name": "web", "key": "pw"}})
    stage.store.secrets["shop/web"] = SecretData("1", {"pw": b"Good-Passw0rd!"})
    await stage.until_ready()
    stage.store.secrets.clear()
    stage.delete()
    await stage.until_gone()
    stage.none_left()


async def test_with_dead_credentials_it_waits_and_says_what_is_missing() -> None:
    stage = await built()
    stage.delete()
    project = ObjectKey("ecsprojects", "", "lab")
    stage.tenants.tenant, tenant = (
        TenantUnavailable(Reason.CREDENTIALS_MISSING, "Secret lab-user is missing", (project,)),
        stage.tenants.tenant,
    )
    assert await stage.once() == Blocked((project,), at_most=30.0)
    assert stage.reason == Reason.CREDENTIALS_MISSING
    assert stage.message == "the deletion waits: Secret lab-user is missing"
    assert stage.obj.finalizers == (FINALIZER,)
    stage.tenants.tenant = tenant
    await stage.until_gone()
    stage.none_left()


async def test_a_server_in_build_is_deleted() -> None:
    stage = Stage()
    stage.cloud.build_seconds = 10_000.0
    await stage.once()
    stage.delete()
    await stage.until_gone()
    stage.none_left()
    assert stage.clock.monotonic() < 60


async def test_a_create_job_that_queues_for_long_is_waited_for() -> None:
    """Its server was never seen, and appears long after any request has settled."""
    stage = Stage()
    stage.cloud.list_lag = 1000.0
    stage.cloud.build_seconds = 2000.0
    await stage.once()
    stage.delete()
    await stage.until(lambda: KEY not in stage.store.objects or stage.clock.monotonic() > 900, passes=2000)
    assert stage.obj.finalizers == (FINALIZER,)
    await stage.until(lambda: KEY not in stage.store.objects, passes=2000)
    stage.none_left()


async def test_deleted_while_a_failed_job_is_cleaned_up() -> None:
    stage = Stage()
    stage.cloud.next_failure = ("Ecs.0219", "no luck", True)
    await stage.until(lambda: stage.reason == Reason.OPERATION_FAILED)
    stage.delete()
    await stage.until_gone()
    stage.none_left()


async def test_paused_makes_the_deletion_wait_too() -> None:
    stage = await built()
    stage.annotate(paused="true")
    stage.delete()
    calls = len(cloud_calls(stage))
    assert isinstance(await stage.once(), Done)
    assert stage.reason == Reason.PAUSED
    assert "the deletion waits" in stage.message
    assert len(cloud_calls(stage)) == calls
    stage.annotate(paused="false")
    await stage.until_gone()
    stage.none_left()


@pytest.mark.parametrize("locked", [True, None])
async def test_a_lock_that_is_ours_is_opened_and_another_one_is_not(locked: bool | None) -> None:  # noqa: FBT001
    stage = await built(locked=locked)
    stage.cloud.set("server-1", locked=True)
    stage.delete()
    if locked:
        await stage.until_gone()
        assert stage.effects.count("cloud.unlock") == 1
        stage.none_left()
        return
    await stage.until(lambda: "locked" in stage.message)
    for _ in range(5):
        stage.clock.advance(pause_of(await stage.once()))
    assert (len(stage.cloud.alive()), stage.effects.count("cloud.unlock")) == (1, 0)


async def test_disks_to_keep_are_detached_before_the_others_go() -> None:
    stage = await built(dataVolumes=TWO_DISKS)
    stage.delete()
    await stage.until_gone()
    log = stage.effects.log
    assert log.index("cloud.detach") < log.index("cloud.delete")
    assert stage.effects.count("cloud.detach") == 1
    assert stage.cloud.deletions == [{"ids": ("server-1",), "delete_public_ip": False, "delete_volume": True}]
    assert set(stage.cloud.volumes_by_id) == {"server-1-data1"}
    assert any("kept: disk server-1-data1" in message for _, _, message in stage.events.recorded)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_disks_to_keep_survive_a_lost_answer(when: Any) -> None:
    stage = await built(dataVolumes=TWO_DISKS)
    stage.delete()
    stage.effects.plan("cloud.detach", when, lost("detachVolume"))
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {"server-1-data1"}


async def test_a_disk_attached_later_is_kept() -> None:
    stage = await built(dataVolumes=[{"name": "scratch", "type": "SSD", "sizeGiB": 20, "deleteWithServer": True}])
    row = stage.cloud.servers_by_id["server-1"]
    stage.cloud.volumes_by_id["volume-x"] = 10
    row.server = replace(row.server, volumes=(*row.server.volumes, AttachedVolume(id="volume-x")))
    stage.delete()
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {"volume-x"}


async def test_deleted_before_it_was_ever_ready_the_disks_follow_the_spec_all_the_same() -> None:
    stage = Stage(spec={**SPEC, "dataVolumes": TWO_DISKS})
    await stage.once()
    stage.delete()
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {"server-1-data1"}


@pytest.mark.parametrize(
    ("public_ip", "released"),
    [
        ({"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 10}}}, True),
        ({"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 10}}, "deleteWithServer": False}, False),
        ({"id": "a2b4c6d8-1111-4222-8333-944455566677"}, False),
        ({"id": "a2b4c6d8-1111-4222-8333-944455566677", "deleteWithServer": True}, True),
    ],
    ids=["allocated", "allocated, kept", "existing", "existing, released"],
)
async def test_the_public_address_follows_delete_with_server(public_ip: dict[str, Any], released: bool) -> None:  # noqa: FBT001
    stage = await built(publicIp=public_ip)
    stage.delete()
    await stage.until_gone()
    assert stage.cloud.deletions[0]["delete_public_ip"] is released


async def test_retain_takes_the_mark_off_first() -> None:
    stage = await built(deletionPolicy="Retain")
    stage.delete()
    await stage.until_gone()
    (server,) = stage.cloud.alive()
    assert MARKER_KEY not in server.metadata
    assert stage.cloud.deletions == []
    assert stage.effects.log.index("cloud.remove_marker") < stage.effects.log.index("kube.remove_finalizer")
    assert any("server-1 stays" in message for _, _, message in stage.events.recorded)


async def test_retain_waits_until_the_server_is_built() -> None:
    stage = Stage(spec={**SPEC, "deletionPolicy": "Retain"})
    await stage.once()
    stage.delete()
    await stage.once()
    assert stage.effects.count("cloud.remove_marker") == 0
    assert stage.obj.finalizers == (FINALIZER,)
    await stage.until_gone()
    (server,) = stage.cloud.alive()
    assert server.status == "ACTIVE"
    assert MARKER_KEY not in server.metadata


async def test_retain_with_an_unknown_create_waits_for_the_late_request() -> None:
    stage = Stage(spec={**SPEC, "deletionPolicy": "Retain"})
    stage.effects.plan("cloud.create", "before", lost())
    await stage.once()
    stage.delete()
    await stage.until_gone()
    assert stage.clock.monotonic() >= SETTLE
    assert stage.cloud.created() == []


async def test_a_server_without_our_mark_is_not_touched() -> None:
    stage = await built()
    stage.cloud.set("server-1", metadata={})
    stage.delete()
    for _ in range(5):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.reason == Reason.OWNERSHIP_CONFLICT
    assert "Retain" in stage.message
    assert stage.cloud.deletions == []
    assert stage.obj.finalizers == (FINALIZER,)
    stage.store.edit(KEY, spec={**SPEC, "deletionPolicy": "Retain"})
    await stage.until_gone()
    assert len(stage.cloud.alive()) == 1


async def test_a_second_server_with_our_mark_goes_with_the_object() -> None:
    """While the object lives it is only reported; once the object goes, nothing of it may stay."""
    stage = await built()
    stage.cloud.plant(Server(id="second", status="ACTIVE", vm_state="active", metadata={MARKER_KEY: IDENTITY.marker(Owner(UID, 1))}))
    stage.delete()
    await stage.until_gone()
    stage.none_left()


async def test_a_delete_job_that_fails_is_repeated() -> None:
    stage = await built()
    stage.delete()
    await stage.once()
    job = stage.status["operation"]["jobId"]
    stage.cloud.jobs[job].fails = ("Ecs.0501", "deleting failed")
    row = stage.cloud.servers_by_id["server-1"]
    row.gone_at = None
    stage.cloud.jobs[job].on_end = lambda: stage.cloud.set("server-1", task_state="")
    await stage.until(lambda: stage.reason == Reason.OPERATION_FAILED)
    assert "Ecs.0501" in stage.message
    assert "Stalled" not in stage.types()
    await stage.until_gone()
    stage.none_left()
    assert len(stage.cloud.deletions) == 2


async def test_a_refused_delete_is_said_and_repeated() -> None:
    stage = await built()
    stage.delete()
    busy = refusal("deleteServers", meaning=Meaning.BUSY, status=501, code="Ecs.0603", message="another command runs")
    stage.effects.plan("cloud.delete", "before", busy)
    await stage.once()
    assert "Ecs.0603" in stage.message
    await stage.until_gone()
    stage.none_left()


async def test_the_server_was_already_deleted_by_somebody() -> None:
    stage = await built()
    stage.cloud.vanish("server-1")
    stage.delete()
    await stage.until_gone()
    assert stage.cloud.deletions == []


async def test_without_our_finalizer_a_deleted_object_is_left_alone() -> None:
    stage = await built()
    stage.store.edit(KEY, finalizers=("somebody.example.com/else",))
    stage.delete()
    calls = len(cloud_calls(stage))
    assert isinstance(await stage.once(), Done)
    assert len(cloud_calls(stage)) == calls
