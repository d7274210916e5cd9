"""5.6: attaching and detaching volumes, and how it shows in 5.6.3, 6.8 and 11.4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ecs_simulator.seed import default_seed
from ecs_simulator.world import World
from tests.unit.simulator.stage import NOWHERE, VOLUME, WINDOWS, Stage, ids, request


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
    stage.world.flavors[stage.project.servers[server_id].flavor_id].max_data_volumes = 0


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
    for count in ({"count": 59}, {"count": "1"}, {}):
        wanted = {"volume_type": "SSD", "hw:passthrough": "true", **count}
        assert stage.call("attachVolume", {"volumeAttachment": wanted, "dry_run": True}, server_id=server_id).status == 202
    assert stage.entries(resource="attachment") == []


DRY_RUNS: list[tuple[str, dict[str, Any], str]] = [
    ("no type", {"volume_type": None}, "Ecs.0005"),
    ("unknown type", {"volume_type": "TAPE"}, "Ecs.0043"),
    ("sold out in the zone", {"volume_type": "SAS"}, "Ecs.0044"),
    ("no device type", {"hw:passthrough": None}, "Ecs.0005"),
    ("count of nothing", {"count": 0}, "Ecs.0005"),
    ("more than the server takes", {"count": 60}, "Ecs.0104"),
    ("more than the quota", {"count": 9}, "Ecs.0021"),
]


@pytest.mark.parametrize(("changes", "code"), [case[1:] for case in DRY_RUNS], ids=[case[0] for case in DRY_RUNS])
def test_dry_runs_refused(stage: Stage, changes: dict[str, Any], code: str) -> None:
    server_id = stage.server()
    stage.world.disks_sold_out["SAS"] = ["eu-west-0a"]
    stage.project.quota.volumes = 10 if code == "Ecs.0021" else -1
    wanted = {"volume_type": "SSD", "count": 1, "hw:passthrough": "false", **changes}
    assert stage.code("attachVolume", {"volumeAttachment": wanted, "dry_run": True}, server_id=server_id) == (400, code)


def test_the_system_disk_leaves_a_stopped_server_only(stage: Stage) -> None:
    server_id = stage.server()
    (root, _) = attachments(stage, server_id)[0]
    assert stage.code("detachVolume", server_id=server_id, volume_id=root) == (400, "Ecs.0102")
    stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}))
    assert stage.code("detachVolume", server_id=server_id, volume_id=root, query={"delete_flag": "1"}) == (400, "Ecs.0102")
    assert stage.code("detachVolume", server_id=server_id, volume_id=root, query={"delete_flag": "2"}) == (400, "Ecs.0005")
    assert stage.ended(stage.call("detachVolume", server_id=server_id, volume_id=root))["status"] == "SUCCESS"
    assert attachments(stage, server_id) == []
    assert stage.code("startServers", {"os-start": {"servers": ids(server_id)}}) == (400, "Ecs.0105")


def test_a_system_disk_comes_back_to_its_place(stage: Stage) -> None:
    """A data disk does not slip into its slot; a bootable disk finds it by itself (5.6.1), natively it must be named (6.8.3)."""
    server_id = stage.stopped()
    (root, _) = attachments(stage, server_id)[0]
    stage.ended(stage.call("detachVolume", server_id=server_id, volume_id=root))
    stage.ended(attach(stage, server_id))
    assert attachments(stage, server_id) == [(VOLUME, "/dev/vdb")]
    stage.ended(attach(stage, server_id, volumeId=root))
    assert attachments(stage, server_id) == [(root, "/dev/vda"), (VOLUME, "/dev/vdb")]
    devices = stage.call("listBlockDevices", server_id=server_id).body["volumeAttachments"]
    assert [device["bootIndex"] for device in devices] == [0, 1]
    assert stage.ended(stage.call("startServers", {"os-start": {"servers": ids(server_id)}}))["status"] == "SUCCESS"


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
    assert stage.code("stopServer", {"os-stop": None}, server_id=server_id)[0] == 409


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


# Natively (6.8.3, 6.8.4)


def attach_natively(stage: Stage, server_id: str, **more: Any) -> Any:
    return stage.call("createVolumeAttachment", {"volumeAttachment": {"volumeId": VOLUME, **more}}, server_id=server_id)


def detach_natively(stage: Stage, server_id: str, *, force: bool = False) -> Any:
    return stage.call("deleteVolumeAttachment", server_id=server_id, volume_id=VOLUME, query={"delete_flag": "1"} if force else {})


def test_natively_there_and_back(stage: Stage) -> None:
    server_id = stage.server()
    reply = attach_natively(stage, server_id, device="/dev/sdc")
    assert reply.status == 200
    assert reply.body == {"volumeAttachment": {"id": VOLUME, "volumeId": VOLUME, "serverId": server_id, "device": "/dev/vdc"}}
    assert volume(stage)["status"] == "attaching"
    assert stage.code("createVolumeAttachment", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id)[0] == 409
    stage.pass_time(1)
    assert volume(stage)["status"] == "in-use"
    assert detach_natively(stage, server_id)[:2] == (202, None)
    assert volume(stage)["status"] == "detaching"
    stage.pass_time(1)
    assert volume(stage)["status"] == "available"
    assert stage.code("deleteVolumeAttachment", server_id=server_id, volume_id=VOLUME)[0] == 404


def bootable(stage: Stage, _: str) -> None:
    stage.project.volumes[VOLUME].bootable = True


def locked(stage: Stage, server_id: str) -> None:
    stage.call("lockServer", {"lock": None}, server_id=server_id)


def suspended(stage: Stage, server_id: str) -> None:
    stage.project.servers[server_id].vm_state = "suspended"


def paused(stage: Stage, server_id: str) -> None:
    stage.project.servers[server_id].vm_state = "paused"


def frozen(stage: Stage, _: str) -> None:
    stage.project.frozen = True


def as_it_is(_: Stage, __: str) -> None:
    """Nothing is prepared."""


NATIVE_REFUSALS: list[tuple[str, dict[str, Any], Callable[[Stage, str], object], int]] = [
    ("unknown", {"volumeId": NOWHERE}, as_it_is, 404),
    ("none named", {"volumeId": None}, as_it_is, 400),
    ("an unknown field", {"mode": "ro"}, as_it_is, 400),
    ("a tag before 2.49", {"tag": "data"}, as_it_is, 400),
    ("in another zone", {}, elsewhere, 400),
    ("on another server", {}, on_another, 400),
    ("on this server", {}, on_this, 400),
    ("no slot", {}, full, 403),
    ("device in use", {"device": "/dev/vda"}, as_it_is, 409),
    ("no device", {"device": "first"}, as_it_is, 400),
    ("a device that is a number", {"device": 2}, as_it_is, 400),
    ("beyond vdx", {"device": "/dev/vdy"}, as_it_is, 400),
    ("two letters", {"device": "/dev/vdaa"}, as_it_is, 400),
    ("bootable without device", {}, bootable, 400),
    ("locked", {}, locked, 409),
    ("suspended", {}, suspended, 409),
    ("paused", {}, paused, 409),
    ("frozen", {}, frozen, 403),
]


@pytest.mark.parametrize(("more", "prepare", "status"), [case[1:] for case in NATIVE_REFUSALS], ids=[case[0] for case in NATIVE_REFUSALS])
def test_native_refusals(stage: Stage, more: dict[str, Any], prepare: Callable[[Stage, str], object], status: int) -> None:
    server_id = stage.server()
    prepare(stage, server_id)
    before = len(stage.entries(resource="attachment"))
    error = stage.refused("createVolumeAttachment", {"volumeAttachment": {"volumeId": VOLUME, **more}}, server_id=server_id)
    assert (error.status, error.nova) == (status, True)
    assert len(stage.entries(resource="attachment")) == before


@pytest.mark.parametrize("device", ["/dev/vdb", "/dev/vdx", "/dev/sdx", "/dev/xvdb", None])
def test_native_devices(stage: Stage, device: str | None) -> None:
    server_id = stage.server()
    attach_natively(stage, server_id, device=device)
    assert attachments(stage, server_id)[1][1] == f"/dev/vd{device[-1] if device else 'b'}"


def test_scsi_disks_go_beyond_vdx(stage: Stage) -> None:
    stage.project.volumes[VOLUME].scsi = True
    server_id = stage.server()
    attach_natively(stage, server_id, device="/dev/vdy")
    assert attachments(stage, server_id)[1][1] == "/dev/vdy"
    assert stage.call("showBlockDevice", server_id=server_id, volume_id=VOLUME).body["volumeAttachment"]["bus"] == "scsi"


def test_a_bootable_disk_is_attached_where_it_is_told(stage: Stage) -> None:
    server_id = stage.server()
    bootable(stage, server_id)
    attach_natively(stage, server_id, device="/dev/vdb")
    assert attachments(stage, server_id)[1][1] == "/dev/vdb"


@pytest.mark.parametrize("flavor", ["s3.small.1", "s3.large.2"])
def test_data_disks_that_a_flavor_takes(stage: Stage, flavor: str) -> None:
    most = 23 if flavor == "s3.small.1" else 59
    disks = [{"volumetype": "SATA", "size": 10}] * most
    assert stage.code("createServers", request(flavorRef=flavor, data_volumes=[*disks, disks[0]])) == (400, "Ecs.0042")
    server_id = stage.server(flavorRef=flavor, data_volumes=disks)
    assert stage.code("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id) == (400, "Ecs.0104")
    assert [device for _, device in attachments(stage, server_id)][-1] == ("/dev/vdx" if most == 23 else "/dev/vdbh")
    addresses = [row["pciAddress"] for row in stage.call("listBlockDevices", server_id=server_id).body["volumeAttachments"]]
    assert len(set(addresses)) == most + 1


def test_what_a_detach_by_force_leaves_behind(stage: Stage) -> None:
    """6.8.4: device and slot stay taken, until the server boots again."""
    server_id = stage.server()
    stage.world.flavors["s3.large.2"].max_data_volumes = 2
    attach_natively(stage, server_id)
    stage.pass_time(1)
    assert detach_natively(stage, server_id, force=True).status == 202
    stage.pass_time(1)
    assert volume(stage)["status"] == "available"
    body = {"volumeAttachment": {"volumeId": VOLUME, "device": "/dev/vdb"}}
    assert stage.code("createVolumeAttachment", body, server_id=server_id)[0] == 409
    attach_natively(stage, server_id)
    assert attachments(stage, server_id)[1][1] == "/dev/vdc"
    stage.pass_time(1)
    detach_natively(stage, server_id, force=True)
    stage.pass_time(1)
    assert stage.code("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id) == (400, "Ecs.0104")
    stage.ended(stage.call("rebootServers", {"reboot": {"type": "SOFT", "servers": ids(server_id)}}))
    attach_natively(stage, server_id)
    assert attachments(stage, server_id)[1][1] == "/dev/vdb"


UNFORCED: list[tuple[str, Callable[[Stage, str], object]]] = [
    ("a stopped server", lambda stage, server_id: stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}))),
    ("a SCSI disk", lambda stage, _: setattr(stage.project.volumes[VOLUME], "scsi", True)),
    ("a XEN server", lambda stage, _: xen(stage)),
]


def xen(stage: Stage) -> None:
    stage.world.flavors["s3.large.2"].specs["ecs:virtualization_env_types"] = "FusionCompute"


@pytest.mark.parametrize("prepare", [case[1] for case in UNFORCED], ids=[case[0] for case in UNFORCED])
def test_where_force_is_nothing_special(stage: Stage, prepare: Callable[[Stage, str], object]) -> None:
    """6.8.4: only VBD disks of a running KVM server are detached by force."""
    server_id = stage.server()
    stage.ended(attach(stage, server_id))
    prepare(stage, server_id)
    detach_natively(stage, server_id, force=True)
    stage.pass_time(1)
    assert volume(stage)["status"] == "available"
    assert stage.project.servers[server_id].stuck_devices == []


@pytest.mark.parametrize(("wanted", "shown"), [("/dev/sdb", "/dev/sdb"), ("/dev/vdc", "/dev/sdc")])
def test_devices_on_xen(stage: Stage, wanted: str, shown: str) -> None:
    xen(stage)
    server_id = stage.server()
    assert stage.code("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id) == (400, "Ecs.0005")
    stage.ended(attach(stage, server_id, device=wanted))
    assert [device for _, device in attachments(stage, server_id)] == ["/dev/sda", shown]


def test_scsi_disks_leave_a_running_windows_server_never(stage: Stage) -> None:
    server_id = stage.server(imageRef=WINDOWS, adminPass="Lab-Passw0rd!", key_name=None)
    stage.project.volumes[VOLUME].scsi = True
    stage.ended(attach(stage, server_id))
    assert stage.code("deleteVolumeAttachment", server_id=server_id, volume_id=VOLUME)[0] == 409
    assert stage.code("detachVolume", server_id=server_id, volume_id=VOLUME) == (400, "Ecs.0100")
    stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}))
    assert stage.ended(stage.call("detachVolume", server_id=server_id, volume_id=VOLUME))["status"] == "SUCCESS"


def test_the_system_disk_natively(stage: Stage) -> None:
    server_id = stage.server()
    (root, _) = attachments(stage, server_id)[0]
    path: dict[str, Any] = {"server_id": server_id, "volume_id": root}
    assert stage.code("deleteVolumeAttachment", **path)[0] == 409
    stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}))
    assert stage.code("deleteVolumeAttachment", query={"delete_flag": "1"}, **path)[0] == 409
    assert stage.code("deleteVolumeAttachment", query={"delete_flag": "yes"}, **path)[0] == 400
    assert stage.call("deleteVolumeAttachment", **path).status == 202
    stage.pass_time(1)
    assert volume(stage, root)["status"] == "available"


def test_pages_of_attachments(stage: Stage) -> None:
    server_id = stage.server(data_volumes=[{"volumetype": "SATA", "size": 10}] * 3)
    rows = stage.call("listVolumeAttachments", server_id=server_id).body["volumeAttachments"]
    page = stage.call("listVolumeAttachments", server_id=server_id, query={"limit": "2", "offset": "1"}).body["volumeAttachments"]
    assert page == rows[1:3]


@pytest.mark.parametrize(("sold_out", "code"), [(["eu-west-0a"], "Ecs.0044"), (["eu-west-0b"], None)])
def test_types_that_a_zone_has(stage: Stage, sold_out: list[str], code: str | None) -> None:
    stage.world.disks_sold_out["SAS"] = sold_out
    for changes in ({"root_volume": {"volumetype": "SAS"}}, {"data_volumes": [{"volumetype": "SAS", "size": 10}]}):
        if code is None:
            stage.server(**changes)
        else:
            assert stage.code("createServers", request(**changes)) == (400, code)


@pytest.mark.parametrize(("size", "is_enough"), [(39, False), (40, True)])
def test_a_data_disk_is_no_smaller_than_its_image(stage: Stage, size: int, is_enough: bool) -> None:  # noqa: FBT001
    disks = [{"volumetype": "SSD", "size": size, "data_image_id": WINDOWS}]
    if is_enough:
        stage.server(data_volumes=disks)
    else:
        assert stage.code("createServers", request(data_volumes=disks)) == (400, "Ecs.0005")


@pytest.mark.parametrize(("disks", "fits"), [(23, True), (24, False)])
def test_a_flavor_that_takes_fewer_data_disks(stage: Stage, disks: int, fits: bool) -> None:  # noqa: FBT001
    server_id = stage.stopped(data_volumes=[{"volumetype": "SATA", "size": 10}] * disks)
    body = {"resize": {"flavorRef": "s3.small.1"}}
    if fits:
        assert stage.ended(stage.call("resizeServer", body, server_id=server_id))["status"] == "SUCCESS"
    else:
        assert stage.code("resizeServer", body, server_id=server_id) == (400, "Ecs.0042")


def seeded(**changes: Any) -> World:
    return World.from_seed({**default_seed(), **changes})


def test_types_of_disks_in_the_seed() -> None:
    world = seeded(diskTypes=["SATA", {"name": "SSD", "soldOut": ["eu-west-0b"]}, {"name": "SAS"}])
    assert (world.disk_types, world.disks_sold_out) == (("SATA", "SSD", "SAS"), {"SSD": ["eu-west-0b"]})


WRONG_TYPES: list[object] = [
    {"name": "SSD", "soldOut": ["az9"]},
    {"name": "SSD", "soldOut": "eu-west-0a"},
    {"name": "SSD", "zones": []},
    {},
    5,
]


@pytest.mark.parametrize("row", WRONG_TYPES, ids=repr)
def test_types_of_disks_that_make_no_sense(row: object) -> None:
    with pytest.raises(ValueError, match=r"diskTypes|a type of disks"):
        seeded(diskTypes=["SSD", row])
