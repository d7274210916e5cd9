"""Bodies of 6.2.1, and servers that are made of them."""

from __future__ import annotations

from typing import Any

from tests.unit.simulator.stage import IMAGE, SUBNET, Stage


def native(**changes: Any) -> dict[str, Any]:
    """A body of 6.2.1; a field set to None is left out."""
    server = {
        "name": "web",
        "flavorRef": "s3.large.2",
        "imageRef": IMAGE,
        "networks": [{"uuid": SUBNET}],
        "availability_zone": "eu-west-0a",
    }
    return {"server": {key: value for key, value in {**server, **changes}.items() if value is not None}}


def disk(source: str, **changes: Any) -> dict[str, Any]:
    return {"source_type": source, "destination_type": "volume", **changes}


def image_disk(**changes: Any) -> dict[str, Any]:
    return disk("image", **{"uuid": IMAGE, "boot_index": "0", "volume_size": "40", "volume_type": "SAS", **changes})


def make(stage: Stage, *, version: tuple[int, int] | None = (2, 26), **changes: Any) -> str:
    """A server that was made natively and has had its time."""
    reply = stage.call("createServer", native(**changes), version=version)
    assert reply.status == 202
    stage.pass_time(600)
    return str(reply.body["server"]["id"])


def volume_of_image(stage: Stage, **changes: Any) -> str:
    """A volume that can be booted from."""
    order = {"size": 40, "imageRef": IMAGE, "volume_type": "SSD", "availability_zone": "eu-west-0a", **changes}
    volume_id = str(stage.call("createVolume", {"volume": order}).body["volume"]["id"])
    stage.pass_time(60)
    return volume_id


def snapshot_of(stage: Stage, volume_id: str) -> str:
    body = {"snapshot": {"volume_id": volume_id, "force": True}}
    snapshot_id = str(stage.call("createSnapshot", body).body["snapshot"]["id"])
    stage.pass_time(60)
    return snapshot_id
