"""A create whose job fails: what it left is removed, the next incarnation succeeds, and the condition tells why meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_lab.waiting import until
from tests.faults.stage import Case
from tests.scenes import condition

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def fail_next(case: Case, *, code: str, leave: str) -> None:
    wanted = {
        "project": case.project.account.project_id,
        "type": "createServer",
        "do": "fail",
        "code": code,
        "reason": "No valid host was found",
        "leave": leave,
    }
    await case.stage.lab.sim.admin("POST", "/_sim/next-job", wanted)


@pytest.mark.parametrize(
    ("code", "leave"),
    [
        pytest.param("Ecs.0219", "nothing", id="rolled back by the cloud"),
        pytest.param("Ecs.0401", "server", id="roll-back failed, a server is left"),
    ],
)
async def test_next_incarnation_succeeds(case: Case, code: str, leave: str) -> None:
    await fail_next(case, code=code, leave=leave)
    told: list[str] = []
    await case.apply(case.server("s-0"))

    async def told_why() -> bool:
        [obj] = await case.objects()
        ready: Any = condition(obj, "Ready")
        told.append(f"{ready.get('reason')}: {ready.get('message')}")
        return code in ready.get("message", "") and "No valid host was found" in ready.get("message", "")

    await until(told_why, seconds=30, what=lambda: f"the condition never told code and text: {sorted(set(told))}")
    [obj] = await case.wait_ready(1)
    entries = [e for e in await case.ledger() if e["resource"] == "server"]
    created = [e["id"] for e in entries if e["action"] == "create"]
    deleted = [e["id"] for e in entries if e["action"] == "delete"]
    assert len(created) == 2
    assert deleted == created[:1], "the first incarnation is gone, and was before the second came"
    assert [(e["action"], e["id"]) for e in entries if e["action"] in {"create", "delete"}] == [
        ("create", created[0]),
        ("delete", created[0]),
        ("create", created[1]),
    ]
    assert obj["status"]["id"] == created[1]


async def test_a_kill_between_failure_and_clean_up(case: Case) -> None:
    await fail_next(case, code="Ecs.0402", leave="server")
    killer = case.stage.killer("committed")
    case.on("delete", killer)
    await case.apply(case.server("s-0"))
    await killer.wait()
    await case.stage.op.start()
    [obj] = await case.wait_ready(1)
    alive = {e["id"] for e in await case.ledger() if e["resource"] == "server" and e["action"] == "create"} - {
        e["id"] for e in await case.ledger() if e["resource"] == "server" and e["action"] == "delete"
    }
    assert alive == {obj["status"]["id"]}
