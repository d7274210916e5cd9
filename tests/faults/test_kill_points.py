"""SIGKILL at every point of the create path and of the delete path: before each effect, after it is carried out, after it is answered.

Twenty servers are on their way at once; the kill falls on one effect of one of them, the others are wherever they happen to be.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import pytest

from tests.faults.stage import Case, Killer

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVERS = 20
PHASES = ("before", "committed", "answered")


class Point(NamedTuple):
    """An effect by its name, and how many of that name pass before the one that is hit."""

    effect: str
    skip: int


# Twenty servers make twenty of each; the intent is the first status write, the ids the second, progress and Ready follow.
CREATE_PATH = {
    "C0 first read": Point("read object", 0),
    "C1 finalizer": Point("add finalizer", 7),
    "C2 intent of the first": Point("write status", 0),
    "C3 intent of a later one": Point("write status", 9),
    "C5 create call": Point("create", 0),
    "C6 create call of a later one": Point("create", 11),
    "C8 ids": Point("write status", 23),
    "C11 job poll": Point("job", 4),
    "C11 progress": Point("write status", 41),
}

DELETE_PATH = {
    "delete call": Point("delete", 0),
    "delete job": Point("job", 0),
    "status": Point("write status", 5),
    "proof": Point("list", 0),
    "C18 finalizer removal": Point("remove finalizer", 3),
}


def rows(points: dict[str, Point]) -> list[object]:
    return [pytest.param(point, phase, id=f"{name}, {phase}") for name, point in points.items() for phase in PHASES]


async def strike(case: Case, killer: Killer) -> None:
    """Wait for the kill, and start the operator again."""
    await killer.wait()
    case.stage.clear()
    await case.stage.op.start()


@pytest.mark.parametrize(("point", "phase"), rows(CREATE_PATH))
async def test_create_survives_a_kill(case: Case, point: Point, phase: str) -> None:
    killer = case.stage.killer(phase)
    case.on(point.effect, killer, skip=point.skip, times=None)
    await case.apply(*case.servers(SERVERS))
    await strike(case, killer)
    await case.assert_exactly_one_each(await case.wait_ready(SERVERS))


@pytest.mark.parametrize(("point", "phase"), rows(DELETE_PATH))
async def test_delete_survives_a_kill(case: Case, point: Point, phase: str) -> None:
    await case.apply(*case.servers(SERVERS))
    objects = await case.wait_ready(SERVERS)
    killer = case.stage.killer(phase)
    case.on(point.effect, killer, skip=point.skip, times=None)
    await case.delete_all()
    await strike(case, killer)
    await case.wait_gone()
    await case.assert_exactly_one_each(objects)
    await case.assert_nothing_left()


async def test_survives_ten_kills_in_a_row(case: Case) -> None:
    """Any number of times: each new process is killed at its fifth write of a status, of whichever object, or when it is ready."""
    await case.apply(*case.servers(SERVERS))
    for _ in range(10):
        killer = case.stage.killer("committed")
        case.on("write status", killer, skip=4, times=None)
        if case.stage.op.alive:
            await case.stage.op.kill()
        await case.stage.op.start(wait=False)
        with contextlib.suppress(TimeoutError):  # everything is Ready already, and nothing left to write
            await killer.wait(seconds=5)
        case.stage.clear()
    if not case.stage.op.alive:
        await case.stage.op.start()
    await case.assert_exactly_one_each(await case.wait_ready(SERVERS))
