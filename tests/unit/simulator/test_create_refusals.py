"""5.1.1: every rule of the request with its code, and that a refused request leaves nothing."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import pytest

from tests.unit.simulator.stage import EIP, GROUP, IMAGE, MARKER, NOWHERE, PORT, SMALL_SUBNET, SUBNET, WINDOWS, Stage, request

PASSWORD = "Str0ng-Passw0rd"
BANDWIDTH = {"size": 10, "sharetype": "PER", "chargemode": "traffic"}


OPEN = {"subnet_id": SUBNET, "binding:profile": {"disable_security_groups": True}}


class Case(NamedTuple):
    name: str
    changes: dict[str, Any]
    code: str
    names: str = ""


def eip(**changes: Any) -> dict[str, Any]:
    return {"publicip": {"eip": {"iptype": "5_bgp", "bandwidth": {**BANDWIDTH, **changes}}}}


def data(**changes: Any) -> dict[str, Any]:
    return {"data_volumes": [{"volumetype": "SSD", "size": 10, **changes}]}


CASES = [
    Case("no name", {"name": ""}, "Ecs.0005", "server.name"),
    Case("name with a space", {"name": "web 1"}, "Ecs.0915"),
    Case("name with an umlaut", {"name": "wäb"}, "Ecs.0915"),
    Case("long name", {"name": "x" * 129}, "Ecs.0914"),
    Case("long Chinese name", {"name": "云" * 65}, "Ecs.0914"),
    Case("long name for several", {"name": "x" * 60, "count": 2}, "Ecs.0914"),
    Case("unknown image", {"imageRef": NOWHERE}, "Ecs.0031"),
    Case("unknown flavor", {"flavorRef": "x9.none"}, "Ecs.0029"),
    Case("too little memory for the image", {"imageRef": WINDOWS, "flavorRef": "s3.small.1"}, "Ecs.0007"),
    Case("unknown VPC", {"vpcid": NOWHERE}, "Ecs.0014"),
    Case("unknown subnet", {"nics": [{"subnet_id": NOWHERE}]}, "Ecs.0038", NOWHERE),
    Case("no nics", {"nics": []}, "Ecs.0005", "server.nics"),
    Case("nics that are no list", {"nics": {}}, "Ecs.0005", "server.nics"),
    Case("too many nics", {"nics": [{"subnet_id": SUBNET}] * 13}, "Ecs.0050"),
    Case("more nics than the flavor takes", {"flavorRef": "s3.small.1", "nics": [{"subnet_id": SUBNET}] * 3}, "Ecs.0050"),
    Case("address outside", {"nics": [{"subnet_id": SUBNET, "ip_address": "10.0.0.1"}]}, "Ecs.0039", "10.0.0.1"),
    Case("address of the gateway", {"nics": [{"subnet_id": SUBNET, "ip_address": "192.168.0.1"}]}, "Ecs.0010"),
    Case("address of the broadcast", {"nics": [{"subnet_id": SUBNET, "ip_address": "192.168.15.255"}]}, "Ecs.0010"),
    Case("address twice", {"nics": [{"subnet_id": SUBNET, "ip_address": "192.168.0.9"}] * 2}, "Ecs.0010"),
    Case("no address", {"nics": [{"subnet_id": SUBNET, "ip_address": "here"}]}, "Ecs.0005", "here"),
    Case("address for several", {"nics": [{"subnet_id": SUBNET, "ip_address": "192.168.0.9"}], "count": 2}, "Ecs.0005", "count"),
    Case("MTU", {"nics": [{"subnet_id": SUBNET, "extra_dhcp_opts": [{"opt_name": "26", "opt_value": 1279}]}]}, "Ecs.0005", "opt_value"),
    Case(
        "DHCP option", {"nics": [{"subnet_id": SUBNET, "extra_dhcp_opts": [{"opt_name": "6", "opt_value": 1400}]}]}, "Ecs.0005", "opt_name"
    ),
    Case("unknown security group", {"security_groups": [{"id": NOWHERE}]}, "Ecs.0014"),
    Case("unknown zone", {"availability_zone": "eu-west-9z"}, "Ecs.0005", "eu-west-9z"),
    Case("no system disk", {"root_volume": None}, "Ecs.0005", "server.root_volume"),
    Case("unknown disk type", {"root_volume": {"volumetype": "TAPE"}}, "Ecs.0043"),
    Case("system disk below the image's minimum", {"root_volume": {"volumetype": "SSD", "size": 9}}, "Ecs.0005", "[10, 1024]"),
    Case("system disk too large", {"root_volume": {"volumetype": "SSD", "size": 1025}}, "Ecs.0005", "root_volume.size"),
    Case("disk size is no number", {"root_volume": {"volumetype": "SSD", "size": "big"}}, "Ecs.0005", "root_volume.size"),
    Case("disk pool without a type", {"root_volume": {"volumetype": "SSD", "cluster_id": "x"}}, "Ecs.0911"),
    Case("small data disk", data(size=9), "Ecs.0005", "data_volumes[0].size"),
    Case("large data disk", data(size=32769), "Ecs.0005", "data_volumes[0].size"),
    Case("data disk without a size", data(size=None), "Ecs.0005", "data_volumes[0].size"),
    Case("data disk of an unknown type", data(volumetype="TAPE"), "Ecs.0043"),
    Case("data disk of an unknown image", data(data_image_id=NOWHERE), "Ecs.0031"),
    Case("data disk with image and metadata", data(data_image_id=IMAGE, metadata={"a": "b"}), "Ecs.0005", "metadata"),
    Case("data disk half encrypted", data(metadata={"__system__encrypted": "yes"}), "Ecs.0912"),
    Case("encrypted without a key", data(metadata={"__system__encrypted": "1"}), "Ecs.0912", "cmkid"),
    Case("a key without encryption", data(metadata={"__system__cmkid": "k"}), "Ecs.0912", "cmkid"),
    Case("long metadata of a disk", data(metadata={"a": "ü" * 128}), "Ecs.0005", "255 bytes"),
    Case("another region", {"extendparam": {"regionID": "eu-west-9"}}, "Ecs.0005", "regionID"),
    Case("open interface of a server that is no HANA", {"nics": [{"subnet_id": SUBNET}, OPEN]}, "Ecs.0910"),
    Case("too many data disks", {"data_volumes": [{"volumetype": "SSD", "size": 10}] * 60}, "Ecs.0042"),
    Case("unknown key pair", {"key_name": "nobody"}, "Ecs.0314"),
    Case("short password", {"adminPass": "Aa1-567"}, "Ecs.0011"),
    Case("plain password", {"adminPass": "abcdefgh1"}, "Ecs.0011"),
    Case("password with the user's name", {"adminPass": "My-Root-1234"}, "Ecs.0011"),
    Case("password with the user's name reversed", {"adminPass": "My-tOOr-1234"}, "Ecs.0011"),
    Case("password with part of the user's name", {"imageRef": WINDOWS, "adminPass": "Xy-Adm-12345"}, "Ecs.0011"),
    Case("weak password of Windows", {"imageRef": WINDOWS, "key_name": None, "metadata": {"admin_pass": "weak"}}, "Ecs.0011"),
    Case("Windows without any login", {"imageRef": WINDOWS, "key_name": None}, "Ecs.0005", "Windows"),
    Case("user data that is no base64", {"user_data": "#!/bin/sh"}, "Ecs.0005", "server.user_data"),
    Case("much user data", {"user_data": base64.b64encode(b"x" * 32769).decode()}, "Ecs.0005", "32768"),
    Case("eleven pairs", {"metadata": {f"k{number}": "v" for number in range(11)}}, "Ecs.0005", "10"),
    Case("key with a space", {"metadata": {"a b": "c"}}, "Ecs.0005", "a b"),
    Case("long value", {"metadata": {"a": "x" * 256}}, "Ecs.0005", "metadata.a"),
    Case("reserved key", {"metadata": {"virtual_env_type": "x"}}, "Ecs.0005", "virtual_env_type"),
    Case("long description", {"description": "x" * 86}, "Ecs.0041"),
    Case("description with a bracket", {"description": "<b>"}, "Ecs.0041"),
    Case("no servers", {"count": 0}, "Ecs.0005", "server.count"),
    Case("too many servers", {"count": 501}, "Ecs.0913"),
    Case("two public addresses", {"publicip": {"id": EIP, **eip()["publicip"]}}, "Ecs.0005", "publicip"),
    Case("no public address", {"publicip": {}}, "Ecs.0005", "publicip"),
    Case("unknown public address", {"publicip": {"id": NOWHERE}}, "Ecs.0005", NOWHERE),
    Case("public address for several", {"publicip": {"id": EIP}, "count": 2}, "Ecs.0005", "count"),
    Case("bandwidth", eip(size=1001), "Ecs.0045"),
    Case("share type", eip(sharetype="HALF"), "Ecs.0005", "sharetype"),
    Case("charge mode", eip(chargemode="bandwidth"), "Ecs.0005", "chargemode"),
    Case("unknown group", {"os:scheduler_hints": {"group": NOWHERE}}, "Ecs.0005", NOWHERE),
    Case("tenancy", {"os:scheduler_hints": {"tenancy": "alone"}}, "Ecs.0005", "tenancy"),
    Case("host without tenancy", {"os:scheduler_hints": {"dedicated_host_id": "h"}}, "Ecs.0005", "tenancy"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_refused_request(stage: Stage, case: Case) -> None:
    error = stage.refused("createServers", request(**case.changes))
    specific = error.details[0] if error.details else error.code
    assert (error.status, specific) == (400, case.code), error.message
    assert case.names in error.message
    assert not error.details or error.code == "Ecs.0005"
    assert stage.entries() == []
    assert not stage.project.servers
    assert set(stage.project.networks[SUBNET].used.values()) == {PORT}


@pytest.mark.parametrize("secret", ["adminPass", "user_data"])
def test_a_refusal_does_not_repeat_secrets(stage: Stage, secret: str) -> None:
    assert "canary" not in str(stage.refused("createServers", request(**{secret: "canary!"})))
    assert "canary" not in str(stage.refused("createServers", request(metadata={"admin_pass": "canary"})))


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("Chinese name", {"name": "云" * 64}),
    ("all defaults", {"availability_zone": None, "key_name": None, "metadata": None, "root_volume": {"volumetype": "SATA"}}),
    ("numbers as text", {"root_volume": {"volumetype": "SAS", "size": "40"}, "count": "1", "metadata": {"a": 1, "b": True}}),
    ("no charge mode", {"publicip": {"eip": {"iptype": "5_bgp", "bandwidth": {"size": 1, "sharetype": "WHOLE"}}}}),
    ("empty texts", {"nics": [{"subnet_id": SUBNET, "ip_address": ""}], "availability_zone": "", "description": ""}),
    ("security group without an id", {"security_groups": [{}]}),
    ("passthrough as nonsense", data(**{"hw:passthrough": "perhaps", "multiattach": True})),
    ("most metadata", {"metadata": {f"k{number}": "x" * 255 for number in range(9)} | MARKER}),
    ("most user data", {"user_data": base64.b64encode(b"x" * 32768).decode(), "adminPass": PASSWORD}),
    ("Windows", {"imageRef": WINDOWS, "key_name": None, "adminPass": PASSWORD, "root_volume": {"volumetype": "SSD", "size": 40}}),
    ("encrypted disk", data(metadata={"__system__encrypted": "1", "__system__cmkid": "k"})),
    ("disk that says it is not encrypted", data(metadata={"__system__encrypted": "0"})),
    ("this region", {"extendparam": {"regionID": "eu-west-0", "chargingMode": "postPaid"}}),
    ("a profile that closes nothing", {"nics": [{"subnet_id": SUBNET, "binding:profile": {"disable_security_groups": False}}]}),
    ("tenancy", {"os:scheduler_hints": {"tenancy": ["dedicated"], "dedicated_host_id": "h"}}),
    ("two nics", {"nics": [{"subnet_id": SUBNET}, {"subnet_id": SMALL_SUBNET}], "security_groups": [{"id": GROUP}]}),
]


@pytest.mark.parametrize("changes", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_an_accepted_request(stage: Stage, changes: dict[str, Any]) -> None:
    assert stage.call("createServers", {**request(**changes), "dry_run": True}).status == 202
    assert stage.entries() == []
    reply = stage.call("createServers", request(**changes))
    assert reply.status == 200
    assert stage.ended(reply)["status"] == "SUCCESS"


HANA = [
    ([{"subnet_id": SUBNET}, OPEN], True),
    ([OPEN, {"subnet_id": SUBNET}], False),
    ([{"subnet_id": SUBNET}, OPEN, OPEN], False),
]


@pytest.mark.parametrize(("nics", "fits"), HANA)
def test_one_secondary_interface_of_a_hana_server_may_be_open(stage: Stage, nics: list[dict[str, Any]], fits: bool) -> None:  # noqa: FBT001
    stage.world.flavors["s3.large.2"].specs["ecs:performancetype"] = "saphana"
    if not fits:
        assert stage.code("createServers", request(nics=nics)) == (400, "Ecs.0910")
        return
    server = stage.project.servers[stage.server(nics=nics, security_groups=[{"id": GROUP}])]
    assert [stage.project.ports[port_id].security_group_ids for port_id in server.port_ids] == [[GROUP], []]


def test_a_dry_run_is_refused_like_the_real_thing(stage: Stage) -> None:
    assert stage.code("createServers", {**request(imageRef=NOWHERE), "dry_run": True}) == (400, "Ecs.0031")
    stage.world.set_project(stage.project.id, frozen=True)
    assert stage.code("createServers", {**request(), "dry_run": "true"}) == (403, "Ecs.0071")


@pytest.mark.parametrize("body", [{}, {"server": None}, {"server": []}, {"server": "x"}])
def test_a_body_without_a_server(stage: Stage, body: dict[str, Any]) -> None:
    assert stage.code("createServers", body) == (400, "Ecs.0005")
