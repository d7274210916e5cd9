"""Reinstalling, changing the system, and the native rebuild (5.2.1, 5.2.2, 6.3.6): who may, and what is new afterwards."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ecs_simulator.world.catalog import Image
from tests.unit.simulator.stage import IMAGE, MARKER, NOWHERE, VOLUME, WINDOWS, Stage, ids

USER = "7e25b1da389f4697a79df3a0e5bd494e"
PASSWORD = "Canary-Passw0rd"
OPERATIONS = {"reinstallServer": "os-reinstall", "changeServerImage": "os-change"}
JOBS = {"reinstallServer": "reinstallServer", "changeServerImage": "changeServerImage"}
ACTIONS = {"reinstallServer": "reinstall", "changeServerImage": "change-image"}


def data_of(length: int) -> str:
    return base64.b64encode(b"x" * length).decode()


def body(name: str, **changes: Any) -> dict[str, Any]:
    """A body of either operation; a field set to None is left out."""
    fields = {"userid": USER, "keyname": "ops", **({"imageid": WINDOWS} if name == "changeServerImage" else {}), **changes}
    return {OPERATIONS[name]: {key: value for key, value in fields.items() if value is not None}}


def install(stage: Stage, name: str, server_id: str, **changes: Any) -> Any:
    return stage.ended(stage.call(name, body(name, **changes), server_id=server_id))


def add_image(stage: Stage, **changes: Any) -> str:
    """A private image, of this project unless told otherwise."""
    fields: dict[str, Any] = {"id": stage.world.ids.uuid(), "name": "own", "os_type": "Linux", "min_disk": 10, "created": 0.0}
    image = Image(**(fields | {"project_id": stage.project.id} | changes))
    stage.world.images[image.id] = image
    return image.id


def system_disk(stage: Stage, server_id: str) -> Any:
    rows = stage.call("listBlockDevices", server_id=server_id).body["volumeAttachments"]
    (row,) = [row for row in rows if row["bootIndex"] == 0]
    return row


ACCESS: list[tuple[str, dict[str, Any], str | None]] = [
    ("key", {}, "ops"),
    ("password", {"keyname": None, "adminpass": PASSWORD}, None),
    ("neither, as in the first example", {"keyname": None, "mode": "withStopServer"}, None),
]


class TestSuccess:
    @pytest.mark.parametrize("name", OPERATIONS)
    def test_the_system_disk_is_another_one(self, stage: Stage, name: str) -> None:
        server_id = stage.stopped(data_volumes=[{"volumetype": "SATA", "size": 100}])
        old, before = system_disk(stage, server_id), stage.show(server_id)
        alive = stage.alive()
        job = install(stage, name, server_id)
        assert (job["status"], job["job_type"], job["entities"]) == ("SUCCESS", JOBS[name], {"server_id": server_id})
        new, after = system_disk(stage, server_id), stage.show(server_id)
        assert new["volumeId"] != old["volumeId"]
        assert {**new, "volumeId": "", "id": ""} == {**old, "volumeId": "", "id": ""}, "size, device, bus and place are the same"
        volumes = [row["id"] for row in after["os-extended-volumes:volumes_attached"]]
        assert volumes == [new["volumeId"], before["os-extended-volumes:volumes_attached"][1]["id"]], "the data disk stays"
        assert stage.alive() == alive - {f"volume {old['volumeId']}"} | {f"volume {new['volumeId']}"}
        volume = stage.project.volumes[new["volumeId"]]
        assert (volume.status, volume.bootable, volume.image_id) == ("in-use", True, WINDOWS if name == "changeServerImage" else IMAGE)
        assert volume.attachment is not None
        assert volume.attachment.delete_on_termination
        assert (after["addresses"], after["id"], after["created"]) == (before["addresses"], before["id"], before["created"])
        assert [entry["image"] for entry in stage.entries(ACTIONS[name])] == [volume.image_id]

    def test_the_new_image_shows(self, stage: Stage) -> None:
        server_id = stage.stopped()
        install(stage, "changeServerImage", server_id)
        row = stage.show(server_id)
        assert (row["image"]["id"], row["key_name"]) == (WINDOWS, "ops")
        assert row["metadata"] == {
            **MARKER,
            "charging_mode": "0",
            "vpc_id": row["metadata"]["vpc_id"],
            "metering.image_id": WINDOWS,
            "metering.imagetype": "gold",
            "metering.resourcecode": "s3.large.2",
            "metering.resourcetype": "1",
            "image_name": "Windows Server 2022 64bit",
            "os_bit": "64",
            "os_type": "Windows",
        }

    def test_a_private_image_shows_as_such(self, stage: Stage) -> None:
        server_id, image_id = stage.stopped(), add_image(stage)
        install(stage, "changeServerImage", server_id, imageid=image_id)
        metadata = stage.show(server_id)["metadata"]
        assert (metadata["metering.imagetype"], metadata["image_name"]) == ("private", "own")

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_an_image_deleted_meanwhile_does_not_matter(self, stage: Stage, name: str) -> None:
        image_id = add_image(stage)
        server_id = stage.stopped(imageRef=image_id)
        reply = stage.call(name, body(name, **({"imageid": image_id} if name == "changeServerImage" else {})), server_id=server_id)
        stage.call("deleteImage", image_id=image_id)
        assert stage.ended(reply)["status"] == "SUCCESS"
        assert stage.show(server_id)["metadata"]["image_name"] == "own"
        if name == "reinstallServer":
            assert stage.code(name, body(name), server_id=server_id) == (400, "Ecs.0031")

    def test_it_is_done_when_the_job_is_done_and_not_before(self, stage: Stage) -> None:
        server_id = stage.stopped()
        old = system_disk(stage, server_id)["volumeId"]
        reply = stage.call("changeServerImage", body("changeServerImage"), server_id=server_id)
        steps = []
        for seconds in (0, 0.5, 0.8):
            stage.pass_time(seconds)
            row = stage.show(server_id)
            assert (row["image"]["id"], system_disk(stage, server_id)["volumeId"]) == (IMAGE, old)
            steps.append((row["OS-EXT-STS:task_state"], stage.job(reply.body["job_id"])["status"]))
        assert steps == [("rebuilding", "INIT"), ("rebuild_block_device_mapping", "RUNNING"), ("rebuild_spawning", "RUNNING")]

    @pytest.mark.parametrize("name", OPERATIONS)
    @pytest.mark.parametrize(("case", "changes", "key_name"), ACCESS, ids=[case[0] for case in ACCESS])
    def test_access(self, stage: Stage, name: str, case: str, changes: dict[str, Any], key_name: str | None) -> None:
        server_id = stage.stopped()
        assert install(stage, name, server_id, **changes)["status"] == "SUCCESS", case
        assert stage.show(server_id)["key_name"] == key_name
        assert PASSWORD not in str(stage.world.to_json())

    def test_the_user_of_a_change_is_the_callers_unless_told(self, stage: Stage) -> None:
        server_id = stage.stopped()
        assert install(stage, "changeServerImage", server_id, userid=None)["status"] == "SUCCESS"
        assert stage.code("changeServerImage", body("changeServerImage", userid=NOWHERE), server_id=server_id) == (400, "Ecs.0314")

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_user_data(self, stage: Stage, name: str) -> None:
        server_id = stage.stopped(user_data=data_of(3))
        install(stage, name, server_id)
        assert stage.show(server_id)["OS-EXT-SRV-ATTR:user_data"] == data_of(3), "what is not told stays"
        install(stage, name, server_id, metadata={"user_data": data_of(32 * 1024)})
        assert stage.show(server_id)["OS-EXT-SRV-ATTR:user_data"] == data_of(32 * 1024)

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_a_system_disk_with_snapshots_stays_beside_the_new_one(self, stage: Stage, name: str) -> None:
        server_id = stage.stopped()
        old = system_disk(stage, server_id)["volumeId"]
        stage.call("createServerImage", {"createImage": {"name": "n"}}, server_id=server_id)
        stage.pass_time(60)
        stage.world.set_project(stage.project.id, quota={"volumes": len(stage.project.volumes)})
        assert stage.code(name, body(name), server_id=server_id) == (400, "Ecs.0021")
        stage.world.set_project(stage.project.id, quota={"volumes": len(stage.project.volumes) + 1})
        assert install(stage, name, server_id)["status"] == "SUCCESS"
        volume = stage.project.volumes[old]
        assert (volume.status, volume.attachment) == ("available", None)
        assert system_disk(stage, server_id)["volumeId"] != old
        assert install(stage, name, server_id)["status"] == "SUCCESS", "the new one has none: it goes"

    def test_a_new_windows_makes_up_its_password(self, stage: Stage) -> None:
        made = stage.call("createKeyPair", {"keypair": {"name": "sealing"}}).body["keypair"]
        server_id = stage.stopped()
        install(stage, "changeServerImage", server_id, keyname=made["name"])
        sealed = stage.project.servers[server_id].password
        assert sealed
        install(stage, "reinstallServer", server_id, keyname=made["name"])
        assert stage.project.servers[server_id].password not in {"", sealed}
        install(stage, "changeServerImage", server_id, keyname=made["name"], imageid=IMAGE)
        assert stage.project.servers[server_id].password == ""

    def test_the_password_of_the_former_system_is_gone(self, stage: Stage) -> None:
        server_id = stage.stopped(imageRef=WINDOWS, adminPass=PASSWORD, key_name=None)
        stage.project.servers[server_id].password = "encrypted"
        assert stage.show(server_id)["metadata"]["admin_pass"] == PASSWORD
        install(stage, "reinstallServer", server_id, keyname=None, adminpass="Other-Passw0rd")
        assert "admin_pass" not in stage.show(server_id)["metadata"]
        assert stage.project.servers[server_id].password == ""


class Wrong(NamedTuple):
    """What keeps a server from being installed anew: how it is prepared, what is asked, what is answered."""

    prepare: Callable[[Stage, str], object]
    changes: dict[str, Any]
    expected: tuple[int, str]


def detach_system_disk(stage: Stage, server_id: str) -> None:
    disk = system_disk(stage, server_id)["volumeId"]
    stage.ended(stage.call("detachVolume", server_id=server_id, volume_id=disk))


REFUSALS = {
    "running": Wrong(lambda s, i: s.world.set_server(i, "start"), {}, (400, "Ecs.0100")),
    "in ERROR": Wrong(lambda s, i: s.world.set_server(i, "error"), {}, (400, "Ecs.0100")),
    "locked": Wrong(lambda s, i: s.call("lockServer", {"lock": None}, server_id=i), {}, (400, "Ecs.0605")),
    "busy": Wrong(lambda s, i: s.call("startServer", {"os-start": None}, server_id=i), {}, (501, "Ecs.0603")),
    "frozen": Wrong(lambda s, _: s.world.set_project(s.project.id, frozen=True), {}, (403, "Ecs.0071")),
    "no system disk": Wrong(detach_system_disk, {}, (400, "Ecs.0105")),
    "key of nobody": Wrong(lambda *_: None, {"keyname": "none"}, (400, "Ecs.0314")),
    "key of another": Wrong(lambda *_: None, {"userid": NOWHERE}, (400, "Ecs.0314")),
    "key and password": Wrong(lambda *_: None, {"adminpass": PASSWORD}, (400, "Ecs.0005")),
    "short password": Wrong(lambda *_: None, {"keyname": None, "adminpass": "Abcdef1"}, (400, "Ecs.0011")),
    "long password": Wrong(lambda *_: None, {"keyname": None, "adminpass": "Ab1" * 9}, (400, "Ecs.0011")),
    "weak password": Wrong(lambda *_: None, {"keyname": None, "adminpass": "abcdefg1"}, (400, "Ecs.0011")),
    "password of another kind": Wrong(lambda *_: None, {"keyname": None, "adminpass": 12345678}, (400, "Ecs.0005")),
    "user data too long": Wrong(lambda *_: None, {"metadata": {"user_data": data_of(32 * 1024 + 1)}}, (400, "Ecs.0005")),
    "user data of no base64": Wrong(lambda *_: None, {"metadata": {"user_data": "%"}}, (400, "Ecs.0005")),
    "metadata of another kind": Wrong(lambda *_: None, {"metadata": ["user_data"]}, (400, "Ecs.0005")),
    "unknown mode": Wrong(lambda *_: None, {"mode": "withoutStopServer"}, (400, "Ecs.0005")),
    "key of another kind": Wrong(lambda *_: None, {"keyname": ["ops"]}, (400, "Ecs.0005")),
}


IMAGES: list[tuple[str, dict[str, Any], tuple[int, str]]] = [
    ("of another project", {"project_id": NOWHERE}, (400, "Ecs.0031")),
    ("not active", {"status": "saving"}, (400, "Ecs.0032")),
    ("of another zone", {"zone": "eu-west-0b"}, (400, "Ecs.0005")),
    ("for a greater disk", {"min_disk": 41}, (400, "Ecs.0005")),
    ("for more memory", {"min_ram": 4097}, (400, "Ecs.0007")),
    ("without Cloud-init", {"cloud_init": False}, (400, "Ecs.0005")),
]


class TestRefusals:
    @pytest.mark.parametrize("name", OPERATIONS)
    @pytest.mark.parametrize("wrong", REFUSALS.values(), ids=REFUSALS)
    def test_either(self, stage: Stage, name: str, wrong: Wrong) -> None:
        server_id = stage.stopped()
        wrong.prepare(stage, server_id)
        entries = len(stage.entries())
        assert stage.code(name, body(name, **wrong.changes), server_id=server_id) == wrong.expected
        assert len(stage.entries()) == entries
        assert PASSWORD not in stage.refused(name, body(name, **wrong.changes), server_id=server_id).message

    @pytest.mark.parametrize("name", OPERATIONS)
    @pytest.mark.parametrize("wrong", [{}, {"os-reinstall": None, "os-change": None}, {"os-reinstall": "x", "os-change": 1}, None])
    def test_no_object(self, stage: Stage, name: str, wrong: Any) -> None:
        assert stage.code(name, wrong, server_id=stage.stopped()) == (400, "Ecs.0005")

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_no_server(self, stage: Stage, name: str) -> None:
        assert stage.code(name, body(name), server_id=NOWHERE) == (404, "Ecs.0114")

    def test_mandatory_fields(self, stage: Stage) -> None:
        server_id = stage.stopped()
        assert "os-reinstall.userid" in stage.refused("reinstallServer", body("reinstallServer", userid=None), server_id=server_id).message
        assert "os-change.imageid" in stage.refused("changeServerImage", {"os-change": {"keyname": "ops"}}, server_id=server_id).message

    @pytest.mark.parametrize(("case", "image", "expected"), IMAGES, ids=[case[0] for case in IMAGES])
    def test_images(self, stage: Stage, case: str, image: dict[str, Any], expected: tuple[int, str]) -> None:
        server_id, image_id = stage.stopped(), add_image(stage, **image)
        assert stage.code("changeServerImage", body("changeServerImage", imageid=image_id), server_id=server_id) == expected, case
        if case != "without Cloud-init":
            rebuild = {"rebuild": {"imageRef": image_id}}
            assert stage.refused("rebuildServer", rebuild, server_id=server_id).status == 400
        else:
            server = stage.project.servers[server_id]
            server.image_id = image_id
            assert stage.code("reinstallServer", body("reinstallServer"), server_id=server_id) == expected

    @pytest.mark.parametrize("image", [{"min_disk": 40}, {"min_ram": 4096}, {"zone": "eu-west-0a"}], ids=str)
    def test_images_just_inside(self, stage: Stage, image: dict[str, Any]) -> None:
        server_id, image_id = stage.stopped(), add_image(stage, **image)
        assert install(stage, "changeServerImage", server_id, imageid=image_id)["status"] == "SUCCESS"

    def test_an_unknown_image(self, stage: Stage) -> None:
        server_id = stage.stopped()
        assert stage.code("changeServerImage", body("changeServerImage", imageid=NOWHERE), server_id=server_id) == (400, "Ecs.0031")
        assert stage.refused("rebuildServer", {"rebuild": {"imageRef": NOWHERE}}, server_id=server_id).status == 400

    def test_the_password_is_judged_by_the_new_system(self, stage: Stage) -> None:
        """Table 5-3: no more than two consecutive characters of the user name, for Windows."""
        server_id = stage.stopped()
        weak = {"keyname": None, "adminpass": "Admin-Pass1"}
        assert stage.code("changeServerImage", body("changeServerImage", **weak), server_id=server_id) == (400, "Ecs.0011")
        assert install(stage, "changeServerImage", server_id, imageid=IMAGE, **weak)["status"] == "SUCCESS"


AGAIN = [
    ("reinstallServer", "reinstallServer", True),
    ("reinstallServer", "changeServerImage", True),
    ("changeServerImage", "changeServerImage", True),
    # 5.2.1 knows only its own failure.
    ("changeServerImage", "reinstallServer", False),
]


class TestFailures:
    def fail(self, stage: Stage, name: str, server_id: str) -> None:
        stage.world.fail_next_job(stage.project.id, job_type=JOBS[name], code="Ecs.0202", reason="no disk", leave="nothing")
        assert install(stage, name, server_id)["error_code"] == "Ecs.0202"

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_it_leaves_the_server_in_error_as_it_was(self, stage: Stage, name: str) -> None:
        server_id = stage.stopped()
        old, alive = system_disk(stage, server_id), stage.alive()
        self.fail(stage, name, server_id)
        row = stage.show(server_id)
        assert (row["status"], row["fault"]["message"], row["image"]["id"]) == ("ERROR", "no disk", IMAGE)
        assert (system_disk(stage, server_id), stage.alive()) == (old, alive)

    @pytest.mark.parametrize(("failed", "name", "taken"), AGAIN, ids=[f"{case[0]}-{case[1]}" for case in AGAIN])
    def test_again(self, stage: Stage, failed: str, name: str, *, taken: bool) -> None:
        server_id = stage.stopped()
        self.fail(stage, failed, server_id)
        if not taken:
            assert stage.code(name, body(name), server_id=server_id) == (400, "Ecs.0100")
            return
        self.fail(stage, name, server_id)
        assert install(stage, name, server_id)["status"] == "SUCCESS"
        row = stage.show(server_id)
        assert (row["status"], "fault" in row) == ("SHUTOFF", False)
        stage.world.set_server(server_id, "error")
        assert stage.code(name, body(name), server_id=server_id) == (400, "Ecs.0100"), "that failure is over"

    def test_nothing_else_can_be_done_to_it(self, stage: Stage) -> None:
        server_id = stage.stopped()
        self.fail(stage, "reinstallServer", server_id)
        assert stage.code("startServers", {"os-start": {"servers": ids(server_id)}}) == (400, "Ecs.0100")
        assert stage.refused("rebuildServer", {"rebuild": {"imageRef": IMAGE}}, server_id=server_id).status == 409
        assert stage.code("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id) == (400, "Ecs.0100")
