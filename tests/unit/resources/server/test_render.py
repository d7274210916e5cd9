"""The body of 5.1.1, field by field, and the same body again from what was stored."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from ecs_operator.api.server import ServerSpec
from ecs_operator.cloud import CloudError
from ecs_operator.resources.ownership import MARKER_KEY, ClusterIdentity, Owner
from ecs_operator.resources.server.record import client_token
from ecs_operator.resources.server.render import Resolved, Secrets, render, render_again, stored
from tests.unit.resources.server.stage import SPEC

IMAGE = "67f433d8-ed0e-4321-a8a2-a71838539e09"
POOL = "b104b8db-170d-441b-897a-3c8ba9c5a214"
GROUP = "507ca48f-814c-4293-8706-300564d54620"
SUBNET = "157ee789-03ea-45b1-a698-76c92660dd83"


def body(changes: dict[str, Any] | None = None, **resolved: Any) -> dict[str, Any]:
    spec = ServerSpec.model_validate({**SPEC, **(changes or {})})
    request = render(spec, Resolved(name="web-0", image_id=IMAGE, **resolved), marker="mark")
    server: dict[str, Any] = json.loads(request.body())["server"]
    return server


def test_the_smallest_body() -> None:
    assert body() == {
        "name": "web-0",
        "imageRef": IMAGE,
        "flavorRef": "s3.small.1",
        "vpcid": "0dae26c9-9a70-4392-93f3-87d53115d171",
        "nics": [{"subnet_id": SUBNET}],
        "root_volume": {"volumetype": "SSD", "size": 10},
        "metadata": {MARKER_KEY: "mark"},
        "count": 1,
    }


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "interface with address and MTU": (
        {"networkInterfaces": [{"name": "eth0", "subnetId": SUBNET, "ipAddress": "192.168.0.20", "mtu": 8888}]},
        {},
        {"nics": [{"subnet_id": SUBNET, "ip_address": "192.168.0.20", "extra_dhcp_opts": [{"opt_name": "26", "opt_value": 8888}]}]},
    ),
    "two interfaces keep their order": (
        {"networkInterfaces": [{"name": "b", "subnetId": SUBNET}, {"name": "a", "subnetId": GROUP}]},
        {},
        {"nics": [{"subnet_id": SUBNET}, {"subnet_id": GROUP}]},
    ),
    "existing public address": ({"publicIp": {"id": POOL}}, {}, {"publicip": {"id": POOL, "delete_on_termination": False}}),
    "new public address": (
        {"publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 10}}}},
        {},
        {
            "publicip": {
                "eip": {"iptype": "5_bgp", "bandwidth": {"size": 10, "sharetype": "PER", "chargemode": "traffic"}},
                "delete_on_termination": True,
            }
        },
    ),
    "new public address that stays, with shared bandwidth": (
        {
            "publicIp": {
                "allocate": {"type": "5_sbgp", "bandwidth": {"sizeMbps": 300, "shareType": "WHOLE", "chargeMode": "traffic"}},
                "deleteWithServer": False,
            }
        },
        {},
        {
            "publicip": {
                "eip": {"iptype": "5_sbgp", "bandwidth": {"size": 300, "sharetype": "WHOLE", "chargemode": "traffic"}},
                "delete_on_termination": False,
            }
        },
    ),
    "existing public address that goes": (
        {"publicIp": {"id": POOL, "deleteWithServer": True}},
        {},
        {"publicip": {"id": POOL, "delete_on_termination": True}},
    ),
    "root volume without size": ({"rootVolume": {"type": "SATA"}}, {}, {"root_volume": {"volumetype": "SATA"}}),
    "scsi and pool": (
        {"rootVolume": {"type": "SSD", "sizeGiB": 40, "scsi": True, "storagePoolId": POOL}},
        {},
        {"root_volume": {"volumetype": "SSD", "size": 40, "hw:passthrough": True, "cluster_type": "DSS", "cluster_id": POOL}},
    ),
    "data volumes": (
        {
            "dataVolumes": [
                {"name": "a", "type": "SSD", "sizeGiB": 100, "scsi": True},
                {"name": "b", "type": "SAS", "sizeGiB": 10, "dataImageId": POOL},
                {"name": "c", "type": "SSD", "sizeGiB": 10, "encryptionKeyId": "key-1", "storagePoolId": POOL},
            ]
        },
        {},
        {
            "data_volumes": [
                {"volumetype": "SSD", "size": 100, "hw:passthrough": True},
                {"volumetype": "SAS", "size": 10, "data_image_id": POOL},
                {
                    "volumetype": "SSD",
                    "size": 10,
                    "cluster_type": "DSS",
                    "cluster_id": POOL,
                    "metadata": {"__system__encrypted": "1", "__system__cmkid": "key-1"},
                },
            ]
        },
    ),
    "key pair": ({"keyPairName": "ops"}, {}, {"key_name": "ops"}),
    "password on Linux": ({}, {"secrets": Secrets(password="Good-Passw0rd!")}, {"adminPass": "Good-Passw0rd!"}),
    "password on Windows": (
        {},
        {"secrets": Secrets(password="Good-Passw0rd!"), "is_windows": True},
        {"metadata": {MARKER_KEY: "mark", "admin_pass": "Good-Passw0rd!"}},
    ),
    "user data": ({}, {"secrets": Secrets(user_data=b"#!/bin/sh\n")}, {"user_data": base64.b64encode(b"#!/bin/sh\n").decode()}),
    "server group": ({}, {"group_id": GROUP}, {"os:scheduler_hints": {"group": GROUP}}),
    "dedicated host": (
        {"scheduling": {"tenancy": "dedicated", "dedicatedHostId": "host-1"}},
        {"group_id": GROUP},
        {"os:scheduler_hints": {"group": GROUP, "tenancy": "dedicated", "dedicated_host_id": "host-1"}},
    ),
    "any dedicated host": ({"scheduling": {"tenancy": "dedicated"}}, {}, {"os:scheduler_hints": {"tenancy": "dedicated"}}),
    "password and user data on Linux": (
        {},
        {"secrets": Secrets(password="Good-Passw0rd!", user_data=b"#!/bin/sh\n")},
        {"adminPass": "Good-Passw0rd!", "user_data": base64.b64encode(b"#!/bin/sh\n").decode()},
    ),
    "password and user data on Windows": (
        {},
        {"secrets": Secrets(password="Good-Passw0rd!", user_data=b"#!/bin/sh\n"), "is_windows": True},
        {
            "metadata": {MARKER_KEY: "mark", "admin_pass": "Good-Passw0rd!"},
            "user_data": base64.b64encode(b"#!/bin/sh\n").decode(),
        },
    ),
    "agency, metadata and password on Windows": (
        {"agencyName": "agent", "metadata": {"role": "desk"}},
        {"secrets": Secrets(password="Good-Passw0rd!"), "is_windows": True},
        {"metadata": {"role": "desk", "agency_name": "agent", "admin_pass": "Good-Passw0rd!", MARKER_KEY: "mark"}},
    ),
    "what the request has no place for": (
        {"tags": {"team": "shop"}, "locked": True, "autoRecovery": True, "powerState": "Stopped", "deletionProtection": True},
        {},
        {},
    ),
    "agency and metadata": (
        {"agencyName": "agent", "metadata": {"role": "front"}},
        {},
        {"metadata": {"role": "front", "agency_name": "agent", MARKER_KEY: "mark"}},
    ),
    "groups, zone, description": (
        {"securityGroupIds": [GROUP], "availabilityZone": "eu-west-0a", "description": "front end"},
        {},
        {"security_groups": [{"id": GROUP}], "availability_zone": "eu-west-0a", "description": "front end"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_field(case: str) -> None:
    changes, resolved, expected = CASES[case]
    assert body(changes, **resolved) == {**body(), **expected}


@pytest.mark.parametrize("case", CASES)
def test_the_same_body_again_from_the_stored_form(case: str) -> None:
    changes, resolved, _ = CASES[case]
    known = Resolved(name="web-0", image_id=IMAGE, **resolved)
    request = render(ServerSpec.model_validate({**SPEC, **changes}), known, marker="mark")
    text = stored(request)
    for hidden in ("Good-Passw0rd!", "IyEv", "mark"):
        assert hidden not in text
    again = render_again(text, known.secrets, marker="mark")
    assert again is not None
    assert again.body() == request.body()
    assert again.digest(b"k") == request.digest(b"k")


@pytest.mark.parametrize("case", ["password on Linux", "password on Windows", "user data"])
def test_without_the_secret_it_cannot_be_rendered_again(case: str) -> None:
    changes, resolved, _ = CASES[case]
    request = render(ServerSpec.model_validate({**SPEC, **changes}), Resolved(name="web-0", image_id=IMAGE, **resolved), marker="mark")
    assert render_again(stored(request), Secrets(), marker="mark") is None


def test_another_secret_gives_another_digest() -> None:
    spec = ServerSpec.model_validate(SPEC)
    digests = {
        render(spec, Resolved(name="a", image_id=IMAGE, secrets=Secrets(password=text)), marker="mark").digest(b"k")
        for text in ("Good-Passw0rd!", "Good-Passw0rd?")
    }
    assert len(digests) == 2


def test_a_broken_limit_is_named() -> None:
    with pytest.raises(CloudError, match=r"server\.nics\[\]\.subnet_id"):
        body({"networkInterfaces": [{"name": "eth0", "subnetId": "no-uuid"}]})


def test_tokens_differ_when_body_attempt_or_incarnation_differ() -> None:
    identity = ClusterIdentity(cluster_id="lab", key=b"k")
    first = client_token(identity, Owner("u", 1), digest="d", attempt=1)
    assert first == client_token(identity, Owner("u", 1), digest="d", attempt=1)
    others = [
        client_token(identity, Owner("u", 1), digest="e", attempt=1),
        client_token(identity, Owner("u", 1), digest="d", attempt=2),
        client_token(identity, Owner("u", 2), digest="d", attempt=1),
        client_token(identity, Owner("v", 1), digest="d", attempt=1),
    ]
    assert len({first, *others}) == 5
