"""The finalizer on Secrets of the operator's namespace: what is sent, and that no value is read on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecs_operator.engine.ports import ConflictError, RefusedError, UnavailableError
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.held_secrets import ApiServerHeldSecrets
from tests.unit.kube.stage import connected, encoded, fake_api, status

OURS, THEIRS = "example.test/in-use", "example.test/theirs"
PATH = "/api/v1/namespaces/own/secrets"


def secret(*finalizers: str, uid: str = "u-1", **more: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"metadata": {"name": "lab", "uid": uid, "resourceVersion": "7", "finalizers": list(finalizers)}, **more}


def held(connection: Connection) -> ApiServerHeldSecrets:
    return ApiServerHeldSecrets(connection, namespace="own", finalizer=OURS, manager="m")


async def test_it_is_applied_to_the_secret_of_exactly_this_uid(tmp_path: Path) -> None:
    async with fake_api(secret(OURS, data={"k": encoded("v")})) as api, connected(api, tmp_path) as connection:
        found = await held(connection).hold("lab", uid="u-1")
        assert (found.resource_version, found.data, found.finalizers, found.is_deleting) == ("7", {"k": b"v"}, (OURS,), False)
        (request,) = api.seen
        assert (request.method, request.path, request.query) == ("PATCH", f"{PATH}/lab", {"fieldManager": "m", "force": "true"})
        metadata = {"name": "lab", "namespace": "own", "uid": "u-1", "finalizers": [OURS]}
        assert request.body == {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}, "nothing else is owned"


@pytest.mark.parametrize(
    ("answer", "error"), [(status(409, "Conflict"), ConflictError), (status(422, "Invalid"), RefusedError), (status(403, ""), RefusedError)]
)
async def test_refusals_are_told_apart(tmp_path: Path, answer: Any, error: type[Exception]) -> None:
    async with fake_api(answer) as api, connected(api, tmp_path) as connection:
        with pytest.raises(error, match=r"^APPLY secrets/own/lab finalizer: "):
            await held(connection).hold("lab", uid="u-1")


async def test_the_holders_are_found_by_metadata_alone(tmp_path: Path) -> None:
    def row(name: str, *finalizers: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "uid": name, **({"finalizers": list(finalizers)} if finalizers else {})}}

    pages = (
        (200, {"items": [row("z", OURS), row("a", THEIRS)], "metadata": {"continue": "next"}}),
        (200, {"items": [row("b"), row("c", THEIRS, OURS)], "metadata": {}}),
    )
    async with fake_api(*pages) as api, connected(api, tmp_path) as connection:
        assert await held(connection).held() == ["c", "z"]
        assert {each.path for each in api.seen} == {PATH}
        assert all("PartialObjectMetadataList" in each.headers["Accept"] for each in api.seen)


async def test_it_is_taken_off_by_a_patch_that_tests_whose_it_is(tmp_path: Path) -> None:
    async with fake_api(secret(THEIRS, OURS), secret(THEIRS)) as api, connected(api, tmp_path) as connection:
        await held(connection).release("lab")
        look, patch = api.seen
        assert "as=PartialObjectMetadata;" in look.headers["Accept"]
        assert patch.body == [
            {"op": "test", "path": "/metadata/uid", "value": "u-1"},
            {"op": "test", "path": "/metadata/finalizers/1", "value": OURS},
            {"op": "remove", "path": "/metadata/finalizers/1"},
        ]


@pytest.mark.parametrize("answer", [status(404, "NotFound"), secret(THEIRS)], ids=["gone", "not ours"])
async def test_what_does_not_have_it_is_left_alone(tmp_path: Path, answer: Any) -> None:
    async with fake_api(answer) as api, connected(api, tmp_path) as connection:
        await held(connection).release("lab")
        assert [each.method for each in api.seen] == ["GET"]


async def test_when_the_list_changes_meanwhile_it_looks_again(tmp_path: Path) -> None:
    answers = (secret(THEIRS, OURS), status(422, "Invalid"), secret(OURS), secret())
    async with fake_api(*answers) as api, connected(api, tmp_path) as connection:
        await held(connection).release("lab")
        assert [each.method for each in api.seen] == ["GET", "PATCH", "GET", "PATCH"]
        assert api.seen[-1].body[-1] == {"op": "remove", "path": "/metadata/finalizers/0"}


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ((secret(OURS), status(403, "Forbidden"), secret(OURS)), RefusedError),
        ((secret(OURS), status(409, "Conflict"), secret(OURS), *(status(409, "Conflict"), secret(OURS)) * 3), ConflictError),
        (((200, {"metadata": {}}),), UnavailableError),
    ],
    ids=["no right", "ever changing", "no metadata"],
)
async def test_failures(tmp_path: Path, answers: Any, error: type[Exception]) -> None:
    async with fake_api(*answers) as api, connected(api, tmp_path) as connection:
        with pytest.raises(error):
            await held(connection).release("lab")
