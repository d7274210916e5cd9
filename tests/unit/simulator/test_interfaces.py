"""5.5, 6.4 and 6.7: interfaces that come and go, and what they take along."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecs_simulator.world import World
from tests.unit.simulator.stage import EIP, GROUP, NOWHERE, PORT, SMALL_SUBNET, SUBNET, VPC, Stage, ids

WEB = "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"
ONE = {"subnet_id": SMALL_SUBNET}


def add(stage: Stage, server_id: str, *nics: dict[str, Any]) -> Any:
    return stage.call("addInterfaces", {"nics": list(nics)}, server_id=server_id)


def remove(stage: Stage, server_id: str, *port_ids: str) -> Any:
    return stage.call("removeInterfaces", {"nics": ids(*port_ids)}, server_id=server_id)


def attach(stage: Stage, server_id: str, **wanted: Any) -> Any:
    reply = stage.call("attachInterface", {"interfaceAttachment": wanted}, server_id=server_id)
    assert reply.status == 200
    return reply.body["interfaceAttachment"]


def rows(stage: Stage, server_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.call("listInterfaces", server_id=server_id).body["interfaceAttachments"]
    for row in found:
        assert stage.call("showInterface", server_id=server_id, port_id=row["port_id"]).body == {"interfaceAttachment": row}
    return found


def addresses(stage: Stage, server_id: str) -> list[str]:
    """The private addresses, as the interfaces and the server show them alike."""
    shown = [row["fixed_ips"][0]["ip_address"] for row in rows(stage, server_id)]
    on_server = stage.show(server_id)["addresses"].get(VPC, [])
    assert [each["addr"] for each in on_server if each["OS-EXT-IPS:type"] == "fixed"] == shown
    return shown


def consistent(stage: Stage) -> None:
    """Ports, addresses and groups fit together."""
    used = {address: port for network in stage.project.networks.values() for address, port in network.used.items()}
    assert used == {port.address: port.id for port in stage.project.ports.values()}
    for server in stage.project.servers.values():
        ports = [stage.project.ports[port_id] for port_id in server.port_ids]
        assert {port.server_id for port in ports} <= {server.id}
        assert server.security_group_ids == list(dict.fromkeys(each for port in ports for each in port.security_group_ids))
    for floating in stage.project.floating_ips.values():
        assert (floating.status == "ACTIVE") is (floating.port_id is not None) is (floating.server_id is not None)
        assert floating.port_id is None or stage.project.ports[floating.port_id].server_id == floating.server_id


def test_a_job_with_a_part_for_each(stage: Stage) -> None:
    server_id = stage.server()
    reply = add(stage, server_id, {**ONE, "security_groups": [{"id": WEB}, {"id": WEB}]}, {**ONE, "ip_address": "192.168.16.100"})
    _, second, third = rows(stage, server_id)
    assert [row["port_state"] for row in rows(stage, server_id)] == ["ACTIVE", "DOWN", "DOWN"]
    assert addresses(stage, server_id)[1:] == ["192.168.16.101", "192.168.16.100"], "what one wants is not chosen for another"
    assert stage.code("stopServers", {"os-stop": {"servers": ids(server_id)}}) == (501, "Ecs.0603")
    job = stage.ended(reply)
    assert (job["status"], job["job_type"], job["entities"]["sub_jobs_total"]) == ("SUCCESS", "addNics", 2)
    parts = job["entities"]["sub_jobs"]
    assert [part["entities"]["nic_id"] for part in parts] == [second["port_id"], third["port_id"]]
    assert {part["job_type"] for part in parts} == {"addNic"}
    assert [row["port_state"] for row in rows(stage, server_id)] == ["ACTIVE"] * 3
    assert [stage.project.ports[row["port_id"]].security_group_ids for row in (second, third)] == [[WEB], [GROUP]]
    consistent(stage)

    job = stage.ended(remove(stage, server_id, third["port_id"], second["port_id"], third["port_id"]))
    assert (job["status"], job["job_type"], job["entities"]["sub_jobs_total"]) == ("SUCCESS", "deleteNics", 2)
    assert len(rows(stage, server_id)) == 1
    consistent(stage)
    assert [(entry["action"], entry["id"]) for entry in stage.entries(resource="interface")] == [
        ("attach", second["port_id"]),
        ("attach", third["port_id"]),
        ("detach", third["port_id"]),
        ("detach", second["port_id"]),
    ]


def test_the_server_is_free_when_the_last_part_is_over(stage: Stage) -> None:
    stage.world.set_durations({"jitter": 1.0})
    server_id = stage.server()
    job_id = add(stage, server_id, *[ONE] * 5).body["job_id"]
    seen = set()
    for _ in range(200):
        statuses = [part["status"] for part in stage.job(job_id)["entities"].get("sub_jobs", [])]
        seen.add(statuses.count("SUCCESS"))
        busy = stage.project.servers[server_id].command is not None
        assert busy is (statuses.count("SUCCESS") < 5)
        stage.pass_time(0.01)
    assert {0, 5} < seen, "the parts end one after the other"


@pytest.mark.parametrize(("job_type", "left"), [("addNics", 1), ("deleteNics", 2)])
def test_what_fails_leaves_things_as_they_were(stage: Stage, job_type: str, left: int) -> None:
    server_id = stage.server()
    if job_type == "deleteNics":
        stage.ended(add(stage, server_id, ONE))
    before = rows(stage, server_id)
    stage.world.fail_next_job(stage.project.id, job_type=job_type, code="Ecs.0217", reason="no", leave="nothing")
    reply = add(stage, server_id, ONE) if job_type == "addNics" else remove(stage, server_id, before[1]["port_id"])
    job = stage.ended(reply)
    assert (job["status"], job["error_code"]) == ("FAIL", "Ecs.0217")
    assert rows(stage, server_id) == before
    assert len(before) == left
    consistent(stage)
    assert stage.ended(add(stage, server_id, ONE))["status"] == "SUCCESS", "the server is free again"


@pytest.mark.parametrize(("do", "states"), [("stop", ["DOWN", "DOWN"]), ("start", ["ACTIVE", "ACTIVE"])])
def test_what_somebody_does_by_hand_ends_the_job(stage: Stage, do: str, states: list[str]) -> None:
    server_id = stage.server()
    reply = add(stage, server_id, ONE)
    stage.world.set_server(server_id, do)
    assert stage.ended(reply)["status"] == "FAIL"
    assert [row["port_state"] for row in rows(stage, server_id)] == states
    consistent(stage)


def test_a_server_deleted_by_hand_leaves_nothing(stage: Stage) -> None:
    before = stage.alive()
    server_id = stage.server()
    add(stage, server_id, ONE, ONE)
    stage.world.set_server(server_id, "delete")
    stage.pass_time(600)
    assert stage.alive() == before
    consistent(stage)


@pytest.mark.parametrize("job_type", ["addNics", "deleteNics"])
def test_a_server_deleted_natively_breaks_the_job_off(stage: Stage, job_type: str) -> None:
    before = stage.alive()
    server_id = stage.server()
    reply = add(stage, server_id, ONE, ONE)
    if job_type == "deleteNics":
        stage.ended(reply)
        reply = remove(stage, server_id, *(row["port_id"] for row in rows(stage, server_id)[1:]))
    stage.call("deleteServer", server_id=server_id)
    job = stage.ended(reply)
    assert (job["status"], job["job_type"]) == ("FAIL", job_type)
    assert stage.alive() == before
    assert stage.project.servers == {}
    consistent(stage)


# What 5.5.1 refuses


def nothing(_: Stage, __: str) -> None:
    """Nothing to prepare."""


def foreign(stage: Stage, _: str) -> None:
    stage.project.networks[SMALL_SUBNET].vpc_id = NOWHERE


def narrow(stage: Stage, _: str) -> None:
    stage.project.networks[SMALL_SUBNET].cidr = "192.168.16.0/30"


def locked(stage: Stage, server_id: str) -> None:
    stage.call("lockServer", {"lock": None}, server_id=server_id)


def frozen(stage: Stage, _: str) -> None:
    stage.project.frozen = True


def busy(stage: Stage, server_id: str) -> None:
    stage.call("rebootServers", {"reboot": {"type": "SOFT", "servers": ids(server_id)}})


def broken(stage: Stage, server_id: str) -> None:
    stage.world.set_server(server_id, "error")


def full(stage: Stage, server_id: str) -> None:
    stage.ended(add(stage, server_id, *[{"subnet_id": SUBNET}] * 11))


Prepare = Callable[[Stage, str], None]
REFUSALS: list[tuple[str, object, Prepare, tuple[int, str]]] = [
    ("no list", {"nics": {}}, nothing, (400, "Ecs.0005")),
    ("no nics", {}, nothing, (400, "Ecs.0005")),
    ("an empty list", {"nics": []}, nothing, (400, "Ecs.0005")),
    ("no subnet", {"nics": [{}]}, nothing, (400, "Ecs.0005")),
    ("a subnet that is no text", {"nics": [{"subnet_id": 7}]}, nothing, (400, "Ecs.0005")),
    ("an unknown subnet", {"nics": [{"subnet_id": NOWHERE}]}, nothing, (400, "Ecs.0038")),
    ("the subnet's other id", {"nics": [{"subnet_id": "f8a6e8f8-c2ec-497c-9f23-da9616de54ef"}]}, nothing, (400, "Ecs.0038")),
    ("a subnet of another VPC", {"nics": [ONE]}, foreign, (400, "Ecs.0014")),
    ("an unknown group", {"nics": [{**ONE, "security_groups": [{"id": NOWHERE}]}]}, nothing, (400, "Ecs.0014")),
    ("a group's name", {"nics": [{**ONE, "security_groups": [{"id": "web"}]}]}, nothing, (400, "Ecs.0014")),
    ("a group without id", {"nics": [{**ONE, "security_groups": [{}]}]}, nothing, (400, "Ecs.0005")),
    ("no address", {"nics": [{**ONE, "ip_address": "first"}]}, nothing, (400, "Ecs.0005")),
    ("an address of IPv6", {"nics": [{**ONE, "ip_address": "::1"}]}, nothing, (400, "Ecs.0005")),
    ("an address outside", {"nics": [{**ONE, "ip_address": "192.168.17.0"}]}, nothing, (400, "Ecs.0039")),
    ("the gateway", {"nics": [{**ONE, "ip_address": "192.168.16.1"}]}, nothing, (400, "Ecs.0010")),
    ("the broadcast address", {"nics": [{**ONE, "ip_address": "192.168.16.255"}]}, nothing, (400, "Ecs.0010")),
    ("an address of a free port", {"nics": [{"subnet_id": SUBNET, "ip_address": "192.168.8.8"}]}, nothing, (400, "Ecs.0010")),
    ("one address twice", {"nics": [{**ONE, "ip_address": "192.168.16.9"}] * 2}, nothing, (400, "Ecs.0010")),
    ("two addresses of one", {"nics": [ONE, ONE]}, narrow, (400, "Ecs.0012")),
    ("the thirteenth", {"nics": [ONE]}, full, (400, "Ecs.0050")),
    ("a locked server", {"nics": [ONE]}, locked, (400, "Ecs.0605")),
    ("a busy server", {"nics": [ONE]}, busy, (501, "Ecs.0603")),
    ("a server in ERROR", {"nics": [ONE]}, broken, (400, "Ecs.0100")),
    ("a frozen account", {"nics": [ONE]}, frozen, (403, "Ecs.0071")),
]


@pytest.mark.parametrize(("body", "prepare", "answer"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_additions_refused(stage: Stage, body: object, prepare: Prepare, answer: tuple[int, str]) -> None:
    server_id = stage.server()
    prepare(stage, server_id)
    before, entries = addresses(stage, server_id), len(stage.entries())
    assert stage.code("addInterfaces", body, server_id=server_id) == answer
    assert addresses(stage, server_id) == before
    assert len(stage.entries()) == entries
    consistent(stage)


@pytest.mark.parametrize("prepare", [narrow, nothing])
def test_the_last_address_and_the_twelfth_interface_are_still_given(stage: Stage, prepare: Prepare) -> None:
    server_id = stage.server()
    prepare(stage, server_id)
    count = 1 if prepare is narrow else 11
    assert stage.ended(add(stage, server_id, *[ONE] * count))["status"] == "SUCCESS"
    assert len(addresses(stage, server_id)) == 1 + count


@pytest.mark.parametrize("state", ["active", "stopped", "paused"])
def test_states_that_allow_it(stage: Stage, state: str) -> None:
    server_id = stage.server()
    stage.project.servers[server_id].vm_state = state
    assert stage.ended(add(stage, server_id, ONE))["status"] == "SUCCESS"
    port_id = rows(stage, server_id)[1]["port_id"]
    assert stage.ended(remove(stage, server_id, port_id))["status"] == "SUCCESS"
    port_id = attach(stage, server_id, net_id=SUBNET)["port_id"]
    assert {row["port_state"] for row in rows(stage, server_id)} == {"ACTIVE" if state == "active" else "DOWN"}
    assert stage.call("detachInterface", server_id=server_id, port_id=port_id).status == 202
    assert stage.project.servers[server_id].vm_state == state


# What 5.5.2 and 6.7.4 refuse


def test_removals_refused(stage: Stage) -> None:
    server_id = stage.server()
    other = stage.server(name="other")
    stage.ended(add(stage, server_id, ONE))
    primary, second = (row["port_id"] for row in rows(stage, server_id))
    (elsewhere,) = (row["port_id"] for row in rows(stage, other))
    cases: list[tuple[object, tuple[int, str]]] = [
        ({"nics": ids(primary)}, (403, "Ecs.0507")),
        ({"nics": ids(second, primary)}, (403, "Ecs.0507")),
        ({"nics": ids(NOWHERE)}, (400, "Ecs.0085")),
        ({"nics": ids(second, elsewhere)}, (400, "Ecs.0085")),
        ({"nics": ids(PORT)}, (400, "Ecs.0085")),
        ({"nics": []}, (400, "Ecs.0005")),
        ({"nics": [{"id": None}]}, (400, "Ecs.0005")),
        ({}, (400, "Ecs.0005")),
    ]
    before = len(stage.entries())
    for body, answer in cases:
        assert stage.code("removeInterfaces", body, server_id=server_id) == answer
    for port_id, status in ((primary, 403), (NOWHERE, 404), (elsewhere, 404), (PORT, 404)):
        error = stage.refused("detachInterface", server_id=server_id, port_id=port_id)
        assert (error.status, error.nova) == (status, True)
    assert len(stage.entries()) == before
    locked(stage, server_id)
    assert stage.code("removeInterfaces", {"nics": ids(second)}, server_id=server_id) == (400, "Ecs.0605")
    assert stage.refused("detachInterface", server_id=server_id, port_id=second).status == 409
    for name in ("addInterfaces", "removeInterfaces"):
        assert stage.code(name, {"nics": [ONE]}, server_id=NOWHERE) == (404, "Ecs.0114")
    for name in ("listInterfaces", "showInterface", "attachInterface", "detachInterface"):
        body = {"interfaceAttachment": {"net_id": SUBNET}}
        assert stage.refused(name, body, server_id=NOWHERE, port_id=second).status == 404


# One natively


NATIVE_REFUSALS: list[tuple[str, dict[str, Any], Prepare, int]] = [
    ("neither, and two networks", {}, nothing, 400),
    ("both", {"net_id": SUBNET, "port_id": PORT}, nothing, 400),
    ("a port and an address", {"port_id": PORT, "fixed_ips": [{"ip_address": "192.168.1.3"}]}, nothing, 400),
    ("only an address", {"fixed_ips": [{"ip_address": "192.168.1.3"}]}, nothing, 400),
    ("two addresses", {"net_id": SUBNET, "fixed_ips": [{"ip_address": "192.168.1.3"}, {"ip_address": "192.168.1.4"}]}, nothing, 400),
    ("an empty list", {"net_id": SUBNET, "fixed_ips": []}, nothing, 400),
    ("no address", {"net_id": SUBNET, "fixed_ips": [{"ip_address": "first"}]}, nothing, 400),
    ("an address outside", {"net_id": SUBNET, "fixed_ips": [{"ip_address": "10.0.0.1"}]}, nothing, 400),
    ("an address in use", {"net_id": SUBNET, "fixed_ips": [{"ip_address": "192.168.8.8"}]}, nothing, 409),
    ("an unknown network", {"net_id": NOWHERE}, nothing, 404),
    ("an unknown port", {"port_id": NOWHERE}, nothing, 404),
    ("a network of another VPC", {"net_id": SMALL_SUBNET}, foreign, 400),
    ("the thirteenth", {"net_id": SUBNET}, full, 400),
    ("the thirteenth, a port", {"port_id": PORT}, full, 400),
    ("a locked server", {"net_id": SUBNET}, locked, 409),
    ("a busy server", {"port_id": PORT}, busy, 409),
    ("a server in ERROR", {"net_id": SUBNET}, broken, 409),
    ("a frozen account", {"net_id": SUBNET}, frozen, 403),
]


@pytest.mark.parametrize(("wanted", "prepare", "status"), [case[1:] for case in NATIVE_REFUSALS], ids=[case[0] for case in NATIVE_REFUSALS])
def test_native_additions_refused(stage: Stage, wanted: dict[str, Any], prepare: Prepare, status: int) -> None:
    server_id = stage.server()
    prepare(stage, server_id)
    before = addresses(stage, server_id)
    error = stage.refused("attachInterface", {"interfaceAttachment": wanted}, server_id=server_id)
    assert (error.status, error.nova) == (status, True)
    assert addresses(stage, server_id) == before
    consistent(stage)


def test_a_network_need_not_be_named_if_there_is_one(stage: Stage) -> None:
    server_id = stage.server()
    del stage.project.networks[SMALL_SUBNET]
    assert attach(stage, server_id)["net_id"] == SUBNET
    assert attach(stage, server_id, net_id=SUBNET, fixed_ips=[{}])["net_id"] == SUBNET


def test_a_port_of_its_own_is_kept(stage: Stage) -> None:
    server_id, other = stage.create(count=2)
    row = attach(stage, server_id, port_id=PORT)
    assert (row["port_id"], row["mac_addr"], row["fixed_ips"][0]["ip_address"]) == (PORT, "fa:16:3e:4c:2c:30", "192.168.8.8")
    assert stage.refused("attachInterface", {"interfaceAttachment": {"port_id": PORT}}, server_id=other).status == 409
    assert stage.refused("attachInterface", {"interfaceAttachment": {"port_id": PORT}}, server_id=server_id).status == 409
    consistent(stage)
    stage.ended(remove(stage, server_id, PORT))
    assert (stage.project.ports[PORT].server_id, stage.project.networks[SUBNET].used["192.168.8.8"]) == (None, PORT)
    consistent(stage)
    attach(stage, other, port_id=PORT)
    stage.ended(stage.call("deleteServers", {"servers": ids(other)}))
    assert stage.project.ports[PORT].server_id is None
    attach(stage, server_id, port_id=PORT)
    assert f"port {PORT}" not in {f"{entry['resource']} {entry['id']}" for entry in stage.entries("delete")}
    consistent(stage)


def test_a_port_of_another_vpc(stage: Stage) -> None:
    server_id = stage.server(nics=[ONE])
    stage.project.networks[SUBNET].vpc_id = NOWHERE
    assert stage.refused("attachInterface", {"interfaceAttachment": {"port_id": PORT}}, server_id=server_id).status == 400


def test_a_floating_ip_goes_down_with_its_interface(stage: Stage) -> None:
    server_id = stage.server()
    for leave in ("removeInterfaces", "detachInterface"):
        row = attach(stage, server_id, net_id=SMALL_SUBNET)
        fixed = row["fixed_ips"][0]["ip_address"]
        stage.call("addFloatingIp", {"addFloatingIp": {"address": "80.158.1.2", "fixed_address": fixed}}, server_id=server_id)
        assert stage.project.floating_ips[EIP].port_id == row["port_id"]
        stage.call(leave, {"nics": ids(row["port_id"])}, server_id=server_id, port_id=row["port_id"])
        stage.pass_time(600)
        consistent(stage)
        floating = stage.project.floating_ips[EIP]
        assert (floating.status, floating.port_id, floating.server_id) == ("DOWN", None, None)
        assert stage.project.servers[server_id].floating_ip_ids == []


def test_changes_are_dated(stage: Stage) -> None:
    server_id = stage.server()
    before = stage.show(server_id)["updated"]
    stage.pass_time(60)
    attach(stage, server_id, net_id=SUBNET)
    assert stage.show(server_id)["updated"] > before


def test_the_world_remembers_interfaces(stage: Stage) -> None:
    server_id = stage.server()
    attach(stage, server_id, port_id=PORT)
    add(stage, server_id, ONE)
    copy = Stage(World.from_json(json.loads(json.dumps(stage.world.to_json()))))
    assert rows(copy, server_id) == rows(stage, server_id)
    copy.pass_time(600)
    assert {row["port_state"] for row in rows(copy, server_id)} == {"ACTIVE"}
    consistent(copy)
    assert copy.call("detachInterface", server_id=server_id, port_id=PORT).status == 202
    assert copy.project.ports[PORT].server_id is None


def test_an_address_wanted_by_one_interface_is_not_chosen_for_another_at_creation(stage: Stage) -> None:
    server_id = stage.server(nics=[{"subnet_id": SUBNET}, {"subnet_id": SUBNET, "ip_address": "192.168.0.100"}])
    assert addresses(stage, server_id) == ["192.168.0.101", "192.168.0.100"]
    consistent(stage)
