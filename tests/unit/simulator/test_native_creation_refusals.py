"""6.2.1: every rule of the native create, just inside and just outside; a refused request leaves nothing."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_simulator.call import ApiError
from tests.unit.simulator.native_stage import disk, image_disk, make, native, snapshot_of
from tests.unit.simulator.stage import NOWHERE, PORT, SUBNET, VOLUME, WINDOWS, Stage


class Case(NamedTuple):
    name: str
    changes: dict[str, Any]
    status: int = 400
    names: str = ""


def devices(*rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"block_device_mapping_v2": list(rows), **changes}


REFUSALS = [
    Case("no name", {"name": None}, names="server.name"),
    Case("long name", {"name": "x" * 129}),
    Case("long Chinese name", {"name": "云" * 65}),
    Case("long name for several", {"name": "x" * 60, "max_count": 2}),
    Case("no flavor", {"flavorRef": None}, names="flavorRef"),
    Case("unknown flavor", {"flavorRef": "x9.none"}),
    Case("unknown image", {"imageRef": NOWHERE}),
    Case("neither image nor disk", {"imageRef": None}, names="Boot sequence"),
    Case("unknown field", {"hostname": "x"}, names="hostname"),
    Case("unknown zone", {"availability_zone": "eu-west-9z"}),
    Case("a host behind the zone", {"availability_zone": "eu-west-0a:host-1"}, names="host"),
    Case("unknown key pair", {"key_name": "nobody"}),
    Case("weak password", {"adminPass": "short"}),
    Case("Windows without a login", {"imageRef": WINDOWS}, names="Windows"),
    Case("user data that is no base64", {"user_data": "#!/bin/sh"}),
    Case("much user data", {"user_data": base64.b64encode(b"x" * 32769).decode()}),
    Case("metadata without a key", {"metadata": {"": "x"}}),
    Case("long key", {"metadata": {"k" * 256: "x"}}),
    Case("long value", {"metadata": {"k": "x" * 256}}),
    Case("description before 2.19", {"description": "x"}, names="description"),
    Case("disk configuration", {"OS-DCF:diskConfig": "SOMETIMES"}, names="diskConfig"),
    Case("no network id", {"networks": [{"fixed_ip": "192.168.0.9"}]}, names="uuid"),
    Case("unknown network", {"networks": [{"uuid": NOWHERE}]}, names=NOWHERE),
    Case("unknown port", {"networks": [{"port": NOWHERE}]}, names=NOWHERE),
    Case("a port twice", {"networks": [{"port": PORT}, {"port": PORT}]}, 409),
    Case("address outside", {"networks": [{"uuid": SUBNET, "fixed_ip": "10.0.0.1"}]}),
    Case("address in use", {"networks": [{"uuid": SUBNET, "fixed_ip": "192.168.8.8"}]}),
    Case("networks that are no list", {"networks": {"uuid": SUBNET}}),
    Case("too many interfaces", {"networks": [{"uuid": SUBNET}] * 13}),
    Case("unknown security group", {"security_groups": [{"name": "none"}]}, names="none"),
    Case("fewest above most", {"min_count": 3, "max_count": 2}, names="min_count"),
    Case("no servers", {"min_count": 0}, names="min_count"),
    Case("too many servers", {"max_count": 501}, names="max_count"),
    Case("several on one port", {"networks": [{"port": PORT}], "max_count": 2}, names="port"),
    Case("several at one address", {"networks": [{"uuid": SUBNET, "fixed_ip": "192.168.0.9"}], "max_count": 2}),
    Case("several of a volume", devices(disk("volume", uuid=VOLUME), max_count=2), names="volumes"),
    Case("unknown source", devices(disk("tape", uuid=VOLUME)), names="source_type"),
    Case("no source", devices({"uuid": VOLUME}), names="source_type"),
    Case("no id", devices(disk("volume")), names="uuid"),
    Case("local disk", devices({"source_type": "blank", "destination_type": "local", "volume_size": 10}), names="destination_type"),
    Case("unknown destination", devices(disk("blank", destination_type="moon", volume_size=10)), names="destination_type"),
    Case("image without a size", devices(image_disk(volume_size=None)), names="volume_size"),
    Case("blank without a size", devices(disk("blank")), names="volume_size"),
    Case("smaller than the image", devices(image_disk(volume_size=9)), names="10"),
    Case("two to boot from", devices(image_disk(), image_disk()), names="boot_index"),
    Case("another image to boot from", devices(image_disk(uuid=WINDOWS)), names="imageRef"),
    Case("blank to boot from", devices(disk("blank", volume_size=10, boot_index=0)), names="boot_index"),
    Case("boot index", devices(image_disk(boot_index="first")), names="boot_index"),
    Case("unknown disk type", devices(image_disk(volume_type="TAPE"))),
    Case("unknown volume", devices(disk("volume", uuid=NOWHERE)), names=NOWHERE),
    Case("a volume twice", devices(disk("volume", uuid=VOLUME), disk("volume", uuid=VOLUME)), names="twice"),
    Case("a volume in another zone", devices(disk("volume", uuid=VOLUME), availability_zone="eu-west-0b"), names="eu-west-0b"),
    Case("a volume that does not boot", devices(disk("volume", uuid=VOLUME, boot_index=0), imageRef=None), names="bootable"),
    Case("unknown snapshot", devices(disk("snapshot", uuid=NOWHERE)), names=NOWHERE),
    Case("devices that are no list", {"block_device_mapping_v2": {}}),
    Case("tags before 2.52", {"tags": ["a"]}, names="tags"),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_a_refused_request(stage: Stage, case: Case) -> None:
    volumes = dict(stage.project.volumes)
    error = stage.refused("createServer", native(**case.changes), version=(2, 18))
    assert (error.status, error.nova) == (case.status, True), error.message
    assert case.names in error.message
    assert (stage.entries(), stage.project.servers, stage.project.volumes) == ([], {}, volumes)
    assert set(stage.project.networks[SUBNET].used.values()) == {PORT}


def test_a_port_in_use_and_a_volume_in_use(stage: Stage) -> None:
    make(stage, networks=[{"port": PORT}], **devices(disk("volume", uuid=VOLUME)))
    assert stage.refused("createServer", native(networks=[{"port": PORT}])).status == 409
    error = stage.refused("createServer", native(**devices(disk("volume", uuid=VOLUME))))
    assert (error.status, "in-use" in error.message) == (400, True)


def test_a_snapshot_of_a_data_disk_does_not_boot_and_not_shrink(stage: Stage) -> None:
    snapshot_id = snapshot_of(stage, VOLUME)
    boots = disk("snapshot", uuid=snapshot_id, boot_index=0)
    assert "bootable" in stage.refused("createServer", native(**devices(boots, imageRef=None))).message
    assert "10" in stage.refused("createServer", native(**devices(disk("snapshot", uuid=snapshot_id, volume_size=9)))).message
    server_id = make(stage, **devices(disk("snapshot", uuid=snapshot_id, volume_size=20)))
    assert stage.project.volumes[stage.project.servers[server_id].volume_ids[1]].size == 20


MICROVERSIONS: list[tuple[dict[str, Any], tuple[int, int] | None, bool]] = [
    ({"description": "x" * 85}, (2, 19), True),
    ({"description": "x"}, (2, 18), False),
    ({"description": "x"}, None, False),
    ({"description": "x" * 86}, (2, 19), False),
    ({"description": "<"}, (2, 19), False),
    ({"tags": ["a", "b"]}, (2, 52), True),
    ({"tags": ["a"]}, (2, 51), False),
    ({"tags": ["a,b"]}, (2, 52), False),
    ({"tags": [""]}, (2, 52), False),
    ({"tags": [str(number) for number in range(51)]}, (2, 52), False),
    ({"personality": []}, (2, 56), True),
    ({"personality": []}, (2, 57), False),
]


@pytest.mark.parametrize(("changes", "version", "fits"), MICROVERSIONS)
def test_fields_of_microversions(stage: Stage, changes: dict[str, Any], version: tuple[int, int] | None, fits: bool) -> None:  # noqa: FBT001
    if not fits:
        assert stage.refused("createServer", native(**changes), version=version).status == 400
        return
    shown = stage.show(make(stage, version=version, **changes), version=(2, 26))
    assert shown["description"] == changes.get("description", "")
    assert shown["tags"] == changes.get("tags", [])


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": "x" * 128}),
    ("Chinese name", {"name": "云" * 64}),
    ("name for several", {"name": "x" * 59, "max_count": 2}),
    ("metadata", {"metadata": {"k" * 255: "x" * 255}}),
    ("a key with a space", {"metadata": {"a b": "x"}}),
    ("user data", {"user_data": base64.b64encode(b"x" * 32768).decode()}),
    ("disk size", devices(image_disk(volume_size=10))),
    ("what means nothing here", {"config_drive": "true", "accessIPv4": "1.2.3.4", "OS-DCF:diskConfig": "AUTO"}),
]


@pytest.mark.parametrize("changes", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_just_inside(stage: Stage, changes: dict[str, Any]) -> None:
    assert stage.call("createServer", native(**changes)).status == 202


@pytest.mark.parametrize("body", [{}, {"server": None}, {"server": []}, {"server": "x"}])
def test_a_body_without_a_server(stage: Stage, body: dict[str, Any]) -> None:
    assert stage.refused("createServer", body).status == 400


def test_secrets_are_not_repeated(stage: Stage) -> None:
    for changes in ({"adminPass": "canary!"}, {"user_data": "canary!"}, {"metadata": {"admin_pass": "canary"}}):
        assert "canary" not in str(stage.refused("createServer", native(**changes)))


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 40000)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from([NOWHERE, VOLUME, PORT]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["source_type", "destination_type", "uuid", "boot_index", "volume_size", "volume_type", "port", "fixed_ip", "name", "group"]
            ),
            inner | st.sampled_from(["volume", "image", "snapshot", "blank", "local"]),
        )
    ),
    max_leaves=8,
)
NAMES = (
    *("name", "imageRef", "flavorRef", "metadata", "adminPass", "block_device_mapping_v2", "security_groups", "networks", "key_name"),
    *("user_data", "availability_zone", "return_reservation_id", "min_count", "max_count", "OS-DCF:diskConfig", "description", "tags"),
    *("os:scheduler_hints", "personality", "other"),
)


@settings(max_examples=300, deadline=None)
@given(changes=st.dictionaries(st.sampled_from(NAMES), ODD, max_size=3), minor=st.sampled_from([1, 19, 37, 52, 60]))
def test_whatever_it_says_is_answered(changes: dict[str, Any], minor: int) -> None:
    stage = Stage()
    try:
        status = stage.call("createServer", native(**changes), version=(2, minor)).status
    except ApiError as refused:
        status = refused.status
    assert status in {202, 400, 403, 404, 409}
    assert bool(stage.project.servers) is (status == 202)
