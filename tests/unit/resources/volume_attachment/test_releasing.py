"""A server that goes, and a volume that others took off: what was begun is followed to its end, and nothing is detached twice."""

from __future__ import annotations

import pytest

from ecs_operator.engine.outcome import Again, Blocked
from tests.fakes.cloud import SETTLE_AFTER, lost
from tests.fakes.effects import When
from tests.fakes.stage import Stage
from tests.unit.resources.volume_attachment.prepared import BUILT, KEY, WEB_0, attached, removed, server_of, with_server

DELETING = {**BUILT, "operation": {"id": "o", "kind": "Delete", "step": "Sending", "startedAt": "2026-01-01T00:00:00Z"}}


async def going(stage: Stage) -> None:
    """Somebody deletes the EcsServer."""
    await stage.store.add_finalizer(stage.store[WEB_0])
    stage.store.delete(WEB_0)
    stage.store.set_status(WEB_0, DELETING)


async def test_a_server_that_goes_lets_go_and_the_status_says_so() -> None:
    stage = with_server()
    await attached(stage)
    await going(stage)
    assert await stage.once(KEY) == Blocked((WEB_0,), at_most=60.0)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert stage.status(KEY)["attachmentId"] == "volume-1", "it is there still"
    stage.cloud.remove_server("server-1")
    await stage.settle(KEY)
    assert not {"attachmentId", "device", "pciAddress", "bootIndex", "sizeGiB", "operation"} & set(stage.status(KEY))
    assert stage.cloud.calls.count("detachVolume") == 0
    stage.effects.log.clear()
    stage.cloud.calls.clear()
    for _ in range(3):
        await stage.once(KEY)
    assert (stage.effects.log, stage.cloud.calls) == ([], [])
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store


async def test_what_is_being_attached_when_the_server_goes_is_followed_to_its_end() -> None:
    stage = with_server()
    await stage.once(KEY)
    await going(stage)
    assert isinstance(await stage.once(KEY), Again)
    await stage.settle(KEY)
    assert "operation" not in stage.status(KEY)
    assert stage.status(KEY)["attachmentId"] == "volume-1"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_attach_that_was_never_answered_is_open_until_it_can_no_longer_arrive(when: When) -> None:
    stage = with_server()
    stage.cloud.fail("attachVolume", lost("attachVolume"), when=when)
    await stage.once(KEY)
    await going(stage)
    await stage.settle(KEY)
    assert "operation" not in stage.status(KEY)
    assert (stage.clock.monotonic() >= SETTLE_AFTER) is (when == "before")
    assert ("attachmentId" in stage.status(KEY)) is (when == "after")


async def test_an_attachment_that_is_deleted_with_its_server_is_done_when_the_server_is() -> None:
    stage = with_server()
    await attached(stage)
    await going(stage)
    stage.store.delete(KEY)
    assert await stage.once(KEY) == Blocked((WEB_0,), at_most=30.0)
    assert "being changed (Delete)" in stage.message(KEY)
    stage.cloud.remove_server("server-1")
    await stage.store.remove_finalizer(stage.store[WEB_0])
    assert WEB_0 not in stage.store
    await removed(stage)
    assert "detachVolume" not in stage.cloud.calls


async def test_a_deletion_of_the_server_that_is_held_up_holds_up_no_detachment() -> None:
    """For example by its protection: nothing is done to the server, so the volume can go."""
    stage = with_server(deletionProtection=True)
    await attached(stage)
    await stage.store.add_finalizer(stage.store[WEB_0])
    stage.store.delete(WEB_0)
    await removed(stage)
    assert stage.cloud.calls.count("detachVolume") == 1


async def test_a_volume_that_others_took_off_is_attached_again_and_that_is_told() -> None:
    stage = with_server()
    await attached(stage)
    stage.cloud.take_off("volume-1")
    stage.clock.advance(400)
    await attached(stage)
    assert server_of(stage) == ("server-1",)
    told = [each for each in stage.events.recorded if "any more" in each.message]
    assert [(each.kind, each.reason) for each in told] == [("Warning", "Attaching")]
    assert told[0].message == "volume volume-1 is not on server server-1 any more, and not by this object: it is attached again"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(5, 8))
async def test_killed_around_any_effect_of_attaching_it_again(effect: int, when: When) -> None:
    stage = with_server()
    await attached(stage)
    stage.cloud.take_off("volume-1")
    stage.clock.advance(400)
    stage.effects.kill(effect, when)
    await attached(stage)
    assert stage.deaths == 1
    assert stage.effects.log.count("attachVolume") == 2
    assert server_of(stage) == ("server-1",)
    await removed(stage)


async def test_a_volume_that_others_put_elsewhere_is_not_taken_from_there() -> None:
    stage = with_server()
    await attached(stage)
    stage.cloud.take_off("volume-1")
    stage.cloud.put("volume-1", "server-2")
    stage.clock.advance(400)
    assert await stage.once(KEY) == Blocked((WEB_0,), at_most=30.0)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert "attached to server server-2" in stage.message(KEY)
    assert "attachmentId" not in stage.status(KEY)
    assert stage.cloud.calls.count("attachVolume") == 1
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert server_of(stage) == ("server-2",)
    assert "detachVolume" not in stage.cloud.calls
