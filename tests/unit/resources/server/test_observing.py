"""managementPolicy: Observe: a server is shown and never changed, whatever the spec says; and the ways into it and out of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_operator.api.group import FINALIZER
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import AttachedVolume
from ecs_operator.resources.ownership import MARKER_KEY
from tests.unit.resources.server.fake_cloud import DEBIAN
from tests.unit.resources.server.stage import KEY, SPEC, Stage, pause_of
from tests.unit.resources.server.test_adoption import FOREIGN, IMPORT, THERE, edit, is_marked, passes, plant, there, until_says, untouched

DIFFERENT = {
    "flavor": "s3.large.2",
    "image": {"id": DEBIAN.id},
    "name": "mine",
    "powerState": "Stopped",
    "tags": {"a": "1"},
    "locked": True,
}
OBSERVE = {"managementPolicy": "Observe"}


def observing(spec: dict[str, Any] | None = None, **server: Any) -> Stage:
    stage = Stage(spec={**SPEC, **IMPORT, **OBSERVE, **(spec or {})})
    plant(stage, **server)
    return stage


async def built_and_observed() -> Stage:
    stage = Stage()
    await stage.until_ready()
    edit(stage, **OBSERVE)
    await until_says(stage, Reason.OBSERVED)
    return stage


def position(stage: Stage) -> int:
    return len(stage.effects.log)


def changed_since(stage: Stage, start: int) -> list[str]:
    reads = {"cloud.get", "cloud.sweep", "cloud.job"}
    return [name for name in stage.effects.log[start:] if name.startswith("cloud.") and name not in reads]


async def test_a_server_is_shown_however_much_the_spec_differs() -> None:
    stage = observing(DIFFERENT)
    await stage.until_ready()
    status = stage.status
    assert stage.reason == Reason.OBSERVED
    assert (status["id"], status["serverStatus"], status["flavor"], status["privateIp"]) == (THERE, "ACTIVE", "s3.small.1", "192.168.0.7")
    assert status["adoption"]["state"] == "Observed"
    assert (status["volumes"][0]["device"], status["addresses"][0]["portId"]) == ("/dev/vda", "port-fa:16:3e:00:00:07")
    stage.annotate(**{"restart-requested-at": "now", "approve-plan": "x"})
    await passes(stage, 6)
    assert untouched(stage)
    assert "plan" not in stage.status
    assert "lastHandledRestartAt" not in stage.status


async def test_to_observe_costs_no_writes_and_no_reads_but_the_shared_list() -> None:
    stage = observing()
    await stage.until_ready()
    await passes(stage, 2)
    writes, start = stage.store.status_writes, position(stage)
    await passes(stage, 4)
    assert stage.store.status_writes == writes
    assert set(stage.effects.log[start:]) <= {"kube.get", "cloud.sweep"}


async def test_what_becomes_of_the_server_is_followed() -> None:
    stage = observing()
    await stage.until_ready()
    row = stage.cloud.servers_by_id[THERE]
    stage.cloud.volumes_by_id["volume-x"] = 30
    row.server = replace(
        row.server, status="SHUTOFF", vm_state="stopped", power_state=3, volumes=(*row.server.volumes, AttachedVolume(id="volume-x"))
    )
    stage.clock.advance(400)
    await passes(stage, 2)
    assert (stage.status["serverStatus"], stage.status["powerState"]) == ("SHUTOFF", "Shutdown")
    assert [each["id"] for each in stage.status["volumes"]] == [f"{THERE}-root", "volume-x"]
    assert untouched(stage)


async def test_any_mark_may_be_on_it() -> None:
    stage = observing(metadata={**FOREIGN, MARKER_KEY: "prod/somebody/1/abc"})
    await stage.until_ready()
    assert stage.reason == Reason.OBSERVED


async def test_one_that_is_not_there_is_said_so() -> None:
    stage = Stage(spec={**SPEC, **IMPORT, **OBSERVE})
    await until_says(stage, Reason.INVALID_CONFIGURATION)
    assert f"there is no server {THERE}" in stage.message
    assert "id" not in stage.status, "then it can be corrected"
    plant(stage)
    await stage.until_ready()


async def test_one_that_goes_is_believed_gone_after_proof_only() -> None:
    stage = observing()
    await stage.until_ready()
    stage.cloud.vanish(THERE)
    stage.clock.advance(400)
    await stage.once()
    assert stage.reason == Reason.OBSERVED
    await until_says(stage, Reason.DELETED_EXTERNALLY)
    assert stage.status["id"] == THERE
    assert "serverStatus" not in stage.status
    start = stage.store.status_writes
    await passes(stage, 3)
    assert stage.store.status_writes == start


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_the_deletion_leaves_the_server_and_needs_no_project(policy: str) -> None:
    stage = observing({"deletionPolicy": policy})
    await stage.until_ready()
    asked = stage.tenants.asked
    stage.delete()
    await stage.until_gone()
    assert stage.tenants.asked == asked
    assert there(stage).metadata == FOREIGN
    assert untouched(stage)


async def test_a_server_made_here_is_left_with_its_mark() -> None:
    stage = await built_and_observed()
    start = position(stage)
    edit(stage, flavor="s3.large.2", powerState="Stopped", tags={"a": "1"})
    await passes(stage, 4)
    assert changed_since(stage, start) == []
    stage.delete()
    await stage.until_gone()
    assert changed_since(stage, start) == []
    (server,) = stage.cloud.alive()
    assert MARKER_KEY in server.metadata
    assert any("server server-1 stays as it is, with the mark of this object" in message for _, _, message in stage.events.recorded)


async def test_observed_then_managed_it_is_adopted() -> None:
    stage = observing()
    await stage.until_ready()
    edit(stage, managementPolicy="Managed")
    await stage.until(lambda: stage.reason == Reason.AVAILABLE)
    assert is_marked(stage)
    assert stage.status["adoption"]["state"] == "Adopted"


async def test_observed_then_managed_what_differs_waits_for_approval() -> None:
    stage = observing({"flavor": "s3.large.2", "name": "mine"})
    await stage.until_ready()
    edit(stage, managementPolicy="Managed")
    await until_says(stage, Reason.WAITING_FOR_APPROVAL)
    assert [each["path"] for each in stage.status["plan"]["changes"]] == ["spec.flavor", "spec.name"]
    assert untouched(stage)
    stage.delete()
    await stage.until_gone()
    assert untouched(stage)


async def test_a_server_made_here_is_compared_when_it_is_managed_again() -> None:
    stage = await built_and_observed()
    start = position(stage)
    edit(stage, managementPolicy="Managed", name="mine", flavor="s3.large.2")
    await until_says(stage, Reason.WAITING_FOR_APPROVAL)
    assert changed_since(stage, start) == []
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    await stage.until_ready()
    assert changed_since(stage, start) == ["cloud.update", "cloud.stop.soft", "cloud.resize", "cloud.start"]
    stage.exactly_one()
    stage.delete()
    await stage.until_gone()
    stage.none_left()


async def test_there_and_back_without_differences_nothing_is_done() -> None:
    stage = await built_and_observed()
    start = position(stage)
    edit(stage, managementPolicy="Managed")
    await stage.until(lambda: stage.reason == Reason.AVAILABLE)
    assert changed_since(stage, start) == []
    assert stage.status["create"]["incarnation"] == 1
    stage.exactly_one()


async def test_observed_while_it_is_built_it_is_followed_and_goes_on_later() -> None:
    stage = Stage()
    await stage.once()
    edit(stage, **OBSERVE)
    await until_says(stage, Reason.OBSERVED)
    await passes(stage, 3)
    assert stage.status["serverStatus"] == "ACTIVE"
    edit(stage, managementPolicy="Managed")
    await stage.until(lambda: stage.reason == Reason.AVAILABLE)
    stage.exactly_one()


async def test_a_change_under_way_rests_and_goes_on_later() -> None:
    stage = Stage(spec={**SPEC, "disruption": {"allow": "Restart"}})
    await stage.until_ready()
    edit(stage, flavor="s3.large.2")
    await stage.until(lambda: stage.cloud.alive()[0].task_state == "powering-off")
    stage.clock.advance(10)
    stage.cloud.settle()
    edit(stage, **OBSERVE)
    await until_says(stage, Reason.OBSERVED)
    start = position(stage)
    await passes(stage, 4)
    assert changed_since(stage, start) == []
    assert "What was begun with it before rests" in stage.message
    edit(stage, managementPolicy="Managed")
    await until_says(stage, Reason.WAITING_FOR_APPROVAL)
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    await stage.until_ready()
    (server,) = stage.cloud.alive()
    assert (server.flavor_id, server.status) == ("s3.large.2", "ACTIVE")


async def test_a_protected_object_is_held_back() -> None:
    stage = observing({"deletionProtection": True})
    await stage.until_ready()
    stage.delete()
    stage.clock.advance(pause_of(await stage.once()))
    assert KEY not in stage.store.objects or stage.obj.finalizers == (FINALIZER,)
    assert untouched(stage)
