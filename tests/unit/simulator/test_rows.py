"""What the native reads show: fields by microversion, addresses, faults, catalogs, versions, metadata."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ecs_simulator.call import ApiError
from tests.unit.simulator.stage import EIP, IMAGE, MARKER, NOWHERE, SUBNET, VPC, Stage, ids

SINCE: dict[str, tuple[int, int]] = {
    "OS-EXT-SRV-ATTR:hostname": (2, 3),
    "OS-EXT-SRV-ATTR:reservation_id": (2, 3),
    "OS-EXT-SRV-ATTR:launch_index": (2, 3),
    "OS-EXT-SRV-ATTR:root_device_name": (2, 3),
    "OS-EXT-SRV-ATTR:user_data": (2, 3),
    "locked": (2, 9),
    "host_status": (2, 16),
    "description": (2, 19),
    "tags": (2, 26),
}
ALWAYS = (
    *(
        "id",
        "name",
        "status",
        "created",
        "updated",
        "flavor",
        "image",
        "tenant_id",
        "key_name",
        "user_id",
        "metadata",
        "hostId",
        "addresses",
    ),
    *("security_groups", "links", "OS-DCF:diskConfig", "OS-EXT-AZ:availability_zone", "OS-EXT-STS:power_state", "OS-EXT-STS:task_state"),
    *("OS-EXT-STS:vm_state", "OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at", "os-extended-volumes:volumes_attached"),
    *("accessIPv4", "accessIPv6", "config_drive", "progress", "OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:instance_name"),
)


@pytest.mark.parametrize("field", SINCE)
def test_fields_of_microversions(stage: Stage, field: str) -> None:
    server_id = stage.server(user_data=base64.b64encode(b"x").decode())
    major, minor = SINCE[field]
    assert field in stage.show(server_id, version=(major, minor))
    assert field not in stage.show(server_id, version=(major, minor - 1))
    assert field not in stage.show(server_id, version=None)
    (row,) = stage.call("listServersDetails", version=(major, minor)).body["servers"]
    assert field in row


@pytest.mark.parametrize("version", [None, (2, 1), (2, 46), (2, 60)])
def test_fields_that_are_always_there(stage: Stage, version: tuple[int, int] | None) -> None:
    row = stage.show(stage.server(), version=version)
    assert set(ALWAYS) <= set(row)
    assert "fault" not in row
    assert "os:scheduler_hints" not in row


def test_the_flavor_is_spelt_out_from_2_47_on(stage: Stage) -> None:
    server_id = stage.server()
    assert stage.show(server_id, version=(2, 46))["flavor"]["id"] == "s3.large.2"
    flavor = stage.show(server_id, version=(2, 47))["flavor"]
    assert (flavor["original_name"], flavor["vcpus"], flavor["ram"]) == ("s3.large.2", 2, 4096)
    assert {"id", "links"} & set(flavor) == set()


def test_volumes_by_microversion(stage: Stage) -> None:
    server_id = stage.server(data_volumes=[{"volumetype": "SSD", "size": 10}])
    rows = stage.show(server_id, version=(2, 3))["os-extended-volumes:volumes_attached"]
    assert [row["delete_on_termination"] for row in rows] == [True, False]
    assert all(set(row) == {"id"} for row in stage.show(server_id, version=None)["os-extended-volumes:volumes_attached"])


def test_a_fault_shows_in_error_only(stage: Stage) -> None:
    server_id = stage.server()
    stage.world.set_server(server_id, "error")
    assert stage.show(server_id)["fault"]["code"] == 500
    stage.world.set_server(server_id, "start")
    assert "fault" not in stage.show(server_id)


def test_links_name_the_host_and_version_that_was_called(stage: Stage) -> None:
    server_id = stage.server()
    href = stage.show(server_id)["links"][0]["href"]
    assert href == f"http://cloud.test/v2.1/{stage.project.id}/servers/{server_id}"
    assert "/v2/" in stage.show(server_id, version=None)["links"][0]["href"]


def test_addresses_and_interfaces(stage: Stage) -> None:
    server_id = stage.server(nics=[{"subnet_id": SUBNET, "ip_address": "192.168.0.9"}], publicip={"id": EIP})
    rows = [{"version": 4, "addr": "192.168.0.9"}, {"version": 4, "addr": "80.158.1.2"}]
    assert stage.call("listServerAddresses", server_id=server_id).body == {"addresses": {VPC: rows}}
    assert stage.call("showServerAddresses", server_id=server_id, networkName=VPC).body == {VPC: rows}
    assert stage.code("showServerAddresses", server_id=server_id, networkName="none")[0] == 404
    (interface,) = stage.call("listInterfaces", server_id=server_id).body["interfaceAttachments"]
    assert interface["net_id"] == SUBNET
    assert interface["fixed_ips"] == [{"subnet_id": "f8a6e8f8-c2ec-497c-9f23-da9616de54ef", "ip_address": "192.168.0.9"}]
    assert interface["mac_addr"] == stage.show(server_id)["addresses"][VPC][0]["OS-EXT-IPS-MAC:mac_addr"]


def test_networks_show_id_and_label_only(stage: Stage) -> None:
    rows = stage.call("listNetworks").body["networks"]
    assert (rows[0]["id"], rows[0]["label"]) == (SUBNET, VPC)
    assert {value for key, value in rows[0].items() if key not in {"id", "label"}} == {None}


PROXIES: list[tuple[str, dict[str, Any]]] = [
    ("listNetworks", {}),
    ("listImages", {}),
    ("listImagesDetails", {}),
    ("showImage", {"image_id": IMAGE}),
    ("listVolumes", {}),
]


@pytest.mark.parametrize(("name", "path"), PROXIES)
def test_what_nova_took_away(stage: Stage, name: str, path: dict[str, Any]) -> None:
    for version in (None, (2, 1), (2, 35)):
        assert stage.call(name, version=version, **path).status == 200
    assert stage.code(name, version=(2, 36), **path)[0] == 404


def test_flavors(stage: Stage) -> None:
    rows = stage.call("listFlavorsDetails", query={"sort_key": "memory_mb", "sort_dir": "desc", "limit": "2"}).body
    assert [row["id"] for row in rows["flavors"]] == ["s3.2xlarge.2", "s3.xlarge.2"]
    assert "marker=s3.xlarge.2" in rows["flavors_links"][0]["href"]
    assert [row["id"] for row in stage.call("listFlavors", query={"minRam": "9000"}).body["flavors"]] == ["s3.2xlarge.2"]
    assert stage.call("showFlavor", flavor_id="s3.small.1").body["flavor"]["ram"] == 1024
    assert stage.code("showFlavor", flavor_id="none")[0] == 404
    assert stage.code("listFlavors", query={"sort_dir": "up"})[0] == 400
    stage.world.sell_out("s3.small.1", ("eu-west-0b",))
    specs = stage.call("listFlavorExtraSpecs", flavor_id="s3.small.1").body["extra_specs"]
    assert specs["cond:operation:az"] == "eu-west-0a(normal), eu-west-0b(sellout)"
    for zone, offered in (("eu-west-0a", True), ("eu-west-0b", False), ("eu-west-9z", False)):
        flavors = stage.call("listFlavorsSold", query={"availability_zone": zone}).body["flavors"]
        assert ("s3.small.1" in {row["id"] for row in flavors}) is offered
    row = stage.call("listFlavorsSold").body["flavors"][1]
    assert (row["vcpus"], row["ram"], row["os_extra_specs"]["instance_vnic:max_count"]) == ("1", 2048, "12")


def test_images(stage: Stage) -> None:
    (row,) = stage.call("listImagesDetails", query={"name": "Ubuntu 24.04 server 64bit"}).body["images"]
    assert (row["id"], row["status"], row["minDisk"], row["metadata"]["__os_type"]) == (IMAGE, "ACTIVE", 10, "Linux")
    for query, count in (({"minDisk": "20"}, 1), ({"minRam": "1"}, 1), ({"status": "saving"}, 0), ({"limit": "1"}, 1)):
        assert len(stage.call("listImages", query=query).body["images"]) == count
    assert stage.code("showImage", image_id=NOWHERE)[0] == 404


def test_versions(stage: Stage) -> None:
    stage.world.set_behaviour({"maxMicroversion": "2.14"})
    versions = stage.call("listVersions").body["versions"]
    assert [(row["id"], row["min_version"], row["version"]) for row in versions] == [("v2.0", "", ""), ("v2.1", "2.1", "2.14")]
    assert stage.call("showVersion", api_version="v2.1").body["version"]["status"] == "CURRENT"
    assert stage.code("showVersion", api_version="v9")[0] == 404


class TestUpdate:
    def test_name_and_description(self, stage: Stage) -> None:
        server_id = stage.server()
        row = stage.call("updateServer", {"server": {"name": "neu ü", "description": "x" * 255}}, server_id=server_id).body["server"]
        assert (row["name"], row["description"], row["metadata"].items() >= MARKER.items()) == ("neu ü", "x" * 255, True)
        assert "OS-EXT-STS:vm_state" not in row
        assert stage.show(server_id)["name"] == "neu ü"
        assert stage.entries("update")[0]["fields"] == ["description", "name"]
        stage.call("updateServer", {"server": {"name": "neu ü"}}, server_id=server_id)
        assert len(stage.entries("update")) == 1, "nothing changed"

    @pytest.mark.parametrize(
        ("server", "version"),
        [
            ({"name": ""}, (2, 26)),
            ({"name": "x" * 256}, (2, 26)),
            ({"description": "ü" * 128}, (2, 26)),
            ({"description": "x"}, (2, 18)),
            ({"flavor": "x"}, (2, 26)),
        ],
    )
    def test_refused(self, stage: Stage, server: dict[str, Any], version: tuple[int, int]) -> None:
        assert stage.code("updateServer", {"server": server}, server_id=stage.server(), version=version)[0] == 400

    def test_a_lock_does_not_matter(self, stage: Stage) -> None:
        server_id = stage.server()
        stage.call("lockServer", {"lock": None}, server_id=server_id)
        assert stage.call("updateServer", {"server": {"name": "x"}}, server_id=server_id).status == 200


class TestMetadata:
    def test_merge_replace_and_items(self, stage: Stage) -> None:
        server_id = stage.server(metadata={**MARKER, "role": "front"})

        def read() -> Any:
            return stage.call("listServerMetadata", server_id=server_id).body["metadata"]

        stage.call("updateServerMetadata", {"metadata": {"role": "back", "a b": "c"}}, server_id=server_id)
        assert read().items() >= {**MARKER, "role": "back", "a b": "c", "os_type": "Linux"}.items()
        assert stage.call("deleteServerMetadataItem", server_id=server_id, key="role").status == 204
        assert stage.code("deleteServerMetadataItem", server_id=server_id, key="role")[0] == 404
        assert stage.code("showServerMetadataItem", server_id=server_id, key="role")[0] == 404
        assert stage.call("setServerMetadataItem", {"meta": {"role": "x"}}, server_id=server_id, key="role").body == {"meta": {"role": "x"}}
        assert stage.call("showServerMetadataItem", server_id=server_id, key="role").body == {"meta": {"role": "x"}}
        stage.call("replaceServerMetadata", {"metadata": {"only": "this"}}, server_id=server_id)
        assert read() == {"only": "this"}
        assert {entry["marker"] for entry in stage.entries("update")} == set(MARKER.values()), "the marker that was there before"

    @pytest.mark.parametrize(
        ("metadata", "status"),
        [
            ({"": "x"}, 400),
            ({"ä": "x"}, 400),
            ({"k" * 256: "x"}, 400),
            ({"k": "x" * 256}, 400),
            ({"k": ["x"]}, 400),
            ({"virtual_env_type": "x"}, 400),
            ({f"k{number}": "x" for number in range(129)}, 403),
        ],
    )
    def test_refused(self, stage: Stage, metadata: dict[str, Any], status: int) -> None:
        assert stage.code("updateServerMetadata", {"metadata": metadata}, server_id=stage.server())[0] == status

    @pytest.mark.parametrize("body", [{}, {"metadata": None}, {"metadata": []}])
    def test_bodies(self, stage: Stage, body: dict[str, Any]) -> None:
        assert stage.code("updateServerMetadata", body, server_id=stage.server())[0] == 400

    def test_key_and_body_must_agree(self, stage: Stage) -> None:
        server_id = stage.server()
        for meta in ({"b": "x"}, {"a": "x", "b": "y"}, {}):
            assert stage.code("setServerMetadataItem", {"meta": meta}, server_id=server_id, key="a")[0] == 400


def test_projects_see_nothing_of_one_another(stage: Stage) -> None:
    server_id = stage.server(**{"os:scheduler_hints": {"tenancy": "shared"}})
    group = stage.call("createServerGroup", {"server_group": {"name": "g", "policies": ["anti-affinity"]}}).body["server_group"]["id"]
    job_id = stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}).body["job_id"]
    (volume_id,) = stage.project.servers[server_id].volume_ids
    other = stage.world.projects[stage.world.add_project("t-1")["projectId"]]
    assert stage.call("listServersDetails", project=other).body == {"servers": []}
    assert stage.call("listServerGroups", project=other).body == {"server_groups": []}
    assert len(stage.call("listVolumes", project=other).body["volumes"]) == 1
    attempts: list[tuple[str, Any, dict[str, Any]]] = [
        ("showServer", None, {"server_id": server_id}),
        ("listVolumeAttachments", None, {"server_id": server_id}),
        ("lockServer", {"lock": None}, {"server_id": server_id}),
        ("deleteServers", {"servers": ids(server_id)}, {}),
        ("updateServerMetadata", {"metadata": {"a": "b"}}, {"server_id": server_id}),
        ("showServerGroup", None, {"server_group_id": group}),
        ("deleteServerGroup", None, {"server_group_id": group}),
        ("showVolume", None, {"volume_id": volume_id}),
        ("showJob", None, {"job_id": job_id}),
    ]
    for name, body, path in attempts:
        with pytest.raises(ApiError) as caught:
            stage.call(name, body, project=other, **path)
        assert caught.value.status == (400 if name == "showJob" else 404), name
    assert [entry for entry in stage.world.ledger.to_json(other.id) if entry["resource"] != "project"] == []
