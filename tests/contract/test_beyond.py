"""What is served for existing programs beyond the reference: other paths of its operations, servers in the words of 8.2, neighbours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from ecs_operator.cloud import EcsClient, PublicIp, SchedulerHints
from tests.contract.stage import IMAGE, PROJECT, SUBNET, USER, VOLUME, VPC, Lab

V1, V21 = f"/v1/{PROJECT}/cloudservers", f"/v2.1/{PROJECT}"
EIP = "a2b4c6d8-1111-4222-8333-944455566677"


@pytest_asyncio.fixture
async def client(lab: Lab) -> AsyncIterator[EcsClient]:
    async with lab.client() as client:
        yield client


@pytest_asyncio.fixture
async def wire(lab: Lab) -> AsyncIterator[httpx.AsyncClient]:
    """A connection with the token of the project's user."""
    user = {"name": USER.username, "password": USER.password, "domain": {"name": USER.domain_name}}
    identity = {"methods": ["password"], "password": {"user": user}}
    async with httpx.AsyncClient(base_url=lab.cloud.url, trust_env=False) as wire:
        answer = await wire.post("/v3/auth/tokens", json={"auth": {"identity": identity, "scope": {"project": {"id": PROJECT}}}})
        wire.headers["X-Auth-Token"] = answer.headers["x-subject-token"]
        yield wire


async def json_of(wire: httpx.AsyncClient, path: str, status: int = 200) -> Any:
    answer = await wire.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_server_in_the_words_of_8_2(lab: Lab, client: EcsClient, wire: httpx.AsyncClient) -> None:
    group = await client.groups.create("apart", ["anti-affinity"])
    server_id = await lab.server(client, public_ip=PublicIp(id=EIP), scheduler_hints=SchedulerHints(group=group.id))
    server = (await json_of(wire, f"{V1}/{server_id}"))["server"]
    assert server["flavor"] == {"id": "s3.large.2", "name": "s3.large.2", "disk": "0", "vcpus": "2", "ram": "4096"}
    assert server["image"] == {"id": IMAGE}
    (fixed, floating) = server["addresses"][VPC]
    (interface,) = await client.interfaces.list(server_id)
    for address, kind in ((fixed, "fixed"), (floating, "floating")):
        assert (address["version"], address["OS-EXT-IPS:type"], address["OS-EXT-IPS:port_id"]) == ("4", kind, interface.port_id)
    (disk,) = server["os-extended-volumes:volumes_attached"]
    assert (disk["bootIndex"], disk["device"], disk["delete_on_termination"]) == ("0", "/dev/vda", "true")
    assert [set(each) for each in server["security_groups"]] == [{"id", "name"}]
    assert server["os:scheduler_hints"] == {"group": [group.id]}
    assert (server["metadata"]["metering.image_id"], server["sys_tags"], server["tags"]) == (IMAGE, [], [])
    refused = await json_of(wire, f"{V1}/{VOLUME}", 404)
    assert refused["error"]["code"] == "Ecs.0114"


PAGES = [
    ("", 3, ["c", "b", "a"]),
    ("?limit=2", 3, ["c", "b"]),
    ("?limit=2&offset=2", 3, ["a"]),
    ("?limit=2&offset=3", 3, []),
    ("?limit=2&offset=0", 3, ["c", "b"]),
    ("?name=B", 1, ["b"]),
    ("?status=SHUTOFF", 0, []),
]


async def test_numbered_pages(lab: Lab, client: EcsClient, wire: httpx.AsyncClient) -> None:
    for name in ("a", "b", "c"):
        await lab.server(client, name=name)
    for query, count, names in PAGES:
        body = await json_of(wire, f"{V1}/detail{query}")
        assert (body["count"], [server["name"] for server in body["servers"]]) == (count, names), query
    for query in ("?limit=many", "?offset=-1"):
        assert (await json_of(wire, f"{V1}/detail{query}", 400))["error"]["code"] == "Ecs.0005"


async def test_other_paths_lead_to_the_same(lab: Lab, client: EcsClient, wire: httpx.AsyncClient) -> None:
    server_id = await lab.server(client)
    path = f"{V1}/{server_id}"
    assert (await wire.put(path, json={"server": {"name": "renamed", "description": "d"}})).json()["server"]["description"] == "d"
    assert (await wire.post(f"{path}/metadata", json={"metadata": {"a": "b", "c": "d"}})).status_code == 200
    assert (await wire.delete(f"{path}/metadata/c")).status_code == 204
    tags = {"action": "create", "tags": [{"key": "stage", "value": "test"}]}
    assert (await wire.post(f"{path}/tags/action", json=tags)).status_code == 204
    shown = await client.servers.get(server_id)
    assert (shown.name, shown.description, shown.metadata["a"], "c" in shown.metadata, shown.tags) == (
        *("renamed", "d", "b"),
        *(False, ("stage=test",)),
    )
    assert (await json_of(wire, f"{path}/tags"))["tags"] == tags["tags"]
    assert (await json_of(wire, f"{V1}/tags"))["tags"] == [{"key": "stage", "values": ["test"]}]
    found = await wire.post(f"{V1}/resource_instances/action", json={"action": "filter", "tags": [{"key": "stage", "values": ["test"]}]})
    assert [row["resource_id"] for row in found.json()["resources"]] == [server_id]
    native = f"{V21}/servers/{server_id}"
    for alias, original in (
        (f"{path}/block_device", f"/v2.1/servers/{server_id}/block_device"),
        (f"{path}/os-interface", f"{native}/os-interface"),
        (f"{path}/os-volume_attachments", f"{native}/os-volume_attachments"),
        (f"{path}/os-server-password", f"{native}/os-server-password"),
    ):
        assert await json_of(wire, alias) == await json_of(wire, original), alias
    (disk,) = (await json_of(wire, f"{path}/block_device"))["volumeAttachments"]
    assert (await json_of(wire, f"{path}/block_device/{disk['volumeId']}"))["volumeAttachment"]["volumeId"] == disk["volumeId"]
    await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
    resized = await wire.post(f"/v1.1/{PROJECT}/cloudservers/{server_id}/resize", json={"resize": {"flavorRef": "s3.xlarge.2"}})
    assert set(resized.json()) == {"job_id"}


@pytest.mark.parametrize("path", ["/v1.1/{}/cloudservers", "/v1/{}/cloudservers"])
async def test_a_create_by_either_path(lab: Lab, client: EcsClient, wire: httpx.AsyncClient, path: str) -> None:
    nics, root = [{"subnet_id": SUBNET}], {"volumetype": "SSD"}
    server = {"name": "a", "flavorRef": "s3.large.2", "imageRef": IMAGE, "vpcid": VPC, "nics": nics, "root_volume": root}
    body = {"server": {**server, "extendparam": {"chargingMode": "postPaid", "regionID": "eu-west-0"}}}
    answer = await wire.post(path.format(PROJECT), json=body)
    (server_id,) = answer.json()["serverIds"]
    await lab.advance(10)
    assert (await client.servers.get(server_id)).status == "ACTIVE"


@pytest.mark.parametrize("path", ["/v2/{}/os-volumes_boot", "/v2.1/{}/os-volumes_boot", "/v2/{}/servers"])
async def test_a_native_create_by_every_path(lab: Lab, client: EcsClient, wire: httpx.AsyncClient, path: str) -> None:
    device = {"source_type": "image", "destination_type": "volume", "uuid": IMAGE, "boot_index": 0, "volume_size": 40}
    server = {"name": "a", "flavorRef": "s3.large.2", "networks": [{"uuid": SUBNET}], "block_device_mapping_v2": [device]}
    answer = await wire.post(path.format(PROJECT), json={"server": server})
    assert answer.status_code == 202
    await lab.advance(10)
    shown = await client.servers.get(answer.json()["server"]["id"])
    assert (shown.status, shown.image_id) == ("ACTIVE", IMAGE)
    assert answer.headers["location"].endswith(f"/{PROJECT}/servers/{shown.id}")


async def test_zones_and_networks_of_nova(wire: httpx.AsyncClient) -> None:
    zones = (await json_of(wire, f"{V21}/os-availability-zone"))["availabilityZoneInfo"]
    assert [(zone["zoneName"], zone["zoneState"]["available"]) for zone in zones] == [("eu-west-0a", True), ("eu-west-0b", True)]
    assert "forbidden" in await json_of(wire, f"{V21}/os-availability-zone/detail", 403)
    listed = {network["id"]: network for network in (await json_of(wire, f"{V21}/os-networks"))["networks"]}
    assert (await json_of(wire, f"{V21}/os-networks/{SUBNET}"))["network"] == listed[SUBNET]
    assert "itemNotFound" in await json_of(wire, f"{V21}/os-networks/{VPC}", 404)


async def test_images_and_volumes_of_the_neighbours(lab: Lab, client: EcsClient, wire: httpx.AsyncClient) -> None:
    listed = (await json_of(wire, "/image/v2/images?name=Ubuntu 24.04 server 64bit"))["images"]
    assert [image["id"] for image in listed] == [IMAGE]
    shown = await json_of(wire, f"/image/v2/images/{IMAGE}")
    assert (shown, shown["status"], shown["min_disk"], shown["visibility"], shown["__os_type"]) == (
        listed[0],
        "active",
        10,
        "public",
        "Linux",
    )
    page = await json_of(wire, "/image/v2/images?limit=1")
    rest = await json_of(wire, f"/image{page['next']}")
    assert page["images"][0]["id"] != rest["images"][0]["id"]
    assert (await wire.get("/image/v2/images/none")).status_code == 404

    server_id = await lab.server(client)
    await lab.ended(client, await client.volumes.attach(server_id, VOLUME))
    path = f"/volume/v3/{PROJECT}/volumes"
    (volume,) = (await json_of(wire, f"{path}/detail?name=shared-data"))["volumes"]
    assert (await json_of(wire, f"{path}/{VOLUME}"))["volume"] == volume
    assert (volume["status"], volume["size"], volume["attachments"][0]["server_id"]) == ("in-use", 10, server_id)
    assert {each["id"] for each in (await json_of(wire, f"{path}/detail"))["volumes"]} == {each.id for each in await client.volumes.list()}
    assert (await wire.get(f"{path}/none")).status_code == 404


@pytest.mark.parametrize(
    "path", ["/image/v2/images", f"/volume/v3/{PROJECT}/volumes/detail", f"{V1}/detail", f"{V21}/os-availability-zone"]
)
async def test_nobody_sees_it_without_credentials(lab: Lab, path: str) -> None:
    async with httpx.AsyncClient(base_url=lab.cloud.url, trust_env=False) as anonymous:
        assert (await anonymous.get(path)).status_code == 401


@pytest.mark.parametrize("path", ["/volume/v3/{}/volumes/detail", "/v1/{}/cloudservers/detail", "/v2.1/{}/os-availability-zone"])
async def test_nobody_sees_another_project(lab: Lab, wire: httpx.AsyncClient, path: str) -> None:
    other = (await lab.tell("projects", {"name": "other"}))["projectId"]
    assert (await wire.get(path.format(other))).status_code == 400
