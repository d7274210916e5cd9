"""5.6: attaching and detaching volumes, and how it shows in 5.6.3, 6.8 and 11.4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.simulator.stage import NOWHERE, VOLUME, Stage, ids


def attach(stage: Stage, server_id: str, **more: Any) -> Any:
    return stage.call("attachVolume", {"volumeAttachment": {"volumeId": VOLUME, **more}}, server_id=server_id)


def volume(stage: Stage, volume_id: str = VOLUME) -> Any:
    return stage.call("showVolume", volume_id=volume_id).body["volume"]


def attachments(stage: Stage, server_id: str) -> list[tuple[str, str]]:
    rows = stage.call("listVolumeAttachments", server_id=server_id).body["volumeAttachments"]
    return [(row["volumeId"], row["device"]) for row in rows]


def test_there_and_back(stage: Stage) -> None:
    server_id = stage.server()
    (root, _) = attachments(stage, server_id)[0]
    reply = attach(stage, server_id)
    assert volume(stage)["status"] == "attaching"
    assert attachments(stage, server_id) == [(root, "/dev/vda"), (VOLUME, "/dev/vdb")]
    job = stage.ended(reply)
    assert (job["status"], job["job_type"], job["entities"]) == ("SUCCESS", "attachVolume", {"server_id": server_id, "volume_id": VOLUME})
    assert (volume(stage)["status"], volume(stage)["attachments"][0]["serverId"]) == ("in-use", server_id)
    assert stage.call("showVolumeAttachment", server_id=server_id, volume_id=VOLUME).body["volumeAttachment"]["device"] == "/dev/vdb"
    device = stage.call("showBlockDevice", server_id=server_id, volume_id=VOLUME).body["volumeAttachment"]
    assert (device["bootIndex"], device["size"], device["pciAddress"]) == (1, 10, "0000:02:02.0")
    assert [each["id"] for each in stage.show(server_id)["os-extended-volumes:volumes_attached"]] == [root, VOLUME]

    reply = stage.call("detachVolume", server_id=server_id, volume_id=VOLUME, query={"delete_flag": "1"})
    assert volume(stage)["status"] == "detaching"
    assert stage.ended(reply)["status"] == "SUCCESS"
    assert (volume(stage)["status"], volume(stage)["attachments"]) == ("available", [])
    for name in ("showVolumeAttachment", "showBlockDevice"):
        assert stage.code(name, server_id=server_id, volume_id=VOLUME)[0] == 404
    assert [entry["action"] for entry in stage.entries(resource="attachment")] == ["attach", "detach"]


@pytest.mark.parametrize(
    ("device", "shown"), [("/dev/vdc", "/dev/vdc"), ("/dev/sdf", "/dev/vdf"), ("/dev/xvdb", "/dev/vdb"), ("", "/dev/vdb")]
)
def test_devices(stage: Stage, device: str, shown: str) -> None:
    server_id = stage.server()
    stage.ended(attach(stage, server_id, device=device))
    assert attachments(stage, server_id)[1] == (VOLUME, shown)


def elsewhere(stage: Stage, _: str) -> None:
    stage.project.volumes[VOLUME].zone = "eu-west-0b"


def on_another(stage: Stage, _: str) -> None:
    stage.ended(attach(stage, stage.server(name="other")))


def on_this(stage: Stage, server_id: str) -> None:
    stage.ended(attach(stage, server_id))


def full(stage: Stage, server_id: str) -> None:
    stage.project.servers[server_id].volume_ids += [str(number) for number in range(59)]


REFUSALS: list[tuple[str, dict[str, Any], Callable[[Stage, str], object], str]] = [
    ("unknown", {"volumeId": NOWHERE}, lambda _, __: None, "Ecs.0103"),
    ("in another zone", {}, elsewhere, "Ecs.0121"),
    ("on another server", {}, on_another, "Ecs.0103"),
    ("on this server", {}, on_this, "Ecs.0057"),
    ("no slot", {}, full, "Ecs.0104"),
    ("device in use", {"device": "/dev/vda"}, lambda _, __: None, "Ecs.0005"),
    ("no device", {"device": "first"}, lambda _, __: None, "Ecs.0005"),
    ("none named", {"volumeId": None}, lambda _, __: None, "Ecs.0005"),
]


@pytest.mark.parametrize(("more", "prepare", "code"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_refusals(stage: Stage, more: dict[str, Any], prepare: Callable[[Stage, str], object], code: str) -> None:
    server_id = stage.server()
    prepare(stage, server_id)
    body = {"volumeAttachment": {"volumeId": VOLUME, **more}}
    assert stage.code("attachVolume", body, server_id=server_id) == (400, code)
    assert stage.code("attachVolume", {**body, "dry_run": True}, server_id=server_id) == (400, code)


def test_a_dry_run_for_a_volume_that_is_not_made_yet(stage: Stage) -> None:
    server_id = stage.server()
    wanted = {"volume_type": "SSD", "count": 5, "hw:passthrough": "true"}
    assert stage.call("attachVolume", {"volumeAttachment": wanted, "dry_run": True}, server_id=server_id).status == 202
    wanted = {"volume_type": "TAPE"}
    assert stage.code("attachVolume", {"volumeAttachment": wanted, "dry_run": True}, server_id=server_id) == (400, "Ecs.0043")


def test_the_system_disk_leaves_a_stopped_server_only(stage: Stage) -> None:
    server_id = stage.server()
    (root, _) = attachments(stage, server_id)[0]
    assert stage.code("detachVolume", server_id=server_id, volume_id=root) == (400, "Ecs.0102")
    stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}))
    assert stage.code("detachVolume", server_id=server_id, volume_id=root, query={"delete_flag": "1"}) == (400, "Ecs.0102")
    assert stage.code("detachVolume", server_id=server_id, volume_id=root, query={"delete_flag": "2"}) == (400, "Ecs.0005")
    assert stage.ended(stage.call("detachVolume", server_id=server_id, volume_id=root))["status"] == "SUCCESS"
    assert attachments(stage, server_id) == []


@pytest.mark.parametrize(("job_type", "status"), [("attachVolume", "available"), ("detachVolume", "in-use")])
def test_what_fails_leaves_things_as_they_were(stage: Stage, job_type: str, status: str) -> None:
    server_id = stage.server()
    if job_type == "detachVolume":
        stage.ended(attach(stage, server_id))
    stage.world.fail_next_job(stage.project.id, job_type=job_type, code="Ecs.0205", reason="no", leave="nothing")
    reply = attach(stage, server_id) if job_type == "attachVolume" else stage.call("detachVolume", server_id=server_id, volume_id=VOLUME)
    assert stage.ended(reply)["error_code"] == "Ecs.0205"
    assert volume(stage)["status"] == status
    assert len(attachments(stage, server_id)) == (1 if status == "available" else 2)


def test_one_command_at_a_time(stage: Stage) -> None:
    server_id = stage.server()
    attach(stage, server_id)
    assert stage.code("stopServers", {"os-stop": {"servers": ids(server_id)}}) == (501, "Ecs.0603")
    assert stage.show(server_id)["OS-EXT-STS:task_state"] is None
    assert stage.code("updateServerMetadata", {"metadata": {"a": "b"}}, server_id=server_id)[0] == 409


def test_lists_of_volumes(stage: Stage) -> None:
    stage.server(data_volumes=[{"volumetype": "SATA", "size": 20}])
    rows = stage.call("listVolumesDetails").body["volumes"]
    assert [(row["size"], row["volumeType"], row["status"]) for row in rows] == [
        (10, "SSD", "available"),
        (40, "SSD", "in-use"),
        (20, "SATA", "in-use"),
    ]
    assert stage.call("listVolumes", query={"limit": "1", "offset": "1"}).body["volumes"] == [rows[1]]
    assert stage.code("showVolume", volume_id=NOWHERE)[0] == 404
