"""11.5: floating IPs, their pool, and the servers they are bound to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.stage import EIP, NOWHERE, SMALL_SUBNET, SUBNET, Stage, ids

ADDRESS = "80.158.1.2"


def bind(stage: Stage, server_id: str, address: Any = ADDRESS, **more: Any) -> int:
    return stage.call("addFloatingIp", {"addFloatingIp": {"address": address, **more}}, server_id=server_id).status


def bind_refused(stage: Stage, server_id: str, address: Any = ADDRESS, **more: Any) -> int:
    error = stage.refused("addFloatingIp", {"addFloatingIp": {"address": address, **more}}, server_id=server_id)
    assert error.nova
    return error.status


def unbind_refused(stage: Stage, server_id: str, address: Any = ADDRESS) -> int:
    return stage.refused("removeFloatingIp", {"removeFloatingIp": {"address": address}}, server_id=server_id).status


def show(stage: Stage, identity: str = EIP) -> Any:
    row = stage.call("showFloatingIp", floating_ip_id=identity).body["floating_ip"]
    assert row in stage.call("listFloatingIps").body["floating_ips"]
    return row


def test_there_and_back(stage: Stage) -> None:
    server_id = stage.server(nics=[{"subnet_id": SUBNET, "ip_address": "192.168.0.9"}, {"subnet_id": SMALL_SUBNET}])
    free = {"id": EIP, "ip": ADDRESS, "pool": "external", "fixed_ip": None, "instance_id": None}
    assert show(stage) == free
    assert bind(stage, server_id) == 202
    assert show(stage) == {**free, "fixed_ip": "192.168.0.9", "instance_id": server_id}
    assert bind_refused(stage, server_id) == 400
    assert stage.project.floating_ips[EIP].status == "ACTIVE"
    reply = stage.call("removeFloatingIp", {"removeFloatingIp": {"address": ADDRESS}}, server_id=server_id)
    assert (reply.status, reply.body) == (202, None)
    assert show(stage) == free
    assert unbind_refused(stage, server_id) == 409
    assert stage.project.floating_ips[EIP].status == "DOWN"
    assert [entry["action"] for entry in stage.entries(resource="floating_ip")] == ["bind", "unbind"]


def test_to_a_certain_interface(stage: Stage) -> None:
    nics = [{"subnet_id": SUBNET}, {"subnet_id": SMALL_SUBNET, "ip_address": "192.168.16.9"}]
    server_id = stage.server(nics=nics)
    other = stage.server(name="other", nics=[{"subnet_id": SMALL_SUBNET, "ip_address": "192.168.16.10"}])
    for fixed in ("192.168.16.10", "192.168.16.11", "192.168.016.9", "first", "::1"):
        assert bind_refused(stage, server_id, fixed_address=fixed) == 400
    assert bind(stage, server_id, fixed_address="192.168.16.9") == 202
    assert show(stage)["fixed_ip"] == "192.168.16.9"
    second = stage.call("createFloatingIp", {"pool": None}).body["floating_ip"]
    assert bind_refused(stage, server_id, second["ip"], fixed_address="192.168.16.9") == 400, "one floating IP an interface"
    assert bind(stage, server_id, second["ip"]) == 202
    rows = [row for rows in stage.show(server_id)["addresses"].values() for row in rows]
    assert [row["addr"] for row in rows if row["OS-EXT-IPS:type"] == "floating"] == [ADDRESS, second["ip"]]
    assert len({row["OS-EXT-IPS-MAC:mac_addr"] for row in rows}) == 2
    assert unbind_refused(stage, other) == 409
    assert bind_refused(stage, other) == 400, "it is bound already"


@pytest.mark.parametrize(("address", "status"), [("80.158.9.9", 404), ("web", 400), ("", 400), (None, 400), (7, 400), ("::1", 400)])
def test_addresses_that_are_not_there(stage: Stage, address: object, status: int) -> None:
    server_id = stage.server()
    assert bind_refused(stage, server_id, address) == status
    assert unbind_refused(stage, server_id, address) == status
    assert bind_refused(stage, NOWHERE) == 404
    assert unbind_refused(stage, NOWHERE) == 404


@pytest.mark.parametrize("name", ["addFloatingIp", "removeFloatingIp"])
def test_from_microversion_2_44_on_they_are_gone(stage: Stage, name: str) -> None:
    server_id = stage.server()
    for version in (None, (2, 1), (2, 43)):
        if name == "removeFloatingIp":
            bind(stage, server_id)
        assert stage.call(name, {name: {"address": ADDRESS}}, server_id=server_id, version=version).status == 202
        if name == "addFloatingIp":
            stage.call("removeFloatingIp", {"removeFloatingIp": {"address": ADDRESS}}, server_id=server_id)
    for version in ((2, 44), (2, 60)):
        assert stage.refused(name, {name: {"address": ADDRESS}}, server_id=server_id, version=version).status == 404


def test_from_a_pool_within_the_quota(stage: Stage) -> None:
    assert stage.call("listFloatingIpPools").body == {"floating_ip_pools": [{"name": "external"}]}
    stage.world.set_project(stage.project.id, quota={"floatingIps": 3})
    first = stage.call("createFloatingIp", {"pool": "external"})
    second = stage.call("createFloatingIp", {})
    assert (first.status, first.body["floating_ip"]["pool"], second.body["floating_ip"]["pool"]) == (200, "external", "external")
    assert len({row["ip"] for row in stage.call("listFloatingIps").body["floating_ips"]}) == 3
    error = stage.refused("createFloatingIp", {"pool": "external"})
    assert (error.status, "quota" in error.message) == (403, True)
    assert stage.call("showLimits").body["absolute"]["totalFloatingIpsUsed"] == 3
    assert stage.call("deleteFloatingIp", floating_ip_id=first.body["floating_ip"]["id"]).status == 202
    for pool, status in (("puddle", 404), (7, 400), (["external"], 400)):
        assert stage.refused("createFloatingIp", {"pool": pool}).status == status
    assert stage.call("createFloatingIp", {"pool": ""}).status == 200
    stage.project.frozen = True
    assert stage.refused("createFloatingIp", {}).status == 403


def test_an_address_given_back_leaves_its_server(stage: Stage) -> None:
    server_id = stage.server(publicip={"id": EIP})
    assert stage.call("deleteFloatingIp", floating_ip_id=EIP).status == 202
    assert stage.project.servers[server_id].floating_ip_ids == []
    assert stage.refused("deleteFloatingIp", floating_ip_id=EIP).status == 404
    assert stage.refused("showFloatingIp", floating_ip_id=EIP).status == 404
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id), "delete_publicip": True}))
    assert [entry["action"] for entry in stage.entries(resource="floating_ip")] == ["bind", "unbind", "delete"]


def test_public_addresses_are_used_again_when_all_were_given_out(stage: Stage) -> None:
    places = 2**16 - 512 - 1
    stage.world.public_addresses = places - 2
    made = [stage.call("createFloatingIp", {}).body["floating_ip"] for _ in range(3)]
    assert len({row["ip"] for row in made}) == 3
    stage.world.public_addresses = 2 * places - 2
    again = stage.call("createFloatingIp", {}).body["floating_ip"]
    assert again["ip"] not in {row["ip"] for row in made}
