"""SIGKILL at every point of the create path and of the delete path: before each effect, after it is carried out, after it is answered.

Twenty servers are on their way at once; the kill falls on one effect of one of them, the others are wherever they happen to be.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest

from ecs_lab.proxy import Rule
from tests.faults.stage import Case, Stage, effect, is_effect

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVERS = 20
PHASES = ("before", "committed", "answered")


class Point(NamedTuple):
    """An effect by its name, and how many of that name pass before the one that is hit."""

    side: str
    effect: str
    skip: int


# Twenty servers make twenty of each; the intent is the first status write, the ids the second, progress and Ready follow.
CREATE_PATH = {
    "C0 first read": Point("kube", "read object", 0),
    "C1 finalizer": Point("kube", "add finalizer", 7),
    "C2 intent of the first": Point("kube", "write status", 0),
    "C3 intent of a later one": Point("kube", "write status", 9),
    "C5 create call": Point("cloud", "create", 0),
    "C6 create call of a later one": Point("cloud", "create", 11),
    "C8 ids": Point("kube", "write status", 23),
    "C11 job poll": Point("cloud", "job", 4),
    "C11 progress": Point("kube", "write status", 41),
    "list": Point("cloud", "list", 0),
}

DELETE_PATH = {
    "delete call": Point("cloud", "delete", 0),
    "delete job": Point("cloud", "job", 0),
    "status": Point("kube", "write status", 5),
    "proof": Point("cloud", "list", 0),
    "C18 finalizer removal": Point("kube", "remove finalizer", 3),
}


def rows(points: dict[str, Point]) -> list[object]:
    return [pytest.param(point, phase, id=f"{name}, {phase}") for name, point in points.items() for phase in PHASES]


def kill_at(stage: Stage, point: Point, phase: str) -> Rule:
    """Arm the kill, before what it is to fall on begins."""
    side = stage.kube if point.side == "kube" else stage.cloud
    return side.on(is_effect(point.effect), stage.killer(phase), skip=point.skip)


async def killed(stage: Stage, rule: Rule) -> None:
    """Wait for the kill, and start the operator again."""
    await rule.wait_hit(seconds=60)
    await stage.op.kill()
    stage.clear()
    await stage.op.start()


@pytest.mark.parametrize(("point", "phase"), rows(CREATE_PATH))
async def test_create_survives_a_kill(case: Case, point: Point, phase: str) -> None:
    rule = kill_at(case.stage, point, phase)
    await case.apply(*case.servers(SERVERS))
    await killed(case.stage, rule)
    await case.assert_exactly_one_each(await case.wait_ready(SERVERS))


@pytest.mark.parametrize(("point", "phase"), rows(DELETE_PATH))
async def test_delete_survives_a_kill(case: Case, point: Point, phase: str) -> None:
    await case.apply(*case.servers(SERVERS))
    objects = await case.wait_ready(SERVERS)
    rule = kill_at(case.stage, point, phase)
    await case.delete_all()
    await killed(case.stage, rule)
    await case.wait_gone()
    await case.assert_exactly_one_each(objects)
    await case.assert_nothing_left()


async def test_survives_ten_kills_in_a_row(case: Case) -> None:
    """Any number of times: every tenth exchange of either side kills the operator, until it has been killed ten times."""
    stage = case.stage

    def arm() -> list[Rule]:
        return [side.on(lambda call: effect(call) is not None, stage.killer("committed"), skip=9) for side in (stage.kube, stage.cloud)]

    rules = arm()
    await case.apply(*case.servers(SERVERS))
    for _ in range(10):
        await asyncio.wait([asyncio.create_task(rule.hit.wait()) for rule in rules], timeout=60, return_when=asyncio.FIRST_COMPLETED)
        assert any(rule.hits for rule in rules)
        await stage.op.kill()
        stage.clear()
        rules = arm()
        await stage.op.start(wait=False)
    stage.clear()
    if not stage.op.alive:
        await stage.op.start()
    await case.assert_exactly_one_each(await case.wait_ready(SERVERS))
