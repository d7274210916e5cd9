"""11.4.4, 11.4.5, 11.6: volumes and snapshots on their own, and what holds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_simulator.call import ApiError, Call
from tests.unit.simulator.stage import BY_NAME, IMAGE, NOWHERE, VOLUME, WINDOWS, Answer, Stage, ids

OLD, GONE = (2, 35), (2, 36)


def create(stage: Stage, **fields: Any) -> Any:
    """The answer of 11.4.4; a field set to None is sent as null."""
    return stage.call("createVolume", {"volume": {"size": 20, "display_name": "data", **fields}}).body["volume"]


def made(stage: Stage, **fields: Any) -> str:
    """A new volume, when it is over."""
    row = create(stage, **fields)
    stage.pass_time(1)
    return str(row["id"])


def show(stage: Stage, volume_id: str) -> Any:
    return stage.call("showVolume", volume_id=volume_id).body["volume"]


def snapshot(stage: Stage, volume_id: str = VOLUME, **fields: Any) -> str:
    """A new snapshot, when it is over."""
    row = stage.call("createSnapshot", {"snapshot": {"volume_id": volume_id, "display_name": "snap", **fields}}).body["snapshot"]
    stage.pass_time(1)
    return str(row["id"])


def test_a_volume_from_first_to_last(stage: Stage) -> None:
    row = create(stage, availability_zone="eu-west-0a", volume_type="SSD", display_description="d", metadata={"a": "b"}, snapshot_id=None)
    assert row == {
        "id": row["id"],
        "displayName": "data",
        "displayDescription": "d",
        "status": "creating",
        "size": 20,
        "volumeType": "SSD",
        "availabilityZone": "eu-west-0a",
        "createdAt": row["createdAt"],
        "snapshotId": None,
        "metadata": {"a": "b", "resourceSpecCode": "SSD"},
        "attachments": [{}],
    }
    volume_id = row["id"]
    server_id = stage.server()
    assert show(stage, volume_id) == {**row, "status": "available", "attachments": []}
    assert [each["id"] for each in stage.call("listVolumes").body["volumes"]][1] == volume_id

    body = {"volumeAttachment": {"volumeId": volume_id}}
    stage.ended(stage.call("attachVolume", body, server_id=server_id))
    assert show(stage, volume_id)["status"] == "in-use"
    assert stage.code("deleteVolume", volume_id=volume_id)[0] == 400
    stage.ended(stage.call("detachVolume", server_id=server_id, volume_id=volume_id))

    assert stage.call("deleteVolume", volume_id=volume_id)[:2] == (202, None)
    assert show(stage, volume_id)["status"] == "deleting"
    assert stage.code("deleteVolume", volume_id=volume_id)[0] == 400
    assert stage.code("attachVolume", body, server_id=server_id) == (400, "Ecs.0103")
    stage.pass_time(1)
    assert stage.code("showVolume", volume_id=volume_id)[0] == 404
    assert stage.code("deleteVolume", volume_id=volume_id)[0] == 404
    entries = [entry["action"] for entry in stage.entries(resource="volume") if entry["id"] == volume_id]
    assert entries == ["create", "delete-requested", "delete"]


def test_the_address_of_a_new_volume(stage: Stage) -> None:
    call = Call(
        world=stage.world,
        project=stage.project,
        user_id="u",
        path={},
        query={},
        headers={"host": "cloud.test"},
        body={"volume": {"size": 1}},
        microversion=(2, 1),
        request_id="req-1",
    )
    reply = BY_NAME["createVolume"].handler(call)
    assert reply.body is not None
    assert reply.headers["Location"] == f"http://cloud.test/v2.1/{stage.project.id}/os-volumes/{reply.body['volume']['id']}"


def test_a_volume_that_is_not_made_yet_cannot_be_attached(stage: Stage) -> None:
    server_id = stage.server()
    body = {"volumeAttachment": {"volumeId": create(stage)["id"]}}
    assert stage.code("attachVolume", body, server_id=server_id) == (400, "Ecs.0103")
    assert stage.code("createVolumeAttachment", body, server_id=server_id)[0] == 400


def test_what_is_left_out_is_chosen(stage: Stage) -> None:
    row = create(stage, display_name=None)
    assert (row["displayName"], row["displayDescription"]) == ("", None)
    assert (row["availabilityZone"], row["volumeType"]) == ("eu-west-0a", "SATA")


def test_a_zone_that_does_not_exist(stage: Stage) -> None:
    """11.4.4: the call is accepted, and the volume ends in status error; 11.4.5 deletes it then."""
    row = create(stage, availability_zone="az9")
    assert row["status"] == "creating"
    stage.pass_time(1)
    assert show(stage, row["id"])["status"] == "error"
    assert stage.call("deleteVolume", volume_id=row["id"]).status == 202


SIZES = [
    (1, True),
    ("32768", True),
    (0, False),
    (-1, False),
    (32769, False),
    (1.5, False),
    ("big", False),
    ("--5", False),
    (True, False),
    (None, False),
]


@pytest.mark.parametrize(("size", "fits"), SIZES, ids=[repr(size) for size, _ in SIZES])
def test_sizes(stage: Stage, size: object, fits: bool) -> None:  # noqa: FBT001
    if fits:
        assert create(stage, size=size)["size"] == int(str(size))
    else:
        assert stage.code("createVolume", {"volume": {"size": size}}) == (400, "Ecs.0005")


def frozen(stage: Stage) -> None:
    stage.project.frozen = True


def sold_out(stage: Stage) -> None:
    stage.world.disks_sold_out["SSD"] = ["eu-west-0b"]


def quota(**changes: int) -> Callable[[Stage], None]:
    def prepare(stage: Stage) -> None:
        stage.project.quota.change(changes)

    return prepare


def as_it_is(_: Stage) -> None:
    """Nothing is prepared."""


ADMISSION: list[tuple[str, dict[str, Any], Callable[[Stage], None], int | None]] = [
    ("a name of 255", {"display_name": "n" * 255}, as_it_is, None),
    ("a name of 256", {"display_name": "n" * 256}, as_it_is, 400),
    ("a description of 256", {"display_description": "n" * 256}, as_it_is, 400),
    ("a name that is no text", {"display_name": ["n"]}, as_it_is, 400),
    ("metadata of 255", {"metadata": {"k" * 255: "v" * 255}}, as_it_is, None),
    ("metadata with a longer value", {"metadata": {"k": "v" * 256}}, as_it_is, 400),
    ("metadata with a longer key", {"metadata": {"k" * 256: "v"}}, as_it_is, 400),
    ("metadata that is no object", {"metadata": "k"}, as_it_is, 400),
    ("an unknown field", {"multiattach": True}, as_it_is, 400),
    ("an unknown type", {"volume_type": "TAPE"}, as_it_is, 400),
    ("a type that is sold out", {"volume_type": "SSD", "availability_zone": "eu-west-0b"}, sold_out, 400),
    ("a type that is sold out elsewhere", {"volume_type": "SSD", "availability_zone": "eu-west-0a"}, sold_out, None),
    ("an unknown snapshot", {"snapshot_id": NOWHERE}, as_it_is, 404),
    ("an unknown image", {"imageRef": NOWHERE}, as_it_is, 400),
    ("an image that needs more", {"imageRef": WINDOWS}, as_it_is, 400),
    ("the last volume of the quota", {}, quota(volumes=2), None),
    ("one volume too many", {}, quota(volumes=1), 403),
    ("the last gigabyte of the quota", {}, quota(gigabytes=30), None),
    ("one gigabyte too many", {}, quota(gigabytes=29), 403),
    ("a frozen account", {}, frozen, 403),
]


@pytest.mark.parametrize(("fields", "prepare", "status"), [case[1:] for case in ADMISSION], ids=[case[0] for case in ADMISSION])
def test_volumes_that_may_be_made(stage: Stage, fields: dict[str, Any], prepare: Callable[[Stage], None], status: int | None) -> None:
    prepare(stage)
    if status is None:
        assert stage.project.volumes[made(stage, **fields)].status == "available"
        return
    error = stage.refused("createVolume", {"volume": {"size": 20, **fields}})
    assert (error.status, error.nova) == (status, True)
    assert list(stage.project.volumes) == [VOLUME]


@pytest.mark.parametrize("body", [None, [], {}, {"volume": None}, {"volume": []}, {"volume": {}}])
def test_bodies_without_a_volume(stage: Stage, body: object) -> None:
    assert stage.code("createVolume", body)[0] == 400


def test_a_volume_from_an_image_can_be_booted(stage: Stage) -> None:
    server_id = stage.server()
    volume_id = made(stage, imageRef=IMAGE)
    assert stage.project.volumes[volume_id].image_id == IMAGE
    assert stage.code("createVolumeAttachment", {"volumeAttachment": {"volumeId": volume_id}}, server_id=server_id)[0] == 400


DELETABLE = [("available", True), ("error", True), ("error_restoring", True), ("error_extending", True)]
KEPT = [(status, False) for status in ("creating", "in-use", "attaching", "detaching", "deleting", "retyping", "error_deleting")]


@pytest.mark.parametrize(("status", "goes"), [*DELETABLE, *KEPT])
def test_states_in_which_a_volume_is_deleted(stage: Stage, status: str, goes: bool) -> None:  # noqa: FBT001
    stage.project.volumes[VOLUME].status = status
    if goes:
        assert stage.call("deleteVolume", volume_id=VOLUME).status == 202
    else:
        assert stage.code("deleteVolume", volume_id=VOLUME)[0] == 400


@pytest.mark.parametrize(
    ("name", "status"),
    [("createVolume", "error"), ("deleteVolume", "error_deleting"), ("createSnapshot", "error"), ("deleteSnapshot", "error_deleting")],
)
def test_what_fails_says_so(stage: Stage, name: str, status: str) -> None:
    snapshot_id = snapshot(stage) if "Snapshot" in name else ""
    stage.world.fail_next_job(stage.project.id, job_type=name, code="Ecs.1300", reason="no", leave="nothing")
    if name == "createVolume":
        assert show(stage, made(stage))["status"] == status
    elif name == "deleteVolume":
        stage.call(name, volume_id=VOLUME)
        stage.pass_time(1)
        assert show(stage, VOLUME)["status"] == status
    else:
        if name == "createSnapshot":
            snapshot_id = snapshot(stage)
        else:
            stage.call(name, snapshot_id=snapshot_id)
            stage.pass_time(1)
        assert stage.call("showSnapshot", snapshot_id=snapshot_id).body["snapshot"]["status"] == status


# Snapshots


def test_a_snapshot_from_first_to_last(stage: Stage) -> None:
    reply = stage.call("createSnapshot", {"snapshot": {"volume_id": VOLUME, "display_name": "snap", "display_description": None}})
    row = reply.body["snapshot"]
    assert reply.status == 200
    assert row == {
        "id": row["id"],
        "status": "creating",
        "displayName": "snap",
        "displayDescription": None,
        "createdAt": row["createdAt"],
        "volumeId": VOLUME,
        "size": 10,
    }
    assert stage.code("createVolume", {"volume": {"snapshot_id": row["id"]}})[0] == 400
    assert stage.code("deleteSnapshot", snapshot_id=row["id"])[0] == 400
    stage.pass_time(1)
    assert stage.call("showSnapshot", snapshot_id=row["id"]).body["snapshot"] == {**row, "status": "available"}
    assert stage.code("deleteVolume", volume_id=VOLUME)[0] == 400
    assert stage.call("deleteSnapshot", snapshot_id=row["id"])[:2] == (202, None)
    assert stage.call("showSnapshot", snapshot_id=row["id"]).body["snapshot"]["status"] == "deleting"
    stage.pass_time(1)
    assert stage.code("showSnapshot", snapshot_id=row["id"])[0] == 404
    assert stage.code("deleteSnapshot", snapshot_id=row["id"])[0] == 404
    assert stage.call("deleteVolume", volume_id=VOLUME).status == 202
    assert [entry["action"] for entry in stage.entries(resource="snapshot")] == ["create", "delete-requested", "delete"]


def test_a_volume_from_a_snapshot(stage: Stage) -> None:
    """It is as its snapshot is: size, type and zone, unless it is to be greater; it outlives the snapshot."""
    snapshot_id = snapshot(stage)
    row = show(stage, made(stage, snapshot_id=snapshot_id, size=None))
    assert (row["snapshotId"], row["size"], row["volumeType"], row["availabilityZone"]) == (snapshot_id, 10, "SSD", "eu-west-0a")
    assert create(stage, snapshot_id=snapshot_id, size=11)["size"] == 11
    assert stage.code("createVolume", {"volume": {"snapshot_id": snapshot_id, "size": 9}})[0] == 400
    assert stage.code("createVolume", {"volume": {"snapshot_id": snapshot_id, "availability_zone": "eu-west-0b"}})[0] == 400
    assert stage.code("createVolume", {"volume": {"snapshot_id": snapshot_id, "imageRef": IMAGE}})[0] == 400
    stage.call("deleteSnapshot", snapshot_id=snapshot_id)
    stage.pass_time(1)
    assert show(stage, row["id"])["status"] == "available"


SNAPSHOTS: list[tuple[str, dict[str, Any], Callable[[Stage], None], int | None]] = [
    ("unnamed", {"display_name": None}, as_it_is, None),
    ("a name of 255 bytes", {"display_name": "云" * 85}, as_it_is, None),
    ("a name of 256 bytes", {"display_name": "云" * 85 + "n"}, as_it_is, 400),
    ("a description of 256 bytes", {"display_description": "d" * 256}, as_it_is, 400),
    ("a name of backups", {"display_name": "autobk_snapshot_1"}, as_it_is, 400),
    ("a name nearly of backups", {"display_name": "my_autobk_snapshot"}, as_it_is, None),
    ("force that is no Boolean", {"force": "perhaps"}, as_it_is, 400),
    ("an unknown field", {"metadata": {}}, as_it_is, 400),
    ("an unknown volume", {"volume_id": NOWHERE}, as_it_is, 404),
    ("no volume", {"volume_id": None}, as_it_is, 400),
    ("the last of the quota", {}, quota(snapshots=1), None),
    ("one too many", {}, quota(snapshots=0), 403),
    ("a frozen account", {}, frozen, 403),
]


@pytest.mark.parametrize(("fields", "prepare", "status"), [case[1:] for case in SNAPSHOTS], ids=[case[0] for case in SNAPSHOTS])
def test_snapshots_that_may_be_made(stage: Stage, fields: dict[str, Any], prepare: Callable[[Stage], None], status: int | None) -> None:
    prepare(stage)
    if status is None:
        assert stage.project.snapshots[snapshot(stage, **fields)].status == "available"
        return
    assert stage.code("createSnapshot", {"snapshot": {"volume_id": VOLUME, **fields}})[0] == status
    assert stage.project.snapshots == {}


@pytest.mark.parametrize(
    ("status", "force", "is_made"),
    [
        ("available", False, True),
        ("available", True, True),
        ("in-use", False, False),
        ("in-use", True, True),
        ("creating", True, False),
        ("attaching", True, False),
        ("error", True, False),
        ("deleting", True, False),
    ],
)
def test_states_in_which_a_snapshot_is_made(stage: Stage, status: str, force: bool, is_made: bool) -> None:  # noqa: FBT001
    stage.project.volumes[VOLUME].status = status
    body = {"snapshot": {"volume_id": VOLUME, "force": force}}
    if is_made:
        assert stage.call("createSnapshot", body).status == 200
    else:
        assert stage.code("createSnapshot", body)[0] == 400


def test_a_system_disk_with_snapshots_outlives_its_server(stage: Stage) -> None:
    server_id = stage.server()
    root = stage.project.servers[server_id].volume_ids[0]
    snapshot_id = snapshot(stage, root, force=True)
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id), "delete_volume": True}))
    assert (show(stage, root)["status"], show(stage, root)["attachments"]) == ("available", [])
    copy = stage.project.volumes[made(stage, snapshot_id=snapshot_id, size=None)]
    assert (copy.bootable, copy.size) == (True, 40)


OPERATIONS: list[tuple[str, dict[str, str]]] = [
    ("listVolumes", {}),
    ("listVolumesDetails", {}),
    ("showVolume", {"volume_id": VOLUME}),
    ("createVolume", {}),
    ("deleteVolume", {"volume_id": VOLUME}),
    ("createSnapshot", {}),
    ("showSnapshot", {"snapshot_id": NOWHERE}),
    ("deleteSnapshot", {"snapshot_id": NOWHERE}),
]


@pytest.mark.parametrize(("name", "path"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_microversions(stage: Stage, name: str, path: dict[str, Any]) -> None:
    """Nova has none of them after 2.35; below, and under /v2, they are there."""
    body = {"volume": {"size": 1}} if name == "createVolume" else {"snapshot": {"volume_id": VOLUME}} if name == "createSnapshot" else None
    assert stage.refused(name, body, version=GONE, **path).message == "The resource could not be found."
    if name.endswith("Snapshot") and path:
        path = {"snapshot_id": snapshot(stage)}
    assert stage.call(name, body, version=None if name.startswith("create") else OLD, **path).status in {200, 202}


def test_other_projects_have_no_part_in_it(stage: Stage) -> None:
    other = stage.world.projects[stage.world.add_project("other")["projectId"]]
    snapshot_id = snapshot(stage)
    for name, path in (
        ("showVolume", {"volume_id": VOLUME}),
        ("deleteVolume", {"volume_id": VOLUME}),
        ("showSnapshot", {"snapshot_id": snapshot_id}),
    ):
        assert stage.code(name, project=other, **path)[0] == 404
    assert stage.code("createVolume", {"volume": {"snapshot_id": snapshot_id}}, project=other)[0] == 404


def test_worlds_remember_volumes_and_snapshots(stage: Stage) -> None:
    stage.world.disks_sold_out["SAS"] = ["eu-west-0b"]
    volume_id, snapshot_id = create(stage)["id"], snapshot(stage)
    stage.call("deleteSnapshot", snapshot_id=snapshot_id)
    again = Stage(type(stage.world).from_json(stage.world.to_json()))
    again.pass_time(1)
    assert show(again, volume_id)["status"] == "available"
    assert again.project.snapshots == {}
    assert again.world.disks_sold_out == {"SAS": ["eu-west-0b"]}


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.sampled_from([VOLUME, NOWHERE, IMAGE, "SSD", "eu-west-0a", "/dev/vdb", "/dev/sdaa", "--5", "-1", "true"]),
    st.lists(st.none() | st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=3), max_size=2),
)
WRITES: dict[str, tuple[str, list[str]]] = {
    "createVolume": ("volume", ["size", "volume_type", "availability_zone", "display_name", "metadata", "snapshot_id", "imageRef"]),
    "createSnapshot": ("snapshot", ["volume_id", "display_name", "display_description", "force"]),
    "attachVolume": ("volumeAttachment", ["volumeId", "volumeld", "device", "volume_type", "count", "hw:passthrough"]),
    "createVolumeAttachment": ("volumeAttachment", ["volumeId", "device", "tag"]),
    "showConsoleOutput": ("os-getConsoleOutput", ["length", "lines"]),
}


def status_of(call: Callable[[], Answer]) -> int:
    """The status that is answered, whichever way; anything but a documented refusal goes through."""
    try:
        return call().status
    except ApiError as error:
        return error.status


def state(stage: Stage) -> tuple[Any, ...]:
    """All that a call could have changed."""
    world = stage.world.to_json()
    return tuple(world[name] for name in ("projects", "ledger", "jobs", "schedule", "images", "ids"))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_is_said_about_volumes_is_answered(data: st.DataObject) -> None:
    """And what is refused changes nothing."""
    stage = Stage()
    server_id = stage.server()
    before = state(stage)
    name = data.draw(st.sampled_from(sorted(WRITES)))
    key, fields = WRITES[name]
    body = {key: data.draw(st.dictionaries(st.sampled_from(fields), VALUES, max_size=4)), "dry_run": data.draw(VALUES)}
    status = status_of(lambda: stage.call(name, body, version=(2, 5), server_id=server_id))
    assert status in {200, 202, 400, 403, 404, 409}
    assert status == 200 or state(stage) == before
