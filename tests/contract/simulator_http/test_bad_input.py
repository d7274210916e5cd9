"""Whatever is sent, the documented error shape comes back."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.contract.simulator_http.stage import ACTION, CREATE, LIMITS, LIST, PROJECT, Lab, signed

DEEP = b'{"server":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"[]",
        b"5",
        b'"text"',
        b"null",
        b'{"server": NaN}',
        b'{"server": Infinity}',
        b'{"server": "\\ud800"}',
        b"\xff\xfe",
        b'{"a": ' + b"9" * 5000 + b"}",
        DEEP,
    ],
)
async def test_bodies_that_are_no_json_object(user: Lab, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await user.api.post(CREATE, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"error": {"code": "Ecs.0005", "message": "request body is illegal."}})
    answer = await user.api.post(f"/v2.1/{PROJECT}/servers/x/metadata", content=body, headers=headers)
    assert (answer.status_code, answer.json()["badRequest"]["code"]) == (400, 400)
    answer = await user.api.post("/v3/auth/tokens", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["title"]) == (400, "Bad Request")


async def test_empty_bodies_and_wrong_types(user: Lab) -> None:
    answer = await user.api.post(CREATE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Common.0002")
    answer = await user.api.post(CREATE, content=b"{}", headers={"Content-Type": "text/xml"})
    assert answer.status_code == 415
    assert set(answer.json()["error"]) == {"code", "message"}
    answer = await user.api.post(f"/v2.1/{PROJECT}/servers/x/metadata", content=b"{}", headers={"Content-Type": "text/xml"})
    assert answer.json()["badMediaType"]["code"] == 415
    answer = await user.api.post(ACTION, json={"os-fly": {}})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Ecs.0005")


@pytest.mark.parametrize(
    ("method", "target", "status", "shape"),
    [
        ("GET", "/nonsense/deep/down", 404, {"badRequest", "itemNotFound", "error_code"}),
        ("GET", f"/v1/{PROJECT}/nonsense", 404, {"error_code"}),
        ("GET", f"/v2.1/{PROJECT}/nonsense", 404, {"itemNotFound"}),
        ("GET", f"/v2/{PROJECT}/nonsense", 404, {"itemNotFound"}),
        ("GET", "/v3/nonsense", 404, {"error"}),
        ("GET", f"/v1/{PROJECT}/cloudservers//limits", 404, {"error_code"}),
        ("DELETE", CREATE, 405, {"error_code"}),
        ("PATCH", LIST, 405, {"badMethod"}),
        ("PUT", "/v3/auth/tokens", 405, {"error"}),
        ("POST", "/", 405, {"error_code"}),
        ("GET", "/v1/%ff", 400, {"error"}),
        ("GET", f"{LIST}?name=%ff", 400, {"badRequest"}),
        ("GET", LIST + "?" + "&".join(f"a{n}=1" for n in range(300)), 400, {"badRequest"}),
    ],
)
async def test_paths_and_methods(user: Lab, method: str, target: str, status: int, shape: set[str]) -> None:
    answer = await user.api.request(method, target)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) & shape
    assert answer.headers["Content-Type"] == "application/json"
    if status == 405:
        assert answer.headers["Allow"]


async def test_a_body_that_is_too_large_is_not_read(user: Lab) -> None:
    answer = await user.api.post(CREATE, content=b"x" * (33 * 1024 * 1024), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "32 MB" in answer.json()["error"]["message"]
    body = b" " * (12 * 1024 * 1024 + 1)
    del user.api.headers["X-Auth-Token"]
    answer = await user.api.post(CREATE, content=body, headers=signed(user, "POST", CREATE, body=body))
    assert answer.status_code in {400, 413}
    assert (await user.api.get("/")).status_code == 200


async def test_microversions(user: Lab) -> None:
    answer = await user.api.get(LIST, headers={"OpenStack-API-Version": "compute 2.26"})
    assert (answer.status_code, answer.headers["X-OpenStack-Nova-API-Version"], answer.headers["OpenStack-API-Version"]) == (
        200,
        "2.26",
        "compute 2.26",
    )
    assert (await user.api.get(LIST)).headers["X-OpenStack-Nova-API-Version"] == "2.1"
    assert (await user.api.get(LIST, headers={"X-OpenStack-Nova-API-Version": "2.61"})).status_code == 406
    assert (await user.api.get(LIST, headers={"X-OpenStack-Nova-API-Version": "two"})).status_code == 400
    v2 = await user.api.get(LIST.replace("v2.1", "v2"), headers={"X-OpenStack-Nova-API-Version": "2.61"})
    assert v2.status_code == 200
    assert "X-OpenStack-Nova-API-Version" not in v2.headers
    await user.admin.post("/_sim/behaviour", json={"maxMicroversion": "2.14"})
    assert (await user.api.get(LIST, headers={"OpenStack-API-Version": "compute 2.26"})).status_code == 406


async def test_bytes_that_are_no_http_do_no_harm(user: Lab) -> None:
    parts = urlsplit(user.cloud.url)
    for raw in (
        b"nonsense\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
    ):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(raw)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert b"Traceback" not in answer
        writer.close()
        await writer.wait_closed()
    assert (await user.api.get(LIMITS)).status_code == 200


async def test_every_answer_has_a_date_and_a_request_id(user: Lab) -> None:
    seen = set()
    for method, target in (("GET", LIMITS), ("GET", "/nonsense/x"), ("POST", CREATE), ("GET", "/v3")):
        answer = await user.api.request(method, target, headers={"X-Request-Id": "mine"})
        assert answer.headers["X-Request-Id"] == answer.headers["X-Openstack-Request-Id"]
        assert answer.headers["X-Request-Id"].startswith("req-")
        assert answer.headers["Date"].endswith("GMT")
        seen.add(answer.headers["X-Request-Id"])
        entry = (await user.last_requests(1))[0]
        assert (entry["requestId"], entry["clientRequestId"], entry["status"]) == (
            answer.headers["X-Request-Id"],
            "mine",
            answer.status_code,
        )
    assert len(seen) == 4
