"""Changes to many servers at once travel together: counted in the simulator's own log of requests."""

from __future__ import annotations

from collections import Counter

import pytest

from ecs_lab.waiting import until
from tests.scenes import Scene, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVERS = 50
FEW = 10
"""Calls for a wave of so many, with the default budget of reads: one leaves each second while it lasts. On an idle machine three do."""
FEW_DELETIONS = 15
"""The deletions are asked for one after the other."""
SECONDS = 120.0


async def mutating_calls(scene: Scene) -> Counter[str]:
    """Calls of the project so far that change something, by operation."""
    answer = await scene.lab.sim.admin("GET", "/_sim/requests", params={"project": scene.project.account.project_id})
    return Counter(each["operation"] for each in answer["requests"] if each["method"] != "GET")


async def until_all_say(scene: Scene, reason: str) -> None:
    async def probe() -> bool:
        return all(says(obj, reason) for obj in (await scene.all()).values())

    await until(probe, seconds=SECONDS, every=0.3, what=f"not all say {reason}", check=scene.lab.op.check_alive)


async def test_fifty_servers_patched_and_deleted_at_once(scene: Scene) -> None:
    names = [f"web-{number}" for number in range(SERVERS)]
    await scene.apply(*(scene.server(name, powerState="Running") for name in names))
    objects = await scene.until_all_ready(seconds=SECONDS)
    ids = {name: obj["status"]["id"] for name, obj in objects.items()}

    # However long it takes to apply fifty manifests: they are all due at once.
    await scene.annotate(f"ecsproject/{scene.project.name}", "paused=true")
    await scene.apply(*(scene.server(name, powerState="Stopped") for name in names))
    await until_all_say(scene, "Paused")
    before = await mutating_calls(scene)
    await scene.annotate(f"ecsproject/{scene.project.name}", "paused-")
    await until_all_say(scene, "StoppedAsDesired")
    stops = await mutating_calls(scene) - before
    assert set(stops) == {"stopServers"}
    assert stops["stopServers"] <= FEW

    before = await mutating_calls(scene)
    await scene.delete("ecsservers", "--all")
    await until(lambda: _none_left(scene), seconds=SECONDS, every=0.3, what="some are still there", check=scene.lab.op.check_alive)
    deletions = await mutating_calls(scene) - before
    assert set(deletions) == {"deleteServers"}
    assert deletions["deleteServers"] <= FEW_DELETIONS
    done = Counter((each["id"], each["action"]) for each in await scene.ledger(resource="server"))
    assert all(done[server_id, action] == 1 for server_id in ids.values() for action in ("create", "stop", "delete"))


async def _none_left(scene: Scene) -> bool:
    return not await scene.all()
