"""6.2.1: every form of the native create, and what it makes."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import pytest

from tests.unit.simulator.native_stage import disk, image_disk, make, native, snapshot_of, volume_of_image
from tests.unit.simulator.stage import GROUP, IMAGE, PORT, SMALL_SUBNET, SUBNET, VOLUME, WINDOWS, Stage, ids

PASSWORD = "Str0ng-Passw0rd"
WEB = "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"


# What is made


def test_a_server_of_an_image(stage: Stage) -> None:
    reply = stage.call("createServer", native(key_name="ops", metadata={"a": "b"}, user_data=base64.b64encode(b"x").decode()))
    row = reply.body["server"]
    assert set(row) == {"id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"}
    assert row["security_groups"] == [{"name": "default"}]
    assert {link["rel"] for link in row["links"]} == {"self", "bookmark"}
    assert stage.show(row["id"])["status"] == "BUILD"
    stage.pass_time(600)
    shown = stage.show(row["id"])
    assert (shown["status"], shown["key_name"], shown["metadata"]["a"], shown["image"]["id"]) == ("ACTIVE", "ops", "b", IMAGE)
    (root,) = (stage.project.volumes[each["id"]] for each in shown["os-extended-volumes:volumes_attached"])
    assert (root.size, root.type, root.status, root.bootable) == (10, "SATA", "in-use", True), "the image's minimum, on shared storage"
    assert stage.project.security_groups[stage.project.servers[row["id"]].security_group_ids[0]].name == "default"
    assert [entry["action"] for entry in stage.entries(resource="server")] == ["create"]


def test_the_password_that_was_sent_is_answered(stage: Stage) -> None:
    assert stage.call("createServer", native(adminPass=PASSWORD)).body["server"]["adminPass"] == PASSWORD
    assert stage.call("createServer", native()).body["server"]["adminPass"] not in {"", PASSWORD}
    windows = make(stage, imageRef=WINDOWS, adminPass=PASSWORD)
    assert stage.project.servers[windows].metadata["admin_pass"] == PASSWORD


def test_references_may_be_urls(stage: Stage) -> None:
    server_id = make(stage, imageRef=f"https://cloud.test/images/{IMAGE}", flavorRef="http://cloud.test/flavors/s3.xlarge.2")
    assert (stage.show(server_id)["flavor"]["id"], stage.show(server_id)["image"]["id"]) == ("s3.xlarge.2", IMAGE)


class Form(NamedTuple):
    name: str
    changes: dict[str, Any]
    sizes: list[int]
    stays: list[bool]


DISKS = [
    Form("the image alone", {}, [10], [False]),
    Form("a disk of the image", {"imageRef": None, "block_device_mapping_v2": [image_disk()]}, [40], [True]),
    Form("image and its disk", {"block_device_mapping_v2": [image_disk(delete_on_termination="True")]}, [40], [False]),
    Form("a blank disk beside it", {"block_device_mapping_v2": [disk("blank", volume_size=20)]}, [10, 20], [False, True]),
    Form(
        "a blank disk that goes",
        {"block_device_mapping_v2": [disk("blank", volume_size=20, delete_on_termination=True)]},
        [10, 20],
        [False, False],
    ),
    Form("a data disk of an image", {"block_device_mapping_v2": [image_disk(boot_index=-1)]}, [10, 40], [False, True]),
    Form("a volume beside it", {"block_device_mapping_v2": [disk("volume", uuid=VOLUME)]}, [10, 10], [False, True]),
    Form(
        "the image as clients put it in front",
        {
            "block_device_mapping_v2": [
                {"source_type": "image", "destination_type": "local", "uuid": IMAGE, "boot_index": 0},
                disk("blank", volume_size=20),
            ]
        },
        [10, 20],
        [False, True],
    ),
]


@pytest.mark.parametrize("form", DISKS, ids=lambda form: form.name)
def test_disks(stage: Stage, form: Form) -> None:
    server_id = make(stage, **form.changes)
    disks = [stage.project.volumes[volume_id] for volume_id in stage.project.servers[server_id].volume_ids]
    assert [each.size for each in disks] == form.sizes
    assert {each.status for each in disks} == {"in-use"}
    assert stage.show(server_id)["image"]["id"] == IMAGE
    assert stage.call("deleteServer", server_id=server_id).status == 204
    stage.pass_time(600)
    assert [each.id in stage.project.volumes for each in disks] == form.stays
    assert all(each.status == "available" for each in disks if each.id in stage.project.volumes)


@pytest.mark.parametrize("goes", [False, True])
def test_a_server_of_a_volume(stage: Stage, goes: bool) -> None:  # noqa: FBT001 -- a case
    volume_id = volume_of_image(stage)
    boot = disk("volume", uuid=volume_id, boot_index=0, delete_on_termination=goes)
    server_id = make(stage, imageRef=None, availability_zone=None, block_device_mapping_v2=[boot])
    server = stage.project.servers[server_id]
    assert (server.volume_ids, server.image_id, server.zone) == ([volume_id], IMAGE, "eu-west-0a")
    assert stage.project.volumes[volume_id].status == "in-use"
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id), "delete_volume": True}))
    assert (volume_id in stage.project.volumes) is not goes, "5.1.2 does not count a system disk among the data disks"


def test_a_server_of_a_snapshot(stage: Stage) -> None:
    original = volume_of_image(stage)
    boot = disk("snapshot", uuid=snapshot_of(stage, original), boot_index="0")
    server_id = make(stage, imageRef=None, block_device_mapping_v2=[boot], max_count=1, min_count=1)
    (root,) = (stage.project.volumes[volume_id] for volume_id in stage.project.servers[server_id].volume_ids)
    assert (root.size, root.type, root.image_id, root.snapshot_id) == (40, "SSD", IMAGE, boot["uuid"])
    assert root.id != original


def test_a_server_whose_image_is_unknown(stage: Stage) -> None:
    stage.project.volumes[VOLUME].bootable = True
    boot = disk("volume", uuid=VOLUME, boot_index=0)
    server_id = make(stage, imageRef=None, block_device_mapping_v2=[boot])
    assert stage.show(server_id)["image"] == ""
    assert stage.call("updateServer", {"server": {"name": "x"}}, server_id=server_id).body["server"]["image"] == ""


NETWORKS: list[tuple[str, list[dict[str, str]], list[str | None]]] = [
    ("any address", [{"uuid": SUBNET}], [None]),
    ("an address", [{"uuid": SUBNET, "fixed_ip": "192.168.0.9"}], ["192.168.0.9"]),
    ("a port", [{"port": PORT}], ["192.168.8.8"]),
    ("a port before network and address", [{"port": PORT, "uuid": SMALL_SUBNET, "fixed_ip": "192.168.16.9"}], ["192.168.8.8"]),
    ("two", [{"uuid": SUBNET}, {"uuid": SMALL_SUBNET, "fixed_ip": "192.168.16.9"}], [None, "192.168.16.9"]),
]


@pytest.mark.parametrize(("networks", "addresses"), [case[1:] for case in NETWORKS], ids=[case[0] for case in NETWORKS])
def test_networks(stage: Stage, networks: list[dict[str, str]], addresses: list[str | None]) -> None:
    server_id = make(stage, networks=networks)
    ports = [stage.project.ports[port_id] for port_id in stage.project.servers[server_id].port_ids]
    assert [port.address if wanted else None for port, wanted in zip(ports, addresses, strict=True)] == addresses
    stage.call("deleteServer", server_id=server_id)
    stage.pass_time(600)
    assert set(stage.project.ports) == {PORT}, "a port that was given by its id stays, what was made goes (6.2.3)"
    assert stage.project.ports[PORT].server_id is None


def test_networks_that_are_chosen(stage: Stage) -> None:
    assert stage.refused("createServer", native(networks=None)).status == 409, "there are two"
    assert stage.refused("createServer", native(networks="auto")).status == 400, "before 2.37"
    assert make(stage, networks="auto", version=(2, 37))
    assert stage.refused("createServer", native(networks="none"), version=(2, 37)).status == 400
    assert stage.refused("createServer", native(networks=None), version=(2, 37)).status == 400
    del stage.project.networks[SMALL_SUBNET]
    assert make(stage, networks=None)


@pytest.mark.parametrize("group", ["web", WEB])
def test_security_groups_by_name_and_id(stage: Stage, group: str) -> None:
    reply = stage.call("createServer", native(security_groups=[{"name": group}, {"name": "default"}, {"name": group}]))
    assert reply.body["server"]["security_groups"] == [{"name": group}, {"name": "default"}]
    server = stage.project.servers[reply.body["server"]["id"]]
    assert server.security_group_ids == [WEB, GROUP]


def test_the_groups_of_a_port_that_is_there_count(stage: Stage) -> None:
    server_id = make(stage, networks=[{"port": PORT}], security_groups=[{"name": "web"}])
    assert stage.project.servers[server_id].security_group_ids == [GROUP]


@pytest.mark.parametrize("name", ["os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"])
@pytest.mark.parametrize("inside", [False, True])
def test_a_group_wherever_it_is_named(stage: Stage, name: str, inside: bool) -> None:  # noqa: FBT001 -- a case
    body = {"server_group": {"name": "g", "policies": ["anti-affinity"]}}
    group = stage.call("createServerGroup", body).body["server_group"]["id"]
    request = native()
    (request["server"] if inside else request)[name] = {"group": group}
    server_id = stage.call("createServer", request).body["server"]["id"]
    assert stage.project.groups[group].members == [server_id]


# Several


def test_several_by_their_reservation(stage: Stage) -> None:
    reply = stage.call("createServer", native(min_count="2", max_count="3", return_reservation_id="true"))
    assert set(reply.body) == {"reservation_id"}
    assert stage.names(reservation_id=reply.body["reservation_id"]) == ["web-0002", "web-0001", "web-0000"]
    assert "server" in stage.call("createServer", native(name="other", max_count=2)).body


@pytest.mark.parametrize(
    ("quota", "made"),
    [
        ({"instances": 2}, 2),
        ({"cores": 5}, 2),
        ({"ram": 4096 * 3 + 1}, 3),
        ({"gigabytes": 40}, 3),
        ({"volumes": 2}, 1),
        ({}, 4),
    ],
    ids=str,
)
def test_as_many_as_the_quota_allows(stage: Stage, quota: dict[str, int], made: int) -> None:
    stage.world.set_project(stage.project.id, quota=quota)
    stage.call("createServer", native(min_count=1, max_count=4))
    assert len(stage.project.servers) == made


def test_fewer_than_the_least_are_none(stage: Stage) -> None:
    stage.world.set_project(stage.project.id, quota={"instances": 2})
    assert stage.refused("createServer", native(min_count=3, max_count=4)).status == 403
    assert not stage.project.servers


def test_a_server_of_an_image_keeps_its_resource_type(stage: Stage) -> None:
    of_image = make(stage)
    boot = disk("volume", uuid=volume_of_image(stage), boot_index=0)
    of_volume = make(stage, imageRef=None, block_device_mapping_v2=[boot])
    for server_id in (of_image, of_volume):
        stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}))
    other = {"resize": {"flavorRef": "s3.small.1"}}
    assert "resource_type" in stage.refused("resizeServer", other, server_id=of_image).message
    assert "resource_type" in stage.refused("resizeServerNative", other, server_id=of_image).message
    assert stage.call("resizeServer", {"resize": {"flavorRef": "s3.medium.2"}}, server_id=of_image).status == 200
    assert stage.call("resizeServer", other, server_id=of_volume).status == 200


# What goes wrong later


def test_nothing_is_rolled_back(stage: Stage) -> None:
    stage.world.sell_out("s3.large.2", ("eu-west-0a",))
    reply = stage.call("createServer", native())
    stage.pass_time(600)
    shown = stage.show(reply.body["server"]["id"])
    assert (shown["status"], shown["fault"]["code"]) == ("ERROR", 500)
    assert shown["fault"]["message"].startswith("No valid host was found.")
    assert stage.call("deleteServer", server_id=shown["id"]).status == 204
    stage.pass_time(600)
    assert stage.alive() == set()


def test_a_failure_on_demand(stage: Stage) -> None:
    stage.world.fail_next_job(stage.project.id, job_type="nativeCreateServer", code="Ecs.0200", reason="no luck", leave="nothing")
    server_id = make(stage)
    assert (stage.show(server_id)["status"], stage.show(server_id)["fault"]["message"]) == ("ERROR", "no luck")
