"""The native rebuild (6.3.6): what it takes, what it answers, what it leaves alone."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.simulator.stage import BY_NAME, IMAGE, MARKER, NOWHERE, WINDOWS, Stage

LATEST = (2, 60)


def rebuild(stage: Stage, server_id: str, *, version: tuple[int, int] | None = (2, 26), **fields: Any) -> Any:
    body = {"rebuild": {"imageRef": WINDOWS, **fields}}
    return stage.call("rebuildServer", body, server_id=server_id, version=version)


def refused(stage: Stage, server_id: str, fields: Any, *, version: tuple[int, int] | None = (2, 26)) -> int:
    rebuild = {"imageRef": WINDOWS, **fields} if isinstance(fields, dict) else fields
    error = stage.refused("rebuildServer", {"rebuild": rebuild}, server_id=server_id, version=version)
    assert error.nova or BY_NAME["rebuildServer"].path.startswith("/v2.1")
    return error.status


# Table 6-73, and the password of the example.
ANSWERED = {
    *("status", "updated", "hostId", "addresses", "links", "image", "flavor", "id", "user_id", "name", "tenant_id", "OS-DCF:diskConfig"),
    *("accessIPv4", "accessIPv6", "progress", "metadata", "created", "adminPass"),
}


@pytest.mark.parametrize("version", [None, (2, 1)])
def test_the_answer(stage: Stage, version: tuple[int, int] | None) -> None:
    server_id = stage.server()
    reply = rebuild(stage, server_id, version=version, name="rebuilt", adminPass="Canary-Passw0rd")
    row = reply.body["server"]
    assert reply.status == 202
    assert set(row) == ANSWERED
    assert (row["id"], row["name"], row["status"], row["image"]["id"]) == (server_id, "rebuilt", "REBUILD", WINDOWS)
    assert "Canary-Passw0rd" not in str(row)
    assert row["adminPass"] not in str(stage.world.to_json()), "it is set nowhere"


@pytest.mark.parametrize("state", ["active", "stopped"])
def test_the_disk_stays_with_another_image_on_it(stage: Stage, state: str) -> None:
    server_id = stage.server() if state == "active" else stage.stopped()
    before = stage.show(server_id)
    rebuild(stage, server_id)
    volume = stage.project.volumes[before["os-extended-volumes:volumes_attached"][0]["id"]]
    assert volume.image_id == IMAGE
    stage.pass_time(60)
    after = stage.show(server_id)
    assert (after["OS-EXT-STS:vm_state"], after["image"]["id"], volume.image_id) == (state, WINDOWS, WINDOWS)
    for name in ("os-extended-volumes:volumes_attached", "addresses", "key_name", "name", "created"):
        assert after[name] == before[name], name
    assert [entry["image"] for entry in stage.entries("rebuild")] == [WINDOWS]
    assert (after["OS-SRV-USG:launched_at"] != before["OS-SRV-USG:launched_at"]) is (state == "active"), "a running one boots"


def test_metadata_is_replaced_but_for_the_clouds_own(stage: Stage) -> None:
    server_id = stage.server(metadata={**MARKER, "role": "front"})
    before = stage.show(server_id)["metadata"]
    rebuild(stage, server_id)
    stage.pass_time(60)
    kept = stage.show(server_id)["metadata"]
    about_image = {"metering.image_id": WINDOWS, "image_name": "Windows Server 2022 64bit", "os_type": "Windows"}
    assert kept == {**before, **about_image}
    rebuild(stage, server_id, metadata={"rebuild": "rebuild vm", "number": 7})
    after = stage.show(server_id)["metadata"]
    assert after == {key: value for key, value in kept.items() if key not in {*MARKER, "role"}} | {"rebuild": "rebuild vm", "number": "7"}


def test_the_image_by_its_url(stage: Stage) -> None:
    server_id = stage.server()
    url = f"https://cloud.test/v2.1/{stage.project.id}/images/{WINDOWS}"
    assert rebuild(stage, server_id, imageRef=url).body["server"]["image"]["id"] == WINDOWS


def test_what_later_microversions_take(stage: Stage) -> None:
    server_id = stage.server(user_data=base64.b64encode(b"old").decode(), description="old")
    new = base64.b64encode(b"new").decode()
    rebuild(stage, server_id, version=LATEST, description="new", user_data=new)
    row = stage.show(server_id)
    assert (row["description"], row["OS-EXT-SRV-ATTR:user_data"], row["key_name"]) == ("new", new, "ops")
    stage.pass_time(60)
    rebuild(stage, server_id, version=LATEST, description=None, user_data=None, key_name=None)
    row = stage.show(server_id)
    assert (row["description"], row["OS-EXT-SRV-ATTR:user_data"], row["key_name"]) == ("", None, None)


GATES = [("description", "d", 19), ("key_name", "ops", 54), ("user_data", "eA==", 57)]


@pytest.mark.parametrize(("field", "value", "least"), GATES)
def test_microversion_gates(stage: Stage, field: str, value: str, least: int) -> None:
    server_id = stage.server()
    assert refused(stage, server_id, {field: value}, version=(2, least - 1)) == 400
    assert refused(stage, server_id, {field: value}, version=None) == 400
    assert rebuild(stage, server_id, version=(2, least), **{field: value}).status == 202


NAMES = [("n", True), ("n" * 254, True), ("n" * 255, False), ("云" * 84, True), ("云" * 85, False), ("", False), ("  ", False), (7, False)]


@pytest.mark.parametrize(("name", "taken"), NAMES, ids=[f"{str(case[0])[:3]}-{len(str(case[0]))}" for case in NAMES])
def test_names(stage: Stage, name: object, *, taken: bool) -> None:
    server_id = stage.server()
    if taken:
        assert rebuild(stage, server_id, name=name).body["server"]["name"] == name
    else:
        assert refused(stage, server_id, {"name": name}) == 400
        assert stage.show(server_id)["name"] == "web"


WRONG: dict[str, Any] = {
    "no object": "x",
    "no image": {"imageRef": None},
    "image of another kind": {"imageRef": {"id": WINDOWS}},
    "unknown image": {"imageRef": NOWHERE},
    "unknown field": {"imageid": WINDOWS},
    "metadata of another kind": {"metadata": ["a"]},
    "reserved key": {"metadata": {"virtual_env_type": "x"}},
    "long value": {"metadata": {"a": "x" * 256}},
    "disk configuration": {"OS-DCF:diskConfig": "BOTH"},
    "no Boolean": {"preserve_ephemeral": "maybe"},
    "password of another kind": {"adminPass": 7},
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG)
def test_wrong_requests(stage: Stage, fields: Any) -> None:
    server_id = stage.server()
    assert refused(stage, server_id, fields) == 400
    assert (stage.show(server_id)["status"], stage.entries("rebuild")) == ("ACTIVE", [])


def test_a_key_pair_of_nobody(stage: Stage) -> None:
    assert refused(stage, stage.server(), {"key_name": "none"}, version=LATEST) == 400


def test_who_may(stage: Stage) -> None:
    server_id = stage.server()
    stage.call("lockServer", {"lock": None}, server_id=server_id)
    assert refused(stage, server_id, {}) == 409
    stage.call("unlockServer", {"unlock": None}, server_id=server_id)
    rebuild(stage, server_id)
    assert refused(stage, server_id, {}) == 409, "busy"
    stage.world.set_server(server_id, "error")
    assert refused(stage, server_id, {}) == 409, "in ERROR"
    stage.world.set_server(server_id, "stop")
    stage.world.set_project(stage.project.id, frozen=True)
    assert refused(stage, server_id, {}) == 403
    assert refused(stage, NOWHERE, {}) == 404
