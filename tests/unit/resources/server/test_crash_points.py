"""Crash points C0 to C18 (design: lifecycle.md): what is left at each, and that the next pass is safe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ecs_operator.api.group import FINALIZER
from ecs_operator.cloud import CreateServers, JobAccepted
from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.ports import ConflictError, GoneError, UnavailableError
from tests.unit.resources.server.effects import Crash
from tests.unit.resources.server.fake_cloud import lost
from tests.unit.resources.server.stage import KEY, SETTLE, Stage

CREATE_EFFECTS, DELETE_EFFECTS, FAILING_EFFECTS = 25, 19, 66
"""Effects of an undisturbed run: reads and writes of Kubernetes, calls of the cloud."""
OTHER_UID = "0f3d1c0a-0000-4000-8000-000000000002"


async def crash(stage: Stage, name: str, when: str, *, nth: int = 1) -> None:
    """Kill the operator at the nth effect of this name, and start another one."""
    mishap = stage.effects.plan(name, "before" if when == "before" else "after", Crash(), nth=nth)
    assert await stage.until_crash(), "the operator was not killed"
    assert mishap.hits == 1


async def ends_with_exactly_one(stage: Stage) -> None:
    await stage.until_ready()
    stage.exactly_one()
    assert stage.obj.finalizers == (FINALIZER,)
    assert stage.status["id"] == stage.cloud.alive()[0].id


async def test_c0_nothing_written() -> None:
    stage = Stage()
    await crash(stage, "kube.add_finalizer", "before")
    assert stage.obj.finalizers == ()
    assert stage.cloud.created() == []
    await ends_with_exactly_one(stage)


async def test_c1_finalizer() -> None:
    stage = Stage()
    await crash(stage, "kube.add_finalizer", "after")
    assert stage.obj.finalizers == (FINALIZER,)
    assert stage.create == {}
    await ends_with_exactly_one(stage)


async def test_c2_intent_sent_reply_lost() -> None:
    stage = Stage()
    stage.effects.plan("kube.status", "after", UnavailableError("no answer"))
    assert isinstance(await stage.once(), UnavailableError)
    assert stage.create["outcome"] == "Unknown"
    assert stage.cloud.created() == [], "no request leaves before its intent is known to be durable"
    await ends_with_exactly_one(stage)


async def test_c3_intent_durable() -> None:
    stage = Stage()
    await crash(stage, "kube.status", "after")
    assert (stage.create["attempts"], stage.create["outcome"]) == (1, "Unknown")
    token = stage.create["token"]
    await ends_with_exactly_one(stage)
    assert stage.cloud.tokens_sent == [token]


async def test_c4_attempt_counted_post_not_sent() -> None:
    stage = Stage()
    await crash(stage, "cloud.create", "before")
    assert stage.create["attempts"] == 1
    counted = stage.clock.monotonic()
    await ends_with_exactly_one(stage)
    assert stage.create["attempts"] == 2
    assert stage.clock.monotonic() - counted >= SETTLE, "the second request waited until the first could no longer arrive"


async def test_c5_post_on_the_wire() -> None:
    """The request arrives after the operator was killed, and just before it can no longer arrive."""
    stage = Stage()
    stage.cloud.honours_tokens = False
    arriving: list[CreateServers] = []
    original = stage.cloud.create

    async def create(request: CreateServers, *, client_token: str | None, deadline: float | None = None) -> JobAccepted:
        if not arriving:
            arriving.append(request)
            due = stage.clock.now().replace(minute=2)
            stage.cloud.late.append((due, lambda: stage.cloud.make(request)))
            raise Crash
        return await original(request, client_token=client_token, deadline=deadline)

    stage.cloud.create = create  # type: ignore[method-assign]
    assert not await _killed(stage)
    await ends_with_exactly_one(stage)
    assert stage.create["attempts"] == 1


async def _killed(stage: Stage) -> bool:
    """Whether the operator survived its own end; it never does."""
    try:
        await stage.once()
    except Crash:
        stage.restart()
        return False
    return True


@pytest.mark.parametrize("idempotency", ["Auto", "Token", "Settle"])
@pytest.mark.parametrize("tokens", [True, False], ids=["tokens honoured", "tokens ignored"])
async def test_c6_committed_reply_lost(idempotency: str, tokens: bool) -> None:  # noqa: FBT001
    stage = Stage(idempotency=idempotency)
    stage.cloud.honours_tokens = tokens
    stage.effects.plan("cloud.create", "after", lost())
    await stage.once()
    assert stage.reason == "OutcomeUnknown"
    await ends_with_exactly_one(stage)


async def test_c6_committed_reply_lost_and_the_server_hidden_from_lists_for_a_while() -> None:
    stage = Stage()
    stage.cloud.honours_tokens = False
    stage.cloud.list_lag = 25.0
    stage.effects.plan("cloud.create", "after", lost())
    await ends_with_exactly_one(stage)
    assert stage.effects.count("cloud.create") == 1


async def test_c7_reply_read_id_not_written() -> None:
    stage = Stage()
    await crash(stage, "kube.status", "before", nth=2)
    assert len(stage.cloud.created()) == 1
    assert "id" not in stage.status
    await ends_with_exactly_one(stage)
    assert stage.effects.count("cloud.create") == 1


async def test_c8_id_written_reply_lost() -> None:
    stage = Stage()
    stage.effects.plan("kube.status", "after", UnavailableError("no answer"), nth=2)
    await stage.once()
    assert stage.create["jobId"] == "job-1"
    await ends_with_exactly_one(stage)


async def test_c8_killed_after_the_id_was_written() -> None:
    stage = Stage()
    await crash(stage, "kube.status", "after", nth=2)
    assert stage.create["jobId"] == "job-1"
    await ends_with_exactly_one(stage)


async def test_c9_id_write_conflicts() -> None:
    stage = Stage()

    def somebody_edits() -> None:
        stage.store.edit(KEY, labels={"touched": "yes"})

    stage.effects.hooks["cloud.create"] = somebody_edits
    await stage.once()
    assert stage.create["jobId"] == "job-1", "read again and written in the same pass"
    assert stage.obj.labels == {"touched": "yes"}
    await ends_with_exactly_one(stage)


async def test_c9_the_api_server_is_away_when_the_id_is_to_be_written() -> None:
    stage = Stage()
    for nth in range(2, 7):
        stage.effects.plan("kube.status", "before", UnavailableError("503"), nth=nth)
    assert isinstance(await stage.once(), UnavailableError)
    assert "jobId" not in stage.create
    before = stage.clock.monotonic()
    await stage.once()
    assert stage.create["jobId"] == "job-1", "what the cloud answered was not forgotten"
    assert stage.clock.monotonic() == before
    await ends_with_exactly_one(stage)


async def test_c10_object_force_deleted_and_made_again_meanwhile() -> None:
    stage = Stage()

    def somebody_replaces_it() -> None:
        del stage.store.objects[KEY]
        stage.put(uid=OTHER_UID)

    stage.effects.hooks["cloud.create"] = somebody_replaces_it
    assert isinstance(await stage.once(), GoneError)
    assert stage.obj.status == {"observedGeneration": -1}, "nothing of the old object was written to the new one"
    await stage.until_ready()
    markers = [entry.marker.split("/")[1] for entry in stage.cloud.created()]
    assert len(markers) == len(set(markers)) == 2, "each object has made exactly one"
    assert stage.status["id"] == "server-2"
    assert stage.cloud.deletions == [], "the server of the other object is not touched"


@pytest.mark.parametrize("nth", range(1, 6))
async def test_c11_polling(nth: int) -> None:
    stage = Stage()
    await crash(stage, "cloud.job", "after", nth=nth)
    await ends_with_exactly_one(stage)


async def test_c11_polling_and_the_job_is_forgotten() -> None:
    stage = Stage()
    stage.cloud.tells_ids = False
    await stage.once()
    assert "id" not in stage.status
    stage.cloud.forgets_jobs = True
    stage.restart()
    await ends_with_exactly_one(stage)


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves a server", "rolled back"])
@pytest.mark.parametrize("tells_ids", [True, False], ids=["id known", "id unknown"])
@pytest.mark.parametrize(("effect", "when"), [("cloud.delete", "before"), ("cloud.delete", "after"), ("cloud.sweep", "after")])
async def test_c12_job_failed_clean_up_half_done(leaves: bool, tells_ids: bool, effect: str, when: str) -> None:  # noqa: FBT001
    stage = Stage()
    stage.cloud.tells_ids = tells_ids
    stage.cloud.next_failure = ("Ecs.0219", "creating the server failed", leaves)
    if leaves or effect == "cloud.sweep":
        await crash(stage, effect, when)
    await stage.until_ready()
    assert len(stage.cloud.created()) == 2
    assert len(stage.cloud.alive()) == 1
    assert stage.cloud.most_alive == 1, "the next incarnation began after the proof of death"
    assert stage.create["incarnation"] == 2


async def test_c13_incarnation_counted_no_new_intent() -> None:
    stage = Stage()
    stage.cloud.next_failure = ("Ecs.0219", "creating the server failed", True)

    await stage.until(lambda: stage.create.get("incarnation") == 2)
    assert stage.create["outcome"] == "Refused"
    assert stage.create["attempts"] == 0
    assert stage.cloud.alive() == []
    stage.restart()
    await stage.until_ready()
    assert len(stage.cloud.created()) == 2
    assert stage.cloud.most_alive == 1


async def test_c14_paused_for_hours_inside_s4() -> None:
    """The process stops between the intent and the request, another takes over, the first one wakes: it must not send any more."""
    stage = Stage()

    def hours_pass() -> None:
        stage.clock.advance(5 * 3600)
        stage.lease.left = -5 * 3600.0

    write = stage.store.apply_status

    async def apply_then_sleep(obj: KubeObject, status: Mapping[str, Any]) -> KubeObject:
        written = await write(obj, status)
        if status.get("create", {}).get("outcome") == "Unknown":
            hours_pass()
        return written

    stage.store.apply_status = apply_then_sleep  # type: ignore[method-assign]
    await stage.once()
    assert stage.effects.count("cloud.create") == 0
    stage.store.apply_status = write  # type: ignore[method-assign]
    stage.lease.left = 25.0
    stage.restart()
    await ends_with_exactly_one(stage)


async def test_c14_a_rival_went_on_meanwhile() -> None:
    """The first one wakes after another created the server: its late answer changes nothing in the record."""
    stage = Stage()
    rival = Stage()
    rival.clock, rival.effects, rival.store, rival.cloud = stage.clock, stage.effects, stage.store, stage.cloud
    rival.network = stage.network
    rival.restart()
    original = stage.cloud.create
    raced: list[str | None] = []

    async def create(request: CreateServers, *, client_token: str | None, deadline: float | None = None) -> JobAccepted:
        if not raced:
            raced.append(client_token)
            stage.clock.advance(SETTLE + 60)
            await rival.until_ready()
        return await original(request, client_token=client_token, deadline=deadline)

    stage.cloud.create = create  # type: ignore[method-assign]
    assert isinstance(await stage.once(), ConflictError)
    assert len(set(stage.cloud.tokens_sent)) == 1
    await ends_with_exactly_one(stage)


@pytest.mark.parametrize("arrives", [True, False], ids=["it had arrived", "it had not"])
async def test_c15_delete_requested_while_unknown(arrives: bool) -> None:  # noqa: FBT001
    stage = Stage()
    stage.effects.plan("cloud.create", "after" if arrives else "before", lost())
    await stage.once()
    stage.delete()
    sent = stage.clock.monotonic()
    await stage.until_gone()
    stage.none_left()
    assert stage.clock.monotonic() - sent >= SETTLE or arrives
    assert stage.effects.count("cloud.create") == 1


async def test_c15_delete_requested_while_unknown_and_the_request_comes_late() -> None:
    stage = Stage()
    stage.cloud.honours_tokens = False
    requests: list[CreateServers] = []
    original = stage.cloud.make

    async def create(request: CreateServers, *, client_token: str | None, deadline: float | None = None) -> JobAccepted:
        del client_token, deadline
        requests.append(request)
        stage.cloud.late.append((stage.clock.now().replace(minute=2), lambda: original(request)))
        raise lost()

    stage.cloud.create = create  # type: ignore[method-assign]
    await stage.once()
    stage.delete()
    await stage.until_gone()
    assert len(stage.cloud.created()) == 1, "it did arrive"
    stage.none_left()


@pytest.mark.parametrize("when", ["before", "after"])
async def test_c16_delete_committed_reply_lost(when: str) -> None:
    stage = Stage()
    await stage.until_ready()
    stage.delete()
    stage.effects.plan("cloud.delete", "before" if when == "before" else "after", lost("deleteServers"))
    await stage.until_gone()
    stage.none_left()


@pytest.mark.parametrize("effect", ["cloud.delete", "kube.status", "cloud.get", "cloud.job", "cloud.sweep", "kube.remove_finalizer"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_c16_killed_while_deleting(effect: str, when: str) -> None:
    stage = Stage()
    await stage.until_ready()
    stage.delete()
    await crash(stage, effect, when)
    if KEY in stage.store.objects:
        await stage.until_gone()
    stage.none_left()


async def test_c17_server_gone_volume_left() -> None:
    stage = Stage()
    await stage.until_ready()
    stage.cloud.keeps_volumes = True
    stage.delete()
    await stage.until(lambda: KEY not in stage.store.objects or "waiting for its disks" in stage.message)
    assert "server-1-root" in stage.message
    assert stage.obj.finalizers == (FINALIZER,)
    await stage.until_gone()
    assert any("left disks behind" in message and "server-1-root" in message for _, _, message in stage.events.recorded)


async def test_c17_server_gone_volume_goes_later() -> None:
    stage = Stage()
    await stage.until_ready()
    stage.cloud.keeps_volumes = True
    stage.delete()
    await stage.until(lambda: "waiting for its disks" in stage.message)
    stage.cloud.volumes_by_id.clear()
    await stage.until_gone()
    assert not any("left disks behind" in message for _, _, message in stage.events.recorded)


async def test_c18_finalizer_removal_lost() -> None:
    stage = Stage()
    await stage.until_ready()
    stage.delete()
    stage.effects.plan("kube.remove_finalizer", "before", UnavailableError("503"))
    await stage.until_gone()
    stage.none_left()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, CREATE_EFFECTS + 1))
async def test_killed_at_any_effect_of_the_create_path(nth: int, when: str) -> None:
    """Every write and every call, one after another: exactly one server, whatever is in between."""
    stage = Stage()
    await crash(stage, "*", when, nth=nth)
    await ends_with_exactly_one(stage)


async def test_the_numbers_of_effects_are_right() -> None:
    """Else the tests that enumerate them would leave some out."""
    stage = Stage()
    await stage.until_ready()
    assert len(stage.effects.log) == CREATE_EFFECTS
    stage.delete()
    await stage.until_gone()
    assert len(stage.effects.log) == CREATE_EFFECTS + DELETE_EFFECTS
    failing = Stage()
    failing.cloud.next_failure = ("Ecs.0219", "creating the server failed", True)
    await failing.until_ready()
    assert len(failing.effects.log) == FAILING_EFFECTS


@pytest.mark.parametrize("second", range(1, 12, 2))
@pytest.mark.parametrize("first", range(2, 8))
async def test_killed_twice_with_the_answer_of_the_request_lost(first: int, second: int) -> None:
    stage = Stage()
    stage.cloud.honours_tokens = False
    stage.effects.plan("cloud.create", "after", lost())
    stage.effects.plan("*", "after", Crash(), nth=first)
    stage.effects.plan("*", "before", Crash(), nth=first + second)
    await stage.until_crash()
    await stage.until_crash()
    await ends_with_exactly_one(stage)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, DELETE_EFFECTS + 1))
async def test_killed_at_any_effect_of_the_delete_path(nth: int, when: str) -> None:
    stage = Stage()
    await stage.until_ready()
    stage.delete()
    await crash(stage, "*", when, nth=nth)
    if KEY in stage.store.objects:
        await stage.until_gone()
    stage.none_left()


@pytest.mark.parametrize("nth", range(1, FAILING_EFFECTS + 1))
async def test_killed_at_any_effect_while_a_job_fails(nth: int) -> None:
    stage = Stage()
    stage.cloud.next_failure = ("Ecs.0219", "creating the server failed", True)
    await crash(stage, "*", "after", nth=nth)
    await stage.until_ready()
    assert len(stage.cloud.alive()) == 1
    assert stage.cloud.most_alive == 1
    assert len(stage.cloud.created()) == 2


@pytest.mark.parametrize("passes", range(7))
async def test_deleted_at_any_phase_of_the_creation(passes: int) -> None:
    stage = Stage()
    for _ in range(passes):
        await stage.once()
        stage.clock.advance(1.0)
    stage.delete()
    if KEY in stage.store.objects:
        await stage.until_gone()
    stage.none_left()
