"""EcsVolumeAttachment: the volume is on the server, or proven not to be, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Meaning
from ecs_operator.engine.outcome import Again, Blocked, Done
from ecs_operator.engine.ports import ConflictError, UnavailableError
from ecs_operator.resources.tenancy import TenantUnavailable
from tests.fakes.cloud import SETTLE_AFTER, cloud_error, lost, missing
from tests.fakes.effects import When
from tests.fakes.stage import STEADY, Stage
from tests.unit.resources.volume_attachment.prepared import BUILT, KEY, WEB_0, attached, prepared, removed, server_of

ATTACHED = {
    "serverId": "server-1",
    "attachmentId": "volume-1",
    "device": "/dev/vdb",
    "pciAddress": "0000:02:02.0",
    "bootIndex": 1,
    "sizeGiB": 10,
}


@pytest.fixture
def stage() -> Stage:
    return prepared()


async def test_a_volume_is_attached_by_one_call_and_described(stage: Stage) -> None:
    await attached(stage)
    status = stage.status(KEY)
    assert {key: status[key] for key in ATTACHED} == ATTACHED
    assert status["project"] == "lab"
    assert status["job"]["status"] == "SUCCESS"
    assert "operation" not in status
    assert stage.effects.log == ["add_finalizer", "apply_status", "attachVolume", "apply_status", "apply_status"]


async def test_while_it_is_being_attached_the_job_is_shown(stage: Stage) -> None:
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "Attaching")
    assert stage.condition(KEY, "Reconciling") == ("True", "Attaching")
    operation = stage.status(KEY)["operation"]
    assert (operation["kind"], operation["step"], operation["jobId"]) == ("Attach", "Running", stage.status(KEY)["job"]["id"])


async def test_steady_state_costs_nothing_but_the_shared_list(stage: Stage) -> None:
    await attached(stage)
    await stage.once(KEY)
    for _ in range(3):
        stage.effects.log.clear()
        stage.cloud.calls.clear()
        stage.clock.advance(100)
        outcome = await stage.once(KEY)
        assert isinstance(outcome, Again)
        assert outcome.after > STEADY
        assert stage.effects.log == []
        assert set(stage.cloud.calls) <= {"listServersDetails"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(5))
async def test_killed_around_any_effect_it_is_attached_and_asked_for_no_more_than_needed(stage: Stage, effect: int, when: When) -> None:
    stage.effects.kill(effect, when)
    await attached(stage)
    assert stage.deaths == 1
    assert server_of(stage) == ("server-1",)
    assert stage.effects.log.count("attachVolume") == 1
    await removed(stage)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(5, 9))
async def test_killed_around_any_effect_of_a_detachment(stage: Stage, effect: int, when: When) -> None:
    await attached(stage)
    stage.effects.kill(effect, when)
    await removed(stage)
    assert stage.deaths == 1
    assert stage.effects.log.count("detachVolume") == 1


async def test_a_volume_that_is_on_the_server_already_is_success(stage: Stage) -> None:
    stage.cloud.put("volume-1", "server-1")
    await attached(stage)
    assert "attachVolume" not in stage.cloud.calls
    await removed(stage)


async def test_a_volume_on_another_server_is_waited_for_and_named(stage: Stage) -> None:
    stage.cloud.put("volume-1", "server-2")
    assert isinstance(await stage.once(KEY), Again)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert "server-2" in stage.message(KEY)
    assert "attachVolume" not in stage.cloud.calls
    stage.cloud.take_off("volume-1")
    await attached(stage)


@pytest.mark.parametrize(
    ("status", "named"),
    [
        pytest.param(None, "does not exist", id="no object"),
        pytest.param({}, "not created yet", id="not begun"),
        pytest.param({"id": "server-1", "serverStatus": "BUILD"}, "not created yet", id="being built"),
        pytest.param({**BUILT, "operation": {"kind": "Stop"}}, "being changed (Stop)", id="another operation runs"),
    ],
)
async def test_an_ecsserver_is_waited_for(status: dict[str, Any] | None, named: str) -> None:
    stage = prepared(serverRef={"name": "web-0"}, serverId=None)
    if status is not None:
        stage.store.create(WEB_0.resource, WEB_0.name, {}, namespace="shop", status=status)
    assert await stage.once(KEY) == Blocked((WEB_0,), at_most=60.0)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert "EcsServer web-0" in stage.message(KEY)
    assert named in stage.message(KEY)
    assert stage.cloud.calls == []
    if status is None:
        stage.store.create(WEB_0.resource, WEB_0.name, {}, namespace="shop")
    stage.store.set_status(WEB_0, BUILT)
    await attached(stage)
    outcome = await stage.once(KEY)
    assert isinstance(outcome, Blocked), "an event of the EcsServer is looked at"
    assert outcome.waits_for == (WEB_0,)
    assert outcome.at_most > STEADY


async def test_an_ecsserver_of_another_project_is_an_error() -> None:
    stage = prepared(serverRef={"name": "web-0"}, serverId=None)
    stage.store.create(WEB_0.resource, WEB_0.name, {}, namespace="shop", status={**BUILT, "project": "other"})
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "InvalidConfiguration")


async def test_it_follows_the_ecsserver_to_its_new_server() -> None:
    stage = prepared(serverRef={"name": "web-0"}, serverId=None)
    stage.store.create(WEB_0.resource, WEB_0.name, {}, namespace="shop", status=BUILT)
    await attached(stage)
    stage.cloud.remove_server("server-1")
    stage.store.set_status(WEB_0, {**BUILT, "id": "server-2"})
    await attached(stage)
    assert server_of(stage) == ("server-2",)
    assert stage.status(KEY)["serverId"] == "server-2"


@pytest.mark.parametrize(
    ("change", "reason", "named"),
    [
        pytest.param({"status": "PAUSED"}, "WaitingForDependency", "PAUSED", id="paused"),
        pytest.param({"locked": True}, "WaitingForDependency", "locked", id="locked"),
        pytest.param({"task": "powering-off"}, "Attaching", "powering-off", id="busy"),
        pytest.param({"zone": "b"}, "InvalidConfiguration", "zone b", id="other zone"),
    ],
)
async def test_a_server_in_the_wrong_state_is_not_asked(stage: Stage, change: dict[str, Any], reason: str, named: str) -> None:
    stage.cloud.add_server("server-1", **change)
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", reason)
    assert named in stage.message(KEY)
    assert "attachVolume" not in stage.cloud.calls
    stage.cloud.add_server("server-1", status="SHUTOFF")
    stage.clock.advance(60)
    await attached(stage)


@pytest.mark.parametrize(("status", "named"), [(None, "does not exist"), ("error", "error"), ("creating", "creating")])
async def test_a_volume_in_the_wrong_state_is_waited_for(stage: Stage, status: str | None, named: str) -> None:
    if status is None:
        del stage.cloud.volume_rows["volume-1"]
    else:
        stage.cloud.add_volume("volume-1", status=status)
    await stage.once(KEY)
    assert stage.condition(KEY) in {("False", "WaitingForDependency"), ("False", "Attaching")}
    assert named in stage.message(KEY)
    stage.cloud.add_volume("volume-1")
    await attached(stage)


async def test_a_lost_answer_is_found_out_by_looking(stage: Stage) -> None:
    stage.cloud.fail("attachVolume", lost("attachVolume"), when="after")
    await attached(stage)
    assert stage.cloud.calls.count("attachVolume") == 1


async def test_a_lost_request_is_sent_again(stage: Stage) -> None:
    stage.cloud.fail("attachVolume", lost("attachVolume"))
    await attached(stage)
    assert stage.cloud.calls.count("attachVolume") == 2
    assert stage.clock.monotonic() < SETTLE_AFTER


async def test_a_server_that_is_busy_is_asked_again(stage: Stage) -> None:
    busy = cloud_error("attachVolume", meaning=Meaning.BUSY, code="Ecs.0603", status=501)
    stage.cloud.fail("attachVolume", busy, times=2)
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "Attaching")
    assert "Ecs.0603" in stage.message(KEY)
    await attached(stage)


async def test_a_refusal_for_good_stalls_until_somebody_asks(stage: Stage) -> None:
    stage.cloud.fail("attachVolume", cloud_error("attachVolume", meaning=Meaning.INVALID, code="Ecs.0005"))
    assert await stage.settle(KEY) == Done()
    assert stage.condition(KEY) == ("False", "Rejected")
    assert stage.condition(KEY, "Stalled") == ("True", "Rejected")
    assert stage.cloud.calls.count("attachVolume") == 1
    stage.store.annotate(KEY, reconcile_requested_at="1")
    await attached(stage)


async def test_a_job_that_fails_is_repeated_and_its_words_are_shown(stage: Stage) -> None:
    stage.cloud.fail_next_job = ("Ecs.1000", "nova is away")
    for _ in range(4):
        outcome = await stage.once(KEY)
        stage.clock.advance(outcome.after if isinstance(outcome, Again) else 0)
        if stage.condition(KEY) == ("False", "OperationFailed"):
            break
    assert "Ecs.1000" in stage.message(KEY)
    assert "nova is away" in stage.message(KEY)
    assert stage.condition(KEY, "Reconciling") == ("True", "OperationFailed")
    assert stage.status(KEY)["job"]["errorCode"] == "Ecs.1000"
    await attached(stage)
    assert stage.cloud.calls.count("attachVolume") == 2


async def test_a_job_that_always_fails_stalls_and_starts_anew_on_request(stage: Stage) -> None:
    for _ in range(200):
        stage.cloud.fail_next_job = ("Ecs.1000", "nova is away")
        outcome = await stage.once(KEY)
        if isinstance(outcome, Done):
            break
        stage.clock.advance(outcome.after if isinstance(outcome, Again) else 1.0)
    assert stage.condition(KEY) == ("False", "OperationFailed")
    assert stage.condition(KEY, "Stalled") == ("True", "OperationFailed")
    assert stage.cloud.calls.count("attachVolume") == 5
    stage.cloud.fail_next_job = None
    stage.store.annotate(KEY, reconcile_requested_at="1")
    await attached(stage)
    await removed(stage)


async def test_a_job_the_cloud_forgot_is_no_obstacle(stage: Stage) -> None:
    await stage.once(KEY)
    stage.clock.advance(2)
    await stage.cloud.client.servers.get("server-1")
    stage.cloud.job_rows.clear()
    await attached(stage)
    assert stage.cloud.calls.count("attachVolume") == 1


async def test_the_job_id_is_written_on_top_of_what_changed_meanwhile(stage: Stage) -> None:
    stage.store.fail("apply_status", ConflictError("changed"), skip=1)
    await stage.once(KEY)
    assert stage.status(KEY)["operation"]["jobId"]


async def test_a_job_id_that_cannot_be_written_is_not_needed(stage: Stage) -> None:
    stage.store.fail("apply_status", UnavailableError("503"), skip=1, times=5)
    with pytest.raises(UnavailableError):
        await stage.once(KEY)
    await attached(stage)
    assert stage.cloud.calls.count("attachVolume") == 1


async def test_a_volume_detached_by_hand_is_attached_again(stage: Stage) -> None:
    await attached(stage)
    stage.cloud.take_off("volume-1")
    stage.clock.advance(400)
    await attached(stage)
    assert server_of(stage) == ("server-1",)


async def test_an_old_list_that_does_not_show_it_changes_nothing(stage: Stage) -> None:
    await stage.tenants.answer.snapshots.at_most(1000)  # type: ignore[union-attr]
    await attached(stage)
    stage.effects.log.clear()
    await attached(stage)
    assert stage.effects.log == []


async def test_another_device_than_wanted_is_no_drift() -> None:
    stage = prepared(device="/dev/sdb")
    await attached(stage)
    assert stage.status(KEY)["device"] == "/dev/vdb"
    stage.effects.log.clear()
    await attached(stage)
    assert stage.effects.log == []


async def test_nothing_is_sent_without_the_lease(stage: Stage) -> None:
    stage.authority.left = 3.0
    assert isinstance(await stage.once(KEY), Again)
    assert "attachVolume" not in stage.cloud.calls
    assert "operation" not in stage.status(KEY)


async def test_a_deletion_while_it_is_being_attached_waits_for_the_job(stage: Stage) -> None:
    await stage.once(KEY)
    await removed(stage)
    assert stage.effects.log.count("attachVolume") == 1
    assert stage.effects.log.count("detachVolume") == 1


async def test_a_deletion_waits_until_a_lost_attach_can_no_longer_arrive(stage: Stage) -> None:
    stage.cloud.fail("attachVolume", lost("attachVolume"))
    await stage.once(KEY)
    stage.store.delete(KEY)
    await stage.once(KEY)
    assert KEY in stage.store
    assert stage.condition(KEY) == ("False", "Detaching")
    assert "may still arrive" in stage.message(KEY)
    stage.clock.advance(60)
    stage.cloud.put("volume-1", "server-1")
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert server_of(stage) == ()
    assert stage.clock.monotonic() < SETTLE_AFTER, "it has arrived, nothing is open any more"


async def test_a_lost_attach_that_never_arrived(stage: Stage) -> None:
    stage.cloud.fail("attachVolume", lost("attachVolume"))
    await stage.once(KEY)
    await removed(stage)
    assert stage.clock.monotonic() >= SETTLE_AFTER
    assert "detachVolume" not in stage.cloud.calls


async def test_an_attachment_whose_server_is_gone_is_done(stage: Stage) -> None:
    await attached(stage)
    stage.cloud.remove_server("server-1")
    await removed(stage)
    assert "detachVolume" not in stage.cloud.calls


async def test_an_attachment_whose_volume_is_gone_is_done(stage: Stage) -> None:
    await attached(stage)
    stage.cloud.take_off("volume-1")
    del stage.cloud.volume_rows["volume-1"]
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store


async def test_one_404_while_the_volume_names_the_server_is_no_proof(stage: Stage) -> None:
    await attached(stage)
    stage.store.delete(KEY)
    stage.cloud.fail("showVolumeAttachment", missing("showVolumeAttachment"))
    await stage.once(KEY)
    assert KEY in stage.store
    await stage.settle(KEY)
    assert server_of(stage) == ()


async def test_the_system_disk_needs_a_stopped_server(stage: Stage) -> None:
    stage.cloud.boot_volumes.add("volume-1")
    await attached(stage)
    stage.store.edit(KEY, detach={"mode": "Force"})
    await attached(stage)
    stage.store.delete(KEY)
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert "stop the server" in stage.message(KEY)
    assert "detachVolume" not in stage.cloud.calls
    stage.cloud.add_server("server-1", status="SHUTOFF")
    stage.cloud.put("volume-1", "server-1")
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert stage.cloud.forced == [], "never by force"


@pytest.mark.parametrize(("mode", "forced"), [("Soft", []), ("Force", ["volume-1"])])
async def test_detach_mode(stage: Stage, mode: str, forced: list[str]) -> None:
    await attached(stage)
    stage.store.edit(KEY, detach={"mode": mode})
    await removed(stage)
    assert stage.cloud.forced == forced


async def test_a_detachment_that_hangs_is_forced_when_the_mode_is_changed_meanwhile(stage: Stage) -> None:
    await attached(stage)
    stage.store.delete(KEY)
    stage.cloud.fail_next_job = ("Ecs.1002", "the guest does not let go")
    for _ in range(6):
        outcome = await stage.once(KEY)
        stage.clock.advance(outcome.after if isinstance(outcome, Again) else 0)
        if stage.condition(KEY) == ("False", "OperationFailed"):
            break
    assert stage.condition(KEY) == ("False", "OperationFailed")
    stage.store.edit(KEY, detach={"mode": "Force"})
    await stage.settle(KEY)
    assert stage.cloud.forced == ["volume-1"]
    assert KEY not in stage.store


async def test_retain_leaves_it_attached_and_says_so(stage: Stage) -> None:
    await attached(stage)
    stage.store.edit(KEY, deletionPolicy="Retain")
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert server_of(stage) == ("server-1",)
    assert "volume-1" in stage.events.recorded[-1].message


async def test_what_was_never_begun_goes_without_the_cloud(stage: Stage) -> None:
    stage.tenants.answer = TenantUnavailable(Reason.WAITING_FOR_DEPENDENCY, "no project")
    await stage.once(KEY)
    stage.store.delete(KEY)
    assert await stage.once(KEY) == Done()
    assert KEY not in stage.store


async def test_a_deletion_without_a_project_waits_and_says_what_is_missing(stage: Stage) -> None:
    await attached(stage)
    stage.tenants.answer = TenantUnavailable(Reason.CREDENTIALS_MISSING, "the Secret ns/lab does not exist")
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("False", "CredentialsMissing")
    assert stage.message(KEY) == "the Secret ns/lab does not exist"
    stage.tenants.answer = stage.cloud.tenant()
    await stage.settle(KEY)
    assert KEY not in stage.store


async def test_paused_changes_nothing(stage: Stage) -> None:
    await attached(stage)
    stage.store.annotate(KEY, paused="true")
    stage.store.delete(KEY)
    assert await stage.once(KEY) == Done()
    assert stage.condition(KEY) == ("False", "Paused")
    assert server_of(stage) == ("server-1",)
    stage.store.annotate(KEY, paused=None)
    await stage.settle(KEY)
    assert server_of(stage) == ()
