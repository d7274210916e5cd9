"""`kubectl delete` at any phase ends with nothing left; a foreign server of the same name is never touched."""

from __future__ import annotations

import asyncio

import pytest

from ecs_lab.proxy import Answer, Exchange
from tests.faults.stage import Case

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHASES = {
    "before the finalizer": ("add finalizer", 0),
    "before the intent": ("write status", 0),
    "before the create call": ("create", 0),
    "before the ids are written": ("write status", 1),
    "while the job runs": ("job", 0),
    "before the last status": ("write status", 2),
}


@pytest.mark.parametrize(("name", "skip"), [pytest.param(*where, id=phase) for phase, where in PHASES.items()])
async def test_nothing_is_left(case: Case, name: str, skip: int) -> None:
    """The exchange is held until the deletion has been asked for."""
    deleted = asyncio.Event()

    async def hold(exchange: Exchange) -> Answer | None:
        await deleted.wait()
        return await exchange.forward()

    rule = case.on(name, hold, skip=skip)
    await case.apply(case.server("s-0"))
    await rule.wait_hit(seconds=30)
    await case.delete_all()
    deleted.set()
    await case.wait_gone()
    await case.assert_nothing_left()
    assert max((await case.created_servers()).values(), default=0) <= 1


async def test_while_the_outcome_of_the_create_is_unknown(case: Case) -> None:
    """C15: the answer is lost, then the object is deleted: the server that came of it goes too."""

    async def lost(exchange: Exchange) -> Answer | None:
        await exchange.forward()
        await case.delete_all()
        return None

    rule = case.on("create", lost)
    await case.apply(case.server("s-0"))
    await rule.wait_hit(seconds=30)
    await case.wait_gone()
    assert sum((await case.created_servers()).values()) == 1
    await case.assert_nothing_left()


async def test_a_stopped_server(case: Case) -> None:
    await case.apply(case.server("s-0", powerState="Stopped"))
    await case.wait_ready(1)
    await case.delete_all()
    await case.wait_gone()
    await case.assert_nothing_left()


async def test_a_foreign_server_of_the_same_name_stays(case: Case) -> None:
    project = case.project.account.project_id
    foreign = (
        await case.stage.lab.sim.admin("POST", "/_sim/servers", {"project": project, "name": "s-0", "metadata": {"role": "theirs"}})
    )["id"]
    await case.apply(case.server("s-0"))
    [obj] = await case.wait_ready(1)
    assert obj["status"]["id"] != foreign
    await case.delete_all()
    await case.wait_gone()
    touched = [e for e in await case.ledger() if e["id"] == foreign and e["action"] != "create"]
    assert touched == []
    await case.stage.lab.sim.admin("POST", f"/_sim/servers/{foreign}", {"do": "delete"})
