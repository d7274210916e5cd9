"""What each method puts on the wire: method, path, query and body of its section."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

import httpx
import pytest

from ecs_operator.cloud import CloudError, EcsClient, Meaning
from tests.unit.cloud.stage import CREATE, IAM, PROJECT, SERVER, FakeCloud, answer, client_of

JOB = {"job_id": "ff80808288d41e1b018990260955686a"}
SHOWN = {"server": {"id": SERVER, "metadata": {}}}
V1, V2 = f"/v1/{PROJECT}/cloudservers", f"/v2.1/{PROJECT}"
BATCH = [{"id": SERVER}]
GROUP = {"server_group": {"id": "g", "name": "n", "policies": ["anti-affinity"], "members": [], "metadata": {}}}


@dataclass(frozen=True)
class Case:
    section: str
    call: Callable[[EcsClient], Awaitable[object]]
    method: str
    path: str
    body: object = None
    query: str = ""
    reply: object = None


CASES = [
    Case("5.1.1", lambda c: c.servers.create(CREATE, client_token=None), "POST", V1, json.loads(CREATE.body()), reply=JOB),
    Case(
        "5.1.2",
        lambda c: c.servers.delete([SERVER, SERVER], delete_public_ip=False, delete_volume=True),
        "POST",
        f"{V1}/delete",
        {"servers": BATCH, "delete_publicip": False, "delete_volume": True},
        reply=JOB,
    ),
    Case(
        "5.2.4",
        lambda c: c.servers.resize(SERVER, "c3.15xlarge.2"),
        "POST",
        f"{V1}/{SERVER}/resize",
        {"resize": {"flavorRef": "c3.15xlarge.2"}},
        reply=JOB,
    ),
    Case("5.3.1", lambda c: c.servers.start([SERVER]), "POST", f"{V1}/action", {"os-start": {"servers": BATCH}}, reply=JOB),
    Case(
        "5.3.2",
        lambda c: c.servers.reboot([SERVER], "SOFT"),
        "POST",
        f"{V1}/action",
        {"reboot": {"type": "SOFT", "servers": BATCH}},
        reply=JOB,
    ),
    Case(
        "5.3.3",
        lambda c: c.servers.stop([SERVER], "HARD"),
        "POST",
        f"{V1}/action",
        {"os-stop": {"type": "HARD", "servers": BATCH}},
        reply=JOB,
    ),
    Case("5.4.1", lambda c: c.flavors.sold("az0"), "GET", f"{V1}/flavors", query="availability_zone=az0", reply={"flavors": []}),
    Case(
        "5.6.1",
        lambda c: c.volumes.attach(SERVER, "v", device="/dev/vdb"),
        "POST",
        f"{V1}/{SERVER}/attachvolume",
        {"volumeAttachment": {"volumeId": "v", "device": "/dev/vdb"}},
        reply=JOB,
    ),
    Case(
        "5.6.2",
        lambda c: c.volumes.detach(SERVER, "v", force=False),
        "DELETE",
        f"{V1}/{SERVER}/detachvolume/v",
        query="delete_flag=0",
        reply=JOB,
    ),
    Case(
        "5.6.3",
        lambda c: c.servers.block_devices(SERVER),
        "GET",
        f"/v2.1/servers/{SERVER}/block_device",
        reply={"volumeAttachments": []},
    ),
    Case("5.7.1", lambda c: c.limits.get(), "GET", f"{V1}/limits", reply={"absolute": {}}),
    Case("5.8.1", lambda c: c.jobs.get("j"), "GET", f"/v1/{PROJECT}/jobs/j", reply={"status": "RUNNING"}),
    Case(
        "5.10.1",
        lambda c: c.groups.create("n", ["anti-affinity"]),
        "POST",
        f"{V1}/os-server-groups",
        {"server_group": {"name": "n", "policies": ["anti-affinity"]}},
        reply=GROUP,
    ),
    Case("5.10.2", lambda c: c.groups.delete("g"), "DELETE", f"{V1}/os-server-groups/g"),
    Case(
        "5.10.3",
        lambda c: c.groups.add("g", SERVER),
        "POST",
        f"{V1}/os-server-groups/g/action",
        {"add_member": {"instance_uuid": SERVER}},
    ),
    Case(
        "5.10.4",
        lambda c: c.groups.remove("g", SERVER),
        "POST",
        f"{V1}/os-server-groups/g/action",
        {"remove_member": {"instance_uuid": SERVER}},
    ),
    Case("5.10.5", lambda c: c.groups.list(), "GET", f"{V1}/os-server-groups", query="limit=100", reply={"server_groups": []}),
    Case("5.10.6", lambda c: c.groups.get("g"), "GET", f"{V1}/os-server-groups/g", reply=GROUP),
    Case(
        "6.2.2",
        lambda c: c.servers.update(SERVER, name="n", description=""),
        "PUT",
        f"{V2}/servers/{SERVER}",
        {"server": {"name": "n", "description": ""}},
        reply=SHOWN,
    ),
    Case("6.2.5", lambda c: c.servers.sweep(), "GET", f"{V2}/servers/detail", query="limit=100", reply={"servers": []}),
    Case("6.2.6", lambda c: c.servers.get(SERVER), "GET", f"{V2}/servers/{SERVER}", reply=SHOWN),
    Case("6.3.4", lambda c: c.server_actions.lock(SERVER), "POST", f"{V2}/servers/{SERVER}/action", {"lock": None}),
    Case("6.3.5", lambda c: c.server_actions.unlock(SERVER), "POST", f"{V2}/servers/{SERVER}/action", {"unlock": None}),
    Case("6.4.1", lambda c: c.networks.list(), "GET", f"{V2}/os-networks", reply={"networks": []}),
    Case("6.6.2", lambda c: c.flavors.list(), "GET", f"{V2}/flavors/detail", reply={"flavors": []}),
    Case("6.6.3", lambda c: c.flavors.get("f.1"), "GET", f"{V2}/flavors/f.1", reply={"flavor": {"id": "f.1"}}),
    Case("6.7.1", lambda c: c.interfaces.list(SERVER), "GET", f"{V2}/servers/{SERVER}/os-interface", reply={"interfaceAttachments": []}),
    Case(
        "6.8.1",
        lambda c: c.volumes.attachments(SERVER),
        "GET",
        f"{V2}/servers/{SERVER}/os-volume_attachments",
        reply={"volumeAttachments": []},
    ),
    Case(
        "6.8.2",
        lambda c: c.volumes.attachment(SERVER, "v"),
        "GET",
        f"{V2}/servers/{SERVER}/os-volume_attachments/v",
        reply={"volumeAttachment": {"volumeId": "v"}},
    ),
    Case(
        "6.9.1",
        lambda c: c.metadata.merge(SERVER, {"key": "value"}),
        "POST",
        f"{V2}/servers/{SERVER}/metadata",
        {"metadata": {"key": "value"}},
        reply={"metadata": {"key": "value"}},
    ),
    Case("6.9.3", lambda c: c.metadata.remove(SERVER, "key"), "DELETE", f"{V2}/servers/{SERVER}/metadata/key"),
    Case("6.9.4", lambda c: c.metadata.get(SERVER), "GET", f"{V2}/servers/{SERVER}/metadata", reply={"metadata": {}}),
    Case("10.2", lambda c: c.identity.projects(), "GET", "/v3/projects", reply={"projects": []}),
    Case("11.2.2", lambda c: c.images.list(name="U 24"), "GET", f"{V2}/images/detail", query="name=U+24", reply={"images": []}),
    Case("11.2.3", lambda c: c.images.get("i"), "GET", f"{V2}/images/i", reply={"image": {"id": "i"}}),
    Case("11.4.3", lambda c: c.volumes.get("v"), "GET", f"{V2}/os-volumes/v", reply={"volume": {"id": "v"}}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.section)
async def test_requests(case: Case) -> None:
    cloud = FakeCloud(lambda _: answer(200, case.reply))
    async with client_of(cloud) as client:
        await case.call(client)
    request = cloud.requests[0]
    assert (request.method, request.url.path) == (case.method, case.path)
    assert dict(request.url.params) == dict(parse_qsl(case.query))
    assert (json.loads(request.content) if request.content else None) == case.body
    assert request.headers.get("content-type") == ("application/json" if request.content else None)
    assert (request.url.host == httpx.URL(IAM).host) is (case.section == "10.2")


REFUSED: list[tuple[str, Callable[[EcsClient], Awaitable[object]]]] = [
    ("servers", lambda c: c.servers.delete([], delete_public_ip=False, delete_volume=False)),
    ("servers", lambda c: c.servers.delete([""], delete_public_ip=False, delete_volume=False)),
    ("os-start.servers", lambda c: c.servers.start([str(number) for number in range(1001)])),
    ("resize.flavorRef", lambda c: c.servers.resize(SERVER, "")),
    ("server.name", lambda c: c.servers.update(SERVER, name="")),
    ("server.name", lambda c: c.servers.update(SERVER, name="x" * 256)),
    ("server.description", lambda c: c.servers.update(SERVER, description="ü" * 128)),
    ("server", lambda c: c.servers.update(SERVER)),
    ("server_group.name", lambda c: c.groups.create("", ["anti-affinity"])),
    ("server_group.name", lambda c: c.groups.create("云" * 86, ["anti-affinity"])),
    ("server_group.policies", lambda c: c.groups.create("n", ["affinity"])),
    ("volumeAttachment.volumeId", lambda c: c.volumes.attach(SERVER, "")),
    ("metadata", lambda c: c.metadata.merge(SERVER, {})),
    ("metadata", lambda c: c.metadata.merge(SERVER, {"a b": "c"})),
    ("metadata", lambda c: c.metadata.merge(SERVER, {"a\n": "c"})),
    ("metadata.a", lambda c: c.metadata.merge(SERVER, {"a": "c" * 256})),
]


@pytest.mark.parametrize(("field", "call"), REFUSED, ids=[f"{number}-{case[0]}" for number, case in enumerate(REFUSED)])
async def test_limits(field: str, call: Callable[[EcsClient], Awaitable[object]]) -> None:
    cloud = FakeCloud(lambda _: answer(200, {}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await call(client)
    assert caught.value.message.startswith(f"{field}: ")
    assert caught.value.meaning is Meaning.INVALID
    assert not cloud.requests


async def test_images_are_compared_exactly() -> None:
    images = [{"id": "a", "name": "Ubuntu 24.04 server 64bit"}, {"id": "b", "name": "Ubuntu 24.04"}]
    async with client_of(FakeCloud(lambda _: answer(200, {"images": images}))) as client:
        assert [image.id for image in await client.images.list(name="Ubuntu 24.04")] == ["b"]
        assert [image.id for image in await client.images.list()] == ["a", "b"]


async def test_catalogs_are_read_to_the_end_without_following_links() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("marker") == "f1":
            return answer(200, {"flavors": [{"id": "f2"}]})
        link = {"rel": "next", "href": "https://evil.example.test/flavors/detail?marker=f1"}
        return answer(200, {"flavors": [{"id": "f1"}], "flavors_links": [link]})

    cloud = FakeCloud(serve)
    async with client_of(cloud) as client:
        assert [flavor.id for flavor in await client.flavors.list()] == ["f1", "f2"]
    assert {request.url.host for request in cloud.requests} == {"ecs.example.test"}


async def test_passwords_in_metadata_are_dropped() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"metadata": {"admin_pass": "Canary-1", "role": "front"}}))
    async with client_of(cloud) as client:
        assert await client.metadata.get(SERVER) == {"role": "front"}
        assert await client.metadata.merge(SERVER, {"role": "front"}) == {"role": "front"}


VERSION_STATUSES = [(200, "2.46"), (300, "2.46"), (404, None), (403, None)]


@pytest.mark.parametrize(("status", "microversion"), VERSION_STATUSES)
async def test_the_list_of_versions(status: int, microversion: str | None) -> None:
    """Some clouds answer it with "multiple choices", and some gateways do not serve it at all."""
    cloud = FakeCloud(lambda _: answer(200, SHOWN), versions_status=status)
    async with client_of(cloud) as client:
        assert await client.versions.for_reads() == microversion
        await client.servers.get(SERVER)
    assert cloud.requests[0].headers.get("x-openstack-nova-api-version") == microversion
