"""While most servers of the project are absent no volume is attached; a deletion goes on."""

from __future__ import annotations

from ecs_operator.api.group import SERVER
from ecs_operator.resources.absence import LOOK_AGAIN
from ecs_operator.resources.tenancy import Tenant
from tests.unit.resources.volume_attachment.prepared import KEY, attached, prepared, removed, server_of

GONE = 5


async def test_an_attachment_waits_and_says_why() -> None:
    stage = prepared()
    for number in range(GONE):
        status = {"id": f"gone-{number}", "project": "lab"}
        stage.store.create(SERVER.plural, f"gone-{number}", {}, namespace="shop", status=status)
    tenant = stage.tenants.answer
    assert isinstance(tenant, Tenant)
    assert not await tenant.absence.believes("lab", await tenant.snapshots.at_most(0))
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("False", "MassAbsence")
    assert server_of(stage) == ()
    for number in range(GONE):
        stage.cloud.add_server(f"gone-{number}")
    stage.clock.advance(LOOK_AGAIN)
    await attached(stage)
    for number in range(GONE):
        stage.cloud.remove_server(f"gone-{number}")
    stage.clock.advance(1.0)
    assert not await tenant.absence.believes("lab", await tenant.snapshots.at_most(0))
    await removed(stage)
