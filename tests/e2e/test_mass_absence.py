"""Most servers of a project are deleted behind the operator's back: nothing is made anew or taken for gone until an admin says so."""

from __future__ import annotations

import pytest

from tests.scenes import Scene, condition

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVERS = 10
GONE = 8
SECONDS = 90.0


async def test_eight_of_ten_servers_vanish(scene: Scene) -> None:
    names = [f"web-{number}" for number in range(SERVERS)]
    await scene.apply(*(scene.server(name, powerState="Running") for name in names))
    objects = await scene.until_all_ready(seconds=SECONDS)
    ids = {name: obj["status"]["id"] for name, obj in objects.items()}

    project = f"ecsproject/{scene.project.name}"
    for name in names[:GONE]:
        await scene.steer(ids[name], "delete")
    told = await scene.until_says(project, "MassAbsence", seconds=SECONDS)
    message = condition(told, "Ready")["message"]
    assert "8 of 10 servers are not in the cloud's list any more" in message
    for name in names:
        await scene.until_says(f"ecsserver/{name}", "MassAbsence", seconds=SECONDS)
    await scene.until_event(names[0], "MassAbsence")

    # The others are not changed either.
    await scene.patch(f"ecsserver/{names[-1]}", {"powerState": "Stopped"})
    await scene.until(
        f"ecsserver/{names[-1]}", lambda obj: condition(obj, "Ready").get("observedGeneration") == obj["metadata"]["generation"]
    )
    assert await scene.deeds(ids[names[-1]]) == []
    assert (await scene.creations()).total() == SERVERS

    await scene.annotate(project, f"confirm-absence={message.rsplit(' ', 1)[1]}")
    for name in names[:GONE]:
        await scene.until_says(f"ecsserver/{name}", "DeletedExternally", seconds=SECONDS)
    await scene.until_says(f"ecsserver/{names[-1]}", "StoppedAsDesired", seconds=SECONDS)
    await scene.until_says(project, "Available", seconds=SECONDS)
    assert (await scene.creations()).total() == SERVERS
