"""What tables of specs cannot know beforehand: the ids of a test's own project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.scenes import Scene

ALLOCATED = {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 5}}}


async def free_address(scene: Scene) -> str:
    """A public address that nothing uses: one that a server left behind."""
    await scene.apply(scene.server("left-an-address", publicIp={**ALLOCATED, "deleteWithServer": False}))
    await scene.until_ready("ecsvm/left-an-address")
    await scene.delete("ecsvm/left-an-address")
    await scene.until_gone("ecsvm/left-an-address")
    [made] = [each["id"] for each in await scene.ledger(resource="floating_ip") if each["action"] == "create"]
    return str(made)


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """The same with the project's own ids."""
    if isinstance(value, Mapping):
        return {key: filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    return names.get(value, value) if isinstance(value, str) else value
