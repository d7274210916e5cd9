"""Most servers of the project vanish at once: the object says so, and nothing is made, changed or taken for gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Server
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.tenancy import Tenant
from tests.unit.resources.server.effects import Crash
from tests.unit.resources.server.fake_cloud import lost
from tests.unit.resources.server.stage import KEY, UID, Stage

NEIGHBOURS = 9


class Town(Stage):
    """The object of the stage among others, of which it is known that they have servers."""

    def settle_in(self) -> None:
        for number in range(NEIGHBOURS):
            key = ObjectKey(KEY.resource, KEY.namespace, f"neighbour-{number}")
            status = {"id": f"n{number}", "project": "lab", "observedGeneration": 1}
            self.store.put(replace(self.obj, key=key, uid=f"{UID[:-2]}{number + 10}", status=status, finalizers=()))

    def show(self, *, count: int, own: Server | None) -> None:
        """What the cloud has from here: so many of the neighbours' servers, and the object's own."""
        for number in range(NEIGHBOURS):
            self.cloud.servers_by_id.pop(f"n{number}", None)
        for number in range(count):
            self.cloud.plant(Server(id=f"n{number}", status="ACTIVE"))
        self.cloud.servers_by_id.pop("server-1", None)
        if own is not None:
            self.cloud.plant(own)

    async def passes(self, number: int) -> None:
        for _ in range(number):
            await self.until(lambda: True)
            self.clock.advance(61.0)

    @property
    def tenant(self) -> Tenant:
        assert isinstance(self.tenants.tenant, Tenant)
        return self.tenants.tenant


async def town(**spec: Any) -> tuple[Town, Server]:
    stage = Town(spec={**Stage().spec, "powerState": "Running", **spec})
    await stage.until_ready()
    stage.settle_in()
    own = stage.cloud.alive()[0]
    stage.show(count=NEIGHBOURS, own=own)
    stage.clock.advance(300)
    await stage.once()
    assert stage.reason == Reason.AVAILABLE
    return stage, own


async def test_a_single_one_is_gone_as_before() -> None:
    stage, _ = await town()
    stage.show(count=NEIGHBOURS - 2, own=None)
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)


async def test_nobody_says_that_it_was_deleted_and_it_goes_on_when_they_are_back() -> None:
    stage, own = await town()
    stage.show(count=2, own=None)
    await stage.until(lambda: stage.reason == Reason.MASS_ABSENCE)
    assert "most servers of EcsProject lab have vanished" in stage.message
    assert stage.types() == {"Ready", "Stalled"}
    writes, effects = stage.store.status_writes, len(stage.effects.log)
    await stage.passes(20)
    assert stage.store.status_writes == writes, "it says it once"
    assert set(stage.effects.log[effects:]) == {"kube.get", "cloud.sweep"}
    stage.show(count=NEIGHBOURS, own=own)
    await stage.until_ready()
    assert len(stage.cloud.created()) == 1
    assert [reason for _, reason, _ in stage.events.recorded].count(Reason.MASS_ABSENCE) == 1
    assert Reason.DELETED_EXTERNALLY not in {reason for _, reason, _ in stage.events.recorded}


async def test_who_still_has_its_server_is_not_changed_either() -> None:
    stage, own = await town()
    stage.show(count=2, own=own)
    stage.clock.advance(1.0)
    assert not await stage.tenant.absence.believes("lab", await stage.tenant.snapshots.at_most(0))
    stage.store.edit(KEY, spec={**stage.spec, "powerState": "Stopped"})
    await stage.passes(5)
    assert stage.reason == Reason.MASS_ABSENCE
    assert not stage.effects.count("cloud.stop.soft")
    stage.show(count=NEIGHBOURS, own=own)
    await stage.until(lambda: stage.reason == Reason.STOPPED_AS_DESIRED)
    assert stage.effects.count("cloud.stop.soft") == 1


async def test_a_restarted_operator_changes_nothing_before_it_knows() -> None:
    stage, own = await town()
    stage.show(count=2, own=None)
    await stage.until(lambda: stage.reason == Reason.MASS_ABSENCE)
    stage.show(count=2, own=own)
    stage.restart()
    stage.store.edit(KEY, spec={**stage.spec, "powerState": "Stopped"})
    await stage.passes(5)
    assert stage.reason == Reason.MASS_ABSENCE
    assert not stage.effects.count("cloud.stop.soft")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 9))
async def test_killed_at_any_effect_it_ends_the_same(nth: int, when: Any) -> None:
    stage, _ = await town()
    stage.show(count=2, own=None)
    stage.effects.plan("*", when, Crash(), nth=nth)
    try:
        await stage.until(lambda: stage.reason == Reason.MASS_ABSENCE)
    except Crash:
        stage.restart()
        await stage.until(lambda: stage.reason == Reason.MASS_ABSENCE)
    assert len(stage.cloud.created()) == 1


async def test_what_is_confirmed_is_said_to_be_deleted() -> None:
    stage, _ = await town()
    stage.show(count=2, own=None)
    await stage.until(lambda: stage.reason == Reason.MASS_ABSENCE)
    alarm = await stage.tenant.absence.alarm("lab", stage.tenant.snapshots, suspected=False)
    assert alarm is not None
    stage.tenant.absence.confirm("lab", alarm.token)
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)


async def test_its_object_can_be_deleted_meanwhile() -> None:
    stage, _ = await town()
    stage.show(count=2, own=None)
    await stage.until(lambda: stage.reason == Reason.MASS_ABSENCE)
    stage.delete()
    await stage.until_gone()


async def test_what_is_known_to_be_gone_stays_so() -> None:
    stage, _ = await town()
    stage.show(count=NEIGHBOURS, own=None)
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)
    stage.show(count=2, own=None)
    stage.clock.advance(1.0)
    assert not await stage.tenant.absence.believes("lab", await stage.tenant.snapshots.at_most(0))
    await stage.passes(5)
    assert stage.reason == Reason.DELETED_EXTERNALLY


async def test_a_create_of_unknown_outcome_is_not_repeated_on_such_a_list() -> None:
    stage = Town()
    stage.effects.plan("cloud.create", "after", lost())
    await stage.once()
    stage.settle_in()
    stage.show(count=2, own=None)
    await stage.passes(20)
    assert len(stage.cloud.created()) == 1
    assert stage.reason in {Reason.OUTCOME_UNKNOWN, Reason.MASS_ABSENCE}
