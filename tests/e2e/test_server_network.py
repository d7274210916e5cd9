"""Interfaces and the public address of a server that is there, through kubectl, on a real API server and over HTTP."""

from __future__ import annotations

import pytest

from tests.scenes import Object, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


def interfaces_of(obj: Object) -> dict[str, str]:
    """The ports of an object's interfaces, by their names."""
    return {each["name"]: each["portId"] for each in obj["status"]["applied"]["interfaces"]}


async def deeds(scene: Scene, resource: str) -> list[str]:
    """What was done with a kind of thing since the beginning, in order."""
    return [each["action"] for each in await scene.ledger(resource=resource)]


async def test_an_interface_is_added_and_removed_and_those_of_others_stay(scene: Scene) -> None:
    subnet = scene.project.account.subnet_id
    primary = {"name": "eth0", "subnetId": subnet}
    await scene.apply(scene.server("web-0"))
    before = await scene.until_ready("ecsvm/web-0")
    server_id = before["status"]["id"]
    theirs = await scene.cloud.add_interface(server_id, subnet)
    await scene.apply(scene.server("web-0", locked=True, networkInterfaces=[primary, {"name": "eth1", "subnetId": subnet}]))
    obj = await scene.until_ready("ecsvm/web-0")
    ports = await scene.cloud.ports(server_id)
    ours = interfaces_of(obj)
    assert (ours["eth0"], ours["eth1"]) == (ports[0], ports[2])
    assert ports[1] == theirs
    assert await deeds(scene, "interface") == ["attach", "attach"]
    assert {each["portId"] for each in obj["status"]["addresses"]} == set(ports)

    await scene.apply(scene.server("web-0", locked=True, networkInterfaces=[primary]))
    obj = await scene.until_ready("ecsvm/web-0")
    assert await scene.cloud.ports(server_id) == [ours["eth0"], theirs]
    assert interfaces_of(obj) == {"eth0": ours["eth0"]}
    assert [each["id"] for each in await scene.ledger(resource="interface") if each["action"] == "detach"] == [ours["eth1"]]
    assert (obj["status"]["id"], obj["status"]["locked"], "interfaceChange" in obj["status"]) == (server_id, True, False)
    assert await scene.deeds(server_id) == ["lock", "unlock", "lock"], "it was never stopped"


async def test_a_public_address_is_set_exchanged_and_removed(scene: Scene) -> None:
    first, second = await scene.cloud.allocate_address(), await scene.cloud.allocate_address()
    await scene.apply(scene.server("web-0"))
    obj = await scene.until_ready("ecsvm/web-0")
    server_id = obj["status"]["id"]
    for wanted in (first, second, None, second):
        await scene.apply(scene.server("web-0", publicIp={"id": wanted} if wanted else None))
        obj = await scene.until_ready("ecsvm/web-0")
        assert await scene.cloud.bound_addresses(server_id) == ([wanted] if wanted else [])
    entries = [(each["action"], each["id"]) for each in await scene.ledger(resource="floating_ip") if each["action"] in {"bind", "unbind"}]
    assert entries == [("bind", first), ("unbind", first), ("bind", second), ("unbind", second), ("bind", second)]
    assert obj["status"]["publicIp"]
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    assert await scene.cloud.bound_addresses(server_id) == []
    assert second not in {each["id"] for each in await scene.ledger(resource="floating_ip") if each["action"] == "delete"}, "it is kept"
