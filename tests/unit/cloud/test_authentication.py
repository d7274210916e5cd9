"""Tokens and signatures in use: one refresh for many callers, renewal in time, replay of reads only, rotation, clock skew."""

from __future__ import annotations

import asyncio
import json
import logging
from email.utils import format_datetime

import httpx
import pytest

from ecs_operator.cloud import AccessKey, CloudError, Credentials, Meaning, Outcome, PasswordCredentials, StaticCredentials
from ecs_operator.cloud.authentication import Authentication
from ecs_operator.cloud.tokens import Token, Tokens
from tests.unit.cloud.stage import (
    KEY,
    PROJECT,
    SERVER,
    START,
    TOKEN,
    USER,
    FakeCloud,
    LoopClock,
    answer,
    client_of,
    in_turn,
    token_answer,
)

pytestmark = pytest.mark.looptime

LIMITS = {"absolute": {"maxTotalInstances": 10}}
GROUP = "5bbcc3c4-1da2-4437-a48a-66f15b1b13f9"


class Rotating:
    """Credentials that a test changes."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials

    async def get(self) -> Credentials:
        return self.credentials


class Issuer:
    """Hands out numbered tokens, slowly, or the error that a test sets."""

    def __init__(self, *, lifetime: float = 86400.0) -> None:
        self.lifetime = lifetime
        self.calls = 0
        self.error: CloudError | None = None

    async def __call__(self, _: PasswordCredentials) -> Token:
        self.calls += 1
        await asyncio.sleep(1)
        if self.error:
            raise self.error
        return Token(value=f"token-{self.calls}", lifetime=self.lifetime, project_id=PROJECT, user_id="u")


async def _refusal(status: int, code: str) -> CloudError:
    """A real error of the client."""
    cloud = FakeCloud(lambda _: answer(status, {"error": {"code": code, "message": "no"}}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await client.groups.delete(GROUP)
    return caught.value


async def test_one_token_for_many_callers() -> None:
    issuer = Issuer()
    tokens = Tokens(issuer, clock=LoopClock())
    got = await asyncio.gather(*(tokens.get(USER) for _ in range(50)))
    assert {token.value for token in got} == {"token-1"}
    assert issuer.calls == 1


async def test_one_failure_for_many_callers() -> None:
    issuer = Issuer()
    issuer.error = await _refusal(503, "")
    tokens = Tokens(issuer, clock=LoopClock())
    got = await asyncio.gather(*(tokens.get(USER) for _ in range(50)), return_exceptions=True)
    assert {type(error) for error in got} == {CloudError}
    assert issuer.calls == 1


async def test_a_caller_that_gives_up_does_not_take_the_others_with_it() -> None:
    issuer = Issuer()
    tokens = Tokens(issuer, clock=LoopClock())
    first = asyncio.create_task(tokens.get(USER))
    second = asyncio.create_task(tokens.get(USER))
    await asyncio.sleep(0.5)
    first.cancel()
    assert (await second).value == "token-2"
    assert first.cancelled()


RENEWAL = [
    ("a day: at 80 %", 86400.0, 0.8 * 86400.0),
    ("two hours: with half an hour left", 7200.0, 5400.0),
    ("half an hour: at 80 %", 1800.0, 1440.0),
    ("a minute: at 80 %", 60.0, 48.0),
]


@pytest.mark.parametrize(("lifetime", "renewed_after"), [case[1:] for case in RENEWAL], ids=[case[0] for case in RENEWAL])
async def test_renewal_in_time(lifetime: float, renewed_after: float) -> None:
    issuer = Issuer(lifetime=lifetime)
    tokens = Tokens(issuer, clock=LoopClock())
    await tokens.get(USER)
    await asyncio.sleep(renewed_after - 1)
    assert (await tokens.get(USER)).value == "token-1"
    await asyncio.sleep(2)
    assert (await tokens.get(USER)).value == "token-2"


LIFETIMES: list[tuple[str, dict[str, str], float]] = [
    ("by the cloud's own clock", {"issued_at": "2026-01-01T05:00:00Z", "expires_at": "2026-01-01T05:01:00Z"}, 48),
    ("without the time of issue, by ours", {"expires_at": "2026-01-01T00:01:00.855000Z"}, 48),
    ("without a time zone", {"issued_at": "2026-01-01T05:00:00", "expires_at": "2026-01-01T05:01:00"}, 48),
    ("untold: an hour", {}, 2880),
    ("unreadable: an hour", {"expires_at": "soon"}, 2880),
]


@pytest.mark.parametrize(("times", "renewed_after"), [case[1:] for case in LIFETIMES], ids=[case[0] for case in LIFETIMES])
async def test_the_life_of_a_token(times: dict[str, str], renewed_after: float) -> None:
    numbers = iter(range(1, 10))
    cloud = FakeCloud(
        lambda _: answer(200, LIMITS),
        token_handler=lambda _: answer(201, {"token": times}, {"X-Subject-Token": f"token-{next(numbers)}"}),
    )
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        await client.limits.get()
        await asyncio.sleep(renewed_after - 2)
        await client.limits.get()
        await asyncio.sleep(4)
        await client.limits.get()
    assert [request.headers["x-auth-token"] for request in cloud.requests] == ["token-1", "token-1", "token-2"]


async def test_a_token_that_holds_is_used_while_renewal_fails() -> None:
    issuer = Issuer(lifetime=3600)
    tokens = Tokens(issuer, clock=LoopClock())
    await tokens.get(USER)
    issuer.error = await _refusal(503, "")
    await asyncio.sleep(3000)
    assert (await tokens.get(USER)).value == "token-1"
    await asyncio.sleep(700)
    with pytest.raises(CloudError) as caught:
        await tokens.get(USER)
    assert caught.value.outcome is Outcome.NOT_SENT


async def test_refused_credentials_rest_for_a_while() -> None:
    issuer = Issuer()
    issuer.error = await _refusal(401, "Common.0013")
    tokens = Tokens(issuer, clock=LoopClock())
    for _ in range(20):
        with pytest.raises(CloudError) as caught:
            await tokens.get(USER)
        assert (caught.value.outcome, caught.value.meaning) == (Outcome.NOT_SENT, Meaning.AUTH)
        await asyncio.sleep(1)
    assert issuer.calls == 1
    issuer.error = None
    other = PasswordCredentials(username="user", password="mended", domain_name="lab")
    assert (await tokens.get(other)).value == "token-2", "other credentials are tried at once"
    await asyncio.sleep(30)
    assert (await tokens.get(USER)).value == "token-3"


async def test_the_token_request() -> None:
    cloud = FakeCloud(lambda _: answer(200, LIMITS))
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        await client.limits.get()
    assert json.loads(cloud.token_requests[0].content) == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "user", "password": USER.password, "domain": {"name": "lab"}}},
            },
            "scope": {"project": {"id": PROJECT}},
        }
    }
    assert cloud.requests[0].headers["x-auth-token"] == TOKEN


async def test_a_project_is_looked_up_by_name() -> None:
    cloud = FakeCloud(lambda _: answer(200, LIMITS))
    async with client_of(cloud, credentials=StaticCredentials(USER), project_id=None, project_name="eu-west-0") as client:
        assert client.project_id == PROJECT
        await client.limits.get()
    assert json.loads(cloud.token_requests[0].content)["auth"]["scope"] == {"project": {"name": "eu-west-0"}}
    assert len(cloud.token_requests) == 1
    assert cloud.requests[0].url.path == f"/v1/{PROJECT}/cloudservers/limits"


async def test_a_project_is_looked_up_in_the_list_when_the_token_does_not_tell() -> None:
    projects = {"projects": [{"id": "p1", "name": "eu-west-0_a"}, {"id": "p2", "name": "eu-west-0"}]}
    cloud = FakeCloud(lambda _: answer(200, projects), token_handler=lambda _: answer(201, {}, {"X-Subject-Token": "t"}))
    async with client_of(cloud, credentials=StaticCredentials(USER), project_id=None, project_name="eu-west-0") as client:
        assert client.project_id == "p2"


UNKNOWN_PROJECTS = [("none", []), ("two", [{"id": "a", "name": "x"}, {"id": "b", "name": "x"}]), ("only alike", [{"id": "a", "name": "X"}])]


@pytest.mark.parametrize("projects", [case[1] for case in UNKNOWN_PROJECTS], ids=[case[0] for case in UNKNOWN_PROJECTS])
async def test_no_single_project_of_that_name(projects: list[object]) -> None:
    cloud = FakeCloud(lambda _: answer(200, {"projects": projects}), token_handler=lambda _: answer(201, {}, {"X-Subject-Token": "t"}))
    with pytest.raises(CloudError, match="projectName") as caught:
        async with client_of(cloud, credentials=StaticCredentials(USER), project_id=None, project_name="x"):
            pass
    assert caught.value.meaning is Meaning.INVALID


async def test_an_access_key_needs_the_projects_id() -> None:
    with pytest.raises(CloudError, match="projectId"):
        async with client_of(FakeCloud(lambda _: answer(200, {})), project_id=None, project_name="eu-west-0"):
            pass


REFUSALS = [("401", 401, "Common.0013"), ("400 of the API", 400, "Ecs.0023"), ("400 of jobs", 400, "Common.0018")]


@pytest.mark.parametrize(("status", "code"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
async def test_a_read_is_replayed_once_with_a_new_token(status: int, code: str) -> None:
    numbers = iter(range(1, 10))
    refused = answer(status, {"error": {"code": code, "message": "token"}})
    cloud = FakeCloud(
        in_turn([answer(200, LIMITS), refused, answer(200, LIMITS)]), token_handler=lambda _: token_answer(f"token-{next(numbers)}")
    )
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        await client.limits.get()
        await asyncio.sleep(60)
        await client.limits.get()
    assert [request.headers["x-auth-token"] for request in cloud.requests] == ["token-1", "token-1", "token-2"]


async def test_a_read_is_not_replayed_twice() -> None:
    cloud = FakeCloud(lambda _: answer(401, {"error": {"code": "Common.0013", "message": "token"}}))
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        await client._session._authentication._tokens.get(USER)
        await asyncio.sleep(60)
        with pytest.raises(CloudError) as caught:
            await client.limits.get()
    assert caught.value.meaning is Meaning.AUTH
    assert len(cloud.requests) == 2
    assert len(cloud.token_requests) == 2


async def test_a_brand_new_token_is_not_renewed() -> None:
    cloud = FakeCloud(lambda _: answer(401, None))
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        with pytest.raises(CloudError):
            await client.limits.get()
    assert (len(cloud.requests), len(cloud.token_requests)) == (1, 1)


async def test_a_refused_write_is_not_replayed_but_the_next_call_has_a_new_token() -> None:
    numbers = iter(range(1, 10))
    cloud = FakeCloud(
        in_turn([answer(200, LIMITS), answer(401), answer(204)]), token_handler=lambda _: token_answer(f"token-{next(numbers)}")
    )
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        await client.limits.get()
        await asyncio.sleep(60)
        with pytest.raises(CloudError) as caught:
            await client.groups.delete(GROUP)
        assert (caught.value.outcome, caught.value.meaning) == (Outcome.REFUSED, Meaning.AUTH)
        await client.groups.delete(GROUP)
    assert [request.headers["x-auth-token"] for request in cloud.requests] == ["token-1", "token-1", "token-2"]


async def test_no_token_means_the_call_was_not_sent() -> None:
    cloud = FakeCloud(lambda _: answer(204), token_handler=lambda _: answer(500, None))
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        with pytest.raises(CloudError, match="createToken") as caught:
            await client.groups.delete(GROUP)
    assert caught.value.outcome is Outcome.NOT_SENT
    assert not cloud.requests


async def test_rotated_credentials_are_used_with_the_next_call() -> None:
    numbers = iter(range(1, 10))
    cloud = FakeCloud(lambda _: answer(200, LIMITS), token_handler=lambda _: token_answer(f"token-{next(numbers)}"))
    provider = Rotating(USER)
    async with client_of(cloud, credentials=provider) as client:
        await client.limits.get()
        provider.credentials = PasswordCredentials(username="user", password="rotated", domain_name="lab")
        await client.limits.get()
        provider.credentials = KEY
        await client.limits.get()
    assert [request.headers.get("x-auth-token") for request in cloud.requests] == ["token-1", "token-2", None]
    assert cloud.requests[2].headers["authorization"].startswith("SDK-HMAC-SHA256 Access=ACCESSKEY")


USERS = [
    ("with a password the token tells", USER, None, "u1"),
    ("what is given goes before the token", USER, "u2", "u2"),
    ("an access key does not tell", KEY, None, None),
    ("so it is given", KEY, "u2", "u2"),
]


@pytest.mark.parametrize(("credentials", "given", "user"), [case[1:] for case in USERS], ids=[case[0] for case in USERS])
async def test_whose_credentials_these_are(credentials: Credentials, given: str | None, user: str | None) -> None:
    cloud = FakeCloud(lambda _: answer(200, LIMITS))
    async with client_of(cloud, credentials=StaticCredentials(credentials), user_id=given) as client:
        assert await client.user_id() == user
    assert len(cloud.token_requests) == (user == "u1"), "no token is fetched for what is known"


async def test_a_signed_request_names_its_project() -> None:
    cloud = FakeCloud(lambda _: answer(200, LIMITS))
    async with client_of(cloud) as client:
        await client.limits.get()
    request = cloud.requests[0]
    assert request.headers["x-project-id"] == PROJECT
    assert "SignedHeaders=host;x-project-id;x-sdk-date," in request.headers["authorization"]
    assert request.headers["x-sdk-date"] == START.strftime("%Y%m%dT%H%M%SZ")


@pytest.mark.parametrize("minutes", [-20, 20])
async def test_clock_skew_is_learned_from_a_refusal(minutes: int, caplog: pytest.LogCaptureFixture) -> None:
    theirs = START.timestamp() + minutes * 60

    def handle(request: httpx.Request) -> httpx.Response:
        signed_at = _moment(request.headers["x-sdk-date"])
        date = format_datetime(START.fromtimestamp(theirs, START.tzinfo), usegmt=True)
        return answer(200, LIMITS, {"Date": date}) if abs(signed_at - theirs) < 900 else answer(401, None, {"Date": date})

    cloud = FakeCloud(handle)
    with caplog.at_level(logging.WARNING, "ecs_operator.cloud"):
        async with client_of(cloud) as client:
            await client.limits.get()
            await client.limits.get()
    assert len(cloud.requests) == 3, "refused, signed anew, and right from the start from then on"
    assert any("clock differs" in record.message for record in caplog.records)


def _moment(text: str) -> float:
    return START.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=START.tzinfo).timestamp()


async def test_a_refused_signature_without_skew_is_final() -> None:
    cloud = FakeCloud(lambda _: answer(401, None, {"Date": format_datetime(START, usegmt=True)}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await client.limits.get()
    assert caught.value.meaning is Meaning.AUTH
    assert len(cloud.requests) == 1


async def test_a_temporary_key_sends_its_security_token() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"server": {"id": SERVER, "metadata": {}}}))
    key = AccessKey(access_key="AK", secret_key="SK-000000", security_token="ST-000000")
    async with client_of(cloud, credentials=StaticCredentials(key)) as client:
        await client.servers.get(SERVER)
    assert cloud.requests[0].headers["x-security-token"] == "ST-000000"


async def test_a_proof_shows_no_secret() -> None:
    authentication = Authentication(StaticCredentials(USER), tokens=Tokens(Issuer(), clock=LoopClock()), clock=LoopClock())
    proof = await authentication.prove(method="GET", url="https://h/", headers={}, body=b"", project_id=PROJECT)
    assert "token-1" not in repr(proof)
    assert USER.password not in repr(proof)


@pytest.mark.parametrize("credentials", [USER, KEY, AccessKey(access_key="AK", secret_key="canary-SK", security_token="canary-ST")])
def test_credentials_show_no_secret(credentials: Credentials) -> None:
    for text in (repr(credentials), str(credentials), repr(StaticCredentials(credentials)), repr(Rotating(credentials))):
        assert not any(secret in text for secret in (USER.password, KEY.secret_key, "canary"))
