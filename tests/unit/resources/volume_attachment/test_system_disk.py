"""Devices and the system disk: what is known beforehand is said, and a server is never stopped for it."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.engine.outcome import Again, Blocked
from tests.fakes.stage import Stage
from tests.unit.resources.volume_attachment.prepared import BUILT, KEY, WEB_0, attached, prepared, removed, server_of, with_server

STOPPED = {**BUILT, "serverStatus": "SHUTOFF"}


def changes(stage: Stage) -> list[str]:
    return [each for each in stage.cloud.calls if each not in {"showServer", "showVolume", "showVolumeAttachment", "listBlockDevices"}]


def stop(stage: Stage) -> None:
    """The server, with what is on it."""
    on_it = [volume_id for volume_id, row in stage.cloud.volume_rows.items() if "server-1" in row.server_ids]
    stage.cloud.add_server("server-1", status="SHUTOFF")
    for volume_id in on_it:
        stage.cloud.put(volume_id, "server-1")


def with_system_disk(**server: Any) -> Stage:
    """volume-1 is the system disk of web-0."""
    stage = with_server(**server)
    stage.cloud.boot_volumes.add("volume-1")
    stage.cloud.devices["volume-1"] = "/dev/vda"
    stage.cloud.put("volume-1", "server-1")
    return stage


@pytest.mark.parametrize("device", ["/dev/sda", "/dev/vda", "/dev/xvda"])
async def test_a_system_disk_is_attached_to_a_stopped_server_only(device: str) -> None:
    stage = prepared(device=device)
    assert isinstance(await stage.once(KEY), Again)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert stage.message(KEY) == (
        f"a system disk ({device}) is attached to a stopped server, and server server-1 is ACTIVE: stop the server"
    )
    assert changes(stage) == []
    stop(stage)
    stage.cloud.boot_volumes.add("volume-1")
    await attached(stage)
    assert stage.status(KEY)["bootIndex"] == 0


async def test_the_ecsserver_is_named_and_its_wish_counts() -> None:
    """A server that is down for a moment, and wanted running, is as good as one that runs."""
    stage = with_system_disk(powerState="Running")
    await attached(stage)
    stage.store.delete(KEY)
    assert await stage.once(KEY) == Blocked((WEB_0,), at_most=30.0)
    assert "which is ACTIVE: stop the server (spec.powerState: Stopped of EcsServer web-0), or set deletionPolicy: Retain" in stage.message(
        KEY
    )
    stop(stage)
    await stage.once(KEY)
    assert "which EcsServer web-0 wants running: stop the server" in stage.message(KEY)
    assert "detachVolume" not in stage.cloud.calls
    stage.store.edit(WEB_0, powerState="Stopped")
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert server_of(stage) == ()


async def test_the_system_disk_goes_and_comes_back() -> None:
    stage = with_system_disk(powerState="Stopped")
    stop(stage)
    await attached(stage)
    await removed(stage)
    stage.store.create(
        KEY.resource, KEY.name, {"serverRef": {"name": "web-0"}, "volumeId": "volume-1", "device": "/dev/sda"}, namespace="shop"
    )
    await attached(stage)
    assert (stage.status(KEY)["device"], stage.status(KEY)["bootIndex"]) == ("/dev/vda", 0)
    assert changes(stage).count("attachVolume") == 1
    assert changes(stage).count("detachVolume") == 1


@pytest.mark.parametrize("device", ["/dev/vdc", "/dev/sdc", "/dev/xvdc"])
async def test_a_device_that_is_taken_is_said_before_the_call(device: str) -> None:
    stage = prepared(device=device)
    stage.cloud.add_volume("volume-2", server="server-1")
    stage.cloud.devices["volume-2"] = "/dev/vdc"
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "WaitingForDependency")
    assert f"device {device} of server server-1 is taken by volume volume-2" in stage.message(KEY)
    assert "attachVolume" not in stage.cloud.calls
    stage.cloud.take_off("volume-2")
    await attached(stage)


@pytest.mark.parametrize("device", [None, "/dev/vdd", "/dev/vdaa"])
async def test_other_devices_are_no_obstacle(device: str | None) -> None:
    stage = prepared(device=device)
    stage.cloud.add_volume("volume-2", server="server-1")
    stage.cloud.devices["volume-2"] = "/dev/vdc"
    await attached(stage)


async def test_a_device_that_the_cloud_shows_late_is_asked_for_again() -> None:
    stage = prepared()
    stage.cloud.shows_devices = False
    for _ in range(4):
        outcome = await stage.once(KEY)
        stage.clock.advance(outcome.after if isinstance(outcome, Again) else 0)
    assert stage.condition(KEY) == ("True", "Available")
    assert "pciAddress" not in stage.status(KEY)
    stage.cloud.shows_devices = True
    await attached(stage)
    assert stage.status(KEY)["pciAddress"] == "0000:02:02.0"
    assert stage.cloud.calls.count("attachVolume") == 1
