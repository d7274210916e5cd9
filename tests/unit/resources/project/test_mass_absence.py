"""EcsProject: most of its servers vanish at once. It says so, names what confirms it, and goes on when that is settled."""

from __future__ import annotations

from ecs_operator.engine.outcome import Blocked
from ecs_operator.resources.absence import LOOK_AGAIN
from ecs_operator.resources.keys import alarm_key
from ecs_operator.resources.tenancy import Tenant
from tests.unit.resources.project.stage import LAB, SECRET, WEB_0, Stage

SERVERS = 10


async def alarmed() -> Stage:
    """Eight of ten servers are gone, and one of their objects has noticed."""
    stage = Stage()
    stage.add()
    await stage.work()
    for number in range(SERVERS):
        status = {"id": f"s{number}", "project": "lab"}
        stage.store.create(WEB_0.resource, f"web-{number}", {}, namespace="shop", status=status)
        stage.cloud.add_server(f"s{number}")
    for number in range(8):
        stage.cloud.remove_server(f"s{number}")
    tenant = await tenant_of(stage)
    assert not await stage.registry.absence.believes("lab", await tenant.snapshots.at_most(0))
    return stage


async def tenant_of(stage: Stage) -> Tenant:
    tenant = await stage.registry.tenant("lab")
    assert isinstance(tenant, Tenant)
    return tenant


async def test_the_project_says_so_once() -> None:
    stage = await alarmed()
    assert await stage.work() == Blocked((SECRET, alarm_key("lab")), at_most=LOOK_AGAIN)
    assert (stage.condition(), stage.condition("Stalled")) == (("False", "MassAbsence"), ("True", "MassAbsence"))
    assert stage.condition("Authenticated") == ("True", "SignedIn")
    assert stage.message().startswith("8 of 10 servers are not in the cloud's list any more")
    writes = stage.writer.writes
    await stage.work(seconds=600)
    assert stage.writer.writes == writes
    assert stage.events.reasons.count("MassAbsence") == 1
    assert alarm_key("lab") in stage.woken


async def test_it_is_ready_again_when_they_are_back() -> None:
    stage = await alarmed()
    await stage.work()
    for number in range(8):
        stage.cloud.add_server(f"s{number}")
    await stage.work()
    assert stage.condition() == ("True", "Available")


async def test_an_admin_confirms_it_by_the_token_in_the_message() -> None:
    stage = await alarmed()
    await stage.work()
    token = stage.message().rsplit(" ", 1)[1]
    stage.store.annotate(LAB, confirm_absence="not this")
    await stage.work()
    assert stage.condition() == ("False", "MassAbsence")
    stage.store.annotate(LAB, confirm_absence=token)
    await stage.work(seconds=1)
    assert stage.condition() == ("True", "Available")
    await stage.work(seconds=600)
    assert stage.condition() == ("True", "Available")


async def test_a_restarted_operator_goes_on_saying_so() -> None:
    stage = await alarmed()
    await stage.work()
    writes = stage.events.reasons.count("MassAbsence")
    stage.start()
    await stage.work()
    assert stage.condition() == ("False", "MassAbsence")
    assert stage.events.reasons.count("MassAbsence") == writes
