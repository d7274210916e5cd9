"""One operation at a time for each server and each volume: the others say what they wait for, and call nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Again, Blocked
from tests.fakes.stage import Stage
from tests.unit.resources.volume_attachment.prepared import BUILT, KEY, WEB_0, another, attached, prepared, server_of, with_server

OTHER = ObjectKey(KEY.resource, "shop", "other")


def changes(stage: Stage) -> list[str]:
    """The calls that change something."""
    return [each for each in stage.cloud.calls if each in {"attachVolume", "detachVolume"}]


@pytest.mark.parametrize("server_id", ["server-1", "server-2"], ids=["same server", "another server"])
async def test_of_two_objects_for_one_volume_the_older_has_it_and_the_other_says_so(server_id: str) -> None:
    stage = prepared()
    stage.clock.advance(1)
    another(stage, "other", serverId=server_id)
    assert await stage.once(OTHER) == Blocked((KEY,), at_most=60.0)
    assert stage.condition(OTHER) == ("False", "OwnershipConflict")
    assert "EcsVolumeAttachment data claims volume volume-1 too, and came first" in stage.message(OTHER)
    assert changes(stage) == []
    await attached(stage)
    await stage.settle(OTHER)
    assert stage.condition(OTHER) == ("False", "OwnershipConflict")
    assert "serverId" not in stage.status(OTHER), "it does not take what the other one attached for its own"
    stage.effects.log.clear()
    await stage.settle(OTHER)
    assert stage.effects.log == []

    stage.store.delete(OTHER)
    await stage.settle(OTHER)
    assert OTHER not in stage.store
    assert (changes(stage), server_of(stage)) == (["attachVolume"], ("server-1",))


async def test_the_other_one_takes_over_when_the_first_is_deleted() -> None:
    stage = prepared()
    stage.clock.advance(1)
    another(stage, "other", serverId="server-2")
    await attached(stage)
    stage.store.delete(KEY)
    await stage.once(KEY)
    assert await stage.once(OTHER) == Blocked((KEY,), at_most=60.0)
    assert stage.condition(OTHER) == ("False", "WaitingForDependency")
    assert "EcsVolumeAttachment data has volume volume-1 and is being deleted" in stage.message(OTHER)
    await stage.settle(KEY)
    await stage.settle(OTHER)
    assert stage.condition(OTHER) == ("True", "Available")
    assert server_of(stage) == ("server-2",)


async def test_who_has_begun_comes_before_who_is_older() -> None:
    """The older one was held up by something else, and may not take the volume away."""
    stage = prepared(serverRef={"name": "web-0"}, serverId=None)
    stage.clock.advance(1)
    await stage.once(KEY)
    stage.cloud.put("volume-1", "server-2")
    stage.store.create(
        OTHER.resource,
        "other",
        {"serverId": "server-2", "volumeId": "volume-1"},
        namespace="shop",
        status={"serverId": "server-2", "attachmentId": "volume-1", "project": "lab"},
    )
    stage.store.create(WEB_0.resource, WEB_0.name, {}, namespace="shop", status=BUILT)
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("False", "OwnershipConflict")
    assert "EcsVolumeAttachment other claims volume volume-1 too" in stage.message(KEY)
    await stage.settle(OTHER)
    assert stage.condition(OTHER) == ("True", "Available")
    assert changes(stage) == []


async def test_an_object_that_goes_without_ever_having_begun_is_in_nobody_s_way() -> None:
    stage = prepared(serverRef={"name": "web-0"}, serverId=None)
    await stage.once(KEY)
    stage.store.delete(KEY)
    stage.clock.advance(1)
    another(stage, "other")
    await stage.settle(OTHER)
    assert stage.condition(OTHER) == ("True", "Available")


async def test_two_volumes_come_to_one_server_one_after_the_other() -> None:
    stage = prepared()
    stage.cloud.add_volume("volume-2")
    another(stage, "other", volumeId="volume-2")
    await stage.once(KEY)
    assert await stage.once(OTHER) == Blocked((KEY,), at_most=10.0)
    assert stage.condition(OTHER) == ("False", "Attaching")
    assert "EcsVolumeAttachment data is at work there; one operation at a time" in stage.message(OTHER)
    assert changes(stage) == ["attachVolume"]
    await attached(stage)
    await stage.settle(OTHER)
    assert stage.condition(OTHER) == ("True", "Available")

    stage.store.delete(KEY)
    stage.store.delete(OTHER)
    await stage.once(OTHER)
    assert await stage.once(KEY) == Blocked((OTHER,), at_most=10.0)
    assert stage.condition(KEY) == ("False", "Detaching")
    await stage.settle(OTHER)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert changes(stage) == ["attachVolume", "attachVolume", "detachVolume", "detachVolume"]


async def test_the_turn_is_kept_over_a_restart() -> None:
    stage = prepared()
    stage.cloud.add_volume("volume-2")
    another(stage, "other", volumeId="volume-2")
    await stage.once(KEY)
    stage.reconciler = stage.build(stage)
    await stage.once(KEY)
    assert await stage.once(OTHER) == Blocked((KEY,), at_most=10.0)


@pytest.mark.parametrize("end", ["paused", "failed"])
async def test_who_cannot_go_on_gives_its_turn_back(end: str) -> None:
    stage = prepared()
    stage.cloud.add_volume("volume-2")
    another(stage, "other", volumeId="volume-2")
    if end == "failed":
        stage.cloud.fail_next_job = ("Ecs.0219", "no luck")
        stage.store.edit(KEY)
    await stage.once(KEY)
    if end == "paused":
        stage.store.annotate(KEY, paused="true")
    stage.clock.advance(3)
    await stage.once(KEY)
    await stage.once(KEY)
    await stage.settle(OTHER)
    assert stage.condition(OTHER) == ("True", "Available")


async def test_an_object_of_another_namespace_is_not_named() -> None:
    stage = prepared()
    stage.cloud.add_volume("volume-2")
    foreign = ObjectKey(KEY.resource, "theirs", "secret-name")
    stage.store.create(foreign.resource, foreign.name, {"serverId": "server-1", "volumeId": "volume-2"}, namespace="theirs")
    await stage.once(foreign)
    await stage.once(KEY)
    assert "another object is at work there" in stage.message(KEY)
    assert "secret-name" not in stage.message(KEY)


WORK: dict[str, dict[str, Any]] = {
    "power": {"operation": {"id": "o", "kind": "Stop", "step": "Soft", "startedAt": "2026-01-01T00:00:00Z"}},
    "change": {"change": {"id": "c", "steps": [{"kind": "Resize", "state": "Waiting"}]}},
    "deletion": {"operation": {"id": "o", "kind": "Delete", "step": "Sending", "startedAt": "2026-01-01T00:00:00Z"}},
}
AT_REST: dict[str, dict[str, Any]] = {
    "power": {"operation": {"id": "o", "kind": "Stop", "step": "Failed", "startedAt": "2026-01-01T00:00:00Z"}},
    "change": {"change": {"id": "c", "steps": [{"kind": "Resize", "state": "Failed"}]}},
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
async def test_nothing_is_detached_while_the_server_is_being_changed(work: dict[str, Any]) -> None:
    stage = with_server()
    await attached(stage)
    stage.store.set_status(WEB_0, {**BUILT, **work})
    stage.store.delete(KEY)
    assert await stage.once(KEY) == Blocked((WEB_0,), at_most=30.0)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert "EcsServer web-0 is being changed" in stage.message(KEY)
    assert changes(stage) == ["attachVolume"]
    stage.store.set_status(WEB_0, BUILT)
    await stage.settle(KEY)
    assert KEY not in stage.store


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
async def test_nothing_is_attached_again_while_the_server_is_being_changed(work: dict[str, Any]) -> None:
    stage = with_server()
    await attached(stage)
    stage.cloud.take_off("volume-1")
    stage.store.set_status(WEB_0, {**BUILT, **work})
    stage.clock.advance(400)
    assert await stage.once(KEY) == Blocked((WEB_0,), at_most=30.0)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert changes(stage) == ["attachVolume"]
    stage.store.set_status(WEB_0, BUILT)
    await attached(stage)


@pytest.mark.parametrize("work", AT_REST.values(), ids=AT_REST)
async def test_what_failed_on_the_server_and_waits_for_somebody_is_no_obstacle(work: dict[str, Any]) -> None:
    stage = with_server()
    stage.store.set_status(WEB_0, {**BUILT, **work})
    await attached(stage)
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store


def meanwhile(stage: Stage, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Let something happen once, right after the attachment's intent was written and before the call."""
    write, left = stage.writer.write, [do]

    async def written_then(*args: Any, **kwargs: Any) -> KubeObject:
        written = await write(*args, **kwargs)
        if (written.status.get("operation") or {}).get("step") == "Sending" and left:
            left.pop()()
        return written

    monkeypatch.setattr(stage.writer, "write", written_then)


RACES: dict[str, tuple[Any, str]] = {
    "an operation": (lambda stage: stage.store.set_status(WEB_0, {**BUILT, **WORK["power"]}), "is being changed (Stop)"),
    "a deletion": (lambda stage: stage.store.delete(WEB_0), "is being deleted"),
    "another server": (lambda stage: stage.store.set_status(WEB_0, {**BUILT, "id": "server-2"}), "does not stand for server server-1"),
}


@pytest.mark.parametrize(("happens", "named"), RACES.values(), ids=RACES)
async def test_what_happens_to_the_server_between_the_record_and_the_call_is_seen(
    monkeypatch: pytest.MonkeyPatch, happens: Any, named: str
) -> None:
    stage = with_server()
    await stage.store.add_finalizer(stage.store[WEB_0])
    meanwhile(stage, monkeypatch, lambda: happens(stage))
    await stage.once(KEY)
    assert changes(stage) == []
    assert named in stage.message(KEY)
    assert stage.status(KEY)["operation"]["step"] == "Retrying"


async def test_an_operation_that_begins_between_the_record_and_the_call_to_detach_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = with_server()
    await attached(stage)
    stage.store.delete(KEY)
    meanwhile(stage, monkeypatch, lambda: stage.store.set_status(WEB_0, {**BUILT, **WORK["power"]}))
    await stage.once(KEY)
    assert changes(stage) == ["attachVolume"]
    stage.store.set_status(WEB_0, BUILT)
    await stage.settle(KEY)
    assert KEY not in stage.store


async def test_steady_state_asks_for_no_list_of_attachments() -> None:
    stage = with_server()
    await attached(stage)
    await stage.once(KEY)
    stage.store.reads.clear()
    for _ in range(3):
        stage.clock.advance(100)
        assert isinstance(await stage.once(KEY), Again | Blocked)
    assert not [each for each in stage.store.reads if each.startswith("list")]
