"""The small cloud that the machine plays in: once as the simulator's seed, once as the model's first state, by the same names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from tests.contract.machine.model.state import Flavor, FloatingIp, Image, Quota, State, Volume
from tests.contract.stage import KEY, PROJECT, SUBNET, VPC

ZONES = {"a": "eu-west-0a", "b": "eu-west-0b"}
FLAVORS: Mapping[str, Flavor] = {
    "small": Flavor(vcpus=1, ram=1024, nics=2, data_disks=1),
    "large": Flavor(vcpus=2, ram=4096, nics=3, data_disks=2, recovers=True),
    "huge": Flavor(vcpus=4, ram=8192, nics=3, data_disks=3),
    "rare": Flavor(vcpus=1, ram=2048, nics=3, data_disks=2, sold_out=True),
}
IMAGES: Mapping[str, Image] = {
    "linux": Image(min_disk=10),
    "windows": Image(min_disk=40, min_ram=2048),
    "bare": Image(min_disk=10, cloud_init=False),
}
QUOTA = Quota(
    instances=3,
    cores=8,
    ram=14336,
    volumes=7,
    gigabytes=200,
    groups=2,
    members=2,
    floating_ips=2,
    snapshots=2,
    key_pairs=2,
    security_groups=4,
)
SPARE_PORT = "d5a3f1c7-2b64-4e0e-8f31-7c9a5e8b1d20"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


def identity(name: str) -> str:
    """Return the id that a thing of the seed has, or that an unknown one is asked for by."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"machine:{name}"))


def first_state() -> State:
    """Return what the model begins with."""
    return State(
        flavors=FLAVORS,
        quota=QUOTA,
        images=IMAGES,
        volumes={"v1": Volume(10), "v2": Volume(20, zone="b")},
        floating_ips={"f1": FloatingIp()},
        key_pairs=frozenset({"ops"}),
        security_groups=frozenset({"default", "web"}),
        made={"v": 2, "f": 1},
    )


def seed() -> dict[str, Any]:
    """Return the same for the simulator."""
    return {
        "seed": 1,
        "region": "eu-west-0",
        "zones": list(ZONES.values()),
        "diskTypes": ["SSD"],
        "flavors": [
            {
                "id": name,
                "vcpus": flavor.vcpus,
                "ram": flavor.ram,
                "maxDataVolumes": flavor.data_disks,
                "soldOut": list(ZONES.values()) if flavor.sold_out else [],
                "specs": {
                    "ecs:virtualization_env_types": "CloudCompute",
                    "resource_type": "IOoptimizedS3_2",
                    "instance_vnic:max_count": str(flavor.nics),
                    **({"cond:compute": "autorecovery"} if flavor.recovers else {}),
                },
            }
            for name, flavor in FLAVORS.items()
        ],
        "images": [
            {
                "id": identity(name),
                "name": name,
                "osType": "Windows" if name == "windows" else "Linux",
                "minDisk": image.min_disk,
                "minRam": image.min_ram,
                "cloudInit": image.cloud_init,
            }
            for name, image in IMAGES.items()
        ],
        "projects": [_project()],
    }


def _project() -> dict[str, Any]:
    quota = {
        "instances": QUOTA.instances,
        "cores": QUOTA.cores,
        "ram": QUOTA.ram,
        "volumes": QUOTA.volumes,
        "gigabytes": QUOTA.gigabytes,
        "server_groups": QUOTA.groups,
        "server_group_members": QUOTA.members,
        "floating_ips": QUOTA.floating_ips,
        "snapshots": QUOTA.snapshots,
        "key_pairs": QUOTA.key_pairs,
        "security_groups": QUOTA.security_groups,
    }
    user = {"id": "user", "name": "lab-user", "password": "Lab-Passw0rd!"}
    user_keys = [{"accessKey": KEY.access_key, "secretKey": KEY.secret_key}]
    return {
        "id": PROJECT,
        "name": "machine",
        "domain": {"id": "lab", "name": "lab"},
        "users": [{**user, "accessKeys": user_keys}],
        "quota": quota,
        "networks": [{"id": SUBNET, "subnetId": identity("subnet"), "vpcId": VPC, "name": "subnet", "cidr": "192.168.0.0/20"}],
        "securityGroups": [{"id": identity("default"), "name": "default"}, {"id": identity("web"), "name": "web"}],
        "keyPairs": [{"name": "ops", "publicKey": PUBLIC_KEY}],
        "volumes": [
            {"id": identity("v1"), "name": "v1", "type": "SSD", "size": 10, "zone": ZONES["a"]},
            {"id": identity("v2"), "name": "v2", "type": "SSD", "size": 20, "zone": ZONES["b"]},
        ],
        "floatingIps": [{"id": identity("f1"), "address": "80.158.1.2"}],
        "ports": [{"id": SPARE_PORT, "networkId": SUBNET, "address": "192.168.9.9"}],
    }
