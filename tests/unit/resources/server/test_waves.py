"""Waves of changes to many servers: few calls, each server served for itself, none twice."""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import BudgetLimits
from ecs_simulator.world import power
from ecs_simulator.world.ledger import BY_HAND
from tests.unit.resources.server.crowd import PROJECT, connection, crowd

MANY = 200
FEW = 10
"""Calls for a wave of so many: one a second while it lasts. On a machine with nothing else to do it takes three."""


async def test_a_wave_of_power_changes_and_deletions_travels_in_few_calls() -> None:
    async with crowd() as of:
        keys = of.make(MANY, powerState="Running")
        await of.until_all_say(keys, Reason.AVAILABLE)
        ids = [of.id_of(key) for key in keys]
        of.calls()
        of.edit(keys, powerState="Stopped")
        await of.until_all_say(keys, Reason.STOPPED_AS_DESIRED)
        calls = of.calls()
        assert 1 <= calls["stopServers"] <= FEW
        assert calls["showJob"] <= 3 * FEW, "those who wait for one job look at it together"
        assert all(of.store.objects[key].status["job"]["progress"] == "1/1" for key in keys), "each shows its own part"
        of.delete(keys)
        await of.until_gone(keys)
        assert 1 <= of.calls()["deleteServers"] <= FEW
        deeds = of.deeds()
        assert all(deeds[server_id, action] == 1 for server_id in ids for action in ("create", "stop", "delete"))
        assert of.cloud.world.projects[PROJECT].servers == {}


async def test_the_default_budget_of_reads_does_not_break_a_wave_up() -> None:
    async with crowd() as of:
        keys = of.make(MANY, powerState="Running")
        await of.until_all_say(keys, Reason.AVAILABLE)
        async with await connection(of.cloud, BudgetLimits()) as client:
            of.connect(client)
            of.calls()
            of.edit(keys, powerState="Stopped")
            await of.until_all_say(keys, Reason.STOPPED_AS_DESIRED)
            calls = of.calls()
            assert 1 <= calls["stopServers"] <= FEW
            assert calls["showServer"] <= MANY // 10, "lists told how the servers are, before the calls and after"
            assert calls["listServersDetails"] <= MANY // 2


async def test_who_cannot_be_served_does_not_hold_up_the_others() -> None:
    async with crowd() as of:
        keys = of.make(20, powerState="Running")
        await of.until_all_say(keys, Reason.AVAILABLE)
        locked, *well = keys
        project = of.cloud.world.projects[PROJECT]
        power.set_lock(of.cloud.world, project, project.servers[of.id_of(locked)], locked=True, cause=BY_HAND)
        of.calls()
        of.edit(keys, powerState="Stopped")
        await of.until_all_say(well, Reason.STOPPED_AS_DESIRED)
        assert of.calls()["stopServers"] <= 3
        assert all("errorCode" not in of.store.objects[key].status["job"] for key in well)
        await of.until(lambda: of.store.objects[locked].status.get("job", {}).get("errorCode") == "Ecs.0605", lambda: of.says(locked))
        assert of.store.objects[locked].status["job"]["progress"] == "1/1"
        assert of.store.objects[locked].status["operation"]["kind"] == "Stop"
