"""Installing anew, imaging and rebuilding: what is refused before it is sent, what stays hidden, how the answers are read."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from ecs_operator.cloud import ChangeSystem, CloudError, EcsClient, Meaning, Outcome, ReinstallSystem
from tests.unit.cloud.stage import SERVER, UUID, FakeCloud, answer, client_of

PASSWORD = "Canary-Passw0rd"
USER_DATA = base64.b64encode(b"canary-user-data").decode()


def base64_of(length: int) -> str:
    return base64.b64encode(b"x" * length).decode()


def reinstall(**fields: Any) -> ReinstallSystem:
    return ReinstallSystem(**fields)


def change(**fields: Any) -> ChangeSystem:
    return ChangeSystem(**fields)


REFUSED: list[tuple[str, Callable[[], object]]] = [
    ("os-reinstall: exactly one", lambda: reinstall(user_id="u")),
    ("os-reinstall: exactly one", lambda: reinstall(user_id="u", key_name="k", admin_pass=PASSWORD)),
    ("os-reinstall.userid", lambda: reinstall(key_name="k")),
    ("os-reinstall.userid", lambda: reinstall(key_name="k", user_id="")),
    ("os-reinstall.userid", lambda: reinstall(key_name="k", user_id="u" * 65)),
    ("os-reinstall.keyname", lambda: reinstall(user_id="u", key_name="")),
    ("os-reinstall.adminpass", lambda: reinstall(user_id="u", admin_pass="Short-1")),
    ("os-reinstall.adminpass", lambda: reinstall(user_id="u", admin_pass="L" + "o" * 24 + "ng")),
    ("os-reinstall.adminpass", lambda: reinstall(user_id="u", admin_pass="nocapitalsnodigits")),
    ("os-reinstall.adminpass", lambda: reinstall(user_id="u", admin_pass="With Blank1")),
    ("os-reinstall.metadata.user_data", lambda: reinstall(user_id="u", key_name="k", user_data="no base64!")),
    ("os-reinstall.metadata.user_data", lambda: reinstall(user_id="u", key_name="k", user_data=base64_of(32 * 1024 + 1))),
    ("os-reinstall.mode", lambda: reinstall(user_id="u", key_name="k", mode="withStopServer")),
    ("os-change: exactly one", lambda: change(image_id=UUID)),
    ("os-change.imageid", lambda: change(key_name="k")),
    ("os-change.imageid", lambda: change(key_name="k", image_id="Ubuntu")),
    ("os-change.userid", lambda: change(key_name="k", image_id=UUID, user_id="")),
]


@pytest.mark.parametrize(("field", "make"), REFUSED, ids=[f"{number}-{case[0]}" for number, case in enumerate(REFUSED)])
def test_what_is_refused(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(CloudError) as caught:
        make()
    assert caught.value.message.startswith(field)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.NOT_SENT, Meaning.INVALID)
    assert PASSWORD not in str(caught.value)


def test_just_inside() -> None:
    ReinstallSystem(user_id="u" * 64, key_name="k" * 255, user_data=base64_of(32 * 1024))
    ChangeSystem(image_id=UUID, admin_pass="Passw0rd")
    ChangeSystem(image_id=UUID, admin_pass="P" + "a" * 24 + "1")


SENT: list[tuple[ReinstallSystem | ChangeSystem, Callable[[EcsClient, Any], Awaitable[object]]]] = [
    (reinstall(user_id="u", admin_pass=PASSWORD, user_data=USER_DATA), lambda c, request: c.systems.reinstall(SERVER, request)),
    (change(image_id=UUID, admin_pass=PASSWORD, user_data=USER_DATA), lambda c, request: c.systems.change(SERVER, request)),
]


@pytest.mark.parametrize(("asked", "send"), SENT, ids=[asked.operation for asked, _ in SENT])
async def test_secrets_show_in_the_body_only(
    asked: ReinstallSystem | ChangeSystem, send: Callable[[EcsClient, Any], Awaitable[object]]
) -> None:
    assert PASSWORD in str(asked.body())
    for shown in (repr(asked), str(asked), asked.model_dump_json()):
        assert PASSWORD not in shown
        assert USER_DATA not in shown
    cloud = FakeCloud(lambda _: answer(400, {"error": {"code": "Ecs.0011", "message": f"{PASSWORD} is weak, {USER_DATA} is odd"}}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await send(client, asked)
    assert PASSWORD not in str(caught.value)
    assert USER_DATA not in str(caught.value)


LOCATIONS = [
    ("in the body", {"image_id": "i-1"}, {}, "i-1"),
    ("in a header", None, {"Location": "https://image.example.test/v2.1/p/images/i-2"}, "i-2"),
    ("in a relative header", None, {"Location": "/images/i-3/"}, "i-3"),
    ("the body first", {"image_id": "i-4"}, {"Location": "/images/i-5"}, "i-4"),
]


@pytest.mark.parametrize(("case", "body", "headers", "image_id"), LOCATIONS, ids=[case[0] for case in LOCATIONS])
async def test_the_id_of_a_new_image(case: str, body: object, headers: dict[str, str], image_id: str) -> None:
    async with client_of(FakeCloud(lambda _: answer(202, body, headers))) as client:
        assert await client.server_actions.create_image(SERVER, "n") == image_id, case


@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"Location": "https://image.example.test/"}])
async def test_a_new_image_without_an_id(headers: dict[str, str]) -> None:
    """The image is being made all the same: nobody may take this for a refusal."""
    async with client_of(FakeCloud(lambda _: answer(202, None, headers))) as client:
        with pytest.raises(CloudError) as caught:
            await client.server_actions.create_image(SERVER, "n")
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_what_a_rebuild_answers() -> None:
    row = {
        "id": SERVER,
        "name": "n",
        "status": "REBUILD",
        "image": {"id": "i"},
        "metadata": {"admin_pass": PASSWORD},
        "adminPass": PASSWORD,
    }
    async with client_of(FakeCloud(lambda _: answer(202, {"server": row}))) as client:
        server = await client.server_actions.rebuild(SERVER, "i")
    assert (server.id, server.name, server.status, server.image_id) == (SERVER, "n", "REBUILD", "i")
    assert PASSWORD not in repr(server)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False), (True, True), ("True", True)])
async def test_auto_recovery_is_read(text: object, value: object) -> None:
    async with client_of(FakeCloud(lambda _: answer(200, {"support_auto_recovery": text}))) as client:
        assert await client.auto_recovery.get(SERVER) is value


async def test_names_of_images_are_read_to_the_end_and_compared_exactly() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("marker") == "a":
            return answer(200, {"images": [{"id": "b", "name": "Ubuntu"}, {"id": "c", "name": "Ubuntu 24"}]})
        return answer(200, {"images": [{"id": "a", "name": "Ubuntu"}], "images_links": [{"rel": "next", "href": "/images?marker=a"}]})

    async with client_of(FakeCloud(serve)) as client:
        assert [image.id for image in await client.images.names(name="Ubuntu")] == ["a", "b"]
        assert [image.id for image in await client.images.names()] == ["a", "b", "c"]
