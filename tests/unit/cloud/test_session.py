"""One call: retries of reads, none of writes, deadlines, microversions, headers, records, logs."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest

from ecs_operator.cloud import BudgetLimits, CloudError, EcsClient, Meaning, Outcome, StaticCredentials
from ecs_operator.cloud.transport import open_http
from tests.unit.cloud.stage import (
    CREATE,
    ENDPOINT,
    IAM,
    KEY,
    PROJECT,
    SERVER,
    USER,
    FakeCloud,
    LoopClock,
    answer,
    client_of,
    in_turn,
    token_answer,
)

pytestmark = pytest.mark.looptime

SHOWN = {"server": {"id": SERVER, "name": "web-0", "metadata": {}}}
TROUBLE = [
    ("502", answer(502)),
    ("500", answer(500, {"error": {"code": "Common.0001", "message": "x"}})),
    ("a query that failed", answer(400, {"error": {"code": "Ecs.0301", "message": "x"}})),
    ("a connection that broke", httpx.ReadError("reset")),
    ("a refused connection", httpx.ConnectError("refused")),
    ("429", answer(429, None, {"Retry-After": "1"})),
]


@pytest.mark.parametrize("trouble", [case[1] for case in TROUBLE], ids=[case[0] for case in TROUBLE])
async def test_a_read_is_tried_three_times(trouble: httpx.Response | Exception) -> None:
    cloud = FakeCloud(in_turn([trouble, trouble, answer(200, SHOWN)]))
    async with client_of(cloud) as client:
        assert (await client.servers.get(SERVER)).name == "web-0"
    assert len({request.headers["x-request-id"] for request in cloud.requests}) == 3, "every try has its own id"


async def test_a_read_is_not_tried_a_fourth_time() -> None:
    cloud = FakeCloud(lambda _: answer(502))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.get(SERVER)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.UNKNOWN, Meaning.UNREACHABLE)
    assert len(cloud.requests) == 3


FINAL = [("404", answer(404, {"itemNotFound": {"code": 404, "message": "x"}})), ("403", answer(403)), ("400", answer(400, {}))]


@pytest.mark.parametrize("response", [case[1] for case in FINAL], ids=[case[0] for case in FINAL])
async def test_a_refused_read_is_not_repeated(response: httpx.Response) -> None:
    cloud = FakeCloud(lambda _: response)
    async with client_of(cloud) as client:
        with pytest.raises(CloudError):
            await client.servers.get(SERVER)
    assert len(cloud.requests) == 1


WRITE_TROUBLE = [*TROUBLE, ("busy", answer(501, {"error": {"code": "Ecs.0603", "message": "x"}}))]


@pytest.mark.parametrize("trouble", [case[1] for case in WRITE_TROUBLE], ids=[case[0] for case in WRITE_TROUBLE])
async def test_a_write_is_sent_once(trouble: httpx.Response | Exception) -> None:
    cloud = FakeCloud(in_turn([trouble]))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError):
            await client.servers.delete([SERVER], delete_public_ip=False, delete_volume=False)
    assert len(cloud.requests) == 1


async def test_a_cloud_of_errors_sees_a_tenth_more_calls_at_most() -> None:
    cloud = FakeCloud(lambda _: answer(500))
    async with client_of(cloud) as client:
        for _ in range(200):
            with pytest.raises(CloudError):
                await client.limits.get()
    assert len(cloud.requests) <= 200 + 20 + 5


DEADLINES = [("a create", None, 60.0), ("a create with a deadline of its own", 20.0, 20.0)]


@pytest.mark.parametrize(("deadline", "seconds"), [case[1:] for case in DEADLINES], ids=[case[0] for case in DEADLINES])
async def test_a_create_without_an_answer_is_unknown_in_time(deadline: float | None, seconds: float) -> None:
    cloud = FakeCloud(_silence)
    async with client_of(cloud) as client:
        started = asyncio.get_running_loop().time()
        with pytest.raises(CloudError) as caught:
            await client.servers.create(CREATE, client_token=None, deadline=deadline)
        assert asyncio.get_running_loop().time() - started == pytest.approx(seconds)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert [record.outcome for record in cloud.records] == [Outcome.UNKNOWN]


async def test_any_call_ends_after_half_a_minute() -> None:
    async with client_of(FakeCloud(_silence)) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.delete([SERVER], delete_public_ip=False, delete_volume=False)
        assert asyncio.get_running_loop().time() == pytest.approx(30)
    assert caught.value.outcome is Outcome.UNKNOWN


async def _silence(_: httpx.Request) -> httpx.Response:
    await asyncio.sleep(3600)
    return answer(200)


async def test_a_create_that_waits_too_long_for_its_turn_is_not_sent() -> None:
    cloud = FakeCloud(_silence)
    budget = BudgetLimits(creates_in_flight=1)
    async with client_of(cloud, budget=budget) as client:
        first = asyncio.create_task(_outcome(client.servers.create(CREATE, client_token=None)))
        await asyncio.sleep(1)
        second = await _outcome(client.servers.create(CREATE, client_token=None, deadline=20))
        assert second is Outcome.NOT_SENT
        assert asyncio.get_running_loop().time() == pytest.approx(11), "half of the deadline"
        assert await first is Outcome.UNKNOWN
    assert len(cloud.requests) == 1


async def _outcome(call: object) -> Outcome | None:
    try:
        await call  # type: ignore[misc]
    except CloudError as error:
        return error.outcome
    return None


async def test_a_cancelled_call_is_reported_as_unknown() -> None:
    cloud = FakeCloud(_silence)
    async with client_of(cloud) as client:
        task = asyncio.create_task(client.servers.create(CREATE, client_token=None))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [record.outcome for record in cloud.records] == [Outcome.UNKNOWN]


RANGES = [
    ("a new cloud", [{"id": "v2.1", "min_version": "2.1", "version": "2.60"}], "2.46", "2.35"),
    ("an older one", [{"id": "v2.1", "min_version": "2.1", "version": "2.30"}], "2.30", "2.30"),
    ("one without tags", [{"id": "v2.1", "min_version": "2.1", "version": "2.14"}], "2.14", "2.14"),
    ("none", [{"id": "v2.0", "min_version": "", "version": ""}], None, None),
    ("2.10 is more than 2.9", [{"id": "v2.1", "min_version": "2.1", "version": "2.9"}], "2.9", "2.9"),
    ("beyond what we can read", [{"id": "v2.1", "min_version": "2.53", "version": "2.90"}], None, None),
]


@pytest.mark.parametrize(("versions", "servers", "proxies"), [case[1:] for case in RANGES], ids=[case[0] for case in RANGES])
async def test_microversions(versions: list[object], servers: str | None, proxies: str | None) -> None:
    volume = {"volume": {"id": "v", "metadata": {}}}
    cloud = FakeCloud(lambda request: answer(200, SHOWN if "/servers/" in request.url.path else volume), versions={"versions": versions})
    async with client_of(cloud) as client:
        await client.servers.get(SERVER)
        await client.volumes.get("v")
    for request, expected in zip(cloud.requests, (servers, proxies), strict=True):
        assert request.headers.get("x-openstack-nova-api-version") == expected
        assert request.headers.get("openstack-api-version") == (f"compute {expected}" if expected else None)


async def test_microversions_are_asked_for_once() -> None:
    cloud = FakeCloud(lambda _: answer(200, SHOWN))
    async with client_of(cloud) as client:
        await asyncio.gather(*(client.servers.get(SERVER) for _ in range(10)))
        assert await client.versions.for_reads() == "2.46"
    assert [record.operation for record in cloud.records].count("listVersions") == 1


async def test_a_microversion_that_is_refused_is_chosen_anew() -> None:
    cloud = FakeCloud(in_turn([answer(406), answer(200, SHOWN)]))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError):
            await client.servers.get(SERVER)
        cloud.versions = {"versions": [{"id": "v2.1", "min_version": "2.1", "version": "2.40"}]}
        await client.servers.get(SERVER)
    assert [request.headers["x-openstack-nova-api-version"] for request in cloud.requests] == ["2.46", "2.40"]


async def test_a_write_is_not_sent_when_the_versions_cannot_be_had() -> None:
    cloud = FakeCloud(lambda _: answer(200, SHOWN), versions="garbage")
    async with client_of(cloud) as client:
        with pytest.raises(CloudError, match="listVersions") as caught:
            await client.servers.update(SERVER, name="x")
    assert caught.value.outcome is Outcome.NOT_SENT
    assert not cloud.requests


async def test_a_create_carries_token_and_body() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"job_id": "j", "serverIds": ["s"]}))
    async with client_of(cloud) as client:
        accepted = await client.servers.create(CREATE, client_token="0b1f0c5e-1f6a-5c0e-9d5e-000000000001")
    request = cloud.requests[0]
    assert (accepted.job_id, accepted.server_ids) == ("j", ("s",))
    assert (request.method, request.url.path) == ("POST", f"/v1/{PROJECT}/cloudservers")
    assert request.headers["x-client-token"] == "0b1f0c5e-1f6a-5c0e-9d5e-000000000001"
    assert request.content == CREATE.body()


async def test_records() -> None:
    cloud = FakeCloud(
        in_turn([answer(404, {"itemNotFound": {"code": 404, "message": "x"}}), answer(200, {"job_id": "j"}, {"X-Request-Id": "c1"})])
    )
    async with client_of(cloud) as client:
        with pytest.raises(CloudError):
            await client.servers.get(SERVER)
        await client.servers.start([SERVER])
    records = [record for record in cloud.records if record.operation != "listVersions"]
    assert [(record.operation, record.method, record.status, record.outcome) for record in records] == [
        ("showServer", "GET", 404, Outcome.REFUSED),
        ("startServers", "POST", 200, None),
    ]
    assert (records[1].request_id, records[1].cloud_request_id) == (cloud.requests[1].headers["x-request-id"], "c1")


async def test_logs_hold_no_body_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    cloud = FakeCloud(lambda _: answer(400, {"error": {"code": "Ecs.0011", "message": "canary-text"}}))
    with caplog.at_level(logging.DEBUG):
        async with client_of(cloud) as client:
            with pytest.raises(CloudError):
                await client.servers.create(CREATE, client_token=None)
    text = caplog.text
    ours = [record for record in caplog.records if record.name == "ecs_operator.cloud"]
    assert [record.levelno for record in ours] == [logging.WARNING]
    assert "createServers" in ours[0].getMessage()
    for secret in ("canary-text", "Canary-Passw0rd", "secret-key-0"):
        assert secret not in text


async def test_redirects_are_not_followed() -> None:
    cloud = FakeCloud(lambda _: answer(302, None, {"Location": "https://evil.example.test/"}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.delete([SERVER], delete_public_ip=False, delete_volume=False)
    assert caught.value.status == 302
    assert {request.url.host for request in cloud.requests} == {"ecs.example.test"}


BUNDLES = [("no PEM", "garbage"), ("broken PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), ("not ASCII", "ä")]


@pytest.mark.parametrize("bundle", [case[1] for case in BUNDLES], ids=[case[0] for case in BUNDLES])
async def test_a_broken_bundle_of_authorities_is_refused(bundle: str) -> None:
    with pytest.raises(CloudError, match="caBundle") as caught:
        open_http(ca_bundle=bundle, encrypted=True, transport=None)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.NOT_SENT, Meaning.INVALID)


async def test_429_slows_the_kind_that_was_throttled() -> None:
    actions = in_turn([answer(429, None, {"Retry-After": "9"}), answer(200, {"job_id": "j"})])
    cloud = FakeCloud(lambda request: actions(request) if request.method == "POST" else answer(200, {"absolute": {}}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.start([SERVER])
        assert caught.value.retry_after == 9
        await client.limits.get()
        assert asyncio.get_running_loop().time() < 1, "reads go on"
        await client.servers.stop([SERVER], "SOFT")
        assert asyncio.get_running_loop().time() == pytest.approx(9, abs=0.1)
    assert [request.method for request in cloud.requests] == ["POST", "GET", "POST"]


ADDRESSES = [
    "",
    "ecs.example.test",
    "ftp://ecs.example.test",
    "https://",
    "https://[x",
    "https://user:pw@h",
    "https://h?a=b",
    "https://h#f",
]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("field", ["endpoint", "iam_endpoint"])
async def test_an_address_that_is_none(address: str, field: str) -> None:
    ecs, iam = (address, IAM) if field == "endpoint" else (ENDPOINT, address or "x")
    with pytest.raises(CloudError, match=r"endpoints\.") as caught:
        await EcsClient.open(endpoint=ecs, iam_endpoint=iam, project_id=PROJECT, credentials=StaticCredentials(KEY))
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.NOT_SENT, Meaning.INVALID)
    assert "pw" not in str(caught.value)


async def test_a_prefix_in_the_address_is_kept() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"absolute": {}}))
    async with await EcsClient.open(
        endpoint=f"{ENDPOINT}/ecs/",
        iam_endpoint=IAM,
        project_id=PROJECT,
        credentials=StaticCredentials(KEY),
        clock=LoopClock(),
        transport=httpx.MockTransport(cloud),
    ) as client:
        await client.limits.get()
    assert cloud.requests[0].url.path == f"/ecs/v1/{PROJECT}/cloudservers/limits"


async def test_a_closed_client_sends_nothing() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"job_id": "j"}))
    async with client_of(cloud) as client:
        pass
    with pytest.raises(CloudError, match="closed") as caught:
        await client.servers.start([SERVER])
    assert caught.value.outcome is Outcome.NOT_SENT
    assert not cloud.requests


async def _slow_token(_: httpx.Request) -> httpx.Response:
    await asyncio.sleep(14)
    return token_answer()


async def test_a_write_whose_turn_comes_late_is_not_sent() -> None:
    """With little time left it would hardly be answered, and its outcome be unknown."""
    cloud = FakeCloud(lambda _: answer(200, {"job_id": "j"}), token_handler=_slow_token)
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        with pytest.raises(CloudError, match="too little time") as caught:
            await client.servers.create(CREATE, client_token=None, deadline=20)
        assert caught.value.outcome is Outcome.NOT_SENT
        assert not cloud.requests
        await client.servers.create(CREATE, client_token=None, deadline=20)
    assert len(cloud.requests) == 1


async def test_a_call_that_waits_for_a_token_to_the_end_was_not_sent() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"job_id": "j"}), token_handler=_silence)
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(CREATE, client_token=None, deadline=10)
        assert asyncio.get_running_loop().time() == pytest.approx(10)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.NOT_SENT, Meaning.UNREACHABLE)


async def test_an_access_key_needs_no_iam() -> None:
    async with await EcsClient.open(
        endpoint=ENDPOINT,
        iam_endpoint="",
        project_id=PROJECT,
        credentials=StaticCredentials(KEY),
        clock=LoopClock(),
        transport=httpx.MockTransport(FakeCloud(lambda _: answer(200, {"absolute": {}}))),
    ) as client:
        await client.limits.get()
        with pytest.raises(CloudError, match=r"endpoints\.iam"):
            await client.identity.projects()


async def test_a_password_needs_iam() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"absolute": {}}))
    async with await EcsClient.open(
        endpoint=ENDPOINT,
        iam_endpoint="",
        project_id=PROJECT,
        credentials=StaticCredentials(USER),
        clock=LoopClock(),
        transport=httpx.MockTransport(cloud),
    ) as client:
        with pytest.raises(CloudError, match=r"endpoints\.iam") as caught:
            await client.limits.get()
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.NOT_SENT, Meaning.INVALID)
    assert not cloud.requests
