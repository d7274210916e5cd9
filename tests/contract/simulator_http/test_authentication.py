"""Both ways to prove who one is, over real HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ecs_simulator.world.accounts import AccessKey
from tests.contract.simulator_http.stage import CREATE, LIMITS, LIST, PROJECT, SERVER, Lab, raw, signed


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
        ({"scope": {}}, 400),
        ({"scope": {"project": {"id": PROJECT}, "domain": {"name": "lab"}}}, 400),
        ({"scope": {"project": {"name": "eu-west-0", "domain": {"name": "elsewhere"}}}}, 401),
        ({"scope": {"project": {"name": "eu-west-0", "domain": "lab"}}}, 400),
        ({"scope": {"domain": {"name": "elsewhere"}}}, 401),
        ({"scope": {"domain": {"id": "0" * 32}}}, 401),
        ({"scope": {"domain": {}}}, 400),
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


@pytest.mark.parametrize(
    ("case", "scope", "described"),
    [
        ("a project by id", {"project": {"id": PROJECT}}, {"project", "roles", "catalog"}),
        ("a project by name", {"project": {"name": "eu-west-0"}}, {"project", "roles", "catalog"}),
        ("a project of an account", {"project": {"name": "eu-west-0", "domain": {"name": "lab"}}}, {"project", "roles", "catalog"}),
        ("the account by name", {"domain": {"name": "lab"}}, {"domain", "roles", "catalog"}),
        ("the account by id", {"domain": {"id": "5c3b1f0e9d8a4c7fb6a5e4d3c2b1a000"}}, {"domain", "roles", "catalog"}),
        ("nothing", {"unscoped": {}}, set()),
    ],
)
async def test_what_a_token_of_a_scope_serves(lab: Lab, case: str, scope: dict[str, Any], described: set[str]) -> None:
    answer = await lab.token(scope=scope)
    assert answer.status_code == 201, case
    token = answer.json()["token"]
    assert set(token) == {"methods", "issued_at", "expires_at", "user"} | described
    types = {entry["type"] for entry in token.get("catalog", ())}
    assert ("ecs" in types) is ("project" in described)
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    assert len((await lab.api.get("/v3/projects", headers=headers)).json()["projects"]) == 1
    limits, servers = await lab.api.get(LIMITS, headers=headers), await lab.api.get(LIST, headers=headers)
    if "project" in described:
        assert (limits.status_code, servers.status_code) == (200, 200)
    else:
        # Section 4.2: this API takes tokens of a project only.
        assert (limits.status_code, limits.json()["error"]["code"]) == (403, "Ecs.0110")
        assert servers.json()["forbidden"]["code"] == 403


async def test_subject_tokens(user: Lab) -> None:
    own = user.api.headers["X-Auth-Token"]
    other = (await user.token(scope={"unscoped": {}})).headers["X-Subject-Token"]
    foreign = (await user.admin.post("/_sim/projects", json={"name": "t-1"})).json()
    answer = await user.token(
        name=foreign["username"], password=foreign["password"], domain=foreign["domainName"], scope={"project": {"name": "t-1"}}
    )
    theirs = answer.headers["X-Subject-Token"]

    async def show(subject: str | None, *, method: str = "GET") -> int:
        headers = {} if subject is None else {"X-Subject-Token": subject}
        return (await user.api.request(method, "/v3/auth/tokens", headers=headers)).status_code

    assert [await show(subject) for subject in (own, other, theirs, "nonsense", None)] == [200, 200, 404, 404, 400]
    assert [await show(subject, method="DELETE") for subject in (theirs, other, other, None)] == [404, 204, 404, 400]
    assert await show(other) == 404
    await user.admin.post("/_sim/clock", json={"advance": 24 * 3600 - 60})
    fresh = await user.log_in()
    await user.admin.post("/_sim/clock", json={"advance": 120})
    assert [await show(subject) for subject in (own, fresh)] == [404, 200]
    # Who revokes his own token is nobody afterwards.
    assert [await show(fresh, method="DELETE"), await show(fresh)] == [204, 401]


async def test_a_token_beside_a_signature(user: Lab) -> None:
    """Both are checked, and both must be of the same user."""
    foreign = (await user.admin.post("/_sim/projects", json={"name": "t-1"})).json()
    theirs = {"key": foreign["accessKey"], "secret": foreign["secretKey"]}
    cases: dict[str, tuple[dict[str, str], int]] = {
        "both hold": (signed(user, "GET", LIMITS), 200),
        "a forged signature beside a good token": (signed(user, "GET", LIMITS, secret="forged"), 401),
        "a stale signature beside a good token": (signed(user, "GET", LIMITS, skew=3600), 401),
        "a bad token beside a good signature": (signed(user, "GET", LIMITS) | {"X-Auth-Token": "nonsense"}, 401),
        "an empty token beside a good signature": (signed(user, "GET", LIMITS) | {"X-Auth-Token": ""}, 401),
        "the signature of somebody else": (signed(user, "GET", LIMITS, **theirs), 401),
        "another kind of credentials beside a token": ({"Authorization": "Bearer x"}, 401),
    }
    for case, (headers, status) in cases.items():
        assert (await user.api.get(LIMITS, headers=headers)).status_code == status, case


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
        ("another account", {"more": {"x-domain-id": "0" * 32}}),
        ("a security token nobody gave out", {"more": {"x-security-token": "t"}}),
        ("a hash of another body", {"more": {"x-sdk-content-sha256": "0" * 64}}),
        ("a body nobody vouches for", {"more": {"x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}}),
    ],
)
async def test_bad_signatures(lab: Lab, case: str, change: dict[str, Any]) -> None:
    answer = await lab.api.get(LIMITS, headers=signed(lab, "GET", LIMITS, **change))
    assert answer.status_code == 401, case
    assert set(answer.json()) == {"error_code", "error_msg", "request_id"}
    assert answer.json()["error_code"] == "APIGW.0301"


Change = Callable[[list[tuple[str, str]]], list[tuple[str, str]]]


def add(*more: tuple[str, str]) -> Change:
    return lambda headers: [*headers, *more]


def change(name: str, value: Callable[[str], str]) -> Change:
    return lambda headers: [(key, value(text) if key == name else text) for key, text in headers]


def drop(name: str) -> Change:
    return lambda headers: [(key, text) for key, text in headers if key != name]


@pytest.mark.parametrize(
    ("case", "alter", "status", "said"),
    [
        ("as signed", add(), 200, ""),
        ("names in upper case", lambda headers: [(key.upper(), text) for key, text in headers], 200, ""),
        ("spaces around a value", change("x-test", lambda text: f"  {text} \t"), 200, ""),
        ("another header that is not signed", add(("accept", "a")), 200, ""),
        ("an unsigned header twice", add(("accept", "a"), ("accept", "b")), 200, ""),
        ("a signed header in other case", change("x-test", str.upper), 401, "verify aksk signature fail"),
        ("a signed header twice", add(("x-test", "value")), 401, "x-test was sent more than once"),
        ("the host twice", add(("host", "elsewhere")), 401, "host was sent more than once"),
        ("the date twice", add(("x-sdk-date", "20240101T000000Z")), 401, "x-sdk-date was sent more than once"),
        ("the authorization twice", lambda headers: [*headers, headers[-1]], 401, "malformed"),
        ("another host than signed", change("host", lambda text: text.replace("127.0.0.1", "localhost")), 401, "signature fail"),
        ("the host without its port", change("host", lambda text: text.partition(":")[0]), 401, "signature fail"),
        ("a signed header is gone", drop("x-test"), 401, "x-test is missing"),
        ("the date is gone", drop("x-sdk-date"), 401, "x-sdk-date is missing"),
        ("an unsigned project", add(("x-project-id", PROJECT)), 401, "x-project-id must be signed"),
        ("an unsigned security token", add(("x-security-token", "t")), 401, "x-security-token"),
        ("another algorithm", change("authorization", lambda text: text.replace("SHA256", "SM3")), 401, "malformed"),
        ("the date not signed", change("authorization", lambda text: text.replace("x-sdk-date;", "")), 401, "x-sdk-date must be signed"),
        ("the host not signed", change("authorization", lambda text: text.replace("host;", "")), 401, "host must be signed"),
        ("signed names in upper case", change("authorization", lambda text: text.replace("=host", "=Host")), 401, "lower-case"),
        (
            "signed names out of order",
            change("authorization", lambda text: text.replace("host;x-sdk-date", "x-sdk-date;host")),
            401,
            "sorted",
        ),
        ("a signature in upper case", change("authorization", lambda text: text[:-64] + text[-64:].upper()), 401, "malformed"),
        ("a value folded over two lines", change("x-test", lambda text: f"{text}\r\n more"), 400, ""),
    ],
)
async def test_headers_as_they_come(lab: Lab, case: str, alter: Change, status: int, said: str) -> None:
    headers = {name.lower(): value for name, value in signed(lab, "GET", LIMITS, more={"x-test": "value"}).items()}
    got, body = await raw(lab, "GET", LIMITS, alter(list(headers.items())))
    assert got == status, (case, body)
    if status == 401:
        answer = json.loads(body)
        assert set(answer) == {"error_code", "error_msg", "request_id"}
        assert answer["error_code"] == "APIGW.0301"
        assert said in answer["error_msg"]


async def test_a_temporary_key_needs_its_security_token(lab: Lab) -> None:
    user = next(iter(lab.cloud.world.projects[PROJECT].users.values()))
    user.access_keys.append(AccessKey(access_key="TEMPORARY", secret_key="t-secret", security_token="t-token"))
    cases: list[tuple[dict[str, str] | None, int]] = [
        ({"x-security-token": "t-token"}, 200),
        ({"x-security-token": "another"}, 401),
        ({"x-security-token": ""}, 401),
        (None, 401),
    ]
    for more, status in cases:
        headers = signed(lab, "GET", LIMITS, key="TEMPORARY", secret="t-secret", more=more)
        assert (await lab.api.get(LIMITS, headers=headers)).status_code == status, more
    user.access_keys.pop()
    headers = signed(lab, "GET", LIMITS, key="TEMPORARY", secret="t-secret", more={"x-security-token": "t-token"})
    assert (await lab.api.get(LIMITS, headers=headers)).status_code == 401


async def test_an_access_key_is_locked_on_demand(lab: Lab) -> None:
    """More than five bad signatures in a row, and no signature is good any more for five minutes of the world."""

    async def call(**changes: Any) -> tuple[int, str]:
        answer = await lab.api.get(LIMITS, headers=signed(lab, "GET", LIMITS, **changes))
        return answer.status_code, "" if answer.status_code == 200 else answer.json()["error_msg"].partition(": ")[2]

    forged, good, locked = (401, "verify aksk signature fail"), (200, ""), (401, "AK access failed to reach the limit,forbidden")
    assert [await call(secret="forged") for _ in range(8)] == [forged] * 8
    assert await call() == good
    await lab.admin.post("/_sim/behaviour", json={"accessKeyLock": True})
    assert [await call(secret="forged") for _ in range(5)] == [forged] * 5
    # A good one in between, and counting begins anew; a stale one is no attempt at the key.
    assert await call() == good
    assert [(await call(secret="forged", skew=3600))[0] for _ in range(6)] == [401] * 6
    assert [await call(secret="forged") for _ in range(6)] == [forged] * 6
    assert [await call(), await call(secret="forged")] == [locked, locked]
    other = (await lab.admin.post("/_sim/projects", json={"name": "t-1"})).json()
    target = f"/v1/{other['projectId']}/cloudservers/limits"
    headers = signed(lab, "GET", target, key=other["accessKey"], secret=other["secretKey"])
    assert (await lab.api.get(target, headers=headers)).status_code == 200
    await lab.admin.post("/_sim/clock", json={"advance": 299})
    assert await call() == locked
    await lab.admin.post("/_sim/clock", json={"advance": 2})
    assert await call() == good


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
