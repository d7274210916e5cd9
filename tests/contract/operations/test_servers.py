"""ECS API reference 5.1 and 6.2: the life of servers, there and back."""

from __future__ import annotations

import base64

import pytest

from ecs_operator.cloud import (
    Bandwidth,
    CloudError,
    DataVolume,
    Eip,
    Meaning,
    NativeCreate,
    NativeDisk,
    NativeNetwork,
    Nic,
    Outcome,
    PublicIp,
    ServerFilter,
)
from tests.contract.stage import IMAGE, PROJECT, SUBNET, VOLUME, Lab, request

SMALL_SUBNET = "3a8f2c11-5f0e-4c59-9a53-3f1d9b0c8e22"
PORT = "d5a3f1c7-2b64-4e0e-8f31-7c9a5e8b1d20"
WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"


def native(**changes: object) -> NativeCreate:
    fields = {"name": "web", "image_ref": IMAGE, "flavor_ref": "s3.large.2", "networks": (NativeNetwork(uuid=SUBNET),)}
    return NativeCreate(**(fields | {"availability_zone": "eu-west-0a"} | changes))


@pytest.mark.operation("5.1.1", "5.1.2", "6.2.6")
async def test_a_server_with_everything_comes_and_goes(lab: Lab) -> None:
    async with lab.client() as client:
        address = PublicIp(eip=Eip(iptype="5_bgp", bandwidth=Bandwidth(size=10, sharetype="PER")))
        server_id = await lab.server(
            client,
            nics=(Nic(subnet_id=SUBNET, ip_address="192.168.0.9"), Nic(subnet_id=SMALL_SUBNET)),
            data_volumes=(DataVolume(volumetype="SATA", size=20),),
            public_ip=address,
            user_data=base64.b64encode(b"#!/bin/sh").decode(),
            description="front",
        )
        server = await client.servers.get(server_id)
        assert (server.status, server.description, server.key_name, server.flavor_id, server.image_id) == (
            *("ACTIVE", "front", "ops"),
            *("s3.large.2", IMAGE),
        )
        fixed = [each.ip for each in server.addresses if each.type == "fixed"]
        assert fixed[0] == "192.168.0.9"
        assert fixed[1].startswith("192.168.16.")
        (public,) = [each.ip for each in server.addresses if each.type == "floating"]
        sizes = [(await client.volumes.get(volume.id)).size for volume in server.volumes]
        assert sizes == [40, 20]

        accepted = await client.servers.delete([server_id], delete_public_ip=True, delete_volume=True)
        assert (await client.servers.get(server_id)).task_state == "deleting"
        assert (await lab.ended(client, accepted)).status == "SUCCESS"
        with pytest.raises(CloudError) as caught:
            await client.servers.get(server_id)
        assert caught.value.meaning is Meaning.NOT_FOUND
        assert public not in {floating.ip for floating in await client.floating_ips.list()}
        assert not {volume.id for volume in server.volumes} & {volume.id for volume in await client.volumes.list()}


@pytest.mark.operation("6.2.1", "6.2.3", "6.2.6")
async def test_a_server_is_made_and_deleted_natively(lab: Lab) -> None:
    async with lab.client() as client:
        blank = NativeDisk(source_type="blank", volume_size=20)
        boot = NativeDisk(source_type="image", uuid=IMAGE, boot_index=0, volume_size=30, volume_type="SSD", delete_on_termination=True)
        wanted = native(
            networks=(NativeNetwork(port=PORT), NativeNetwork(uuid=SMALL_SUBNET, fixed_ip="192.168.16.9")),
            disks=(boot, blank),
            security_groups=("web",),
            metadata={"role": "front"},
            description="made natively",
            key_name="ops",
            admin_pass="Str0ng-Passw0rd",
        )
        made = (await client.servers.create_native(wanted)).server
        assert made is not None
        assert made.admin_pass == "Str0ng-Passw0rd"
        assert (await client.servers.get(made.id)).status == "BUILD"
        await lab.advance(10)
        server = await client.servers.get(made.id)
        assert (server.status, server.description, server.metadata["role"]) == ("ACTIVE", "made natively", "front")
        assert [each.ip for each in server.addresses] == ["192.168.8.8", "192.168.16.9"]
        assert {group.name for group in await client.security_groups.of_server(made.id)} == {"default", "web"}
        system, data = [await client.volumes.get(volume.id) for volume in server.volumes]
        assert [(disk.size, disk.volume_type) for disk in (system, data)] == [(30, "SSD"), (20, "SATA")]

        await client.servers.delete_native(made.id)
        assert (await client.servers.get(made.id)).task_state == "deleting"
        await lab.advance(10)
        with pytest.raises(CloudError) as caught:
            await client.servers.get(made.id)
        assert caught.value.meaning is Meaning.NOT_FOUND
        left = {volume.id: volume.status for volume in await client.volumes.list()}
        assert (system.id in left, left[data.id]) == (False, "available")
        again = (await client.servers.create_native(native(networks=(NativeNetwork(port=PORT),)))).server
        assert again is not None, "the port outlived its server"


@pytest.mark.operation("6.2.1", "6.2.4", "6.2.5")
async def test_several_by_their_reservation(lab: Lab) -> None:
    await lab.tell(f"projects/{PROJECT}", {"quota": {"instances": 3}})
    async with lab.client() as client:
        answer = await client.servers.create_native(native(min_count=2, max_count=5))
        assert answer.server is None
        only = ServerFilter(reservation_id=answer.reservation_id, sort_key="display_name")
        assert [row.name for row in await client.servers.names(only=only)] == ["web-0002", "web-0001", "web-0000"]
        pages = [[server.name for server in page] async for page in client.servers.pages(limit=2, only=only)]
        assert pages == [["web-0002", "web-0001"], ["web-0000"]]
        with pytest.raises(CloudError) as caught:
            await client.servers.create_native(native(name="more"))
        assert (caught.value.status, caught.value.meaning, caught.value.outcome) == (403, Meaning.QUOTA, Outcome.REFUSED)


@pytest.mark.operation("6.2.1", "6.2.3")
async def test_nothing_is_rolled_back_natively(lab: Lab) -> None:
    await lab.tell("flavors/s3.large.2", {"soldOut": ["eu-west-0a"]})
    async with lab.client() as client:
        made = (await client.servers.create_native(native(disks=(NativeDisk(source_type="volume", uuid=VOLUME),)))).server
        assert made is not None
        await lab.advance(10)
        server = await client.servers.get(made.id)
        assert (server.status, server.fault is not None and server.fault.message.startswith("No valid host")) == ("ERROR", True)
        await client.servers.delete_native(made.id)
        await lab.advance(10)
        assert (await client.volumes.get(VOLUME)).status == "available"


@pytest.mark.operation("6.2.2")
async def test_a_new_name_and_description(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        changed = await client.servers.update(server_id, name="another name, with blanks", description="ü" * 127)
        assert (changed.id, changed.name, changed.description) == (server_id, "another name, with blanks", "ü" * 127)
        await client.servers.update(server_id, description="")
        shown = await client.servers.get(server_id)
        assert (shown.name, shown.description) == ("another name, with blanks", "")


@pytest.mark.operation("6.2.4", "6.2.5")
async def test_lists_by_every_filter(lab: Lab) -> None:
    async with lab.client() as client:
        web = await lab.server(client, name="web", nics=(Nic(subnet_id=SUBNET, ip_address="192.168.0.9"),))
        await lab.advance(60)
        windows = await lab.server(client, name="win-Web", image_ref=WINDOWS, flavor_ref="s3.xlarge.2")
        await client.native_tags.add(web, "stage=test")
        await lab.ended(client, await client.servers.stop([windows], "SOFT"))
        since = (await client.servers.get(windows)).updated
        cases = {
            ServerFilter(): [windows, web],
            ServerFilter(name="web"): [windows, web],
            ServerFilter(name="win"): [windows],
            ServerFilter(flavor="xlarge"): [windows],
            ServerFilter(image=IMAGE): [web],
            ServerFilter(status="SHUTOFF"): [windows],
            ServerFilter(status="RESIZE"): [],
            ServerFilter(ip="192.168.0.9"): [web],
            ServerFilter(tags=("stage=test",)): [web],
            ServerFilter(not_tags=("stage=test",)): [windows],
            ServerFilter(changes_since=since): [windows],
            ServerFilter(reservation_id="r-none"): [],
            ServerFilter(sort_key="display_name"): [windows, web],
            ServerFilter(sort_key="updated_at", name="web"): [windows, web],
        }
        for only, expected in cases.items():
            assert [row.id for row in await client.servers.names(only=only, limit=1)] == expected, only
            assert [row.id async for page in client.servers.pages(only=only) for row in page] == expected, only
        await client.servers.delete_native(web)
        await lab.advance(10)
        gone = [row async for page in client.servers.pages(changes_since=since) for row in page]
        assert {(row.id, row.status) for row in gone} == {(windows, "SHUTOFF"), (web, "DELETED")}


@pytest.mark.operation("5.1.1", "6.2.5")
async def test_a_sweep_of_many(lab: Lab) -> None:
    async with lab.client() as client:
        job = await lab.ended(client, await client.servers.create(request(name="many", count=30), client_token=None))
        sweep = await client.servers.sweep(limit=7)
        assert sweep.complete
        assert {server.id for server in sweep.servers} == set(job.server_ids())
        assert sorted(server.name for server in sweep.servers) == [f"many-{number:04}" for number in range(30)]
