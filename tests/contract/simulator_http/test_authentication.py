"""Both ways to prove who one is, over real HTTP."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.contract.simulator_http.stage import CREATE, LIMITS, LIST, PROJECT, SERVER, Lab, signed


async def test_a_token_says_what_it_is(lab: Lab) -> None:
    answer = await lab.token(scope={"project": {"name": "eu-west-0"}})
    assert answer.status_code == 201
    token = answer.json()["token"]
    assert token["project"]["id"] == PROJECT
    assert token["user"]["domain"]["name"] == "lab"
    issued, expires = (datetime.fromisoformat(token[name]) for name in ("issued_at", "expires_at"))
    assert (expires - issued).total_seconds() == 24 * 3600
    assert {entry["type"] for entry in token["catalog"]} >= {"identity", "compute", "ecs"}
    value = answer.headers["X-Subject-Token"]
    again = await lab.api.get("/v3/auth/tokens", headers={"X-Auth-Token": value, "X-Subject-Token": value})
    assert again.json() == answer.json()


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": "wrong"}, 401),
        ({"name": "nobody"}, 401),
        ({"domain": "elsewhere"}, 401),
        ({"scope": {"project": {"name": "eu-west-9"}}}, 401),
        ({"scope": {"project": {"id": "0" * 32}}}, 401),
        ({"scope": {"project": {}}}, 400),
        ({"scope": "project"}, 400),
        ({"password": 5}, 400),
    ],
)
async def test_no_token_without_right(lab: Lab, change: dict[str, Any], status: int) -> None:
    answer = await lab.token(**change)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "title"}
    assert "X-Subject-Token" not in answer.headers


async def test_a_token_runs_out_on_the_worlds_clock(user: Lab) -> None:
    assert (await user.api.get(LIMITS)).status_code == 200
    await user.admin.post("/_sim/clock", json={"advance": 24 * 3600 - 60})
    assert (await user.api.get(LIMITS)).status_code == 200
    await user.admin.post("/_sim/clock", json={"advance": 120})
    answer = await user.api.get(LIMITS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Common.0013")
    assert (await user.api.get(LIST)).json()["unauthorized"]["code"] == 401
    await user.log_in()
    assert (await user.api.get(LIMITS)).status_code == 200


async def test_a_token_is_revoked(lab: Lab) -> None:
    token = await lab.log_in()
    answer = await lab.api.delete("/v3/auth/tokens", headers={"X-Subject-Token": token})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await lab.api.get(LIMITS)).status_code == 401
    await lab.log_in()
    assert (await lab.admin.delete("/_sim/tokens", params={"project": PROJECT})).json() == {"revoked": 1}
    assert (await lab.api.get(LIMITS)).status_code == 401


async def test_projects_are_looked_up_and_kept_apart(user: Lab) -> None:
    other = (await user.admin.post("/_sim/projects", json={"name": "t-1", "quota": {"instances": 2}})).json()
    rows = (await user.api.get("/v3/projects", params={"name": "eu-west-0"})).json()["projects"]
    assert [(row["id"], row["name"]) for row in rows] == [(PROJECT, "eu-west-0")]
    assert (await user.api.get("/v3/projects", params={"name": "t-1"})).json()["projects"] == []
    foreign = other["projectId"]
    answer = await user.api.get(f"/v1/{foreign}/cloudservers/limits")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Ecs.0023")
    answer = await user.api.get(f"/v1/{foreign}/jobs/abc")
    assert (answer.status_code, answer.json()["code"]) == (400, "Common.0018")
    assert (await user.api.get(f"/v2.1/{foreign}/servers")).json()["badRequest"]["code"] == 400
    # The other account works, and it is another world.
    answer = await user.token(
        name=other["username"], password=other["password"], domain=other["domainName"], scope={"project": {"id": foreign}}
    )
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    assert (await user.api.get(f"/v2.1/{foreign}/servers", headers=headers)).json()["servers"] == []
    target = f"/v1/{foreign}/cloudservers/limits"
    headers = signed(user, "GET", target, key=other["accessKey"], secret=other["secretKey"])
    async with httpx.AsyncClient(base_url=user.cloud.url, trust_env=False) as client:
        assert (await client.get(target, headers=headers)).json()["absolute"]["maxTotalInstances"] == 2


async def test_an_unscoped_token_only_finds_projects(lab: Lab) -> None:
    answer = await lab.token(scope={"domain": {"name": "lab"}})
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    assert "project" not in answer.json()["token"]
    assert len((await lab.api.get("/v3/projects", headers=headers)).json()["projects"]) == 1
    assert (await lab.api.get(LIMITS, headers=headers)).status_code == 403


@pytest.mark.parametrize("target", [LIMITS, f"{LIST}?limit=5&marker=", f"{LIST}?name=a%20b"])
async def test_signed_reads(lab: Lab, target: str) -> None:
    headers = signed(lab, "GET", target, more={"x-project-id": PROJECT, "content-type": "application/json"})
    answer = await lab.api.get(target, headers=headers)
    assert answer.status_code not in {401, 403}, answer.text
    assert (await lab.last_requests(1))[0]["credential"] == "aksk"


async def test_a_signed_write(lab: Lab) -> None:
    body = json.dumps(SERVER).encode()
    answer = await lab.api.post(
        CREATE, content=body, headers=signed(lab, "POST", CREATE, body=body, more={"content-type": "application/json"})
    )
    assert answer.status_code == 200, answer.text
    assert await lab.created() == 1


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("skewed", {"skew": 16 * 60}),
        ("skewed the other way", {"skew": -16 * 60}),
        ("another secret", {"secret": "forged"}),
        ("unknown key", {"key": "NOBODYSKEY"}),
        ("signed for another body", {"body": b"{}"}),
        ("another project", {"more": {"x-project-id": "0" * 32}}),
        ("a security token nobody gave out", {"more": {"x-security-token": "t"}}),
    ],
)
async def test_bad_signatures(lab: Lab, case: str, change: dict[str, Any]) -> None:
    answer = await lab.api.get(LIMITS, headers=signed(lab, "GET", LIMITS, **change))
    assert answer.status_code == 401, case
    assert set(answer.json()) == {"error_code", "error_msg", "request_id"}
    assert answer.json()["error_code"] == "APIGW.0301"


async def test_a_skewed_gateway_tells_its_time(lab: Lab) -> None:
    await lab.admin.post("/_sim/clock", json={"gatewaySkew": 3600})
    refused = await lab.api.get(LIMITS, headers=signed(lab, "GET", LIMITS))
    assert refused.status_code == 401
    theirs = datetime.strptime(refused.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC).timestamp()
    skew = theirs - time.time()
    assert 3590 < skew < 3610
    assert (await lab.api.get(LIMITS, headers=signed(lab, "GET", LIMITS, skew=skew))).status_code == 200


async def test_suspended_credentials(user: Lab) -> None:
    await user.admin.post(f"/_sim/projects/{PROJECT}", json={"suspendedCredentials": True})
    assert (await user.api.get(LIMITS)).status_code == 401
    assert (await user.token()).status_code == 401
    del user.api.headers["X-Auth-Token"]
    assert (await user.api.get(LIMITS, headers=signed(user, "GET", LIMITS))).status_code == 401
    await user.admin.post(f"/_sim/projects/{PROJECT}", json={"suspendedCredentials": False})
    await user.log_in()
    assert (await user.api.get(LIMITS)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer x"}, {"X-Auth-Token": ""}, {"X-Auth-Token": "x"}, {"Authorization": "SDK-HMAC-SHA256 nonsense"}],
)
async def test_nobody_gets_in(lab: Lab, headers: dict[str, str]) -> None:
    for target in (LIMITS, LIST, "/v3/projects"):
        answer = await lab.api.get(target, headers=headers)
        assert answer.status_code == 401
    assert (await lab.api.post(CREATE, json=SERVER, headers=headers)).status_code == 401
    assert await lab.created() == 0


async def test_versions_are_open_to_everybody(lab: Lab) -> None:
    versions = (await lab.api.get("/")).json()["versions"]
    assert {version["id"] for version in versions} == {"v2.0", "v2.1"}
    assert (await lab.api.get("/v3")).json()["version"]["id"].startswith("v3")
