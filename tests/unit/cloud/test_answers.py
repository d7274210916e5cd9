"""Answers of all kinds, as the reference prints them and as clouds send them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from ecs_operator.cloud import Address, AttachedVolume, Fault, Flavor, Job, Meaning, Server, Volume
from ecs_operator.cloud.models.catalog import ImagePage
from ecs_operator.cloud.models.jobs import JobAcceptedAnswer
from ecs_operator.cloud.models.quotas import Limits
from ecs_operator.cloud.models.servers import ServerRow
from ecs_operator.cloud.models.volumes import AttachmentAnswer, BlockDevice

ID = "893c7791-f1df-4c3d-8383-3caae9656c62"


def server(**row: object) -> Server:
    return ServerRow.model_validate({"id": ID, "metadata": {}} | row).server()


def test_a_whole_row() -> None:
    row = {
        "name": "web-0",
        "description": None,
        "status": "ERROR",
        "OS-EXT-STS:vm_state": "ERROR",
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:power_state": 4,
        "flavor": {"id": "s3.large.2", "links": []},
        "image": {"id": "img", "links": []},
        "OS-EXT-AZ:availability_zone": "eu-west-0a",
        "addresses": {
            "net": [
                {"addr": "192.168.0.3", "version": 4, "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:1b:35:78", "OS-EXT-IPS:type": "fixed"},
                {"addr": "80.158.1.2", "version": "4", "OS-EXT-IPS:type": "floating", "OS-EXT-IPS:port_id": "p"},
            ]
        },
        "metadata": {"role": "front", "number": 1, "none": None},
        "os-extended-volumes:volumes_attached": [
            {"id": "v0", "delete_on_termination": "true", "bootIndex": "0", "device": "/dev/vda"},
            {"id": "v1"},
        ],
        "security_groups": [{"name": "default"}, {"name": "default"}, {"name": "web"}],
        "created": "2012-08-20T21:11:09Z",
        "updated": "2012-08-20T21:12:09Z",
        "hostId": "h",
        "locked": True,
        "fault": {"code": "500", "message": "No valid host was found", "created": "x", "details": "trace"},
        "key_name": None,
        "tags": ["a=b"],
        "OS-EXT-SRV-ATTR:user_data": "canary",
        "something new": {"a": 1},
    }
    assert server(**row) == Server(
        id=ID,
        name="web-0",
        status="ERROR",
        vm_state="error",
        power_state=4,
        flavor_id="s3.large.2",
        image_id="img",
        availability_zone="eu-west-0a",
        addresses=(
            Address(network="net", ip="192.168.0.3", mac="fa:16:3e:1b:35:78", type="fixed"),
            Address(network="net", ip="80.158.1.2", type="floating", port_id="p"),
        ),
        metadata={"role": "front", "number": "1"},
        volumes=(
            AttachedVolume(id="v0", delete_on_termination=True, boot_index=0, device="/dev/vda"),
            AttachedVolume(id="v1"),
        ),
        security_groups=("default", "web"),
        created="2012-08-20T21:11:09Z",
        updated="2012-08-20T21:12:09Z",
        host_id="h",
        locked=True,
        fault=Fault(code=500, message="No valid host was found"),
        tags=("a=b",),
    )


IMAGES = [
    ("an object", {"image": {"id": "a"}}, "a"),
    ("empty, told by the metadata", {"image": "", "metadata": {"metering.image_id": "b"}}, "b"),
    ("empty and not told", {"image": ""}, ""),
    ("missing", {}, ""),
    ("null", {"image": None}, ""),
]


@pytest.mark.parametrize(("row", "image_id"), [case[1:] for case in IMAGES], ids=[case[0] for case in IMAGES])
def test_images_of_servers(row: dict[str, object], image_id: str) -> None:
    assert server(**row).image_id == image_id


def test_states() -> None:
    assert server(**{"OS-EXT-STS:task_state": "powering-off", "status": "ACTIVE"}).is_settled is False
    assert server(**{"OS-EXT-STS:task_state": None, "status": "ACTIVE"}).is_settled is True
    assert server(status="UNKNOWN").is_known is False
    assert server(metadata={"EcmResStatus": "freeze"}).is_frozen is True
    assert server(metadata={"EcmResStatus": "normal"}).is_frozen is False


TIMES = [("2012-08-20T21:11:09Z", datetime(2012, 8, 20, 21, 11, 9, tzinfo=UTC)), ("", None), ("soon", None)]


@pytest.mark.parametrize(("text", "moment"), TIMES)
def test_creation_time(text: str, moment: datetime | None) -> None:
    assert server(created=text).created_at == moment


@dataclass(frozen=True)
class JobCase:
    name: str
    body: dict[str, object]
    progress: str
    server_ids: tuple[str, ...] = ()
    code: str | None = None
    text: str = ""
    meaning: Meaning = Meaning.INTERNAL


def sub(status: str, **fields: object) -> dict[str, object]:
    return {"status": status, "job_id": "c", "job_type": "createSingleServer"} | fields


JOBS = [
    JobCase("simple, under way", {"status": "RUNNING", "entities": {"server_id": "s"}}, "0/1", ("s",)),
    JobCase("simple, done", {"status": "SUCCESS", "entities": {"server_id": "s"}, "error_code": None}, "1/1", ("s",)),
    JobCase("just begun", {"status": "INIT", "entities": None}, "0/1"),
    JobCase("no entities", {"status": "INIT"}, "0/1"),
    JobCase("parts announced", {"status": "RUNNING", "entities": {"sub_jobs_total": 2, "sub_jobs": None}}, "0/2"),
    JobCase(
        "parts",
        {
            "status": "RUNNING",
            "entities": {
                "sub_jobs_total": 2,
                "sub_jobs": [sub("SUCCESS", entities={"server_id": "s1"}), sub("RUNNING", entities={"server_id": "s2"})],
            },
        },
        "1/2",
        ("s1", "s2"),
    ),
    JobCase(
        "a parent fails while a child succeeded",
        {
            "status": "FAIL",
            "error_code": "Ecs.0611",
            "fail_reason": "batch",
            "entities": {
                "sub_jobs": [
                    sub("SUCCESS", entities={"server_id": "s1"}),
                    sub("FAIL", error_code="Ecs.0319", fail_reason="no capacity", entities={"server_id": "s2"}),
                ]
            },
        },
        "2/2",
        ("s1", "s2"),
        "Ecs.0319",
        "no capacity; batch",
        Meaning.CAPACITY,
    ),
    JobCase(
        "the reason in the entities",
        {"status": "FAIL", "entities": {"sub_jobs": [sub("FAIL", entities={"errorcode_message": "line\none"})]}},
        "1/1",
        text="line one",
    ),
    JobCase("an unlisted code", {"status": "FAIL", "error_code": "Xyz.1", "fail_reason": "x"}, "1/1", (), "Xyz.1", "x"),
]


@pytest.mark.parametrize("case", JOBS, ids=lambda case: case.name)
def test_jobs(case: JobCase) -> None:
    job = Job.model_validate(case.body)
    assert (job.progress(), job.server_ids()) == (case.progress, case.server_ids)
    assert (job.failure_code, job.failure_text, job.failure_meaning) == (case.code, case.text, case.meaning)
    assert job.is_over is (case.body["status"] in {"SUCCESS", "FAIL"})


def test_accepted_jobs() -> None:
    assert JobAcceptedAnswer.model_validate({"job_id": "j"}).accepted().server_ids == ()
    assert JobAcceptedAnswer.model_validate({"job_id": "j", "serverIds": ["a"]}).accepted().server_ids == ("a",)


SALES = [
    ("not told", {}, "normal", True),
    ("told for the region", {"cond:operation:status": "sellout"}, "sellout", False),
    ("told for the zone", {"cond:operation:status": "abandon", "cond:operation:az": "az0(normal), az1(sellout)"}, "normal", True),
    ("told for another zone", {"cond:operation:status": "abandon", "cond:operation:az": "az1(normal)"}, "abandon", False),
    ("sold out in the zone", {"cond:operation:az": "az0(obt_sellout),az1(normal)"}, "obt_sellout", False),
    ("an empty status is none", {"cond:operation:az": "az0()"}, "normal", True),
]


@pytest.mark.parametrize(("specs", "status", "on_sale"), [case[1:] for case in SALES], ids=[case[0] for case in SALES])
def test_flavors_on_sale(specs: dict[str, str], status: str, on_sale: bool) -> None:  # noqa: FBT001
    flavor = Flavor.model_validate({"id": "f", "vcpus": "8", "ram": 16384, "os_extra_specs": specs})
    assert (flavor.vcpus, flavor.sale_status("az0"), flavor.is_on_sale("az0")) == (8, status, on_sale)


def test_block_devices_of_the_example() -> None:
    device = BlockDevice.model_validate(
        {"volumeId": "v", "device": "/dev/vda", "serverId": "s", "id": "v", "size": "40", "bootIndex": 0, "pciAddress": "0000:02:01.0"}
    )
    assert (device.size, device.boot_index, device.pci_address) == (40, 0, "0000:02:01.0")


def test_the_misprinted_volume_id() -> None:
    assert AttachmentAnswer.model_validate({"volumeAttachment": {"volumeld": "v"}}).volume_attachment.volume_id == "v"


def test_the_empty_attachment_of_a_free_volume() -> None:
    assert Volume.model_validate({"id": "v", "attachments": [{}]}).server_ids == ()
    assert Volume.model_validate({"id": "v", "attachments": [{"serverId": "s", "device": "/dev/vdb"}]}).server_ids == ("s",)


def test_one_image_where_a_list_is_due() -> None:
    assert ImagePage.model_validate({"image": {"id": "i", "minDisk": 2}}).images[0].min_disk == 2
    assert ImagePage.model_validate({"images": [{"id": "i", "minDisk": 2}]}).images[0].min_disk == 2


def test_quotas_as_text() -> None:
    assert Limits.model_validate({"maxTotalInstances": "-1", "totalInstancesUsed": "21"}).total_instances_used == 21


@dataclass(frozen=True)
class PartCase:
    """What a job of a batch comes to for server s1."""

    name: str
    status: str
    parts: list[dict[str, object]] | None
    comes_to: str
    progress: str = "1/1"
    code: str | None = None
    text: str = ""
    was_refused: bool = False


def of(server_id: str, status: str, **fields: object) -> dict[str, object]:
    return sub(status, entities={"server_id": server_id}, **fields)


BAD = {"error_code": "Ecs.0605", "fail_reason": "it is locked"}
PARTS = [
    PartCase("no parts", "RUNNING", None, "RUNNING", "0/1"),
    PartCase("not named yet", "RUNNING", [of("s2", "RUNNING")], "RUNNING", "0/1"),
    PartCase("done before the others", "RUNNING", [of("s1", "SUCCESS"), of("s2", "RUNNING")], "SUCCESS"),
    PartCase("still at it, another failed", "RUNNING", [of("s1", "RUNNING"), of("s2", "FAIL", **BAD)], "RUNNING", "0/1"),
    PartCase("well, another failed", "FAIL", [of("s1", "SUCCESS"), of("s2", "FAIL", **BAD)], "SUCCESS"),
    PartCase(
        "refused, the others well", "FAIL", [of("s1", "FAIL", **BAD), of("s2", "SUCCESS")], "FAIL", "1/1", "Ecs.0605", "it is locked", True
    ),
    PartCase(
        "refused, another failed worse",
        "FAIL",
        [of("s2", "FAIL", error_code="Ecs.0226"), of("s1", "FAIL", **BAD)],
        "FAIL",
        "1/1",
        "Ecs.0605",
        "it is locked",
        True,
    ),
    PartCase("tried in vain", "FAIL", [of("s1", "FAIL", error_code="Ecs.0226")], "FAIL", "1/1", "Ecs.0226"),
    PartCase("failed without a word of its own", "FAIL", [of("s1", "FAIL"), of("s2", "SUCCESS")], "FAIL", "1/1", "Ecs.0611", "batch"),
    PartCase("left open by a job that failed", "FAIL", [of("s1", "RUNNING")], "FAIL", "0/1", "Ecs.0611", "batch"),
    PartCase(
        "two parts, one failed", "FAIL", [of("s1", "SUCCESS"), of("s1", "FAIL", **BAD)], "FAIL", "2/2", "Ecs.0605", "it is locked", True
    ),
]


@pytest.mark.parametrize("case", PARTS, ids=lambda case: case.name)
def test_a_batch_is_judged_for_each_server_by_its_own_part(case: PartCase) -> None:
    whole = {"error_code": "Ecs.0611", "fail_reason": "batch"} if case.status == "FAIL" else {}
    body = {"status": case.status, "job_id": "j", "job_type": "stopServer", **whole, "entities": {"sub_jobs": case.parts}}
    part = Job.model_validate(body).part_of("s1")
    assert (part.status, part.progress(), part.job_type) == (case.comes_to, case.progress, "stopServer")
    assert (part.failure_code, part.failure_text, part.was_refused) == (case.code, case.text, case.was_refused)


def test_without_an_id_the_whole_job_counts() -> None:
    job = Job.model_validate({"status": "FAIL", "entities": {"sub_jobs": [of("s1", "SUCCESS"), of("s2", "FAIL", **BAD)]}})
    assert job.part_of(None) is job
