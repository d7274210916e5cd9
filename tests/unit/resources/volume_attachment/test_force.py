"""Detaching by force: only where it means something, told to whoever is left with the consequences, whatever crashes."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.engine.outcome import Again
from tests.fakes.cloud import lost
from tests.fakes.effects import When
from tests.fakes.stage import Stage
from tests.unit.resources.volume_attachment.prepared import KEY, WEB_0, attached, prepared, removed, with_server

REMARK = (
    "volume volume-1 was detached by force from server server-1: /dev/vdb and PCI address 0000:02:02.0 cannot be used again there, "
    "and a slot for disks stays taken; a restart of the server is advised"
)


@pytest.fixture
def stage() -> Stage:
    return prepared(detach={"mode": "Force"})


def remarks(stage: Stage) -> list[str]:
    return [each.message for each in stage.events.recorded if "by force" in each.message and "cannot be used" in each.message]


async def test_it_is_shown_while_it_is_done_and_remarked_at_the_end(stage: Stage) -> None:
    await attached(stage)
    assert "detachMode" not in stage.status(KEY)
    stage.store.delete(KEY)
    await stage.once(KEY)
    assert stage.status(KEY)["detachMode"] == "Force"
    assert stage.message(KEY) == "volume volume-1 is being detached by force from server server-1"
    await stage.settle(KEY)
    assert stage.cloud.forced == ["volume-1"]
    assert remarks(stage) == [REMARK]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(5, 9))
async def test_killed_around_any_effect_it_is_forced_once_and_remarked(stage: Stage, effect: int, when: When) -> None:
    await attached(stage)
    stage.effects.kill(effect, when)
    await removed(stage)
    assert stage.deaths == 1
    assert stage.effects.log.count("detachVolume") == 1
    assert stage.cloud.forced[-1:] == ["volume-1"]
    assert set(remarks(stage)) == {REMARK}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_is_found_out_by_looking(stage: Stage, when: When) -> None:
    await attached(stage)
    stage.cloud.fail("detachVolume", lost("detachVolume"), when=when)
    await removed(stage)
    assert stage.cloud.forced == ["volume-1"]
    assert remarks(stage) == [REMARK]


async def test_from_a_stopped_server_nothing_needs_to_be_forced(stage: Stage) -> None:
    await attached(stage)
    stage.cloud.add_server("server-1", status="SHUTOFF")
    stage.cloud.put("volume-1", "server-1")
    await removed(stage)
    assert (stage.cloud.forced, remarks(stage)) == ([], [])


async def test_the_way_is_chosen_anew_for_each_call() -> None:
    """Soft at first; Force after that failed; the mark of the one before does not stay."""
    stage = prepared()
    await attached(stage)
    stage.store.delete(KEY)
    stage.cloud.fail_next_job = ("Ecs.1002", "the guest does not let go")
    for _ in range(6):
        outcome = await stage.once(KEY)
        stage.clock.advance(outcome.after if isinstance(outcome, Again) else 0)
        if stage.condition(KEY) == ("False", "OperationFailed"):
            break
    assert stage.status(KEY)["detachMode"] == "Soft"
    stage.store.edit(KEY, detach={"mode": "Force"})
    await stage.settle(KEY)
    assert (stage.cloud.forced, remarks(stage)) == (["volume-1"], [REMARK])


async def test_other_volumes_stay_where_they_are(stage: Stage) -> None:
    stage.cloud.add_volume("foreign", server="server-1")
    await attached(stage)
    await removed(stage)
    assert stage.cloud.volume_rows["foreign"].server_ids == ("server-1",)
    assert [each.id for each in stage.cloud.server_rows["server-1"].volumes] == ["foreign"]


@pytest.mark.parametrize("mode", ["Soft", "Force"])
async def test_a_detachment_needs_no_reference_that_resolves(mode: Any) -> None:
    """The EcsServer's object is gone, its server is not: the record is enough."""
    stage = with_server()
    await attached(stage)
    stage.store.edit(KEY, detach={"mode": mode})
    stage.store.delete(WEB_0)
    assert WEB_0 not in stage.store
    await removed(stage)
