"""deletionPolicy: Retain: the server stays as it was, without the mark, and what stays is named; whatever crashes on the way."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.api.group import FINALIZER
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Server
from ecs_operator.engine.ports import SecretData
from ecs_operator.resources.ownership import MARKER_KEY
from ecs_operator.resources.tenancy import TenantUnavailable
from tests.unit.resources.server.effects import Crash, When
from tests.unit.resources.server.fake_cloud import lost
from tests.unit.resources.server.stage import KEY, SPEC, Stage, pause_of

WHENS: tuple[When, When] = ("before", "after")
RETAIN = {"deletionPolicy": "Retain"}
DISKS = [{"name": "data", "type": "SSD", "sizeGiB": 20, "deleteWithServer": True}]


async def built(**spec: Any) -> Stage:
    stage = Stage(spec={**SPEC, **RETAIN, **spec})
    await stage.until_ready()
    return stage


def edit(stage: Stage, **changes: Any) -> None:
    stage.store.edit(KEY, spec={**stage.obj.spec, **changes})


def stays(stage: Stage, status: str = "ACTIVE") -> None:
    (server,) = stage.cloud.alive()
    assert MARKER_KEY not in server.metadata
    assert (server.status, server.task_state) == (status, "")
    assert stage.cloud.deletions == []
    assert stage.effects.count("cloud.detach") == 0
    assert stage.effects.log.index("cloud.remove_marker") < stage.effects.log.index("kube.remove_finalizer")
    assert len(stage.cloud.created()) == 1


async def test_what_stays_is_named() -> None:
    stage = await built(dataVolumes=DISKS, publicIp={"id": "a2b4c6d8-1111-4222-8333-944455566677", "deleteWithServer": True})
    stage.delete()
    await stage.until_gone()
    stays(stage)
    [said] = [message for _, _, message in stage.events.recorded if "stays" in message]
    assert said == (
        "server server-1 stays without this object's mark, as spec.deletionPolicy says; "
        "with it disk server-1-root, disk server-1-data0, public address 80.158.9.9"
    )
    assert set(stage.cloud.volumes_by_id) == {"server-1-root", "server-1-data0"}


async def test_killed_around_every_effect() -> None:
    reference = await built()
    start = len(reference.effects.log)
    reference.delete()
    await reference.until_gone()
    for number in range(1, len(reference.effects.log) - start + 1):
        for when in WHENS:
            stage = await built()
            stage.effects.plan("*", when, Crash(), nth=number)
            stage.delete()
            deaths = 0
            while KEY in stage.store.objects:
                try:
                    stage.clock.advance(pause_of(await stage.once()))
                except Crash:
                    stage.restart()
                    deaths += 1
            assert deaths == 1, (number, when)
            stays(stage)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_answer_that_is_lost(when: When) -> None:
    stage = await built()
    stage.effects.plan("cloud.remove_marker", when, lost("removeServerMetadata"))
    stage.delete()
    await stage.until_gone()
    stays(stage)


@pytest.mark.parametrize(
    ("status", "vm_state", "task", "reason", "says"),
    [
        ("ACTIVE", "rescued", "rebooting", Reason.DELETING, "its mark can be taken off when rebooting is over"),
        ("ERROR", "error", "", Reason.WAITING_FOR_DEPENDENCY, "set spec.managementPolicy: Observe to let the object go"),
        ("SHELVED", "shelved", "", Reason.WAITING_FOR_DEPENDENCY, "bring it there"),
    ],
)
async def test_in_a_state_that_allows_no_metadata_it_waits(status: str, vm_state: str, task: str, reason: Reason, says: str) -> None:
    stage = await built()
    stage.cloud.set("server-1", status=status, vm_state=vm_state, task_state=task)
    stage.delete()
    for _ in range(3):
        stage.clock.advance(pause_of(await stage.once()))
    assert (stage.reason, stage.obj.finalizers) == (reason, (FINALIZER,))
    assert says in stage.message
    assert stage.effects.count("cloud.remove_marker") == 0
    stage.cloud.set("server-1", status="ACTIVE", vm_state="active", task_state="")
    await stage.until_gone()
    stays(stage)


async def test_one_in_error_goes_under_observe_with_its_mark() -> None:
    stage = await built()
    stage.cloud.set("server-1", status="ERROR", vm_state="error")
    stage.delete()
    await stage.once()
    edit(stage, managementPolicy="Observe")
    await stage.until_gone()
    assert MARKER_KEY in stage.cloud.alive()[0].metadata


async def test_nothing_it_refers_to_need_be_there() -> None:
    secret = SecretData(resource_version="1", data={"password": b"Good-Passw0rd!", "user-data": b"x"})
    stage = Stage(
        spec={
            **SPEC,
            **RETAIN,
            "adminPasswordSecretRef": {"name": "web", "key": "password"},
            "userDataRef": {"secret": {"name": "web", "key": "user-data"}},
        }
    )
    stage.store.secrets["shop/web"] = secret
    await stage.until_ready()
    stage.store.secrets.clear()
    stage.cloud.images.clear()
    edit(stage, serverGroupRef={"name": "gone"}, image={"name": "no such image"})
    stage.delete()
    await stage.until_gone()
    stays(stage)


async def test_without_a_project_it_says_what_it_waits_for() -> None:
    stage = await built()
    tenant = stage.tenants.tenant
    stage.tenants.tenant = TenantUnavailable(Reason.CREDENTIALS_MISSING, "the Secret lab is missing")
    stage.delete()
    await stage.once()
    assert (stage.reason, stage.message) == (Reason.CREDENTIALS_MISSING, "the deletion waits: the Secret lab is missing")
    stage.tenants.tenant = tenant
    await stage.until_gone()
    stays(stage)


@pytest.mark.parametrize("reached", ["recorded", "stopping", "stopped", "resizing"])
async def test_a_server_that_was_stopped_for_a_change_runs_again_before_it_is_left(reached: str) -> None:
    stage = await built(disruption={"allow": "Restart"})
    edit(stage, flavor="s3.large.2")

    def server() -> Server:
        return stage.cloud.alive()[0]

    wanted = {"recorded": lambda: "change" in stage.status, "resizing": lambda: server().task_state == "resize_migrating"}
    await stage.until(wanted.get(reached, lambda: server().task_state == "powering-off"))
    if reached == "stopped":
        stage.clock.advance(10)
        stage.cloud.settle()
    stage.delete()
    await stage.until_gone()
    stays(stage)
    assert server().flavor_id == ("s3.large.2" if reached == "resizing" else "s3.small.1")


async def test_a_server_that_was_stopped_before_stays_so() -> None:
    stage = await built(disruption={"allow": "Restart"}, powerState="Stopped")
    edit(stage, flavor="s3.large.2")
    await stage.until(lambda: stage.cloud.alive()[0].task_state == "resize_migrating")
    stage.delete()
    await stage.until_gone()
    stays(stage, "SHUTOFF")
