"""5.1.2: what goes with a server and what stays."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.unit.simulator.stage import EIP, MARKER, SUBNET, VOLUME, Stage, ids


class Case(NamedTuple):
    name: str
    body: dict[str, Any]
    own_flag: bool
    data_stays: bool
    address_stays: bool


CASES = [
    Case("nothing said", {}, False, True, True),
    Case("nothing said, address goes by its own flag", {}, True, True, False),
    Case("volumes go", {"delete_volume": True}, False, False, True),
    Case("address goes", {"delete_publicip": True}, False, True, False),
    Case("address stays against its own flag", {"delete_publicip": False}, True, True, True),
    Case("all goes", {"delete_publicip": True, "delete_volume": True}, False, False, False),
    Case("flags as text", {"delete_publicip": "true", "delete_volume": "true"}, False, False, False),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_stays(stage: Stage, case: Case) -> None:
    before, ports, addresses = set(stage.project.volumes), dict(stage.project.ports), dict(stage.project.networks[SUBNET].used)
    server_id = stage.server(data_volumes=[{"volumetype": "SSD", "size": 10}], publicip={"id": EIP, "delete_on_termination": case.own_flag})
    root, data = stage.project.servers[server_id].volume_ids
    job = stage.ended(stage.call("deleteServers", {"servers": ids(server_id), **case.body}))
    assert (job["status"], job["job_type"]) == ("SUCCESS", "deleteServer")
    assert root not in stage.project.volumes
    assert (data in stage.project.volumes) is case.data_stays
    assert (EIP in stage.project.floating_ips) is case.address_stays
    assert (stage.project.ports, stage.project.networks[SUBNET].used) == (ports, addresses)
    if case.data_stays:
        volume = stage.project.volumes[data]
        assert (volume.status, volume.attachment) == ("available", None)
    if case.address_stays:
        address = stage.project.floating_ips[EIP]
        assert (address.status, address.server_id, address.port_id) == ("DOWN", None, None)
    kept = {f"volume {data}"} if case.data_stays else set()
    assert stage.alive() == kept
    assert set(stage.project.volumes) - before == ({data} if case.data_stays else set())


def test_an_attached_disk_of_another_goes_too_when_all_data_disks_go(stage: Stage) -> None:
    server_id = stage.server()
    stage.ended(stage.call("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id))
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id), "delete_volume": True}))
    assert VOLUME not in stage.project.volumes


def test_until_the_job_is_over_it_is_there(stage: Stage) -> None:
    server_id = stage.server()
    stage.call("deleteServers", {"servers": ids(server_id)})
    row = stage.show(server_id)
    assert (row["status"], row["OS-EXT-STS:task_state"], row["OS-EXT-STS:vm_state"]) == ("ACTIVE", "deleting", "active")
    stage.pass_time(1.1)
    assert stage.code("showServer", server_id=server_id) == (404, "Ecs.0114")
    assert stage.names() == []
    assert stage.code("deleteServers", {"servers": ids(server_id)}) == (404, "Ecs.0114")


def test_a_server_leaves_its_group(stage: Stage) -> None:
    group = stage.call("createServerGroup", {"server_group": {"name": "g", "policies": ["anti-affinity"]}}).body["server_group"]["id"]
    server_id = stage.server(**{"os:scheduler_hints": {"group": group}})
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id)}))
    assert stage.call("showServerGroup", server_group_id=group).body["server_group"]["members"] == []


def test_the_ledger_tells_the_whole_story(stage: Stage) -> None:
    server_id = stage.server(data_volumes=[{"volumetype": "SSD", "size": 10}], publicip={"id": EIP})
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id), "delete_volume": True, "delete_publicip": True}))
    entries = stage.entries()
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)
    assert {entry["marker"] for entry in entries} == set(MARKER.values())
    told = [(entry["action"], entry["resource"]) for entry in entries]
    assert told == [
        ("create", "server"),
        ("create", "port"),
        ("create", "volume"),
        ("create", "volume"),
        ("bind", "floating_ip"),
        ("delete-requested", "server"),
        ("detach", "attachment"),
        ("delete", "volume"),
        ("detach", "attachment"),
        ("delete", "volume"),
        ("delete", "floating_ip"),
        ("delete", "port"),
        ("delete", "server"),
    ]
    # The end of a job is recorded with the request it goes back to, at the time it was due.
    assert entries[-1]["request_id"] == entries[5]["request_id"] != entries[0]["request_id"]
    assert entries[-1]["time"] == pytest.approx(entries[5]["time"] + 1.0)
