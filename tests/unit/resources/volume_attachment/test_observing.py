"""managementPolicy: Observe of an attachment: shown, never made, never undone."""

from __future__ import annotations

from tests.fakes.stage import Stage
from tests.unit.resources.volume_attachment.prepared import KEY, prepared, server_of
from tests.unit.resources.volume_attachment.test_reconciler import ATTACHED


def untouched(stage: Stage) -> bool:
    return not {"attachVolume", "detachVolume"} & set(stage.cloud.calls)


async def test_an_attachment_that_is_there_is_shown() -> None:
    stage = prepared(managementPolicy="Observe")
    stage.cloud.put("volume-1", "server-1")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Observed")
    shown = stage.status(KEY)
    assert {key: shown[key] for key in ("serverId", "attachmentId", "sizeGiB")} == {
        key: ATTACHED[key] for key in ("serverId", "attachmentId", "sizeGiB")
    }
    stage.effects.log.clear()
    stage.cloud.calls.clear()
    await stage.once(KEY)
    assert stage.effects.log == []
    assert set(stage.cloud.calls) <= {"listServersDetails"}
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert server_of(stage) == ("server-1",)
    assert untouched(stage)


async def test_one_that_is_not_there_is_not_made() -> None:
    stage = prepared(managementPolicy="Observe")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert "nothing is attached" in stage.message(KEY)
    stage.cloud.put("volume-1", "server-1")
    stage.clock.advance(400)
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Observed")
    assert untouched(stage)


async def test_one_that_goes_is_noticed_and_left_so() -> None:
    stage = prepared()
    await stage.settle(KEY)
    stage.store.edit(KEY, managementPolicy="Observe")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Observed")
    stage.cloud.take_off("volume-1")
    stage.clock.advance(400)
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert stage.cloud.calls.count("attachVolume") == 1
    stage.store.edit(KEY, managementPolicy="Managed")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")
    assert server_of(stage) == ("server-1",)
