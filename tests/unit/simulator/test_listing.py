"""6.2.4 and 6.2.5: pages, links, filters, orders, changes-since."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_simulator.call import Call
from ecs_simulator.routes import stamps
from tests.unit.simulator.stage import BY_NAME, IMAGE, NOWHERE, WINDOWS, Stage, ids, request

LISTS = ("listServers", "listServersDetails")


def sweep(stage: Stage, name: str, limit: int) -> tuple[list[str], list[int]]:
    """All names by following the links, and the sizes of the pages."""
    names: list[str] = []
    sizes: list[int] = []
    query = {"limit": str(limit)}
    while True:
        body = stage.call(name, query=query).body
        names += [row["name"] for row in body["servers"]]
        sizes.append(len(body["servers"]))
        if "servers_links" not in body:
            return names, sizes
        (link,) = body["servers_links"]
        assert link["rel"] == "next"
        query = dict(part.split("=") for part in link["href"].split("?")[1].split("&"))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(("limit", "sizes"), [(3, [3, 3, 1]), (7, [7, 0]), (100, [7])])
def test_pages(stage: Stage, name: str, limit: int, sizes: list[int]) -> None:
    stage.create(count=7)
    assert sweep(stage, name, limit) == ([f"web-{number:04}" for number in reversed(range(7))], sizes)


def test_the_default_and_the_greatest_page(stage: Stage) -> None:
    stage.world.set_project(stage.project.id, quota={"instances": -1})
    for name in ("a", "b", "c"):
        stage.create(name=name, count=334)
    assert len(stage.names()) == 25
    assert len(stage.names(limit="1001")) == 1000
    assert stage.names(limit="0") == []


@pytest.mark.parametrize(
    "query", [{"limit": "-1"}, {"limit": "many"}, {"limit": "1.5"}, {"marker": NOWHERE}, {"sort_key": "secret"}, {"sort_dir": "up"}]
)
def test_wrong_queries(stage: Stage, query: dict[str, str]) -> None:
    stage.create()
    error = stage.refused("listServersDetails", query=query)
    assert (error.status, error.nova) == (400, True)


def test_a_marker_that_was_deleted(stage: Stage) -> None:
    created = stage.create(count=3)
    stage.ended(stage.call("deleteServers", {"servers": ids(created[1])}))
    assert stage.refused("listServersDetails", query={"marker": created[1]}).message == f"marker [{created[1]}] not found"


@pytest.fixture
def mixed(stage: Stage) -> Stage:
    stage.create(name="Web-a")
    stage.pass_time(10)
    stage.create(name="db", flavorRef="s3.xlarge.2", nics=[{"subnet_id": next(iter(stage.project.networks)), "ip_address": "192.168.0.77"}])
    stage.pass_time(10)
    stage.create(name="win", imageRef=WINDOWS)
    stage.world.set_server(stage.create(name="stopped")[0], "stop")
    tagged = stage.project.servers[stage.create(name="tagged")[0]]
    tagged.tags = ["a=1", "b"]
    return stage


FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({}, ["tagged", "stopped", "win", "db", "Web-a"]),
    ({"name": "web"}, ["Web-a"]),
    ({"name": "T"}, ["tagged", "stopped"]),
    ({"flavor": "xlarge"}, ["db"]),
    ({"status": "SHUTOFF"}, ["stopped"]),
    ({"status": "shutoff"}, ["stopped"]),
    ({"status": "DELETED"}, []),
    ({"ip": ".0.77"}, ["db"]),
    ({"image": WINDOWS}, ["win"]),
    ({"image": IMAGE, "name": "db", "limit": "1"}, ["tagged", "stopped", "db", "Web-a"]),
    ({"tags": "b"}, ["tagged"]),
    ({"tags": "b,c"}, []),
    ({"not-tags": "b"}, ["stopped", "win", "db", "Web-a"]),
    ({"sort_key": "display_name"}, ["win", "tagged", "stopped", "db", "Web-a"]),
    ({"sort_key": "display_name", "sort_dir": "asc", "limit": "2"}, ["Web-a", "db"]),
    ({"sort_dir": "asc", "limit": "1"}, ["Web-a"]),
    ({"sort_key": "power_state"}, ["stopped", "tagged", "win", "db", "Web-a"]),
    ({"sort_key": "locked_by"}, ["tagged", "stopped", "win", "db", "Web-a"]),
    ({"unknown": "ignored", "name": "db"}, ["db"]),
]


@pytest.mark.parametrize(("query", "names"), FILTERS, ids=str)
def test_filters(mixed: Stage, query: dict[str, str], names: list[str]) -> None:
    for name in LISTS:
        assert [row["name"] for row in mixed.call(name, query=query).body["servers"]] == names


SORT_KEYS = (
    *("created_at", "auto_disk_config", "availability_zone", "display_description", "display_name", "host", "host_name", "image_ref"),
    *("instance_type_id", "kernel_id", "key_name", "launch_index", "launched_at", "locked_by", "node", "power_state", "project_id"),
    *("ramdisk_id", "reservation_id", "root_device_name", "task_state", "terminated_at", "user_id", "updated_at", "uuid", "vm_state"),
)


@pytest.mark.parametrize("key", SORT_KEYS)
def test_every_key_of_the_reference_orders(mixed: Stage, key: str) -> None:
    found = sorted(row["name"] for row in mixed.call("listServersDetails", query={"sort_key": key}).body["servers"])
    assert found == ["Web-a", "db", "stopped", "tagged", "win"]


def test_several_keys_the_first_counts_most(mixed: Stage) -> None:
    query = [("sort_key", "vm_state"), ("sort_key", "display_name"), ("sort_dir", "asc"), ("sort_dir", "desc")]
    states = {name: mixed.project.servers[row["id"]].vm_state for row in rows_of(mixed) for name in [row["name"]]}
    by_name = sorted(states, reverse=True)
    assert [row["name"] for row in rows_of(mixed, query)] == sorted(by_name, key=lambda name: states[name])


def rows_of(stage: Stage, query: list[tuple[str, str]] | None = None) -> list[dict[str, Any]]:
    """The rows of a list whose query may name a parameter more than once."""
    values: dict[str, list[str]] = {}
    for name, value in query or []:
        values.setdefault(name, []).append(value)
    call = Call(
        world=stage.world,
        project=stage.project,
        user_id=next(iter(stage.project.users)),
        path={"project_id": stage.project.id},
        query=values,
        headers={"host": "cloud.test"},
        body=None,
        microversion=(2, 26),
        request_id="req-x",
    )
    rows: list[dict[str, Any]] = (BY_NAME["listServersDetails"].handler(call).body or {})["servers"]
    return rows


def test_a_status_that_is_none(mixed: Stage) -> None:
    assert mixed.call("listServers", query={"status": "PAUSED"}, version=(2, 37)).body == {"servers": []}
    assert mixed.code("listServers", query={"status": "PAUSED"}, version=(2, 38))[0] == 400
    assert mixed.call("listServers", query={"tags": "none"}, version=(2, 25)).body["servers"] != []


def test_a_reservation(stage: Stage) -> None:
    stage.create()
    first = stage.show(stage.create(name="many", count=2)[0])["OS-EXT-SRV-ATTR:reservation_id"]
    rows = stage.call("listServers", query={"reservation_id": first}).body["servers"]
    assert [row["name"] for row in rows] == ["many-0001", "many-0000"]


def stamp(stage: Stage, ago: float) -> str:
    return stamps.seconds(stage.world.now() - ago)


def test_changes_since(stage: Stage) -> None:
    kept, gone, changed = stage.create(count=3)
    stage.pass_time(100)
    stage.ended(stage.call("deleteServers", {"servers": ids(gone)}))
    stage.call("updateServer", {"server": {"name": "renamed"}}, server_id=changed)
    rows: Any = stage.call("listServersDetails", query={"changes-since": stamp(stage, 650)}).body["servers"]
    assert [(row["id"], row["status"]) for row in rows] == [(changed, "ACTIVE"), (gone, "DELETED")]
    assert rows[1]["OS-SRV-USG:terminated_at"] is not None
    everything = stage.call("listServersDetails", query={"changes-since": stamp(stage, 5000)}).body["servers"]
    assert {row["id"] for row in everything} == {kept, gone, changed}
    assert stage.code("listServersDetails", query={"changes-since": "yesterday"})[0] == 400


class TestLag:
    def test_lists(self, stage: Stage) -> None:
        stage.world.set_behaviour({"listLag": 20})
        server_id = stage.call("createServers", request()).body["serverIds"][0]
        stage.pass_time(19)
        assert stage.names() == []
        assert stage.show(server_id)["status"] == "ACTIVE"
        stage.pass_time(2)
        assert stage.names() == ["web"]
        stage.call("deleteServers", {"servers": ids(server_id)})
        stage.pass_time(10)
        (row,) = stage.call("listServersDetails").body["servers"]
        assert (row["id"], row["status"], row["OS-EXT-STS:task_state"]) == (server_id, "ACTIVE", "deleting")
        assert stage.code("showServer", server_id=server_id)[0] == 404
        stage.pass_time(12)
        assert stage.names() == []

    def test_reads_by_id(self, stage: Stage) -> None:
        stage.world.set_behaviour({"readLag": 20})
        server_id = stage.call("createServers", request()).body["serverIds"][0]
        stage.pass_time(19)
        for name in (
            "showServer",
            "listVolumeAttachments",
            "listInterfaces",
            "listServerMetadata",
            "listBlockDevices",
            "listServerAddresses",
        ):
            assert stage.code(name, server_id=server_id)[0] == 404, name
        assert stage.names() == ["web"]
        stage.pass_time(2)
        assert stage.show(server_id)["status"] == "ACTIVE"
        stage.call("deleteServers", {"servers": ids(server_id)})
        stage.pass_time(10)
        assert stage.show(server_id)["OS-EXT-STS:task_state"] == "deleting"
        assert stage.call("listVolumeAttachments", server_id=server_id).body == {"volumeAttachments": []}
        assert stage.names() == []
        stage.pass_time(12)
        assert stage.code("showServer", server_id=server_id)[0] == 404

    def test_what_lived_shorter_than_the_lag_never_shows(self, stage: Stage) -> None:
        stage.world.set_behaviour({"listLag": 20})
        server_id = stage.call("createServers", request()).body["serverIds"][0]
        stage.pass_time(5)
        stage.call("deleteServers", {"servers": ids(server_id)})
        for _ in range(12):
            stage.pass_time(2)
            seen = stage.names()
        assert seen == []
