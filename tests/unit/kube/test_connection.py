from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from ecs_operator.engine.ports import ConflictError, GoneError, RefusedError, StoreError, UnavailableError
from ecs_operator.kube.connection import Answer, translate
from tests.unit.kube.stage import connected, fake_api, never, status


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (400, "BadRequest", RefusedError),
        (401, "Unauthorized", RefusedError),
        (403, "Forbidden", RefusedError),
        (404, "NotFound", GoneError),
        (409, "Conflict", ConflictError),
        (409, "AlreadyExists", ConflictError),
        (410, "Expired", UnavailableError),
        (415, "UnsupportedMediaType", RefusedError),
        (422, "Invalid", RefusedError),
        (429, "TooManyRequests", UnavailableError),
        (500, "InternalError", UnavailableError),
        (503, "ServiceUnavailable", UnavailableError),
        (504, "Timeout", UnavailableError),
        (302, "", UnavailableError),
    ],
)
def test_what_an_answer_means(code: int, reason: str, error: type[StoreError]) -> None:
    found = translate(Answer(*status(code, reason)), subject="GET toys/ns/a")
    assert type(found) is error
    assert str(found) == f"GET toys/ns/a: {code} {reason}".strip()


def test_a_wrong_uid_is_a_conflict_and_fields_are_named_without_values() -> None:
    uid = status(422, "Invalid", causes=[{"field": "metadata.uid", "message": "Invalid value: hunter2"}])
    assert isinstance(translate(Answer(*uid), subject="s"), ConflictError)
    size = status(422, "Invalid", causes=[{"field": "spec.size", "message": "Invalid value: hunter2"}, {"message": "x"}])
    assert str(translate(Answer(*size), subject="s")) == "s: 422 Invalid (spec.size)"


@pytest.mark.parametrize("body", [{}, {"reason": 5}, {"details": []}, {"details": {"causes": "x"}}, {"details": {"causes": [5]}}])
def test_odd_bodies_do_no_harm(body: Any) -> None:
    assert str(translate(Answer(500, body), subject="s")) == "s: 500"


async def test_a_request_goes_out_as_it_was_asked_for(tmp_path: Path) -> None:
    async with fake_api((200, {"ok": 1})) as api, connected(api, tmp_path) as connection:
        body = {"metadata": {"name": "a"}, "n": [1, None]}
        answer = await connection.request(
            "PATCH", "/apis/x", query={"force": "true", "a": "b c"}, body=body, content_type="application/apply-patch+yaml"
        )
    assert answer == {"ok": 1}
    (seen,) = api.seen
    assert (seen.method, seen.path, seen.query, seen.body) == ("PATCH", "/apis/x", {"force": "true", "a": "b c"}, body)
    assert seen.headers["Content-Type"] == "application/apply-patch+yaml"
    assert seen.headers["Authorization"] == "Bearer t-0"


async def test_without_a_token_nothing_is_sent_as_one(tmp_path: Path) -> None:
    async with fake_api((200, {})) as api, connected(api, tmp_path, token="") as connection:
        await connection.request("GET", "/")
    assert "Authorization" not in api.seen[0].headers


async def cut_off(request: web.Request, body: Any) -> web.StreamResponse:
    del body
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"half":')
    assert request.transport is not None
    request.transport.abort()
    return response


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (never, "no answer within 0.2 s"),
        (b"<html>busy</html>", "200 with an answer that is not a JSON object"),
        (b"[1]", "200 with an answer that is not a JSON object"),
        (cut_off, "ClientPayloadError"),
    ],
    ids=["no answer", "garbage", "a list", "truncated"],
)
async def test_a_failure_of_the_transport_is_unavailable(answer: Any, text: str, tmp_path: Path) -> None:
    async with fake_api(answer) as api, connected(api, tmp_path) as connection:
        with pytest.raises(UnavailableError) as raised:
            await connection.request("GET", "/x", subject="GET x", timeout=0.2)
    assert str(raised.value) == f"GET x: {text}"
    assert len(api.seen) == 1, "sent once"


async def test_a_refused_connection_is_unavailable(tmp_path: Path) -> None:
    async with fake_api((200, {})) as api:
        pass
    async with connected(api, tmp_path) as connection:
        with pytest.raises(UnavailableError, match="GET x: ClientConnectorError"):
            await connection.request("GET", "/x", subject="GET x")


async def test_a_renewed_token_is_tried_once_after_401(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old\n")

    async def renew_and_refuse(request: web.Request, body: Any) -> web.StreamResponse:
        del request, body
        token.write_text("renewed\n")
        os.utime(token, (1, 1))
        return web.json_response({"reason": "Unauthorized"}, status=401)

    async with fake_api(renew_and_refuse, (200, {"ok": 1})) as api, connected(api, tmp_path, tokenFile="token") as connection:
        assert await connection.request("POST", "/x", body={"a": 1}) == {"ok": 1}
    assert [(each.headers["Authorization"], each.body) for each in api.seen] == [("Bearer old", {"a": 1}), ("Bearer renewed", {"a": 1})]


async def test_401_with_the_same_token_is_refused(tmp_path: Path) -> None:
    async with fake_api(status(401, "Unauthorized")) as api, connected(api, tmp_path) as connection:
        with pytest.raises(RefusedError):
            await connection.request("GET", "/x")
    assert len(api.seen) == 1
