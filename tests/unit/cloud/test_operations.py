"""What each method puts on the wire: method, path, query and body of its section."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx
import pytest

from ecs_operator.cloud import (
    CloudError,
    EcsClient,
    FlavorFilter,
    ImageFilter,
    Meaning,
    NewInterface,
    NewVolume,
    ServerFilter,
    TagQuery,
)
from tests.unit.cloud import ecs_cases, history_cases, native_cases
from tests.unit.cloud.stage import IAM, SERVER, UUID, FakeCloud, answer, client_of
from tests.unit.cloud.wire import SHOWN, Case, _all

CASES = (*ecs_cases.CASES, *native_cases.CASES, *history_cases.CASES)


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
    ("resize.flavorRef", lambda c: c.servers.check_resize(SERVER, "")),
    ("migrate.dedicated_host_id", lambda c: c.systems.migrate(SERVER, "")),
    ("migrate.dedicated_host_id", lambda c: c.systems.migrate(SERVER, "h" * 65)),
    ("rebuild.imageRef", lambda c: c.server_actions.rebuild(SERVER, "")),
    ("rebuild.name", lambda c: c.server_actions.rebuild(SERVER, "i", name="")),
    ("rebuild.name", lambda c: c.server_actions.rebuild(SERVER, "i", name="n" * 255)),
    ("metadata", lambda c: c.server_actions.rebuild(SERVER, "i", metadata={"a b": "c"})),
    ("createImage.name", lambda c: c.server_actions.create_image(SERVER, "")),
    ("createImage.name", lambda c: c.server_actions.create_image(SERVER, "云" * 81)),
    ("createImage.metadata", lambda c: c.server_actions.create_image(SERVER, "n", metadata={"k" * 255: "v"})),
    ("resize.flavorRef", lambda c: c.server_actions.resize(SERVER, "")),
    ("minRam", lambda c: c.images.list(only=ImageFilter(min_ram=-1))),
    ("minDisk", lambda c: c.images.names(only=ImageFilter(min_disk=-1))),
    ("status", lambda c: c.images.list(only=ImageFilter(status=cast("Any", "deleted")))),
    ("server.name", lambda c: c.servers.update(SERVER, name="")),
    ("server.name", lambda c: c.servers.update(SERVER, name="x" * 256)),
    ("server.description", lambda c: c.servers.update(SERVER, description="ü" * 128)),
    ("server", lambda c: c.servers.update(SERVER)),
    ("limit", lambda c: c.servers.names(limit=1001)),
    ("name", lambda c: c.servers.names(only=ServerFilter(name=""))),
    ("tags", lambda c: c.servers.names(only=ServerFilter(tags=("a", "")))),
    ("not-tags", lambda c: c.servers.names(only=ServerFilter(not_tags=("a,b",)))),
    ("image", lambda c: c.servers.names(only=ServerFilter(image=UUID, name="n"))),
    ("status", lambda c: c.servers.names(only=ServerFilter(status="DELETED"))),
    ("sort_key", lambda c: c.servers.names(only=ServerFilter(sort_key="launched_at"))),
    ("api_version", lambda c: c.versions.get("")),
    ("server_id", lambda c: c.servers.delete_native("")),
    ("minRam", lambda c: c.flavors.names(only=FlavorFilter(min_ram=-1))),
    ("minDisk", lambda c: c.flavors.list(only=FlavorFilter(min_disk=-1))),
    ("server_group.name", lambda c: c.groups.create("", ["anti-affinity"])),
    ("server_group.name", lambda c: c.groups.create("云" * 86, ["anti-affinity"])),
    ("server_group.policies", lambda c: c.groups.create("n", ["affinity"])),
    ("volumeAttachment.volumeId", lambda c: c.volumes.attach(SERVER, "")),
    ("volumeAttachment.volumeId", lambda c: c.volumes.attach_natively(SERVER, "")),
    ("volumeAttachment.device", lambda c: c.volumes.attach(SERVER, "v", device="vdb")),
    ("volumeAttachment.device", lambda c: c.volumes.attach_natively(SERVER, "v", device="/dev/vdb1")),
    ("volumeAttachment.volume_type", lambda c: c.volumes.check_room(SERVER, "")),
    ("volumeAttachment.count", lambda c: c.volumes.check_room(SERVER, "SSD", count=0)),
    ("os-getConsoleOutput.length", lambda c: c.consoles.output(SERVER, length=-2)),
    ("request_id", lambda c: c.instance_actions.get(SERVER, "")),
    ("volume", lambda c: c.volumes.create(NewVolume())),
    ("volume.size", lambda c: c.volumes.create(NewVolume(size=0))),
    ("volume.size", lambda c: c.volumes.create(NewVolume(size=32769))),
    ("volume.display_name", lambda c: c.volumes.create(NewVolume(size=1, name="n" * 256))),
    ("volume.display_description", lambda c: c.volumes.create(NewVolume(size=1, description="d" * 256))),
    ("volume.metadata.a", lambda c: c.volumes.create(NewVolume(size=1, metadata={"a": "b" * 256}))),
    ("snapshot.volume_id", lambda c: c.snapshots.create("")),
    ("snapshot.display_name", lambda c: c.snapshots.create("v", name="云" * 86)),
    ("snapshot.display_name", lambda c: c.snapshots.create("v", name="autobk_snapshot_1")),
    ("snapshot.display_description", lambda c: c.snapshots.create("v", description="d" * 256)),
    ("nics", lambda c: c.interfaces.add(SERVER, [])),
    ("nics", lambda c: c.interfaces.add(SERVER, [NewInterface(subnet_id=UUID)] * 13)),
    ("nics", lambda c: c.interfaces.remove(SERVER, [])),
    ("nics", lambda c: c.interfaces.remove(SERVER, map(str, range(13)))),
    ("nics[].id", lambda c: c.interfaces.remove(SERVER, ["p", ""])),
    ("interfaceAttachment.port_id", lambda c: c.interfaces.attach(SERVER)),
    ("interfaceAttachment.port_id", lambda c: c.interfaces.attach(SERVER, network_id=UUID, port_id="p")),
    ("interfaceAttachment.fixed_ips", lambda c: c.interfaces.attach(SERVER, port_id="p", ip_address="10.0.0.9")),
    ("interfaceAttachment.fixed_ips[0].ip_address", lambda c: c.interfaces.attach(SERVER, network_id=UUID, ip_address="::1")),
    ("networkName", lambda c: c.networks.addresses_on(SERVER, "")),
    ("addSecurityGroup.name", lambda c: c.security_groups.add(SERVER, "")),
    ("removeSecurityGroup.name", lambda c: c.security_groups.remove(SERVER, "")),
    ("security_group.name", lambda c: c.security_groups.create("x" * 256)),
    ("security_group.description", lambda c: c.security_groups.create("x" * 255, description="x" * 256)),
    ("security_group.name", lambda c: c.security_groups.update("g", name="x" * 256, description="")),
    ("security_group.description", lambda c: c.security_groups.update("g", name="", description="x" * 256)),
    ("addFloatingIp.address", lambda c: c.floating_ips.add(SERVER, "web")),
    ("addFloatingIp.fixed_address", lambda c: c.floating_ips.add(SERVER, "80.1.2.3", fixed_address="::1")),
    ("removeFloatingIp.address", lambda c: c.floating_ips.remove(SERVER, "")),
    ("pool", lambda c: c.floating_ips.create(pool="")),
    ("metadata", lambda c: c.metadata.merge(SERVER, {})),
    ("metadata", lambda c: c.metadata.merge(SERVER, {"a b": "c"})),
    ("metadata", lambda c: c.metadata.merge(SERVER, {"a\n": "c"})),
    ("metadata.a", lambda c: c.metadata.merge(SERVER, {"a": "c" * 256})),
    ("metadata", lambda c: c.metadata.replace(SERVER, {"k" * 256: "c"})),
    ("meta", lambda c: c.metadata.set_item(SERVER, "a b", "c")),
    ("meta.a", lambda c: c.metadata.set_item(SERVER, "a", "c" * 256)),
    ("key", lambda c: c.metadata.item(SERVER, "admin_pass")),
    ("limit", lambda c: _all(c.tags.find(TagQuery(), limit=1001))),
    ("limit", lambda c: _all(c.tags.find(TagQuery(), limit=0))),
    ("tags", lambda c: c.tags.add(SERVER, {})),
    ("tags", lambda c: c.tags.add(SERVER, {f"k{number}": "v" for number in range(11)})),
    ("tags[].key", lambda c: c.tags.add(SERVER, {"k" * 37: "v"})),
    ("tags[].key", lambda c: c.tags.add(SERVER, {"": "v"})),
    ("tags[].key", lambda c: c.tags.add(SERVER, {"a.b": "v"})),
    ("tags[].key", lambda c: c.tags.add(SERVER, {"a\n": "v"})),
    ("tags[].value", lambda c: c.tags.add(SERVER, {"k": "v" * 44})),
    ("tags[].value", lambda c: c.tags.add(SERVER, {"k": "a b"})),
    ("tags", lambda c: c.tags.remove(SERVER, {})),
    ("tags[].key", lambda c: c.tags.remove(SERVER, {"k" * 128: None})),
    ("tags[].value", lambda c: c.tags.remove(SERVER, {"k": "v" * 256})),
    ("tags", lambda c: c.native_tags.replace(SERVER, [f"t{number}" for number in range(51)])),
    ("tags[]", lambda c: c.native_tags.replace(SERVER, ["x" * 81])),
    ("tag", lambda c: c.native_tags.add(SERVER, "")),
    ("tag", lambda c: c.native_tags.add(SERVER, "x" * 81)),
    ("tag", lambda c: c.native_tags.add(SERVER, "a,b")),
    ("tag", lambda c: c.native_tags.add(SERVER, "a/b")),
    ("tag", lambda c: c.native_tags.add(SERVER, "__type_virtual")),
    ("tag", lambda c: c.native_tags.remove(SERVER, "__type_virtual")),
    ("tag", lambda c: c.native_tags.has(SERVER, "x" * 81)),
    ("keypair.name", lambda c: c.key_pairs.create("")),
    ("keypair.name", lambda c: c.key_pairs.create("k" * 256)),
    ("keypair.public_key", lambda c: c.key_pairs.create("k", public_key="x" * 1025)),
    ("keypair.public_key", lambda c: c.key_pairs.create("k", public_key="")),
    ("keypair_name", lambda c: c.key_pairs.get("a/b")),
    ("server_group.name", lambda c: c.native_groups.create("")),
    ("server_group.name", lambda c: c.native_groups.create("\u4e91" * 86)),
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
