"""Faults over real HTTP: what the client sees, and what was really done."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from tests.contract.simulator_http.stage import CREATE, LIMITS, PROJECT, SERVER, Lab


@pytest.mark.parametrize(
    ("do", "failure"),
    [
        ({"drop": True}, httpx.RemoteProtocolError),
        ({"reset": True}, httpx.ReadError),
        ({"truncate": 5}, httpx.RemoteProtocolError),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_no_proper_answer(user: Lab, do: dict[str, Any], failure: type[Exception], when: str) -> None:
    await user.fault(match={"operation": "createServers"}, when=when, do=do, times=1)
    with pytest.raises(failure):
        await user.api.post(CREATE, json=SERVER)
    assert await user.created() == (1 if when == "after" else 0)
    entry = (await user.last_requests(1))[0]
    assert entry["handled"] == (200 if when == "after" else None)
    assert entry["fault"] == "fault-1"
    # Spent: the next one goes through.
    assert (await user.api.post(CREATE, json=SERVER)).status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
async def test_another_answer(user: Lab, when: str) -> None:
    match = {"section": "5.1.1"}
    await user.fault(match=match, when=when, do={"status": 502}, times=1)
    answer = await user.api.post(CREATE, json=SERVER)
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html")
    await user.fault(match=match, when=when, do={"status": 400, "code": "Ecs.0002", "message": "busy"}, times=1)
    answer = await user.api.post(CREATE, json=SERVER)
    assert (answer.status_code, answer.json()) == (400, {"error": {"code": "Ecs.0002", "message": "busy"}})
    await user.fault(match=match, when=when, do={"status": 429, "code": "Common.1503", "headers": {"Retry-After": "7"}}, times=1)
    answer = await user.api.post(CREATE, json=SERVER)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["error"]["code"]) == (429, "7", "Common.1503")
    await user.fault(match=match, when=when, do={"garbage": True}, times=1)
    answer = await user.api.post(CREATE, json=SERVER)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"decode|Expecting"):
        answer.json()
    assert await user.created() == (4 if when == "after" else 0)
    assert [rule["hits"] for rule in (await user.admin.get("/_sim/faults")).json()["faults"]] == [1, 1, 1, 1]


async def test_a_late_request_is_carried_out_though_its_client_left(user: Lab) -> None:
    await user.fault(match={"operation": "createServers"}, do={"delay": 0.3}, times=1)
    with pytest.raises(httpx.ReadTimeout):
        await user.api.post(CREATE, json=SERVER, timeout=0.05)
    assert await user.created() == 0
    deadline = time.monotonic() + 10
    while not await user.created():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    assert (await user.last_requests(1))[0]["handled"] == 200


async def test_faults_of_one_project_leave_the_others_alone(user: Lab) -> None:
    await user.fault(match={"project": "0" * 32}, do={"status": 503})
    assert (await user.api.get(LIMITS)).status_code == 200
    await user.fault(match={"project": PROJECT}, do={"status": 503})
    assert (await user.api.get(LIMITS)).status_code == 503
    assert (await user.api.get("/v3/projects")).status_code == 503
    assert (await user.token()).status_code == 503
    async with httpx.AsyncClient(base_url=user.cloud.url, trust_env=False) as stranger:
        assert (await stranger.get("/v3")).status_code == 200


async def test_faults_are_removed(user: Lab) -> None:
    first = await user.fault(match={"path": "/limits$"}, do={"status": 503})
    await user.fault(match={"operation": "createToken"}, do={"status": 503})
    assert (await user.api.get(LIMITS)).status_code == 503
    assert (await user.token()).status_code == 503
    assert (await user.admin.delete(f"/_sim/faults/{first}")).json() == {"removed": 1}
    assert (await user.admin.delete(f"/_sim/faults/{first}")).status_code == 404
    assert (await user.api.get(LIMITS)).status_code == 200
    assert (await user.admin.delete("/_sim/faults")).json() == {"removed": 1}
    assert (await user.token()).status_code == 201
