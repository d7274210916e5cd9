"""5.1.1: what a create makes, when it shows, and what a failed one leaves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.stage import EIP, GROUP, MARKER, PORT, SMALL_SUBNET, SUBNET, VPC, WINDOWS, Stage, request


def test_the_job_step_by_step(stage: Stage) -> None:
    reply = stage.call("createServers", request())
    job_id, (server_id,) = reply.body["job_id"], reply.body["serverIds"]
    job = stage.job(job_id)
    assert (job["status"], job["job_type"], job["entities"], job["end_time"]) == ("INIT", "createServer", {}, "")
    assert (stage.show(server_id)["status"], stage.show(server_id)["OS-EXT-STS:task_state"]) == ("BUILD", "scheduling")

    stage.pass_time(0.5)
    job = stage.job(job_id)
    (part,) = job["entities"]["sub_jobs"]
    assert (job["status"], part["status"], part["entities"], part["job_type"]) == ("RUNNING", "RUNNING", {}, "createSingleServer")
    assert stage.show(server_id)["OS-EXT-STS:task_state"] == "networking"

    stage.pass_time(0.7)
    (part,) = stage.job(job_id)["entities"]["sub_jobs"]
    assert (part["status"], part["entities"]) == ("RUNNING", {"server_id": server_id})
    assert (stage.show(server_id)["status"], stage.show(server_id)["OS-EXT-STS:task_state"]) == ("BUILD", "spawning")

    stage.pass_time(0.8)
    job = stage.job(job_id)
    assert (job["status"], job["error_code"], job["fail_reason"], job["entities"]["sub_jobs_total"]) == ("SUCCESS", None, None, 1)
    assert job["end_time"] > job["begin_time"]
    server = stage.show(server_id)
    assert (server["status"], server["OS-EXT-STS:power_state"], server["OS-EXT-STS:task_state"]) == ("ACTIVE", 1, None)


def test_the_ids_can_be_left_out_of_the_answer(stage: Stage) -> None:
    stage.world.set_behaviour({"serverIds": False})
    assert set(stage.call("createServers", request()).body) == {"job_id"}


def test_everything_that_is_asked_for(stage: Stage) -> None:
    group = stage.call("createServerGroup", {"server_group": {"name": "g", "policies": ["anti-affinity"]}}).body["server_group"]["id"]
    server_id = stage.server(
        name="Web_1.x",
        description="front end",
        nics=[
            {"subnet_id": SUBNET, "ip_address": "192.168.0.20", "extra_dhcp_opts": [{"opt_name": "26", "opt_value": 8888}]},
            {"subnet_id": SMALL_SUBNET},
        ],
        data_volumes=[{"volumetype": "SATA", "size": 100, "hw:passthrough": True}],
        security_groups=[{"id": GROUP}],
        publicip={"id": EIP},
        user_data="IyEvYmluL3NoCg==",
        **{"os:scheduler_hints": {"group": group}},
    )
    row = stage.show(server_id)
    assert (row["name"], row["description"], row["key_name"], row["flavor"]["id"]) == ("Web_1.x", "front end", "ops", "s3.large.2")
    assert (row["OS-EXT-SRV-ATTR:user_data"], row["OS-EXT-SRV-ATTR:hostname"]) == ("IyEvYmluL3NoCg==", "web-1-x")
    assert row["metadata"].items() >= {**MARKER, "os_type": "Linux", "vpc_id": VPC}.items()
    assert [(each["addr"], each["OS-EXT-IPS:type"]) for each in row["addresses"][VPC]] == [
        ("192.168.0.20", "fixed"),
        ("192.168.16.100", "fixed"),
        ("80.158.1.2", "floating"),
    ]
    assert [port.mtu for port in stage.project.ports.values() if port.server_id] == [8888, None]
    devices = stage.call("listBlockDevices", server_id=server_id).body["volumeAttachments"]
    assert [(each["device"], each["bootIndex"], each["size"], each["bus"]) for each in devices] == [
        ("/dev/vda", 0, 40, "virtio"),
        ("/dev/vdb", 1, 100, "scsi"),
    ]
    assert stage.project.volumes[devices[1]["volumeId"]].status == "in-use"
    assert stage.call("showServerGroup", server_group_id=group).body["server_group"]["members"] == [server_id]


@pytest.mark.parametrize(
    ("name", "names"),
    [("web", ["web-0000", "web-0001", "web-0002"]), ("web-0007", ["web-0008", "web-0009", "web-0010"])],
)
def test_several(stage: Stage, name: str, names: list[str]) -> None:
    servers = [stage.show(server_id) for server_id in stage.create(name=name, count=3)]
    assert [row["name"] for row in servers] == names
    assert len({row["OS-EXT-SRV-ATTR:reservation_id"] for row in servers}) == 1
    assert [row["OS-EXT-SRV-ATTR:launch_index"] for row in servers] == [0, 1, 2]
    assert len({row["addresses"][VPC][0]["addr"] for row in servers}) == 3


def test_five_hundred(stage: Stage) -> None:
    assert len(set(stage.create(count=500))) == 500
    assert len({port.address for port in stage.project.ports.values() if port.server_id}) == 500


def test_defaults(stage: Stage) -> None:
    server_id = stage.server(availability_zone=None, root_volume={"volumetype": "SATA"})
    row = stage.show(server_id)
    assert (row["OS-EXT-AZ:availability_zone"], row["security_groups"]) == ("eu-west-0a", [{"name": "default"}])
    assert [volume.size for volume in stage.project.volumes.values() if volume.attachment] == [10]


def test_the_zone_is_one_where_the_flavor_is_on_sale(stage: Stage) -> None:
    stage.world.sell_out("s3.large.2", ("eu-west-0a",))
    assert stage.code("createServers", request()) == (400, "Ecs.0319")
    assert stage.show(stage.server(availability_zone=None))["OS-EXT-AZ:availability_zone"] == "eu-west-0b"
    stage.world.sell_out("s3.large.2", ("eu-west-0a", "eu-west-0b"))
    assert stage.code("createServers", request(availability_zone=None)) == (400, "Ecs.0319")


def test_the_password_of_a_windows_server_shows_in_its_metadata(stage: Stage) -> None:
    size = {"volumetype": "SSD", "size": 40}
    server_id = stage.server(imageRef=WINDOWS, key_name=None, adminPass="Str0ng-Pass", root_volume=size)
    assert stage.show(server_id)["metadata"]["admin_pass"] == "Str0ng-Pass"
    assert "Str0ng-Pass" not in str(stage.show(stage.server(adminPass="Str0ng-Pass")))


def test_members_of_a_group_run_on_different_hosts(stage: Stage) -> None:
    group = stage.call("createServerGroup", {"server_group": {"name": "g", "policies": ["anti-affinity"]}}).body["server_group"]["id"]
    created = stage.create(count=16, **{"os:scheduler_hints": {"group": group}})
    assert len({stage.show(server_id)["hostId"] for server_id in created}) == 16
    assert stage.code("createServers", request(**{"os:scheduler_hints": {"group": group}})) == (400, "Ecs.0022")


def test_addresses_run_out_and_come_back(stage: Stage) -> None:
    stage.project.networks[SMALL_SUBNET].cidr = "192.168.16.0/29"
    nics = [{"subnet_id": SMALL_SUBNET}]
    first = stage.create(nics=nics, count=5)
    assert stage.code("createServers", request(nics=nics)) == (400, "Ecs.0012")
    stage.ended(stage.call("deleteServers", {"servers": [{"id": first[2]}]}))
    stage.server(nics=nics)
    assert stage.project.networks[SMALL_SUBNET].free == 0


def test_an_address_in_use(stage: Stage) -> None:
    nics = [{"subnet_id": SUBNET, "ip_address": "192.168.0.20"}]
    stage.server(nics=nics, publicip={"id": EIP})
    assert stage.code("createServers", request(nics=nics)) == (400, "Ecs.0010")
    assert "ACTIVE" in stage.refused("createServers", request(publicip={"id": EIP})).message


QUOTAS: list[tuple[str, dict[str, int], dict[str, Any], str]] = [
    ("instances", {"instances": 1}, {"count": 2}, "Ecs.0001"),
    ("cores", {"cores": 3}, {"count": 2}, "Ecs.0001"),
    ("RAM", {"ram": 4095}, {}, "Ecs.0001"),
    ("disks", {"volumes": 2}, {"data_volumes": [{"volumetype": "SSD", "size": 10}]}, "Ecs.0021"),
    ("gigabytes", {"gigabytes": 49}, {}, "Ecs.0021"),
    (
        "public addresses",
        {"floatingIps": 1},
        {"publicip": {"eip": {"iptype": "x", "bandwidth": {"size": 1, "sharetype": "PER"}}}},
        "Ecs.0013",
    ),
]


@pytest.mark.parametrize(("quota", "changes", "code"), [case[1:] for case in QUOTAS], ids=[case[0] for case in QUOTAS])
def test_quota(stage: Stage, quota: dict[str, int], changes: dict[str, Any], code: str) -> None:
    stage.world.set_project(stage.project.id, quota=quota)
    assert stage.code("createServers", request(**changes)) == (400, code)
    assert stage.entries() == []
    stage.world.set_project(stage.project.id, quota=dict.fromkeys(quota, -1))
    assert stage.create(**changes)


def usage(stage: Stage) -> tuple[int, int, int]:
    absolute = stage.call("showLimits").body["absolute"]
    return absolute["totalInstancesUsed"], absolute["totalCoresUsed"], absolute["totalRAMUsed"]


FAILURES = [
    ("rolled back", "Ecs.0219", "nothing", None),
    ("rolled back, a server is left by order", "Ecs.0219", "server", "ERROR"),
    ("roll-back failed", "Ecs.0403", "server", "ERROR"),
]


@pytest.mark.parametrize(("code", "leave", "left"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES])
def test_a_create_that_fails_by_order(stage: Stage, code: str, leave: str, left: str | None) -> None:
    stage.world.fail_next_job(stage.project.id, job_type="createServer", code=code, reason="no host", leave=leave)
    address = {"eip": {"iptype": "5_bgp", "bandwidth": {"size": 5, "sharetype": "PER"}}}
    reply = stage.call("createServers", request(publicip=address, data_volumes=[{"volumetype": "SSD", "size": 10}]))
    assert usage(stage) == (1, 2, 4096)
    job = stage.ended(reply)
    (part,) = job["entities"]["sub_jobs"]
    assert (job["status"], job["error_code"], job["fail_reason"]) == ("FAIL", code, "no host")
    assert (part["status"], part["error_code"], part["entities"]["errorcode_message"]) == ("FAIL", code, "no host")
    (server_id,) = reply.body["serverIds"]
    assert part["entities"]["server_id"] == server_id
    if left is None:
        assert stage.code("showServer", server_id=server_id)[0] == 404
        assert stage.alive() == set()
        assert usage(stage) == (0, 0, 0)
        assert set(stage.project.networks[SUBNET].used.values()) == {PORT}
    else:
        row = stage.show(server_id)
        assert (row["status"], row["fault"]["message"], row["OS-EXT-STS:task_state"]) == (left, "no host", None)
        assert usage(stage) == (1, 2, 4096)
        assert stage.ended(stage.call("deleteServers", {"servers": [{"id": server_id}], "delete_volume": True}))["status"] == "SUCCESS"
    assert stage.server(), "only the next job of the type fails"


def test_an_existing_address_survives_the_rollback(stage: Stage) -> None:
    stage.world.fail_next_job(stage.project.id, job_type="createServer", code="Ecs.0219", reason="", leave="nothing")
    stage.ended(stage.call("createServers", request(publicip={"id": EIP, "delete_on_termination": True})))
    assert stage.project.floating_ips[EIP].status == "DOWN"


@pytest.mark.parametrize("code", ["Ecs.0401", "Ecs.0402", "Ecs.0403", "Ecs.0405"])
def test_a_job_failed_by_hand_with_a_failed_rollback(stage: Stage, code: str) -> None:
    reply = stage.call("createServers", request())
    stage.world.fail_job(reply.body["job_id"], code=code, reason="stuck")
    assert stage.job(reply.body["job_id"])["error_code"] == code
    assert stage.show(reply.body["serverIds"][0])["status"] == "ERROR"


def test_a_parent_may_fail_while_a_child_succeeded(stage: Stage) -> None:
    reply = stage.call("createServers", request(count=2))
    stage.world.set_server(reply.body["serverIds"][0], "delete")
    job = stage.ended(reply)
    assert (job["status"], [part["status"] for part in job["entities"]["sub_jobs"]]) == ("FAIL", ["FAIL", "SUCCESS"])
    assert stage.show(reply.body["serverIds"][1])["status"] == "ACTIVE"
