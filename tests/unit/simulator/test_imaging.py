"""Images made of servers (6.3.7) and how images show (11.2): who sees them, where they can be used, what is left of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ecs_simulator.call import Call
from ecs_simulator.world import World
from tests.unit.simulator.stage import BY_NAME, IMAGE, NOWHERE, SUBNET, WINDOWS, Stage, request

OLD = (2, 35)


def make(stage: Stage, server_id: str, *, name: str = "golden", **fields: Any) -> str:
    """An image that is being made."""
    reply = stage.call("createServerImage", {"createImage": {"name": name, **fields}}, server_id=server_id, version=(2, 45))
    assert reply.status == 202
    return str(reply.body["image_id"])


def made(stage: Stage, server_id: str, **fields: Any) -> str:
    image_id = make(stage, server_id, **fields)
    stage.pass_time(60)
    return image_id


def image(stage: Stage, image_id: str) -> Any:
    return stage.call("showImage", image_id=image_id, version=OLD).body["image"]


def listed(stage: Stage, **query: str) -> list[str]:
    briefly = stage.call("listImages", query=query, version=OLD).body["images"]
    fully = stage.call("listImagesDetails", query=query, version=OLD).body["images"]
    assert [row["id"] for row in briefly] == [row["id"] for row in fully]
    return [row["id"] for row in fully]


class TestMaking:
    def test_it_is_saved_and_then_there(self, stage: Stage) -> None:
        server_id = stage.server()
        image_id = make(stage, server_id)
        seen = []
        for _ in range(5):
            row = image(stage, image_id)
            (snapshot,) = stage.project.snapshots.values()
            seen.append((row["status"], row["progress"], snapshot.status, stage.show(server_id)["status"]))
            stage.pass_time(0.5)
        assert list(dict.fromkeys(seen)) == [
            ("SAVING", 25, "creating", "ACTIVE"),
            ("SAVING", 50, "creating", "ACTIVE"),
            ("ACTIVE", 100, "available", "ACTIVE"),
        ]
        assert image(stage, image_id)["created"] < image(stage, image_id)["updated"]

    def test_the_row(self, stage: Stage) -> None:
        server_id = stage.server(imageRef=WINDOWS, root_volume={"volumetype": "SSD", "size": 60})
        image_id = made(stage, server_id, metadata={"ImageType": "Gold", "__os_version": "mine", "instance_uuid": "not mine"})
        row = image(stage, image_id)
        assert (row["name"], row["minDisk"], row["minRam"], row["OS-EXT-IMG-SIZE:size"]) == ("golden", 60, 2048, 60 * 1024**3)
        assert row["server"]["id"] == server_id
        assert [link["rel"] for link in row["links"]] == ["self", "bookmark", "alternate"]
        expected = {
            "ImageType": "Gold",
            "__os_type": "Windows",
            "__os_version": "mine",
            "image_type": "snapshot",
            "image_state": "available",
            "base_image_ref": WINDOWS,
            "instance_uuid": server_id,
            "instance_type_flavorid": "s3.large.2",
            "owner_id": stage.project.id,
        }
        assert row["metadata"].items() >= expected.items()
        assert stage.call("showImageMetadata", image_id=image_id, version=OLD).body == {"metadata": row["metadata"]}
        assert "server" not in image(stage, IMAGE)

    @pytest.mark.parametrize(("version", "by_header"), [(None, True), ((2, 1), True), ((2, 44), True), ((2, 45), False), ((2, 60), False)])
    def test_how_the_image_is_told(self, stage: Stage, version: tuple[int, int] | None, *, by_header: bool) -> None:
        server_id = stage.server()
        reply = BY_NAME["createServerImage"].handler(
            Call(
                world=stage.world,
                project=stage.project,
                user_id="u",
                path={"project_id": stage.project.id, "server_id": server_id},
                query={},
                headers={"host": "cloud.test"},
                body={"createImage": {"name": "golden"}},
                microversion=version,
                request_id="req-x",
            )
        )
        (image_id,) = set(stage.world.images) - {IMAGE, WINDOWS}
        family = "v2" if version is None else "v2.1"
        assert reply.status == 202
        if by_header:
            assert (reply.body, dict(reply.headers)) == (
                None,
                {"Location": f"http://cloud.test/{family}/{stage.project.id}/images/{image_id}"},
            )
        else:
            assert (reply.body, dict(reply.headers)) == ({"image_id": image_id}, {})

    def test_what_is_recorded(self, stage: Stage) -> None:
        server_id = stage.server()
        image_id = made(stage, server_id)
        assert [entry["image"] for entry in stage.entries("create-image", "server")] == [image_id]
        (entry,) = stage.entries("create", "image")
        assert (entry["id"], entry["name"], entry["server"]) == (image_id, "golden", server_id)
        (snapshot,) = stage.project.snapshots.values()
        assert [entry["id"] for entry in stage.entries("create", "snapshot")] == [snapshot.id]
        disk = stage.show(server_id)["os-extended-volumes:volumes_attached"][0]["id"]
        assert (snapshot.volume_id, snapshot.size, snapshot.name) == (disk, 40, "snapshot for golden")

    def test_the_server_stays_free(self, stage: Stage) -> None:
        server_id = stage.server()
        image_id = make(stage, server_id)
        other = make(stage, server_id)
        stage.call("stopServer", {"os-stop": {}}, server_id=server_id)
        stage.pass_time(1)
        assert stage.show(server_id)["status"] == "SHUTOFF"
        stage.call("deleteServers", {"servers": [{"id": server_id}]})
        stage.pass_time(60)
        assert {image(stage, each)["status"] for each in (image_id, other)} == {"ACTIVE"}

    def test_a_failure_leaves_nothing(self, stage: Stage) -> None:
        server_id = stage.server()
        alive = stage.alive()
        stage.world.fail_next_job(stage.project.id, job_type="createImage", code="Ecs.0208", reason="no", leave="nothing")
        image_id = made(stage, server_id)
        assert stage.refused("showImage", image_id=image_id, version=OLD).status == 404
        assert (stage.alive(), stage.project.snapshots, stage.show(server_id)["status"]) == (alive, {}, "ACTIVE")

    def test_an_image_deleted_while_it_is_saved(self, stage: Stage) -> None:
        image_id = make(stage, stage.server())
        stage.call("deleteImage", image_id=image_id, version=OLD)
        stage.pass_time(60)
        assert listed(stage) == [IMAGE, WINDOWS]
        assert [snapshot.status for snapshot in stage.project.snapshots.values()] == ["available"]

    def test_of_a_server_whose_image_is_gone(self, stage: Stage) -> None:
        first = made(stage, stage.server(imageRef=WINDOWS))
        server_id = stage.server(imageRef=first)
        stage.call("deleteImage", image_id=first, version=OLD)
        assert image(stage, made(stage, server_id))["metadata"]["__os_type"] == "Windows"


NAMES = [("n", True), ("n" * 242, True), ("n" * 243, False), ("云" * 80, True), ("云" * 81, False), ("", False), (" ", False), (7, False)]
PAIRS: list[tuple[str, Any, bool]] = [
    ("longest name", {"k" * 254: "v"}, True),
    ("name too long", {"k" * 255: "v"}, False),
    ("no name", {"": "v"}, False),
    ("longest value", {"k": "v" * 255}, True),
    ("value too long", {"k": "v" * 256}, False),
    ("value of another kind", {"k": {}}, False),
    ("none", {}, True),
    ("another kind", ["k"], False),
]


class TestRefusals:
    @pytest.mark.parametrize(("name", "taken"), NAMES, ids=[f"{str(case[0])[:3]}-{len(str(case[0]))}" for case in NAMES])
    def test_names(self, stage: Stage, name: object, *, taken: bool) -> None:
        self.answer(stage, {"name": name}, taken=taken)

    @pytest.mark.parametrize(("case", "pairs", "taken"), PAIRS, ids=[case[0] for case in PAIRS])
    def test_properties(self, stage: Stage, case: str, pairs: Any, *, taken: bool) -> None:
        self.answer(stage, {"name": case, "metadata": pairs}, taken=taken)

    def answer(self, stage: Stage, fields: dict[str, Any], *, taken: bool) -> None:
        server_id = stage.server()
        if taken:
            make(stage, server_id, **fields)
        else:
            assert stage.refused("createServerImage", {"createImage": fields}, server_id=server_id).status == 400
            assert set(stage.world.images) == {IMAGE, WINDOWS}

    @pytest.mark.parametrize("body", [{"createImage": None}, {"createImage": "n"}, {"createImage": {}}, None])
    def test_no_object(self, stage: Stage, body: Any) -> None:
        assert stage.refused("createServerImage", body, server_id=stage.server()).status == 400

    def test_states(self, stage: Stage) -> None:
        server_id = stage.server()
        body = {"createImage": {"name": "n"}}
        stage.call("rebootServer", {"reboot": {"type": "HARD"}}, server_id=server_id)
        assert stage.refused("createServerImage", body, server_id=server_id).status == 409, "busy"
        stage.world.set_server(server_id, "error")
        assert stage.code("createServerImage", body, server_id=server_id) == (409, "Ecs.0100")
        stage.world.set_server(server_id, "stop")
        stage.call("lockServer", {"lock": None}, server_id=server_id)
        make(stage, server_id)
        assert stage.refused("createServerImage", body, server_id=NOWHERE).status == 404
        stage.world.set_project(stage.project.id, frozen=True)
        assert stage.refused("createServerImage", body, server_id=server_id).status == 403

    def test_without_a_system_disk(self, stage: Stage) -> None:
        server_id = stage.stopped()
        disk = stage.show(server_id)["os-extended-volumes:volumes_attached"][0]["id"]
        stage.ended(stage.call("detachVolume", server_id=server_id, volume_id=disk))
        assert stage.code("createServerImage", {"createImage": {"name": "n"}}, server_id=server_id) == (400, "Ecs.0105")

    def test_the_quota_of_snapshots(self, stage: Stage) -> None:
        server_id = stage.server()
        stage.world.set_project(stage.project.id, quota={"snapshots": 1})
        made(stage, server_id)
        assert stage.refused("createServerImage", {"createImage": {"name": "n"}}, server_id=server_id).code == "Ecs.0021"


class TestUse:
    def test_a_server_made_of_it(self, stage: Stage) -> None:
        image_id = made(stage, stage.server(imageRef=WINDOWS))
        copy = stage.server(imageRef=image_id, availability_zone=None, root_volume={"volumetype": "SSD"}, adminPass="Canary-Passw0rd")
        row = stage.show(copy)
        assert (row["image"]["id"], row["OS-EXT-AZ:availability_zone"]) == (image_id, "eu-west-0a")
        assert row["metadata"].items() >= {"metering.imagetype": "private", "image_name": "golden", "os_type": "Windows"}.items()
        volume = stage.project.volumes[row["os-extended-volumes:volumes_attached"][0]["id"]]
        assert (volume.size, volume.image_id) == (40, image_id)

    def test_a_server_made_of_it_natively(self, stage: Stage) -> None:
        image_id = made(stage, stage.server())
        native = {"name": "n", "imageRef": image_id, "flavorRef": "s3.large.2", "networks": [{"uuid": SUBNET}]}
        server_id = stage.call("createServer", {"server": native}).body["server"]["id"]
        stage.pass_time(60)
        assert (stage.show(server_id)["status"], stage.show(server_id)["image"]["id"]) == ("ACTIVE", image_id)

    def test_only_in_its_zone(self, stage: Stage) -> None:
        image_id = made(stage, stage.server(availability_zone="eu-west-0b"))
        assert stage.show(stage.server(imageRef=image_id, availability_zone=None))["OS-EXT-AZ:availability_zone"] == "eu-west-0b"
        error = stage.refused("createServers", request(imageRef=image_id, availability_zone="eu-west-0a"))
        assert (error.status, image_id in error.message) == (400, True)
        stage.world.sell_out("s3.large.2", ("eu-west-0b",))
        assert stage.code("createServers", request(imageRef=image_id, availability_zone=None)) == (400, "Ecs.0319")

    def test_not_before_it_is_there(self, stage: Stage) -> None:
        image_id = make(stage, stage.server())
        assert stage.code("createServers", request(imageRef=image_id)) == (400, "Ecs.0032")

    def test_not_for_data_disks(self, stage: Stage) -> None:
        image_id = made(stage, stage.server())
        data = {"volumetype": "SSD", "size": 40, "data_image_id": image_id}
        assert stage.code("createServers", request(data_volumes=[data])) == (400, "Ecs.0005")
        assert stage.create(data_volumes=[{**data, "data_image_id": IMAGE}])

    def test_not_by_other_projects(self, stage: Stage) -> None:
        image_id = made(stage, stage.server())
        other = stage.world.projects[stage.world.add_project("other")["projectId"]]
        network = next(iter(other.networks.values()))
        wish = {"vpcid": network.vpc_id, "nics": [{"subnet_id": network.id}]}
        data = {"volumetype": "SSD", "size": 40, "data_image_id": image_id}
        for changes in ({"imageRef": image_id}, {"data_volumes": [data]}):
            assert stage.code("createServers", request(**wish, **changes), project=other) == (400, "Ecs.0031")
        native = {"name": "n", "imageRef": image_id, "flavorRef": "s3.large.2", "networks": [{"uuid": network.id}]}
        assert stage.refused("createServer", {"server": native}, project=other).status == 400
        for size in (None, 40):
            volume = {"imageRef": image_id, "size": size, "volume_type": "SSD"}
            assert stage.refused("createVolume", {"volume": volume}, project=other, version=OLD).status == 400
        assert (other.servers, len(other.volumes)) == ({}, 1)
        for name in ("showImage", "showImageMetadata", "deleteImage"):
            assert stage.refused(name, image_id=image_id, project=other, version=OLD).status == 404
        assert [row["id"] for row in stage.call("listImages", project=other, version=OLD).body["images"]] == [IMAGE, WINDOWS]

    def test_deleting(self, stage: Stage) -> None:
        server_id = stage.server()
        image_id = made(stage, server_id)
        copy = stage.server(imageRef=image_id)
        assert stage.call("deleteImage", image_id=image_id, version=OLD) == (204, None)
        assert stage.refused("deleteImage", image_id=image_id, version=OLD).status == 404
        assert stage.code("createServers", request(imageRef=image_id)) == (400, "Ecs.0031")
        assert stage.show(copy)["image"]["id"] == image_id, "who runs it goes on"
        assert len(stage.project.snapshots) == 1, "the snapshot is left to the user (6.3.7)"
        assert stage.refused("deleteImage", image_id=IMAGE, version=OLD).status == 403
        assert IMAGE in stage.world.images

    def test_it_outlives_a_restart(self, stage: Stage) -> None:
        image_id = make(stage, stage.server())
        again = Stage(World.from_json(json.loads(json.dumps(stage.world.to_json()))))
        again.pass_time(60)
        assert image(again, image_id)["status"] == "ACTIVE"


class TestLists:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, 3),
            ({"name": "golden"}, 1),
            ({"name": "gold"}, 0),
            ({"status": "active"}, 2),
            ({"status": "saving"}, 1),
            ({"status": "queued"}, 0),
            ({"minRam": "2048"}, 1),
            ({"minRam": "2049"}, 0),
            ({"minDisk": "40"}, 2),
            ({"minDisk": "41"}, 0),
        ],
        ids=str,
    )
    def test_filters(self, stage: Stage, query: dict[str, str], expected: int) -> None:
        make(stage, stage.server())
        stage.pass_time(1)
        assert len(listed(stage, **query)) == expected

    @pytest.mark.parametrize(
        "query", [{"status": "deleted"}, {"status": "DELETED"}, {"minRam": "x"}, {"minDisk": "-1"}, {"changes-since": "x"}]
    )
    def test_wrong_filters(self, stage: Stage, query: dict[str, str]) -> None:
        for name in ("listImages", "listImagesDetails"):
            assert stage.refused(name, query=query, version=OLD).status == 400

    def test_what_changed(self, stage: Stage) -> None:
        server_id = stage.server()
        stage.pass_time(3600)
        image_id = make(stage, server_id)
        created = image(stage, image_id)["created"]
        assert listed(stage, **{"changes-since": created}) == [image_id]
        stage.pass_time(60)
        updated = image(stage, image_id)["updated"]
        assert (created < updated, listed(stage, **{"changes-since": updated})) == (True, [image_id])

    def test_pages(self, stage: Stage) -> None:
        made(stage, stage.server())
        first = stage.call("listImages", query={"limit": "2"}, version=OLD).body
        assert [row["id"] for row in first["images"]] == [IMAGE, WINDOWS]
        assert f"marker={WINDOWS}" in first["images_links"][0]["href"]
        assert len(stage.call("listImages", query={"limit": "2", "marker": WINDOWS}, version=OLD).body["images"]) == 1

    @pytest.mark.parametrize("name", ["listImages", "listImagesDetails", "showImage", "showImageMetadata", "deleteImage"])
    def test_they_end_with_a_microversion(self, stage: Stage, name: str) -> None:
        assert stage.refused(name, image_id=IMAGE, version=(2, 36)).status == 404
