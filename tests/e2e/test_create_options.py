"""What is in the spec reaches the cloud: the request of each option is compared as a whole, as the cloud gets it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from ecs_lab.laboratory import Laboratory
from ecs_lab.proxy import Call, Proxy, proxy
from tests.e2e.fillings import filled, free_address
from tests.scenes import MARKER, Object, Scene, scene_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD, SCRIPT = "Tr0ub4dor-3x", "#cloud-config\npackages: [python3]\n"
WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"
HOST = "d465d0ae-f859-4a83-a508-8db654c05e7e"
POOL = "5d1c2b3a-7e6f-4a5b-8c9d-0e1f2a3b4c5d"
SUBNET = {"subnet_id": "SUBNET"}
# name: (fields of the spec, fields of the body of 5.1.1). SUBNET, VPC, … stand for the project's own.
OPTIONS: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "nothing": ({}, {}),
    "name-and-text": ({"name": "Front_0.web", "description": "front end"}, {"name": "Front_0.web", "description": "front end"}),
    "image-by-name": ({"image": {"name": "Ubuntu 24.04 server 64bit"}}, {}),
    "zone": ({"availabilityZone": "eu-west-0b"}, {"availability_zone": "eu-west-0b"}),
    "address-and-mtu": (
        {"networkInterfaces": [{"name": "eth0", "subnetId": "SUBNET", "ipAddress": "192.168.0.77", "mtu": 8888}]},
        {"nics": [{**SUBNET, "ip_address": "192.168.0.77", "extra_dhcp_opts": [{"opt_name": "26", "opt_value": 8888}]}]},
    ),
    "two-interfaces": (
        {"networkInterfaces": [{"name": "eth0", "subnetId": "SUBNET"}, {"name": "eth1", "subnetId": "SUBNET", "mtu": 1280}]},
        {"nics": [SUBNET, {**SUBNET, "extra_dhcp_opts": [{"opt_name": "26", "opt_value": 1280}]}]},
    ),
    "security-groups": ({"securityGroupIds": ["SECURITY_GROUP"]}, {"security_groups": [{"id": "SECURITY_GROUP"}]}),
    "system-disk": ({"rootVolume": {"type": "SATA", "scsi": True}}, {"root_volume": {"volumetype": "SATA", "hw:passthrough": True}}),
    "data-disks": (
        {
            "dataVolumes": [
                {"name": "logs", "type": "SAS", "sizeGiB": 10},
                {"name": "db", "type": "SSD", "sizeGiB": 100, "scsi": True, "encryptionKeyId": "key-0", "deleteWithServer": True},
            ]
        },
        {
            "data_volumes": [
                {"volumetype": "SAS", "size": 10},
                {
                    "volumetype": "SSD",
                    "size": 100,
                    "hw:passthrough": True,
                    "metadata": {"__system__encrypted": "1", "__system__cmkid": "key-0"},
                },
            ]
        },
    ),
    "pools-and-data-image": (
        {
            "rootVolume": {"type": "SSD", "sizeGiB": 50, "storagePoolId": POOL},
            "dataVolumes": [
                {"name": "pool", "type": "SATA", "sizeGiB": 20, "storagePoolId": POOL},
                {"name": "image", "type": "SSD", "sizeGiB": 60, "dataImageId": WINDOWS},
            ],
        },
        {
            "root_volume": {"volumetype": "SSD", "size": 50, "cluster_type": "DSS", "cluster_id": POOL},
            "data_volumes": [
                {"volumetype": "SATA", "size": 20, "cluster_type": "DSS", "cluster_id": POOL},
                {"volumetype": "SSD", "size": 60, "data_image_id": WINDOWS},
            ],
        },
    ),
    "key-pair": ({"keyPairName": "ops"}, {"key_name": "ops"}),
    "password": ({"adminPasswordSecretRef": {"name": "login", "key": "password"}}, {"adminPass": PASSWORD}),
    "windows-password": (
        {
            "image": {"id": WINDOWS},
            "adminPasswordSecretRef": {"name": "login", "key": "password"},
            "metadata": {"role": "desk"},
        },
        {"imageRef": WINDOWS, "metadata": {"role": "desk", "admin_pass": PASSWORD}},
    ),
    "user-data": (
        {"userDataRef": {"secret": {"name": "login", "key": "script"}}, "keyPairName": "ops"},
        {"user_data": base64.b64encode(SCRIPT.encode()).decode(), "key_name": "ops"},
    ),
    "password-and-user-data": (
        {
            "adminPasswordSecretRef": {"name": "login", "key": "password"},
            "userDataRef": {"secret": {"name": "login", "key": "script"}},
        },
        {"adminPass": PASSWORD, "user_data": base64.b64encode(SCRIPT.encode()).decode()},
    ),
    "user-data-of-config-map": (
        {"userDataRef": {"configMap": {"name": "script", "key": "boot.sh"}}},
        {"user_data": base64.b64encode(b"#!/bin/sh\n").decode()},
    ),
    "metadata": ({"metadata": {"role": "front", "team:shop": "eu_1"}}, {"metadata": {"role": "front", "team:shop": "eu_1"}}),
    "agency": ({"agencyName": "backup"}, {"metadata": {"agency_name": "backup"}}),
    "new-public-ip": (
        {"publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 10}}}},
        {
            "publicip": {
                "eip": {"iptype": "5_bgp", "bandwidth": {"size": 10, "sharetype": "PER", "chargemode": "traffic"}},
                "delete_on_termination": True,
            }
        },
    ),
    "shared-public-ip": (
        {"publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 20, "shareType": "WHOLE"}}, "deleteWithServer": False}},
        {
            "publicip": {
                "eip": {"iptype": "5_bgp", "bandwidth": {"size": 20, "sharetype": "WHOLE", "chargemode": "traffic"}},
                "delete_on_termination": False,
            }
        },
    ),
    "public-ip-by-id": ({"publicIp": {"id": "FLOATING_IP"}}, {"publicip": {"id": "FLOATING_IP", "delete_on_termination": False}}),
    "server-group": ({"serverGroupRef": {"name": "web"}}, {"os:scheduler_hints": {"group": "GROUP"}}),
    "server-group-by-id": ({"serverGroupId": "GROUP"}, {"os:scheduler_hints": {"group": "GROUP"}}),
    "dedicated-host": (
        {"scheduling": {"tenancy": "dedicated", "dedicatedHostId": HOST}},
        {"os:scheduler_hints": {"tenancy": "dedicated", "dedicated_host_id": HOST}},
    ),
    "any-dedicated-host": ({"scheduling": {"tenancy": "dedicated"}}, {"os:scheduler_hints": {"tenancy": "dedicated"}}),
    # What the request has no place for is done right after it.
    "tags": ({"tags": {"team": "shop", "empty": ""}}, {}),
    "recovery": ({"autoRecovery": True}, {}),
    "lock": ({"locked": True}, {}),
    "stopped": ({"powerState": "Stopped"}, {}),
}


async def test_every_option_reaches_the_cloud(laboratory: Laboratory, namespace: str) -> None:
    """All at once; the request of each is compared as a whole, as the cloud got it."""
    async with proxy(upstream=laboratory.sim.url) as wire:
        project = await laboratory.add_project(namespace, namespace=namespace, endpoint=wire.url)
        async with scene_of(laboratory, project) as scene:
            config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "script", "namespace": namespace}}
            login = scene.secret("login", password=PASSWORD, script=SCRIPT)
            await scene.apply(login, {**config, "data": {"boot.sh": "#!/bin/sh\n"}}, scene.group("web"))
            group = await scene.until_ready("ecsgrp/web")
            names = {
                "SUBNET": project.account.subnet_id,
                "SECURITY_GROUP": project.account.security_group_id,
                "GROUP": group["status"]["id"],
                "FLOATING_IP": await free_address(scene),
            }
            await scene.apply(*(scene.server(name, **filled(spec, names)) for name, (spec, _) in OPTIONS.items()))
            objects = await scene.until_all_ready(seconds=60)
            sent = _bodies(wire)
            uids = {name: obj["metadata"]["uid"] for name, obj in objects.items()}
            wanted = {name: _body(scene, name, filled(fields, names)) for name, (_, fields) in OPTIONS.items()}
            assert {name: sent[uids[name]] for name in OPTIONS} == wanted
            await _check_servers(scene, objects)
            await scene.delete("ecsvm", "--all")
        await laboratory.remove_project(project)
        for name in OPTIONS:
            await scene.until_gone(f"ecsvm/{name}")


def _body(scene: Scene, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The request of a case: what every request has, and its own."""
    account = scene.project.account
    return {
        "name": name,
        "imageRef": account.image_id,
        "flavorRef": account.flavor_id,
        "vpcid": account.vpc_id,
        "nics": [{"subnet_id": account.subnet_id}],
        "root_volume": {"volumetype": "SSD", "size": 40},
        "count": 1,
        "metadata": {},
        **fields,
    }


def _bodies(wire: Proxy) -> dict[str, dict[str, Any]]:
    """The create requests by the uid in their marker, without the marker."""
    found: dict[str, dict[str, Any]] = {}
    for each in wire.records:
        if _is_create(each.call):
            server = json.loads(each.call.body)["server"]
            found[server["metadata"].pop(MARKER).split("/")[1]] = server
    return found


def _is_create(call: Call) -> bool:
    return call.method == "POST" and call.path.endswith("/cloudservers")


async def _check_servers(scene: Scene, objects: Mapping[str, Object]) -> None:
    """What the cloud made of a few of them, and what the status shows of that."""
    fixed = objects["address-and-mtu"]["status"]
    assert fixed["privateIp"] == "192.168.0.77"
    for name in ("new-public-ip", "public-ip-by-id"):
        status = objects[name]["status"]
        kinds = {each["ip"]: each["type"] for each in status["addresses"]}
        assert kinds == {status["privateIp"]: "fixed", status["publicIp"]: "floating"}
    assert {each["sizeGiB"]: each["deleteWithServer"] for each in objects["data-disks"]["status"]["volumes"]} == {
        40: True,
        10: False,
        100: True,
    }
    assert len(objects["two-interfaces"]["status"]["addresses"]) == 2
    row = await scene.cloud.server(objects["name-and-text"]["status"]["id"])
    assert row is not None
    assert (row["name"], row["description"]) == ("Front_0.web", "front end")
    for name, (tags, locked, state) in {
        "tags": ({"team=shop", "empty"}, False, "ACTIVE"),
        "lock": (set(), True, "ACTIVE"),
        "stopped": (set(), False, "SHUTOFF"),
    }.items():
        row = await scene.cloud.server(objects[name]["status"]["id"])
        assert row is not None
        assert (set(row["tags"]), row["locked"], row["status"]) == (tags, locked, state), name
    assert objects["recovery"]["status"]["autoRecovery"] is True
