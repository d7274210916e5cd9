"""What of a server that is there must fit the spec because nobody can change it, and what counts as ours when it is taken over."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.api.server import ServerSpec, Volume
from ecs_operator.cloud import Address, Interface, Server
from ecs_operator.cloud.models.network import FixedIp
from ecs_operator.resources.server.likeness import misfits, taken_over
from tests.unit.resources.server.stage import SPEC

SUBNET = SPEC["networkInterfaces"][0]["subnetId"]
SERVER = Server(id="s", availability_zone="eu-west-0a", metadata={"vpc_id": SPEC["vpcId"]}, image_id="i", key_name="ops")
ROOT = Volume(id="root", boot_index=0, size_gib=10)
DISK = Volume(id="disk", boot_index=None, size_gib=20)
ALLOCATE = {"type": "5_bgp", "bandwidth": {"sizeMbps": 10}}
DATA = {"name": "data", "type": "SSD", "sizeGiB": 20}


def interface(subnet: str = SUBNET, address: str = "192.168.0.7") -> Interface:
    return Interface(port_id="p", net_id=subnet, fixed_ips=(FixedIp(ip_address=address),))


@pytest.mark.parametrize(
    ("spec", "interfaces", "volumes", "says"),
    [
        ({}, [interface()], [ROOT], ()),
        ({}, [], [], ()),
        ({}, [interface()], [ROOT, DISK], ()),
        ({"availabilityZone": "eu-west-0a"}, [interface()], [ROOT], ()),
        ({"availabilityZone": "b"}, [], [], ("spec.availabilityZone is b, the server has eu-west-0a",)),
        ({"vpcId": "v"}, [], [], (f"spec.vpcId is v, the server has {SPEC['vpcId']}",)),
        ({}, [interface("other")], [], (f"spec.networkInterfaces[eth0] is in {SUBNET}, the server has interfaces in other",)),
        ({}, [interface(), interface()], [], ()),
        ({"networkInterfaces": [SPEC["networkInterfaces"][0], {"name": "eth1", "subnetId": "other"}]}, [interface()], [], ()),
        (
            {"networkInterfaces": [{"name": "eth0", "subnetId": SUBNET, "ipAddress": "192.168.0.9"}]},
            [interface()],
            [],
            ("spec.networkInterfaces[eth0].ipAddress is 192.168.0.9, the server has 192.168.0.7",),
        ),
        ({"networkInterfaces": [{"name": "eth0", "subnetId": SUBNET, "ipAddress": "192.168.0.7"}]}, [interface()], [], ()),
        ({"publicIp": {"id": "ip"}}, [], [], ()),
        ({"publicIp": {"allocate": ALLOCATE}}, [], [], ("spec.publicIp is a new one, the server has none",)),
        ({"rootVolume": {"type": "SSD", "sizeGiB": 40}}, [], [ROOT], ("spec.rootVolume.sizeGiB is 40, the server has 10",)),
        ({"rootVolume": {"type": "SSD"}}, [], [ROOT], ()),
        ({"dataVolumes": [DATA]}, [], [ROOT, DISK], ()),
        ({"dataVolumes": [DATA]}, [], [ROOT], ("spec.dataVolumes is 20 GiB, the server has none",)),
        ({"dataVolumes": [DATA, {**DATA, "name": "b"}]}, [], [ROOT, DISK], ("spec.dataVolumes is 20 GiB, 20 GiB, the server has 20 GiB",)),
        ({"agencyName": "a"}, [], [], ("spec.agencyName is a, the server has none",)),
    ],
)
def test_what_must_fit(spec: dict[str, Any], interfaces: list[Interface], volumes: list[Volume], says: tuple[str, ...]) -> None:
    wanted = ServerSpec.model_validate({**SPEC, **spec})
    assert misfits(wanted, SERVER, interfaces=interfaces, volumes=volumes, with_data=True) == says


def test_a_public_address_that_is_there_fits() -> None:
    wanted = ServerSpec.model_validate({**SPEC, "publicIp": {"allocate": ALLOCATE}})
    floating = Address(network="v", ip="80.158.1.2", type="floating")
    server = Server(id="s", addresses=(floating,))
    assert misfits(wanted, server, interfaces=(), volumes=(), with_data=True) == ()


def test_nothing_of_a_server_that_is_taken_over_is_ours_to_take_away() -> None:
    server = Server(id="s", image_id="i", key_name="theirs", metadata={"a": "1"}, tags=("b=2",))
    ours = taken_over(ServerSpec.model_validate({**SPEC, "metadata": {"a": "1"}, "tags": {"b": "2"}}), server)
    assert (ours.metadata_keys, ours.tag_keys, ours.server_group) == ((), (), None)
    assert ours.installed is not None
    assert (ours.installed.image_id, ours.installed.key_pair_name) == ("i", None), "a key pair the spec does not name is left alone"
    named = taken_over(ServerSpec.model_validate({**SPEC, "keyPairName": "ops"}), server)
    assert named.installed is not None
    assert named.installed.key_pair_name == "theirs"
