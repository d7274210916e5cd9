"""A server that is there: power, restarts, drift, errors, absence, and silence when nothing is to be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import AttachedVolume, Fault, Meaning, Outcome
from ecs_operator.engine.outcome import Again, Lane
from tests.unit.resources.server.effects import Crash
from tests.unit.resources.server.fake_cloud import lost, refusal
from tests.unit.resources.server.stage import KEY, SPEC, Stage, pause_of


async def running(**changes: Any) -> Stage:
    stage = Stage(spec={**SPEC, **changes})
    await stage.until_ready()
    return stage


async def passes(stage: Stage, number: int) -> None:
    for _ in range(number):
        stage.clock.advance(pause_of(await stage.once()))


def edit(stage: Stage, **changes: Any) -> None:
    stage.store.edit(KEY, spec={**stage.obj.spec, **changes})


async def test_in_steady_state_there_is_no_write_and_no_get_of_the_server() -> None:
    stage = await running(powerState="Running")
    await passes(stage, 2)
    writes, gets = stage.store.status_writes, stage.effects.count("cloud.get")
    for _ in range(10):
        outcome = await stage.once()
        assert isinstance(outcome, Again)
        assert outcome.lane is Lane.RESYNC
        assert 270 <= outcome.after <= 330
        stage.clock.advance(outcome.after)
    assert stage.store.status_writes == writes
    assert stage.effects.count("cloud.get") == gets


async def test_a_list_older_than_what_was_seen_by_id_does_not_overrule_it() -> None:
    stage = Stage()
    stage.cloud.build_seconds = 2.0
    await stage.once()
    await stage.tenants.tenant.snapshots.at_most(0)  # type: ignore[union-attr]
    await stage.until_ready()
    writes = stage.store.status_writes
    stage.clock.advance(1.0)
    await stage.once()
    assert stage.status["serverStatus"] == "ACTIVE"
    assert stage.store.status_writes == writes


async def test_stopped_and_started_again_by_the_spec() -> None:
    stage = await running(powerState="Running")
    edit(stage, powerState="Stopped")
    await stage.once()
    assert stage.reason == Reason.STOPPING
    assert stage.status["operation"]["kind"] == "Stop"
    await stage.until_ready()
    assert stage.reason == Reason.STOPPED_AS_DESIRED
    assert (stage.status["serverStatus"], stage.status["powerState"]) == ("SHUTOFF", "Shutdown")
    assert "operation" not in stage.status
    edit(stage, powerState="Running")
    await stage.once()
    assert stage.reason == Reason.STARTING
    await stage.until_ready()
    assert stage.reason == Reason.AVAILABLE
    assert stage.effects.count("cloud.stop.soft") == stage.effects.count("cloud.start") == 1


async def test_created_stopped() -> None:
    stage = await running(powerState="Stopped")
    assert stage.reason == Reason.STOPPED_AS_DESIRED
    assert stage.effects.count("cloud.stop.soft") == 1


async def test_a_guest_that_does_not_shut_down_loses_its_power_after_the_timeout() -> None:
    stage = await running(powerState="Running", shutdown={"mode": "Soft", "timeoutSeconds": 60})
    stage.cloud.ignores_soft_stop = True
    edit(stage, powerState="Stopped")
    begun = stage.clock.monotonic()
    await stage.until_ready()
    assert stage.effects.count("cloud.stop.soft") == 1
    assert stage.effects.count("cloud.stop.hard") == 1
    assert stage.clock.monotonic() - begun >= 60


async def test_hard_means_at_once() -> None:
    stage = await running(powerState="Running", shutdown={"mode": "Hard", "timeoutSeconds": 60})
    edit(stage, powerState="Stopped")
    await stage.until_ready()
    assert stage.effects.count("cloud.stop.soft") == 0
    assert stage.effects.count("cloud.stop.hard") == 1


async def test_stopped_behind_our_back_it_is_started_again() -> None:
    stage = await running(powerState="Running")
    stage.cloud.set("server-1", status="SHUTOFF", vm_state="stopped", power_state=3)
    stage.clock.advance(300)
    await stage.once()
    assert stage.reason == Reason.STARTING
    await stage.until_ready()
    assert stage.status["serverStatus"] == "ACTIVE"


async def test_without_power_state_it_is_only_shown() -> None:
    stage = await running()
    stage.cloud.set("server-1", status="SHUTOFF", vm_state="stopped", power_state=3)
    stage.clock.advance(300)
    await stage.once()
    assert stage.reason == Reason.AVAILABLE
    assert "SHUTOFF" in stage.message
    assert stage.effects.count("cloud.start") == 0


async def test_a_server_is_asked_by_its_id_before_it_is_changed() -> None:
    """The list says stopped; when the server itself is asked it runs again: nothing is sent."""
    stage = await running(powerState="Running")
    stage.cloud.set("server-1", status="SHUTOFF", vm_state="stopped")
    stage.clock.advance(300)
    await stage.tenants.tenant.snapshots.at_most(0)  # type: ignore[union-attr]
    stage.cloud.set("server-1", status="ACTIVE", vm_state="active")
    stage.clock.advance(1)
    await stage.once()
    assert stage.effects.count("cloud.start") == 0
    assert stage.ready["status"] == "True"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 12))
async def test_killed_at_any_effect_of_a_stop(nth: int, when: Any) -> None:
    stage = await running(powerState="Running")
    edit(stage, powerState="Stopped")
    stage.effects.plan("*", when, Crash(), nth=nth)
    try:
        await stage.until(lambda: stage.reason == Reason.STOPPED_AS_DESIRED)
    except Crash:
        stage.restart()
    await stage.until(lambda: stage.reason == Reason.STOPPED_AS_DESIRED)
    assert stage.cloud.alive()[0].status == "SHUTOFF"


async def test_a_restart_is_made_once_and_echoed() -> None:
    stage = await running()
    stage.annotate(**{"restart-requested-at": "t1"})
    await stage.once()
    assert stage.reason == Reason.RESTARTING
    assert stage.status["lastHandledRestartAt"] == "t1"
    await stage.until_ready()
    await passes(stage, 3)
    assert stage.effects.count("cloud.reboot") == 1
    stage.annotate(**{"restart-requested-at": "t2"})
    await stage.once()
    await stage.until_ready()
    assert stage.effects.count("cloud.reboot") == 2


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 9))
async def test_a_crash_never_reboots_twice(nth: int, when: Any) -> None:
    stage = await running()
    stage.annotate(**{"restart-requested-at": "t1"})
    stage.effects.plan("*", when, Crash(), nth=nth)
    carried_out = 0
    reboot = stage.cloud._power

    def counted(*given: Any) -> Any:
        nonlocal carried_out
        carried_out += 1
        return reboot(*given)

    stage.cloud._power = counted  # type: ignore[assignment,method-assign]
    try:
        await passes(stage, 12)
    except Crash:
        stage.restart()
    await passes(stage, 12)
    await stage.until_ready()
    assert carried_out <= 1
    assert stage.status["lastHandledRestartAt"] == "t1"


async def test_a_restart_of_unknown_outcome_is_not_repeated() -> None:
    stage = await running()
    stage.annotate(**{"restart-requested-at": "t1"})
    stage.effects.plan("cloud.reboot", "before", lost("rebootServers"))
    await passes(stage, 10)
    assert stage.effects.count("cloud.reboot") == 1
    assert stage.ready["status"] == "True"


async def test_a_restart_that_was_refused_for_now_is_sent_again() -> None:
    stage = await running()
    stage.annotate(**{"restart-requested-at": "t1"})
    stage.effects.plan("cloud.reboot", "before", refusal("rebootServers", meaning=Meaning.BUSY, status=501, code="Ecs.0603"))
    await stage.once()
    assert "Ecs.0603" in stage.message
    await stage.until_ready()
    assert stage.effects.count("cloud.reboot") == 2


async def test_a_restart_that_a_batch_refused_for_now_is_sent_again() -> None:
    """In a batch the refusal of one server stands in its part of the job: nothing was done, so a restart may be repeated."""
    stage = await running()
    stage.annotate(**{"restart-requested-at": "t1"})
    stage.cloud.next_power_failure = ("Ecs.0603", "another command runs")
    await stage.until_ready()
    assert stage.effects.count("cloud.reboot") == 2
    assert stage.status["lastHandledRestartAt"] == "t1"


async def test_a_restart_that_failed_on_its_way_is_not_repeated() -> None:
    stage = await running()
    stage.annotate(**{"restart-requested-at": "t1"})
    stage.cloud.next_power_failure = ("Ecs.0227", "no luck")
    await stage.until(lambda: "Stalled" in stage.types())
    assert stage.effects.count("cloud.reboot") == 1


THROTTLED = refusal("stopServers", meaning=Meaning.THROTTLED, outcome=Outcome.NOT_SENT, status=429, code="Common.1503")


@pytest.mark.parametrize("seconds", [30, 600])
async def test_a_guest_that_was_not_asked_for_want_of_room_does_not_lose_its_power(seconds: int) -> None:
    """The project's servers of the minute were used up, more often than a call is tried, and for longer than the guest is given."""
    stage = await running(powerState="Running", shutdown={"timeoutSeconds": seconds})
    edit(stage, powerState="Stopped")
    for calls in range(1, 9):
        stage.effects.plan("cloud.stop.soft", "before", THROTTLED)
        await stage.until(lambda calls=calls: stage.effects.count("cloud.stop.soft") == calls)
        assert stage.reason == Reason.THROTTLED
        stage.clock.advance(60)
    await stage.until_ready()
    assert stage.reason == Reason.STOPPED_AS_DESIRED
    assert stage.effects.count("cloud.stop.soft") == 9
    assert stage.effects.count("cloud.stop.hard") == 0


async def test_a_restart_waits_for_room_as_long_as_it_takes() -> None:
    stage = await running()
    stage.annotate(**{"restart-requested-at": "t1"})
    for nth in range(1, 9):
        stage.effects.plan("cloud.reboot", "before", THROTTLED, nth=nth)
    await stage.until_ready()
    assert stage.effects.count("cloud.reboot") == 9
    assert stage.status["lastHandledRestartAt"] == "t1"


async def test_a_stopped_server_has_nothing_to_restart() -> None:
    stage = await running(powerState="Stopped")
    stage.annotate(**{"restart-requested-at": "t1"})
    await passes(stage, 3)
    assert stage.effects.count("cloud.reboot") == 0
    assert stage.status["lastHandledRestartAt"] == "t1"
    assert stage.reason == Reason.STOPPED_AS_DESIRED


async def test_a_restart_asked_before_the_server_was_there_is_done_by_its_creation() -> None:
    stage = Stage()
    stage.annotate(**{"restart-requested-at": "t0"})
    await stage.until_ready()
    await passes(stage, 2)
    assert stage.effects.count("cloud.reboot") == 0
    assert stage.status["lastHandledRestartAt"] == "t0"


async def test_a_power_job_that_fails_is_repeated_then_given_up() -> None:
    stage = await running(powerState="Running")
    edit(stage, powerState="Stopped")

    def keep_failing() -> bool:
        stage.cloud.next_power_failure = ("Ecs.0226", "no power")
        return "Stalled" in stage.types()

    stage.cloud.next_power_failure = ("Ecs.0226", "no power")
    await stage.until(keep_failing)
    assert stage.reason == Reason.OPERATION_FAILED
    assert "Ecs.0226" in stage.message
    assert stage.effects.count("cloud.stop.soft") == 5
    await passes(stage, 3)
    assert stage.effects.count("cloud.stop.soft") == 5
    stage.cloud.next_power_failure = None
    stage.annotate(**{"reconcile-requested-at": "again"})
    await stage.until_ready()
    assert stage.reason == Reason.STOPPED_AS_DESIRED


async def test_a_server_in_error_is_shown_and_left() -> None:
    stage = await running(powerState="Running")
    stage.cloud.set("server-1", status="ERROR", vm_state="error", fault=Fault(code=500, message="disk on fire"))
    stage.clock.advance(300)
    await stage.once()
    assert stage.reason == Reason.SERVER_ERROR
    assert "disk on fire" in stage.message
    assert "Stalled" in stage.types()
    assert stage.cloud.deletions == []
    stage.cloud.set("server-1", status="ACTIVE", vm_state="active", fault=None)
    stage.clock.advance(300)
    await stage.once()
    assert stage.ready["status"] == "True"
    assert "fault" not in stage.status


async def test_a_task_of_somebody_else_is_shown_and_waited_for() -> None:
    stage = await running(powerState="Running")
    stage.cloud.set("server-1", status="REBOOT", task_state="rebooting")
    stage.clock.advance(300)
    await stage.once()
    assert stage.status["taskState"] == "rebooting"
    assert stage.reason == Reason.UPDATING
    stage.cloud.set("server-1", status="ACTIVE", task_state="")
    await stage.until_ready()
    assert "taskState" not in stage.status


async def test_a_state_that_power_cannot_mend_is_said() -> None:
    stage = await running(powerState="Running")
    stage.cloud.set("server-1", status="PAUSED", vm_state="paused", power_state=2)
    stage.clock.advance(300)
    await stage.once()
    assert stage.reason == Reason.WAITING_FOR_DEPENDENCY
    assert "PAUSED" in stage.message
    assert stage.status["powerState"] == "Paused"


async def test_a_frozen_server_is_no_matter_of_credentials() -> None:
    stage = await running(powerState="Running")
    metadata = {**stage.cloud.alive()[0].metadata, "EcmResStatus": "freeze"}
    stage.cloud.set("server-1", status="SHUTOFF", vm_state="stopped", metadata=metadata)
    stage.clock.advance(300)
    await stage.once()
    assert stage.reason == Reason.FROZEN
    assert stage.effects.count("cloud.start") == 0


async def test_a_server_that_lost_our_mark_is_not_changed() -> None:
    stage = await running(powerState="Running")
    stage.cloud.set("server-1", metadata={}, status="SHUTOFF", vm_state="stopped")
    stage.clock.advance(300)
    await stage.once()
    assert stage.reason == Reason.OWNERSHIP_CONFLICT
    assert stage.effects.count("cloud.start") == 0


async def test_deleted_by_somebody_is_said_after_two_looks_and_not_made_anew_by_itself() -> None:
    stage = await running(powerState="Running")
    stage.cloud.vanish("server-1")
    stage.clock.advance(300)
    await stage.once()
    assert stage.ready["status"] == "True", "one 404 is no evidence"
    await passes(stage, 3)
    assert stage.reason == Reason.DELETED_EXTERNALLY
    assert stage.status["id"] == "server-1"
    assert "serverStatus" not in stage.status
    gets, writes = stage.effects.count("cloud.get"), stage.store.status_writes
    await passes(stage, 5)
    assert len(stage.cloud.created()) == 1
    assert (stage.effects.count("cloud.get"), stage.store.status_writes) == (gets, writes)


async def test_a_server_that_only_hid_for_a_moment_is_not_called_deleted() -> None:
    stage = await running()
    row = stage.cloud.servers_by_id.pop("server-1")
    stage.clock.advance(300)
    await stage.once()
    stage.cloud.servers_by_id["server-1"] = row
    stage.clock.advance(10)
    await stage.once()
    assert stage.ready["status"] == "True"


async def test_an_incomplete_list_does_not_prove_a_deletion() -> None:
    stage = await running()
    stage.cloud.vanish("server-1")
    stage.cloud.list_is_complete = False
    stage.clock.advance(300)
    await passes(stage, 5)
    assert stage.reason == Reason.AVAILABLE


async def test_a_requested_reconcile_asks_the_server_itself_and_is_echoed() -> None:
    stage = await running()
    gets = stage.effects.count("cloud.get")
    stage.annotate(**{"reconcile-requested-at": "t1"})
    await stage.once()
    assert stage.effects.count("cloud.get") == gets + 1
    assert stage.status["lastHandledReconcileAt"] == "t1"


async def test_trouble_in_steady_state_is_said_and_mends_itself() -> None:
    stage = await running()
    stage.clock.advance(300)
    away = refusal("listServersDetails", meaning=Meaning.UNREACHABLE, outcome=Outcome.UNKNOWN, status=502)
    stage.effects.plan("cloud.sweep", "before", away)
    await stage.once()
    assert stage.reason == Reason.CLOUD_UNREACHABLE
    await stage.until_ready()


async def test_disks_attached_later_are_shown_after_one_look() -> None:
    stage = await running()
    row = stage.cloud.servers_by_id["server-1"]
    stage.cloud.volumes_by_id["volume-x"] = 33
    row.server = replace(row.server, volumes=(*row.server.volumes, AttachedVolume(id="volume-x")))
    stage.clock.advance(300)
    await stage.once()
    shown = {each["id"]: each for each in stage.status["volumes"]}
    assert shown["volume-x"] == {"id": "volume-x", "device": "/dev/vdb", "sizeGiB": 33, "deleteWithServer": False}
    assert shown["server-1-root"]["deleteWithServer"] is True


async def test_notes_are_dropped_with_the_object() -> None:
    stage = await running()
    assert len(stage.reconciler._desk.notes) == len(stage.reconciler._known) == 1
    stage.delete()
    await stage.until_gone()
    await stage.once()
    assert len(stage.reconciler._desk.notes) == len(stage.reconciler._known) == 0
