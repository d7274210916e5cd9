"""Volumes, actions and consoles where more than one call, or more than one shape of answer, is involved."""

from __future__ import annotations

import json

import httpx
import pytest

from ecs_operator.cloud import CloudError, InstanceAction, NewVolume, Outcome, VolumeSnapshot
from ecs_operator.cloud.models.instance_actions import ConsoleOutput
from tests.unit.cloud.stage import SERVER, FakeCloud, answer, client_of

FAILED = {
    "action": "attach_volume",
    "request_id": "req-1",
    "instance_uuid": SERVER,
    "message": "Error",
    "events": [{"event": "compute_attach_volume", "start_time": "t", "finish_time": "t", "result": "Error", "traceback": "secret path"}],
}


def volumes(request: httpx.Request, *, size: int) -> list[dict[str, str]]:
    offset = int(request.url.params.get("offset", "0"))
    return [{"id": f"v{number}"} for number in range(5)][offset : offset + size]


@pytest.mark.parametrize("kind", ["paged", "not paged", "short pages"])
async def test_lists_of_volumes_are_complete(kind: str) -> None:
    """An endpoint may page as Nova does, or answer everything at once, whatever it is asked."""

    def serve(request: httpx.Request) -> httpx.Response:
        if kind == "not paged":
            return answer(200, {"volumes": [{"id": f"v{number}"} for number in range(5)]})
        return answer(200, {"volumes": volumes(request, size=2 if kind == "paged" else 1)})

    async with client_of(FakeCloud(serve)) as client:
        for found in (await client.volumes.list(), await client.volumes.list_details()):
            assert [volume.id for volume in found] == ["v0", "v1", "v2", "v3", "v4"]


async def test_a_page_that_cannot_be_had_is_no_short_list() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        return answer(200, {"volumes": [{"id": "v0"}]}) if "offset" not in request.url.params else answer(403, {})

    async with client_of(FakeCloud(serve)) as client:
        with pytest.raises(CloudError) as caught:
            await client.volumes.list()
    assert caught.value.outcome is Outcome.REFUSED


async def test_actions_are_read_to_the_end_without_following_links() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("marker") == "req-2":
            return answer(200, {"instanceActions": [{"action": "create", "request_id": "req-1"}]})
        link = {"rel": "next", "href": "https://evil.example.test/os-instance-actions?marker=req-2"}
        return answer(200, {"instanceActions": [{"action": "stop", "request_id": "req-2"}], "links": [link]})

    cloud = FakeCloud(serve)
    async with client_of(cloud) as client:
        assert [action.action for action in await client.instance_actions.list(SERVER)] == ["stop", "create"]
    assert {request.url.host for request in cloud.requests} == {"ecs.example.test"}


async def test_actions_end_where_the_same_page_comes_again() -> None:
    link = {"rel": "next", "href": "https://ecs.example.test/os-instance-actions?marker=req-2"}
    cloud = FakeCloud(lambda _: answer(200, {"instanceActions": [{"action": "stop", "request_id": "req-2"}], "links": [link]}))
    async with client_of(cloud) as client:
        assert len(await client.instance_actions.list(SERVER)) == 1


@pytest.mark.parametrize(("finish", "is_over"), [("t", True), (None, False), ("", False)])
def test_actions_that_are_over(finish: str | None, is_over: bool) -> None:  # noqa: FBT001
    event = {"event": "compute_stop_instance", "start_time": "t", "finish_time": finish}
    action = InstanceAction.model_validate({"action": "stop", "request_id": "req-1", "message": None, "events": [event]})
    assert (action.is_over, action.failed) == (is_over, False)


def test_a_failed_action() -> None:
    action = InstanceAction.model_validate(FAILED)
    assert (action.failed, action.is_over, action.server_id) == (True, True, SERVER)
    assert "secret path" not in repr(action)


def test_what_a_console_says_is_in_no_log() -> None:
    assert "Passw0rd" not in repr(ConsoleOutput.model_validate({"output": "root password: Passw0rd"}))


CHECKS = [
    ("a volume", {"volumeAttachment": {"volumeId": "v"}, "dry_run": True}),
    ("a volume on a device", {"volumeAttachment": {"volumeId": "v", "device": "/dev/vdc"}, "dry_run": True}),
    ("new volumes", {"volumeAttachment": {"volume_type": "SSD", "count": 5, "hw:passthrough": "true"}, "dry_run": True}),
]


@pytest.mark.parametrize(("name", "body"), CHECKS, ids=[name for name, _ in CHECKS])
async def test_checks_of_an_attachment_change_nothing(name: str, body: dict[str, object]) -> None:
    cloud = FakeCloud(lambda _: answer(202))
    async with client_of(cloud) as client:
        if name == "new volumes":
            await client.volumes.check_room(SERVER, "SSD", scsi=True, count=5)
        else:
            await client.volumes.check_attach(SERVER, "v", device="/dev/vdc" if "device" in name else None)
    assert [json.loads(request.content) for request in cloud.requests] == [body]


def test_a_volume_from_a_snapshot_needs_no_size() -> None:
    assert NewVolume(snapshot_id="s").body() == {"volume": {"snapshot_id": "s"}}


def test_the_snapshot_of_the_example() -> None:
    """11.6.1 prints the volume's id with a small L in its tables."""
    for name in ("volumeId", "volumeld"):
        assert VolumeSnapshot.model_validate({"id": "s", name: "v", "displayDescription": None, "size": 1}).volume_id == "v"
