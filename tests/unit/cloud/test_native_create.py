"""The native create request: what is refused before it is sent, how it renders, what it hides, and what its answer is read as."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ecs_operator.cloud import CloudError, CreatedServers, Meaning, NativeCreate, NativeDisk, NativeNetwork, Outcome, SchedulerHints

UUID = "157ee789-03ea-45b1-a698-76c92660dd83"


def request(**changes: Any) -> NativeCreate:
    fields = {"name": "web", "image_ref": UUID, "flavor_ref": "s3.large.2", "networks": (NativeNetwork(uuid=UUID),)}
    return NativeCreate(**(fields | changes))


def disk(source_type: str, **changes: Any) -> NativeDisk:
    return NativeDisk(source_type=source_type, **changes)


def volume(**changes: Any) -> NativeDisk:
    return disk("volume", uuid=UUID, **changes)


REFUSED: list[tuple[str, str, Any]] = [
    ("server.name", "no name", lambda: request(name="")),
    ("server.name", "a space", lambda: request(name="a b")),
    ("server.name", "129 characters", lambda: request(name="x" * 129)),
    ("server.name", "65 Chinese characters", lambda: request(name="云" * 65)),
    ("server", "60 characters for several", lambda: request(name="x" * 60, max_count=2)),
    ("server.flavorRef", "no flavor", lambda: request(flavor_ref="")),
    ("server.imageRef", "no UUID", lambda: request(image_ref="ubuntu")),
    ("server", "neither image nor disk", lambda: request(image_ref=None)),
    ("server", "a disk that does not boot", lambda: request(image_ref=None, disks=(volume(),))),
    ("server", "two that boot", lambda: request(disks=(volume(boot_index=0), volume(boot_index=0)))),
    ("server.networks", "no network", lambda: request(networks=())),
    ("server.networks", "13 networks", lambda: request(networks=(NativeNetwork(uuid=UUID),) * 13)),
    ("server.networks[]", "neither port nor network", NativeNetwork),
    ("server.networks[]", "both", lambda: NativeNetwork(port=UUID, uuid=UUID)),
    ("server.networks[]", "an address of a port", lambda: NativeNetwork(port=UUID, fixed_ip="10.0.0.9")),
    ("server.networks[].fixed_ip", "no address", lambda: NativeNetwork(uuid=UUID, fixed_ip="::1")),
    ("server.block_device_mapping_v2[].source_type", "unknown source", lambda: disk("tape", uuid=UUID)),
    ("server.block_device_mapping_v2[]", "a volume without an id", lambda: disk("volume")),
    ("server.block_device_mapping_v2[]", "a blank one with an id", lambda: disk("blank", uuid=UUID, volume_size=10)),
    ("server.block_device_mapping_v2[]", "an image without a size", lambda: disk("image", uuid=UUID)),
    ("server.block_device_mapping_v2[]", "a blank one without a size", lambda: disk("blank")),
    ("server.block_device_mapping_v2[]", "a blank one to boot from", lambda: disk("blank", volume_size=10, boot_index=0)),
    ("server.block_device_mapping_v2[].boot_index", "boot index 1", lambda: volume(boot_index=1)),
    ("server.block_device_mapping_v2[].volume_size", "no size", lambda: disk("blank", volume_size=0)),
    ("server.block_device_mapping_v2[].destination_type", "local", lambda: volume(destination_type="local")),
    ("server.metadata", "a key with a space", lambda: request(metadata={"a b": "c"})),
    ("server.metadata", "a key of 256 bytes", lambda: request(metadata={"k" * 256: "x"})),
    ("server.metadata", "a value of 256 bytes", lambda: request(metadata={"k": "ü" * 128})),
    ("server.adminPass", "weak", lambda: request(admin_pass="weak")),
    ("server.user_data", "no base64", lambda: request(user_data="#!")),
    ("server.user_data", "32769 bytes", lambda: request(user_data=base64.b64encode(b"x" * 32769).decode())),
    ("server.description", "86 characters", lambda: request(description="x" * 86)),
    ("server.description", "a bracket", lambda: request(description="<b>")),
    ("server.min_count", "none", lambda: request(min_count=0)),
    ("server.max_count", "501", lambda: request(max_count=501)),
    ("server", "fewest above most", lambda: request(min_count=3, max_count=2)),
    ("server", "several of a volume", lambda: request(disks=(volume(),), max_count=2)),
    ("server", "several on a port", lambda: request(networks=(NativeNetwork(port=UUID),), min_count=2)),
    ("server", "several at an address", lambda: request(networks=(NativeNetwork(uuid=UUID, fixed_ip="10.0.0.9"),), max_count=2)),
]


@pytest.mark.parametrize(("field", "make"), [(case[0], case[2]) for case in REFUSED], ids=[case[1] for case in REFUSED])
def test_refused(field: str, make: Any) -> None:
    with pytest.raises(CloudError) as caught:
        make()
    error = caught.value
    assert error.message.startswith((f"{field}: ", f"{field}."))
    assert (error.meaning, error.outcome, error.failure.operation) == (Meaning.INVALID, Outcome.NOT_SENT, "createServer")


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("128 characters", {"name": "x" * 128}),
    ("64 Chinese characters", {"name": "云" * 64}),
    ("59 characters for several", {"name": "x" * 59, "max_count": 500}),
    ("12 networks", {"networks": (NativeNetwork(uuid=UUID),) * 12}),
    ("a boot volume alone", {"image_ref": None, "disks": (volume(boot_index=0),)}),
    ("255 bytes", {"metadata": {"k" * 255: "x" * 255}}),
    ("32768 bytes", {"user_data": base64.b64encode(b"x" * 32768).decode()}),
    ("85 characters", {"description": "x" * 85}),
    ("several of an image", {"disks": (disk("image", uuid=UUID, volume_size=10, boot_index=0),), "min_count": 2}),
]


@pytest.mark.parametrize("changes", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_just_inside(changes: dict[str, Any]) -> None:
    assert request(**changes).body()["server"]


def test_hints_stand_beside_the_server() -> None:
    body = request(scheduler_hints=SchedulerHints(group=UUID)).body()
    assert body["os:scheduler_hints"] == {"group": UUID}
    assert set(request().body()) == {"server"}


def test_secrets_are_hidden() -> None:
    data = base64.b64encode(b"canary").decode()
    hidden = request(admin_pass="Canary-123", user_data=data, metadata={"admin_pass": "Canary-2"})
    assert "anary" not in repr(hidden) + str(hidden)
    assert data not in repr(hidden)
    assert hidden.secrets() == ("Canary-123", data, "Canary-2")
    answer = CreatedServers.model_validate({"server": {"id": "s", "adminPass": "Canary-3"}})
    assert answer.server is not None
    assert (answer.server.id, answer.server.admin_pass, answer.reservation_id) == ("s", "Canary-3", "")
    assert "Canary" not in repr(answer)
