"""Power: as the spec wants it, softly and then hard; restarts when they are asked for."""

from __future__ import annotations

from functools import partial

import pytest

from tests.e2e.pace import durations
from tests.scenes import Object, Scene, is_ready

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_power_follows_the_spec(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", powerState="Running"))
    server_id = (await scene.until_ready("ecsvm/web-0"))["status"]["id"]
    await scene.patch("ecsvm/web-0", {"powerState": "Stopped"})
    stopped = (await scene.until_says("ecsvm/web-0", "StoppedAsDesired"))["status"]
    assert (stopped["serverStatus"], stopped["vmState"], stopped["powerState"]) == ("SHUTOFF", "stopped", "Shutdown")
    assert (stopped["job"]["type"], stopped["job"]["status"]) == ("stopServer", "SUCCESS")
    assert "operation" not in stopped
    await scene.kubectl("wait", "--for=condition=Ready", "ecsvm/web-0", "--timeout=1s")
    await scene.patch("ecsvm/web-0", {"powerState": "Running"})
    running = (await scene.until_says("ecsvm/web-0", "Available"))["status"]
    assert (running["serverStatus"], running["powerState"], running["id"]) == ("ACTIVE", "Running", server_id)
    assert await scene.deeds(server_id) == ["stop SOFT", "start SOFT"]


async def test_a_server_that_is_wanted_stopped_from_the_start(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", powerState="Stopped", shutdown={"mode": "Hard"}))
    obj = await scene.until_says("ecsvm/web-0", "StoppedAsDesired")
    assert await scene.deeds(obj["status"]["id"]) == ["stop HARD"]


async def test_a_guest_that_does_not_shut_down_is_cut_off(scene: Scene) -> None:
    """The soft stop hangs. After timeoutSeconds the power is cut, as soon as the cloud takes another command."""
    await scene.apply(scene.server("web-0", powerState="Running", shutdown={"timeoutSeconds": 2}))
    server_id = (await scene.until_ready("ecsvm/web-0"))["status"]["id"]
    async with durations(scene.lab, stop_server=600.0):
        await scene.patch("ecsvm/web-0", {"powerState": "Stopped"})
        soft = (await scene.until("ecsvm/web-0", lambda obj: obj["status"].get("operation", {}).get("jobId")))["status"]
    assert (soft["operation"]["kind"], soft["operation"]["step"]) == ("Stop", "Soft")
    await scene.until("ecsvm/web-0", lambda obj: obj["status"]["operation"]["step"] == "Hard")
    assert await scene.deeds(server_id) == ["stop SOFT"], "a command that runs is not overtaken"
    await scene.lab.sim.admin("POST", f"/_sim/jobs/{soft['operation']['jobId']}", {"do": "fail", "code": "Ecs.0208", "reason": "hangs"})
    await scene.until_says("ecsvm/web-0", "StoppedAsDesired")
    assert await scene.deeds(server_id) == ["stop SOFT", "stop HARD"]


async def test_restart_when_asked_and_once(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", powerState="Running"))
    server_id = (await scene.until_ready("ecsvm/web-0"))["status"]["id"]
    for look, token, reboots in (("1", "first", 1), ("2", "first", 1), ("3", "second", 2)):
        await scene.annotate("ecsvm/web-0", f"restart-requested-at={token}")
        # A reconcile that is asked for after it shows that the annotation was looked at.
        await scene.annotate("ecsvm/web-0", f"reconcile-requested-at={look}")
        obj = await scene.until("ecsvm/web-0", partial(_settled, token=token, look=look))
        assert await scene.deeds(server_id) == ["reboot SOFT"] * reboots
    assert obj["status"]["job"]["type"] == "rebootServer"


def _settled(obj: Object, *, token: str, look: str) -> bool:
    status = obj["status"]
    is_echoed = (status.get("lastHandledRestartAt"), status.get("lastHandledReconcileAt")) == (token, look)
    return is_echoed and is_ready(obj) and "operation" not in status
