"""Creations of a project within its limit: never more at a time, all of them in the end, and an honest condition meanwhile."""

from __future__ import annotations

from dataclasses import replace

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Meaning
from ecs_operator.engine.outcome import Blocked
from ecs_operator.resources.creations import TURN_PAUSE, Creations
from ecs_operator.resources.keys import turn_key
from ecs_operator.resources.tenancy import Tenant
from tests.unit.resources.server.crowd import PROJECT, crowd
from tests.unit.resources.server.fake_cloud import lost, refusal
from tests.unit.resources.server.stage import UID, Stage

LIMIT = 3


def one_place(stage: Stage) -> Creations:
    """Creations of the stage's project, one at a time."""
    tenant = stage.tenants.tenant
    assert isinstance(tenant, Tenant)
    creations = Creations(1, wake=stage.woken.append)
    stage.tenants.tenant = replace(tenant, creations=creations)
    return creations


def full(stage: Stage) -> Creations:
    """The only place is taken by somebody else, who looks at it as long as the test wants."""
    creations = one_place(stage)
    assert creations.begin("another", now=stage.clock.monotonic())
    return creations


async def test_never_more_at_a_time_than_the_project_allows() -> None:
    async with crowd(creates=LIMIT) as of:
        keys = of.make(20)
        most = 0

        def all_there() -> bool:
            nonlocal most
            building = sum(each.status == "BUILD" for each in of.cloud.world.projects[PROJECT].servers.values())
            most = max(most, building)
            return all(of.says(key) == Reason.AVAILABLE for key in keys)

        await of.until(all_there, lambda: [of.says(key) for key in keys])
        assert 1 <= most <= LIMIT
        assert of.calls()["createServers"] == 20


async def test_who_has_to_wait_says_so_once_and_sends_nothing() -> None:
    stage = Stage()
    full(stage)
    for _ in range(3):
        outcome = await stage.once()
    assert outcome == Blocked((turn_key(UID),), at_most=TURN_PAUSE)
    assert stage.ready["reason"] == "Creating"
    assert stage.ready["message"] == "waiting for its turn: in EcsProject lab 1 creations run at a time (spec.limits.createsInFlight)"
    assert stage.effects.count("cloud.create") == 0
    assert stage.writer.writes == 1
    assert "create" not in stage.status, "an intent that waits would look like a request that may have been sent"


async def test_it_goes_on_when_its_turn_comes() -> None:
    stage = Stage()
    creations = full(stage)
    await stage.once()
    creations.ended("another", now=stage.clock.monotonic())
    assert stage.woken == [turn_key(UID)]
    await stage.until_ready()
    stage.exactly_one()
    assert creations.begin("next", now=stage.clock.monotonic()), "the place is free again"


async def test_a_refused_creation_gives_its_place_back() -> None:
    stage = Stage()
    creations = one_place(stage)
    no = refusal("createServers", meaning=Meaning.QUOTA, status=400, code="Ecs.0001", message="quota")
    stage.effects.plan("cloud.create", "before", no)
    await stage.until(lambda: stage.reason == "QuotaExceeded")
    assert creations.begin("next", now=stage.clock.monotonic())


async def test_one_whose_outcome_is_open_keeps_it() -> None:
    stage = Stage()
    creations = one_place(stage)
    stage.effects.plan("cloud.create", "after", lost("createServers"))
    await stage.until(lambda: stage.reason == "OutcomeUnknown")
    assert not creations.begin("next", now=stage.clock.monotonic())
    await stage.until_ready()
    assert creations.begin("next", now=stage.clock.monotonic())


async def test_a_creation_that_runs_has_a_place_after_a_restart() -> None:
    stage = Stage()
    await stage.until(lambda: stage.effects.count("cloud.create") == 1)
    stage.restart()
    creations = full(stage)
    await stage.once()
    creations.ended("another", now=stage.clock.monotonic())
    assert not creations.begin("next", now=stage.clock.monotonic()), "its place was taken when it was looked at"
    await stage.until_ready()
    stage.exactly_one()


async def test_who_is_deleted_while_waiting_leaves_the_line() -> None:
    stage = Stage()
    creations = full(stage)
    await stage.once()
    stage.delete()
    await stage.until_gone()
    creations.ended("another", now=stage.clock.monotonic())
    assert stage.effects.count("cloud.create") == 0
