"""The client against the simulated cloud, operation by operation, over real HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from ecs_operator.cloud import (
    AccessKey,
    CloudError,
    Credentials,
    DataVolume,
    DhcpOption,
    EcsClient,
    JobStatus,
    Meaning,
    Nic,
    Outcome,
    PasswordCredentials,
    SchedulerHints,
    ServerSnapshots,
    SystemClock,
)
from tests.contract.stage import CREDENTIALS, IMAGE, KEY, MARKER, PROJECT, SUBNET, VOLUME, Lab, request


@pytest.mark.parametrize("credentials", CREDENTIALS.values(), ids=CREDENTIALS)
async def test_a_life(lab: Lab, credentials: Credentials) -> None:
    async with lab.client(credentials) as client:
        accepted = await client.servers.create(
            request(
                description="front end",
                nics=(Nic(subnet_id=SUBNET, ip_address="192.168.0.20", extra_dhcp_opts=(DhcpOption(opt_value=8888),)),),
                data_volumes=(DataVolume(volumetype="SATA", size=100),),
                user_data="IyEvYmluL3NoCg==",
                metadata={**MARKER, "role": "front"},
            ),
            client_token=None,
        )
        first = await client.jobs.get(accepted.job_id)
        assert not first.is_over
        assert first.job_type == "createServer"
        job = await lab.ended(client, accepted)
        assert (job.status, job.progress()) == (JobStatus.SUCCESS, "1/1")
        (server_id,) = job.server_ids()
        assert accepted.server_ids in {(), (server_id,)}

        server = await client.servers.get(server_id)
        assert (server.id, server.name, server.description) == (server_id, "web-0", "front end")
        assert (server.status, server.vm_state, server.task_state, server.power_state) == ("ACTIVE", "active", "", 1)
        assert (server.flavor_id, server.image_id, server.availability_zone) == ("s3.large.2", IMAGE, "eu-west-0a")
        assert server.metadata.items() >= {**MARKER, "role": "front"}.items()
        assert [(address.ip, address.type) for address in server.addresses] == [("192.168.0.20", "fixed")]
        assert len(server.volumes) == 2
        assert (server.key_name, server.locked, server.fault) == ("ops", False, None)
        assert server.created_at is not None

        devices = await client.volumes.block_devices(server_id)
        assert sorted((device.boot_index, device.size) for device in devices) == [(0, 40), (1, 100)]
        assert {device.volume_id for device in devices} == {volume.id for volume in server.volumes}
        (interface,) = await client.interfaces.list(server_id)
        assert (interface.net_id, interface.fixed_ips[0].ip_address) == (SUBNET, "192.168.0.20")
        assert interface.mac_addr == server.addresses[0].mac

        await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
        assert (await client.servers.get(server_id)).status == "SHUTOFF"
        await lab.ended(client, await client.servers.resize(server_id, "s3.xlarge.2"))
        assert (await client.servers.get(server_id)).flavor_id == "s3.xlarge.2"
        await lab.ended(client, await client.servers.start([server_id]))
        await lab.ended(client, await client.servers.reboot([server_id], "HARD"))
        assert (await client.servers.get(server_id)).status == "ACTIVE"

        ended = await lab.ended(client, await client.servers.delete([server_id], delete_public_ip=False, delete_volume=True))
        assert ended.status is JobStatus.SUCCESS
        with pytest.raises(CloudError) as caught:
            await client.servers.get(server_id)
        assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.NOT_FOUND)
        for device in devices:
            with pytest.raises(CloudError) as caught:
                await client.volumes.get(device.volume_id)
            assert caught.value.meaning is Meaning.NOT_FOUND
        sweep = await client.servers.sweep()
        assert (sweep.complete, server_id in {found.id for found in sweep.servers}) == (True, False)


async def test_names_metadata_and_locks(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        renamed = await client.servers.update(server_id, name="web-1", description="new")
        assert (renamed.name, renamed.description) == ("web-1", "new")
        merged = await client.metadata.merge(server_id, {"role": "back"})
        assert merged["role"] == "back"
        assert (await client.metadata.get(server_id)).items() >= {**MARKER, "role": "back"}.items()
        await client.metadata.remove(server_id, "role")
        assert "role" not in await client.metadata.get(server_id)
        with pytest.raises(CloudError) as caught:
            await client.metadata.remove(server_id, "role")
        assert caught.value.meaning is Meaning.NOT_FOUND
        await client.server_actions.lock(server_id)
        assert (await client.servers.get(server_id)).locked
        await _locked_refuses(lab, client, server_id)
        await client.server_actions.unlock(server_id)
        assert not (await client.servers.get(server_id)).locked


async def _locked_refuses(lab: Lab, client: EcsClient, server_id: str) -> None:
    """Whether at once or in the job, a locked server says that it is locked."""
    try:
        job = await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
    except CloudError as error:
        assert (error.outcome, error.code, error.meaning) == (Outcome.REFUSED, "Ecs.0605", Meaning.CONFLICT)  # noqa: PT017
    else:
        assert "Ecs.0605" in job.codes()
    assert (await client.servers.get(server_id)).status == "ACTIVE"


async def test_volumes(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        free = await client.volumes.get(VOLUME)
        assert (free.name, free.status, free.size, free.server_ids) == ("shared-data", "available", 10, ())
        await lab.ended(client, await client.volumes.attach(server_id, VOLUME))
        assert (await client.volumes.get(VOLUME)).server_ids == (server_id,)
        assert VOLUME in {attachment.volume_id for attachment in await client.volumes.attachments(server_id)}
        attachment = await client.volumes.attachment(server_id, VOLUME)
        assert (attachment.server_id, attachment.volume_id) == (server_id, VOLUME)
        assert attachment.device
        await lab.ended(client, await client.volumes.detach(server_id, VOLUME, force=False))
        with pytest.raises(CloudError) as caught:
            await client.volumes.attachment(server_id, VOLUME)
        assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.NOT_FOUND)
        assert (await client.volumes.get(VOLUME)).status == "available"


async def test_groups(lab: Lab) -> None:
    async with lab.client() as client:
        group = await client.groups.create("web-1a2b3c4d", ["anti-affinity"])
        assert (group.name, group.policies, group.members) == ("web-1a2b3c4d", ("anti-affinity",), ())
        inside = await lab.server(client, scheduler_hints=SchedulerHints(group=group.id))
        assert (await client.groups.get(group.id)).members == (inside,)
        outside = await lab.server(client, name="web-1")
        await lab.ended(client, await client.servers.stop([outside], "SOFT"))
        await client.groups.add(group.id, outside)
        assert set((await client.groups.get(group.id)).members) == {inside, outside}
        await client.groups.remove(group.id, outside)
        for number in range(5):
            await client.groups.create(f"other-{number}", ["anti-affinity"])
        listed = await client.groups.list()
        assert {found.name for found in listed} == {"web-1a2b3c4d", *(f"other-{number}" for number in range(5))}
        await client.groups.delete(listed[-1].id)
        with pytest.raises(CloudError) as caught:
            await client.groups.get(listed[-1].id)
        assert caught.value.meaning is Meaning.NOT_FOUND


@pytest.mark.parametrize("credentials", CREDENTIALS.values(), ids=CREDENTIALS)
async def test_catalogs(lab: Lab, credentials: Credentials) -> None:
    async with lab.client(credentials) as client:
        flavors = {flavor.id: flavor for flavor in await client.flavors.list()}
        assert (flavors["s3.large.2"].vcpus, flavors["s3.large.2"].ram) == (2, 4096)
        assert (await client.flavors.get("s3.small.1")).ram == 1024
        assert "s3.large.2" in {flavor.id for flavor in await client.flavors.sold("eu-west-0a")}
        (image,) = await client.images.list(name="Ubuntu 24.04 server 64bit")
        assert (image.id, image.min_disk, image.os_type, image.status) == (IMAGE, 10, "Linux", "ACTIVE")
        assert (await client.images.get(IMAGE)).name == image.name
        assert len(await client.images.list()) >= 2
        assert await client.images.list(name="Ubuntu") == ()
        assert SUBNET in {network.id for network in await client.networks.list()}
        limits = await client.limits.get()
        assert (limits.max_total_instances, limits.total_instances_used) == (1000, 0)
        versions = {version.id: version for version in await client.versions.discover()}
        assert versions["v2.1"].microversions() == ((2, 1), (2, 60))
        assert await client.versions.for_reads() == "2.46"


async def test_a_flavor_that_is_sold_out(lab: Lab) -> None:
    await lab.tell("flavors/s3.large.2", {"soldOut": ["eu-west-0a"]})
    async with lab.client() as client:
        offered = {flavor.id: flavor for flavor in await client.flavors.sold()}
        assert not offered["s3.large.2"].is_on_sale("eu-west-0a")
        assert offered["s3.small.1"].is_on_sale("eu-west-0a")
        try:
            job = await lab.ended(client, await client.servers.create(request(), client_token=None))
        except CloudError as error:
            assert (error.outcome, error.meaning) == (Outcome.REFUSED, Meaning.CAPACITY)  # noqa: PT017
        else:
            assert (job.status, job.failure_meaning) == (JobStatus.FAIL, Meaning.CAPACITY)


NOWHERE = "00000000-0000-4000-8000-000000000000"
REFUSALS = [
    ("an image", {"image_ref": NOWHERE}, Meaning.INVALID),
    ("a flavor", {"flavor_ref": "x9.none"}, Meaning.INVALID),
    ("a subnet", {"nics": (Nic(subnet_id=NOWHERE),)}, Meaning.INVALID),
    ("an address outside", {"nics": (Nic(subnet_id=SUBNET, ip_address="10.0.0.1"),)}, Meaning.INVALID),
]


@pytest.mark.parametrize(("changes", "meaning"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
async def test_a_refused_create(lab: Lab, changes: dict[str, object], meaning: Meaning) -> None:
    async with lab.client() as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(request(**changes), client_token=None)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, meaning), caught.value
    assert caught.value.cloud_request_id
    assert await lab.created() == 0


async def test_quota(lab: Lab) -> None:
    await lab.tell(f"projects/{PROJECT}", {"quota": {"instances": 0}})
    async with lab.client() as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(request(), client_token=None)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.QUOTA)


async def test_a_frozen_account(lab: Lab) -> None:
    await lab.tell(f"projects/{PROJECT}", {"frozen": True})
    async with lab.client() as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(request(), client_token=None)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.FROZEN)


async def test_a_token_makes_a_create_unique(lab: Lab) -> None:
    token = "7b0e6c1e-3c86-5c0e-9d5e-5c1d3d0a7a11"
    async with lab.client() as client:
        first = await client.servers.create(request(), client_token=token)
        again = await client.servers.create(request(), client_token=token)
        assert again.job_id == first.job_id
        await lab.ended(client, first)
    assert await lab.created() == 1


WRONG: list[tuple[str, Credentials, Outcome]] = [
    ("a password", PasswordCredentials(username="lab-user", password="wrong", domain_name="lab"), Outcome.NOT_SENT),
    ("a user", PasswordCredentials(username="nobody", password="wrong", domain_name="lab"), Outcome.NOT_SENT),
    ("a secret key", AccessKey(access_key=KEY.access_key, secret_key="wrong"), Outcome.REFUSED),
    ("an access key", AccessKey(access_key="NOBODY", secret_key="wrong"), Outcome.REFUSED),
]


@pytest.mark.parametrize(("credentials", "outcome"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
async def test_wrong_credentials(lab: Lab, credentials: Credentials, outcome: Outcome) -> None:
    async with lab.client(credentials) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.start([NOWHERE])
    assert (caught.value.outcome, caught.value.meaning) == (outcome, Meaning.AUTH), caught.value


async def test_a_project_by_name(lab: Lab) -> None:
    async with lab.client(project_id=None, project_name="eu-west-0") as client:
        assert client.project_id == PROJECT
        assert PROJECT in {project.id for project in await client.identity.projects()}
        assert (await client.limits.get()).max_total_instances == 1000


async def test_the_project_of_another(lab: Lab) -> None:
    other = await lab.tell("projects", {"name": "t-1"})
    async with lab.client(KEY, project_id=other["projectId"]) as client:
        with pytest.raises(CloudError) as caught:
            await client.limits.get()
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.AUTH)


@pytest.mark.parametrize("skew", [3600, -3600])
async def test_a_clock_that_is_off(lab: Lab, skew: int) -> None:
    await lab.tell("clock", {"gatewaySkew": skew})
    async with lab.client(KEY) as client:
        assert (await client.limits.get()).max_total_instances == 1000
        await client.groups.create("a-write-signed-with-the-clouds-time", ["anti-affinity"])


@dataclass(frozen=True)
class Trouble:
    name: str
    when: str
    effect: dict[str, object]
    outcome: Outcome
    meaning: Meaning
    created: int


UNKNOWN, REFUSED = Outcome.UNKNOWN, Outcome.REFUSED
TROUBLE = [
    Trouble("dropped before", "before", {"drop": True}, UNKNOWN, Meaning.UNREACHABLE, 0),
    Trouble("dropped after", "after", {"drop": True}, UNKNOWN, Meaning.UNREACHABLE, 1),
    Trouble("reset after", "after", {"reset": True}, UNKNOWN, Meaning.UNREACHABLE, 1),
    Trouble("500 after", "after", {"status": 500}, UNKNOWN, Meaning.INTERNAL, 1),
    Trouble("502 after", "after", {"status": 502}, UNKNOWN, Meaning.UNREACHABLE, 1),
    Trouble("504 before", "before", {"status": 504}, UNKNOWN, Meaning.UNREACHABLE, 0),
    Trouble("Ecs.0002 after", "after", {"status": 400, "code": "Ecs.0002"}, UNKNOWN, Meaning.INTERNAL, 1),
    Trouble("garbage after", "after", {"garbage": True}, UNKNOWN, Meaning.INTERNAL, 1),
    Trouble("truncated after", "after", {"truncate": 10}, UNKNOWN, Meaning.UNREACHABLE, 1),
    Trouble("429 before", "before", {"status": 429, "headers": {"Retry-After": "3"}}, REFUSED, Meaning.THROTTLED, 0),
    Trouble("flow control before", "before", {"status": 202, "code": "Common.0024"}, REFUSED, Meaning.THROTTLED, 0),
    Trouble("busy before", "before", {"status": 501, "code": "Ecs.0603"}, REFUSED, Meaning.BUSY, 0),
    Trouble("403 before", "before", {"status": 403, "code": "Pdp.0001"}, REFUSED, Meaning.FORBIDDEN, 0),
]


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda trouble: trouble.name)
async def test_a_create_in_trouble(lab: Lab, trouble: Trouble) -> None:
    await lab.tell("faults", {"match": {"operation": "createServers"}, "when": trouble.when, "do": trouble.effect, "times": 1})
    async with lab.client() as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(request(), client_token=None)
        assert (caught.value.outcome, caught.value.meaning) == (trouble.outcome, trouble.meaning), caught.value
        await lab.advance(600)
        assert len((await client.servers.sweep()).servers) == trouble.created
    assert await lab.created() == trouble.created, "sent once, never again"


async def test_a_create_that_is_answered_too_late(lab: Lab) -> None:
    await lab.tell("faults", {"match": {"operation": "createServers"}, "when": "before", "do": {"delay": 1.0}, "times": 1})
    async with lab.client() as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(request(), client_token=None, deadline=0.3)
        assert caught.value.outcome is Outcome.UNKNOWN


async def test_a_read_in_trouble_is_repeated(lab: Lab) -> None:
    await lab.tell("faults", {"match": {"operation": "5.7.1"}, "when": "before", "do": {"status": 502}, "times": 2})
    async with lab.client() as client:
        assert (await client.limits.get()).max_total_instances == 1000


async def test_a_lost_token_is_renewed_for_reads(lab: Lab) -> None:
    async with lab.client() as client:
        await client.limits.get()
        await lab.tell(
            "faults", {"match": {"operation": "5.7.1"}, "when": "before", "do": {"status": 401, "code": "Common.0013"}, "times": 1}
        )
        with pytest.raises(CloudError) as caught:
            await client.limits.get()
        assert caught.value.meaning is Meaning.AUTH, "a brand-new token is not asked for again"


async def test_many_servers_are_listed_to_the_end(lab: Lab) -> None:
    planted = [(await lab.tell("servers", {"project": PROJECT, "name": f"foreign-{number}", "metadata": {}}))["id"] for number in range(23)]
    async with lab.client() as client:
        sweep = await client.servers.sweep(limit=5)
        assert ({server.id for server in sweep.servers}, sweep.complete, sweep.problem) == (set(planted), True, "")
        sizes = [len(page) async for page in client.servers.pages(limit=10)]
        assert sizes == [10, 10, 3]
        snapshots = ServerSnapshots(client.servers, SystemClock())
        taken = await asyncio.gather(*(snapshots.at_most(30) for _ in range(10)))
        assert {id(snapshot) for snapshot in taken} == {id(taken[0])}
        assert set(taken[0].servers) == set(planted)


async def test_between_whole_lists_only_what_has_changed_is_listed(lab: Lab) -> None:
    planted = [(await lab.tell("servers", {"project": PROJECT, "name": f"foreign-{number}", "metadata": {}}))["id"] for number in range(5)]
    async with lab.client() as client:
        snapshots = ServerSnapshots(client.servers, SystemClock())
        whole = await snapshots.refreshed(0, whole_within=600)
        await client.servers.update(planted[0], name="renamed")
        await client.servers.delete_native(planted[1])
        await lab.advance(60)
        merged = await snapshots.refreshed(0, whole_within=600)
        assert (whole.complete, merged.complete, merged.is_merged) == (True, False, True)
        assert set(merged.servers) == set(planted) - {planted[1]}
        assert merged.servers[planted[0]].name == "renamed"


async def test_a_list_with_a_page_missing(lab: Lab) -> None:
    for number in range(7):
        await lab.tell("servers", {"project": PROJECT, "name": f"foreign-{number}", "metadata": {}})
    await lab.tell("faults", {"match": {"operation": "6.2.5", "path": "marker="}, "when": "before", "do": {"status": 403}})
    async with lab.client() as client:
        sweep = await client.servers.sweep(limit=5)
    assert (len(sweep.servers), sweep.complete) == (5, False)
    assert "a page is missing" in sweep.problem


async def test_a_failed_job_tells_why(lab: Lab) -> None:
    await lab.tell(
        "next-job", {"project": PROJECT, "type": "createServer", "do": "fail", "code": "Ecs.0219", "reason": "no luck", "leave": "server"}
    )
    async with lab.client() as client:
        job = await lab.ended(client, await client.servers.create(request(), client_token=None))
        assert (job.status, job.failure_code) == (JobStatus.FAIL, "Ecs.0219")
        assert "no luck" in job.failure_text
        assert len((await client.servers.sweep()).servers) == 1


async def test_an_unknown_job_is_not_found(lab: Lab) -> None:
    async with lab.client() as client:
        with pytest.raises(CloudError) as caught:
            await client.jobs.get("ff80808288d41e1b018990260955686a")
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.NOT_FOUND)


OLD_CLOUDS = [("2.60", "2.46"), ("2.26", "2.26"), ("2.14", None)]


@pytest.mark.parametrize(("newest", "used"), OLD_CLOUDS)
async def test_microversions(lab: Lab, newest: str, used: str | None) -> None:
    await lab.tell("behaviour", {"maxMicroversion": newest})
    async with lab.client() as client:
        assert await client.versions.for_reads() == used
        server_id = await lab.server(client)
        assert (await client.servers.get(server_id)).flavor_id == "s3.large.2"
        assert (await client.images.get(IMAGE)).id == IMAGE
