"""The create request: what is refused before it is sent, how it renders, what it hides."""

from __future__ import annotations

import base64
import json

import pytest

from ecs_operator.cloud import (
    Bandwidth,
    CloudError,
    CreateServers,
    DataVolume,
    DhcpOption,
    Eip,
    Meaning,
    Nic,
    Outcome,
    PublicIp,
    RootVolume,
    SchedulerHints,
    SecurityGroup,
)

UUID = "157ee789-03ea-45b1-a698-76c92660dd83"
USER_DATA = base64.b64encode(b"#!/bin/bash\necho canary-user-data\n").decode()


def request(**changes: object) -> CreateServers:
    fields: dict[str, object] = {
        "name": "web-0",
        "image_ref": UUID,
        "flavor_ref": "s3.large.2",
        "vpc_id": UUID,
        "nics": (Nic(subnet_id=UUID),),
        "root_volume": RootVolume(volumetype="SSD"),
    }
    return CreateServers(**(fields | changes))


def nics(count: int) -> tuple[Nic, ...]:
    return tuple(Nic(subnet_id=UUID) for _ in range(count))


def disks(count: int) -> tuple[DataVolume, ...]:
    return tuple(DataVolume(volumetype="SSD", size=10) for _ in range(count))


REFUSED = [
    ("server.name", lambda: request(name="")),
    ("server.name", lambda: request(name="a" * 129)),
    ("server.name", lambda: request(name="云" * 65)),
    ("server.name", lambda: request(name="web 0")),
    ("server.name", lambda: request(name="web/0")),
    ("server.name", lambda: request(name="web-0\n")),
    ("server: name", lambda: request(name="a" * 60, count=2)),
    ("server.imageRef", lambda: request(image_ref="imageid_123")),
    ("server.flavorRef", lambda: request(flavor_ref="")),
    ("server.vpcid", lambda: request(vpc_id="x")),
    ("server.nics", lambda: request(nics=())),
    ("server.nics", lambda: request(nics=nics(13))),
    ("server.nics[].subnet_id", lambda: Nic(subnet_id="x")),
    ("server.nics[].ip_address", lambda: Nic(subnet_id=UUID, ip_address="192.168.0.300")),
    ("server.nics[].ip_address", lambda: Nic(subnet_id=UUID, ip_address="fe80::1")),
    ("server.nics[].extra_dhcp_opts[].opt_value", lambda: DhcpOption(opt_value=1279)),
    ("server.nics[].extra_dhcp_opts[].opt_value", lambda: DhcpOption(opt_value=8889)),
    ("server.root_volume.size", lambda: RootVolume(volumetype="SSD", size=1025)),
    ("server.root_volume.volumetype", lambda: RootVolume(volumetype="")),
    ("server.root_volume", lambda: RootVolume(volumetype="SSD", cluster_type="DSS")),
    ("server.data_volumes", lambda: request(data_volumes=disks(60))),
    ("server.data_volumes[].size", lambda: DataVolume(volumetype="SSD", size=9)),
    ("server.data_volumes[].size", lambda: DataVolume(volumetype="SSD", size=32769)),
    ("server.data_volumes[]", lambda: DataVolume(volumetype="SSD", size=10, data_image_id=UUID, metadata={"a": "b"})),
    ("server.publicip", PublicIp),
    ("server.publicip.eip.bandwidth.size", lambda: Bandwidth(size=1001, sharetype="PER")),
    ("server.security_groups[].id", lambda: SecurityGroup(id="default")),
    ("server.os:scheduler_hints", lambda: SchedulerHints(dedicated_host_id="h")),
    ("server.metadata", lambda: request(metadata={f"key{number}": "" for number in range(11)})),
    ("server.metadata", lambda: request(metadata={"a key": ""})),
    ("server.metadata", lambda: request(metadata={"": ""})),
    ("server.metadata.key", lambda: request(metadata={"key": "x" * 256})),
    ("server.description", lambda: request(description="x" * 86)),
    ("server.description", lambda: request(description="<b>")),
    ("server.count", lambda: request(count=0)),
    ("server.count", lambda: request(count=501)),
    ("server.adminPass", lambda: request(admin_pass="Canary1")),
    ("server.adminPass", lambda: request(admin_pass="canarycanary1")),
    ("server.adminPass", lambda: request(admin_pass="Canary-Passw0rd-" + "x" * 11)),
    ("server.adminPass", lambda: request(admin_pass="Canary Passw0rd")),
    ("server.user_data", lambda: request(user_data="canary not base64")),
    ("server.user_data", lambda: request(user_data=base64.b64encode(b"x" * 32769).decode())),
    ("server.surprise", lambda: request(surprise=1)),
]


@pytest.mark.parametrize(("field", "make"), REFUSED, ids=[f"{number}-{case[0]}" for number, case in enumerate(REFUSED)])
def test_limits(field: str, make: object) -> None:
    with pytest.raises(CloudError) as caught:
        make()  # type: ignore[operator]
    assert caught.value.message.startswith(field)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.NOT_SENT, Meaning.INVALID)
    assert "anary" not in str(caught.value), "the value may be a secret"


ALLOWED = [
    {"name": "云" * 64},
    {"name": "a" * 128},
    {"name": "a" * 59, "count": 500},
    {"nics": nics(12)},
    {"data_volumes": disks(59)},
    {"metadata": {f"a:b_c-d.{number}": "x" * 255 for number in range(10)}},
    {"description": "x" * 85},
    {"admin_pass": "Canary-1"},
    {"user_data": base64.b64encode(b"x" * 32768).decode()},
    {"image_ref": UUID.replace("-", "")},
]


@pytest.mark.parametrize("changes", ALLOWED, ids="+".join)
def test_the_edge_of_the_limits(changes: dict[str, object]) -> None:
    request(**changes)


def test_the_body_has_the_references_names() -> None:
    whole = request(
        availability_zone="eu-west-0a",
        nics=(Nic(subnet_id=UUID, ip_address="192.168.0.20", extra_dhcp_opts=(DhcpOption(opt_value=8888),)),),
        root_volume=RootVolume(volumetype="SSD", size=40, passthrough=True),
        data_volumes=(DataVolume(volumetype="SATA", size=100, metadata={"__system__encrypted": "1"}),),
        security_groups=(SecurityGroup(id=UUID),),
        public_ip=PublicIp(eip=Eip(iptype="5_bgp", bandwidth=Bandwidth(size=10, sharetype="PER")), delete_on_termination=True),
        key_name="ops",
        admin_pass="Canary-1",
        user_data=USER_DATA,
        metadata={"role": "front"},
        scheduler_hints=SchedulerHints(group=UUID),
        description="grün",
    )
    assert json.loads(whole.body()) == {
        "server": {
            "name": "web-0",
            "imageRef": UUID,
            "flavorRef": "s3.large.2",
            "vpcid": UUID,
            "availability_zone": "eu-west-0a",
            "nics": [{"subnet_id": UUID, "ip_address": "192.168.0.20", "extra_dhcp_opts": [{"opt_value": 8888, "opt_name": "26"}]}],
            "root_volume": {"volumetype": "SSD", "size": 40, "hw:passthrough": True},
            "data_volumes": [{"volumetype": "SATA", "size": 100, "metadata": {"__system__encrypted": "1"}}],
            "security_groups": [{"id": UUID}],
            "publicip": {
                "eip": {"iptype": "5_bgp", "bandwidth": {"size": 10, "sharetype": "PER", "chargemode": "traffic"}},
                "delete_on_termination": True,
            },
            "key_name": "ops",
            "adminPass": "Canary-1",
            "user_data": USER_DATA,
            "metadata": {"role": "front"},
            "os:scheduler_hints": {"group": UUID},
            "description": "grün",
            "count": 1,
        }
    }


def test_the_same_request_renders_to_the_same_bytes() -> None:
    one = request(metadata={"a": "1", "b": "2"}, admin_pass="Canary-1")
    other = request(metadata={"b": "2", "a": "1"}, admin_pass="Canary-1")
    assert one.body() == other.body()
    assert one.digest(b"key") == other.digest(b"key")


def test_the_digest_tells_changes_and_needs_the_key() -> None:
    plain = request(admin_pass="Canary-1")
    assert plain.digest(b"key") != request(admin_pass="Canary-2").digest(b"key")
    assert plain.digest(b"key") != plain.digest(b"other")


def test_nothing_shows_the_secrets() -> None:
    hidden = request(admin_pass="Canary-1", user_data=USER_DATA, metadata={"admin_pass": "Canary-2"})
    for text in (repr(hidden), str(hidden)):
        assert "Canary" not in text
        assert USER_DATA not in text
    assert "Canary-1" not in hidden.model_dump_json()
    assert hidden.secrets() == ("Canary-1", USER_DATA, "Canary-2")


def test_a_request_can_be_made_again_from_its_body() -> None:
    whole = request(
        nics=(Nic(subnet_id=UUID, extra_dhcp_opts=(DhcpOption(opt_value=8888),)),),
        data_volumes=disks(2),
        public_ip=PublicIp(id=UUID),
        admin_pass="Canary-1",
        user_data=USER_DATA,
        metadata={"role": "front"},
        scheduler_hints=SchedulerHints(group=UUID),
    )
    again = CreateServers(**json.loads(whole.body())["server"])
    assert again.body() == whole.body()
