"""A group is told when a server of it has come, and when it has gone; nobody else is told anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecs_operator.api.group import SERVER_GROUP
from ecs_operator.api.reasons import Reason
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.ports import UnavailableError
from ecs_operator.resources.keys import members_of
from tests.unit.resources.server.effects import When
from tests.unit.resources.server.stage import KEY, SPEC, Stage

GROUP = ObjectKey(SERVER_GROUP.plural, KEY.namespace, "web")
GROUP_ID = "0f3d1c0a-0000-4000-8000-00000000000a"
MEMBERS = members_of(KEY.namespace, "web")


def grouped() -> Stage:
    stage = Stage(spec={**SPEC, "serverGroupRef": {"name": "web"}})
    stage.store.put(replace(stage.obj, key=GROUP, kind=SERVER_GROUP.kind, uid="g", spec={}, status={"id": GROUP_ID, "project": "lab"}))
    stage.systems.groups[GROUP_ID] = []
    return stage


async def joined() -> Stage:
    stage = grouped()
    await stage.until_ready()
    assert stage.woken == [MEMBERS]
    stage.woken.clear()
    return stage


async def test_it_is_told_once_when_the_server_is_there() -> None:
    stage = grouped()
    await stage.once()
    assert stage.woken == [], "not while it is built"
    await stage.until_ready()
    assert stage.woken == [MEMBERS]
    stage.clock.advance(300)
    await stage.once()
    assert stage.woken == [MEMBERS]


async def test_it_is_told_when_the_server_is_gone_and_the_object_with_it() -> None:
    stage = await joined()
    stage.delete()
    await stage.until_gone()
    stage.none_left()
    await stage.once()
    assert stage.woken[-1] == MEMBERS
    told = len(stage.woken)
    await stage.once()
    assert len(stage.woken) == told


async def test_it_is_told_when_somebody_deleted_the_server() -> None:
    stage = await joined()
    stage.cloud.vanish("server-1")
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)
    assert stage.woken == [MEMBERS]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_it_is_told_whether_or_not_the_answer_to_the_write_got_lost(when: When) -> None:
    stage = await joined()
    writes = stage.store.status_writes
    stage = grouped()
    mishap = stage.effects.plan("kube.status", when, UnavailableError("504"), nth=writes)
    await stage.until_ready()
    await stage.once()
    assert mishap.hits == 1
    assert stage.woken == [MEMBERS]


async def test_a_new_process_tells_nothing_by_itself() -> None:
    stage = await joined()
    stage.restart()
    await stage.once()
    assert stage.woken == []


async def test_one_without_a_group_tells_nobody() -> None:
    stage = Stage()
    await stage.until_ready()
    stage.delete()
    await stage.until_gone()
    await stage.once()
    assert stage.woken == []
