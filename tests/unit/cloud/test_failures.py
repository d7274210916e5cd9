"""Every way a call can fail, and what it is taken for (design: lifecycle.md, "The HTTP status is not a verdict")."""

from __future__ import annotations

import json
from dataclasses import dataclass

import httpx
import pytest

from ecs_operator.cloud import CODES, CloudError, Meaning, Outcome
from ecs_operator.cloud.failures import Call, RawAnswer, refusal
from ecs_operator.cloud.operation import Operation
from ecs_operator.cloud.operations import actions, jobs, servers
from tests.unit.cloud.stage import CREATE, PROJECT, SERVER, START, FakeCloud, answer, client_of

REFUSED, UNKNOWN, NOT_SENT = Outcome.REFUSED, Outcome.UNKNOWN, Outcome.NOT_SENT


@dataclass(frozen=True)
class Case:
    name: str
    status: int
    body: object
    outcome: Outcome | None
    meaning: Meaning | None
    code: str | None = None
    operation: Operation = servers.CREATE
    headers: tuple[tuple[str, str], ...] = ()


def ecs(code: str, *details: str) -> object:
    """The shape of task calls."""
    return {"error": {"code": code, "message": "text", **({"details": [{"code": detail} for detail in details]} if details else {})}}


def nova(fault: str, status: int, text: str = "text") -> object:
    return {fault: {"code": status, "message": text}}


HTML = b"<html><body>502 Bad Gateway</body></html>"

CASES = [
    Case("a refusal by a rule", 400, ecs("Ecs.0005"), REFUSED, Meaning.INVALID, "Ecs.0005"),
    Case("quota", 400, ecs("Ecs.0001"), REFUSED, Meaning.QUOTA, "Ecs.0001"),
    Case("the specific code stands in the details", 400, ecs("Ecs.0005", "Ecs.0319"), REFUSED, Meaning.CAPACITY, "Ecs.0319"),
    Case("a foreign detail does not hide the general code", 400, ecs("Ecs.0005", "VPC.0202"), REFUSED, Meaning.INVALID, "Ecs.0005"),
    Case("a detail that proves nothing outweighs", 400, ecs("Ecs.0005", "Ecs.1002"), UNKNOWN, Meaning.TRANSIENT, "Ecs.1002"),
    Case("a general code that proves nothing outweighs", 400, ecs("Ecs.0002", "Ecs.0319"), UNKNOWN, Meaning.CAPACITY, "Ecs.0319"),
    Case("code and message swapped", 400, {"error": {"code": "illegal", "message": "Ecs.0005"}}, REFUSED, Meaning.INVALID, "Ecs.0005"),
    Case("the gateway's shape", 400, {"error_code": "Ecs.0031", "error_msg": "x"}, REFUSED, Meaning.INVALID, "Ecs.0031"),
    Case("the flat shape of job queries", 400, {"code": "Common.0011", "message": "x"}, REFUSED, Meaning.NOT_FOUND, "Common.0011"),
    Case("submitting the task failed", 400, ecs("Ecs.0002"), UNKNOWN, Meaning.INTERNAL, "Ecs.0002"),
    *(
        Case(f"{code} proves nothing", 400, ecs(code), UNKNOWN, CODES[code].meaning, code)
        for code in ("Ecs.0204", "Ecs.0219", "Ecs.1000", "Ecs.1001", "Ecs.1002", "Ecs.1200", "Ecs.1201", "Ecs.1300")
    ),
    *(
        Case(f"{code} proves nothing", 400, ecs(code), UNKNOWN, CODES[code].meaning, code)
        for code in ("Common.0020", "Common.0022", "Common.0999")
    ),
    Case("a code that is not listed", 400, ecs("Ecs.9999"), UNKNOWN, Meaning.INVALID, "Ecs.9999"),
    Case("400 without a code", 400, {"what": "ever"}, UNKNOWN, Meaning.INVALID),
    Case("400 as HTML", 400, HTML, UNKNOWN, Meaning.INVALID),
    Case("flow control as 202", 202, ecs("Common.0024"), REFUSED, Meaning.THROTTLED, "Common.0024"),
    Case("flow control as 202, flat", 202, {"code": "Common.0024", "message": "x"}, REFUSED, Meaning.THROTTLED, "Common.0024"),
    Case("flow control as 202, gateway", 202, {"error_code": "Common.0024", "error_msg": "x"}, REFUSED, Meaning.THROTTLED, "Common.0024"),
    Case("another error in a 200", 200, ecs("Ecs.0005"), UNKNOWN, Meaning.INVALID, "Ecs.0005"),
    Case("a 200 with errors of a batch", 200, {"internalError": [{"error_code": "ECS.0114"}]}, UNKNOWN, Meaning.NOT_FOUND, "ECS.0114"),
    Case("a success", 200, {"job_id": "j"}, None, None),
    Case("a success of a busy system", 202, {"job_id": "j"}, None, None),
    Case("an empty success", 204, None, None, None),
    Case("a failed job is no failed call", 200, {"status": "FAIL", "error_code": "Ecs.0219", "fail_reason": "x"}, None, None),
    Case("a job with empty fields for errors", 200, {"status": "INIT", "job_id": "j", "code": "", "message": ""}, None, None),
    Case("401", 401, ecs("Common.0013"), REFUSED, Meaning.AUTH, "Common.0013"),
    Case("401 of the gateway", 401, {"error_code": "APIGW.0301", "error_msg": "x"}, REFUSED, Meaning.AUTH, "APIGW.0301"),
    Case("an invalid token as 400", 400, ecs("Ecs.0023"), REFUSED, Meaning.AUTH, "Ecs.0023"),
    Case("an invalid token as 400, jobs", 400, ecs("Common.0018"), REFUSED, Meaning.AUTH, "Common.0018"),
    Case(
        "a token of another project, in Nova's words",
        400,
        nova("badRequest", 400, "Malformed request URL: URL's project_id 'a' doesn't match Context's project_id 'b'"),
        REFUSED,
        Meaning.AUTH,
        operation=servers.SHOW,
    ),
    Case("403 without right", 403, ecs("Pdp.0001"), REFUSED, Meaning.FORBIDDEN, "Pdp.0001"),
    Case("403 restricted is no authentication failure", 403, ecs("Ecs.0067"), REFUSED, Meaning.FROZEN, "Ecs.0067"),
    Case("403 of Nova for a quota", 403, nova("forbidden", 403, "Quota exceeded for cores"), REFUSED, Meaning.QUOTA),
    Case("404 of a server", 404, ecs("Ecs.0114"), REFUSED, Meaning.NOT_FOUND, "Ecs.0114"),
    Case("404 of Nova", 404, nova("itemNotFound", 404), REFUSED, Meaning.NOT_FOUND, operation=servers.SHOW),
    Case("404 of a gateway says nothing about the server", 404, HTML, REFUSED, Meaning.UNREACHABLE, operation=servers.SHOW),
    Case("404 without a body", 404, None, REFUSED, Meaning.UNREACHABLE, operation=servers.SHOW),
    Case(
        "404 of an API gateway",
        404,
        {"error_code": "APIG.0101", "error_msg": "no such API"},
        REFUSED,
        Meaning.UNREACHABLE,
        "APIG.0101",
        servers.SHOW,
    ),
    Case("409", 409, nova("conflictingRequest", 409), REFUSED, Meaning.CONFLICT, operation=actions.LOCK),
    Case("413 too long", 413, nova("overLimit", 413), REFUSED, Meaning.INVALID),
    Case("413 too often", 413, nova("overLimit", 413), REFUSED, Meaning.THROTTLED, headers=(("Retry-After", "7"),)),
    Case("429", 429, HTML, REFUSED, Meaning.THROTTLED),
    Case("429 with a code", 429, ecs("Common.1503"), REFUSED, Meaning.THROTTLED, "Common.1503"),
    Case("501 another command runs", 501, ecs("Ecs.0603"), REFUSED, Meaning.BUSY, "Ecs.0603"),
    Case("501 otherwise", 501, HTML, UNKNOWN, Meaning.INTERNAL),
    Case("408", 408, None, UNKNOWN, Meaning.UNREACHABLE),
    Case("500", 500, ecs("Common.0001"), UNKNOWN, Meaning.INTERNAL, "Common.0001"),
    Case("500 with the code of a refusal", 500, ecs("Ecs.0005"), UNKNOWN, Meaning.INVALID, "Ecs.0005"),
    Case("502", 502, HTML, UNKNOWN, Meaning.UNREACHABLE),
    Case("503", 503, None, UNKNOWN, Meaning.UNREACHABLE),
    Case("504", 504, b"", UNKNOWN, Meaning.UNREACHABLE),
    Case("a redirect", 302, None, UNKNOWN, Meaning.UNREACHABLE),
    Case("405", 405, ecs("Ecs.9999"), UNKNOWN, Meaning.INVALID, "Ecs.9999"),
    Case("a bad request of Nova", 400, nova("badRequest", 400), REFUSED, Meaning.INVALID, operation=servers.UPDATE),
    Case("Nova's shape on an ECS call proves nothing", 400, nova("badRequest", 400), UNKNOWN, Meaning.INVALID),
    Case("a fault of Nova", 500, nova("computeFault", 500), UNKNOWN, Meaning.INTERNAL, operation=servers.UPDATE),
    Case("the query of a job failed", 400, ecs("Common.0021"), UNKNOWN, Meaning.TRANSIENT, "Common.0021", jobs.SHOW_JOB),
    Case("truncated JSON", 400, b'{"error": {"code": "Ecs.0005"', UNKNOWN, Meaning.INVALID),
    Case("a list where an object is due", 400, [1, 2], UNKNOWN, Meaning.INVALID),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers(case: Case) -> None:
    content = case.body if isinstance(case.body, bytes) else b"" if case.body is None else json.dumps(case.body).encode()
    headers = {name.lower(): value for name, value in case.headers}
    error = refusal(Call(operation=case.operation, request_id="req-1"), RawAnswer(case.status, headers, content), now=START)
    if case.outcome is None:
        assert error is None
        return
    assert error is not None
    assert (error.outcome, error.meaning, error.code, error.status) == (case.outcome, case.meaning, case.code, case.status)


NO_ANSWERS: list[tuple[str, Exception, Outcome]] = [
    ("refused", httpx.ConnectError("[Errno 111] Connection refused"), NOT_SENT),
    ("no such host", httpx.ConnectError("[Errno -2] Name or service not known"), NOT_SENT),
    ("bad certificate", httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), NOT_SENT),
    ("connecting takes too long", httpx.ConnectTimeout("timed out"), NOT_SENT),
    ("no connection free", httpx.PoolTimeout("timed out"), NOT_SENT),
    ("no answer", httpx.ReadTimeout("timed out"), UNKNOWN),
    ("sending takes too long", httpx.WriteTimeout("timed out"), UNKNOWN),
    ("reset while reading", httpx.ReadError("reset"), UNKNOWN),
    ("reset while writing", httpx.WriteError("broken pipe"), UNKNOWN),
    ("closed without an answer", httpx.RemoteProtocolError("Server disconnected without sending a response."), UNKNOWN),
    ("not decodable", httpx.DecodingError("bad gzip"), UNKNOWN),
]


@pytest.mark.parametrize(("failure", "outcome"), [case[1:] for case in NO_ANSWERS], ids=[case[0] for case in NO_ANSWERS])
@pytest.mark.looptime
async def test_no_answer_to_a_create(failure: Exception, outcome: Outcome) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    cloud = FakeCloud(fail)
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(CREATE, client_token=None)
    assert (caught.value.outcome, caught.value.meaning, caught.value.status) == (outcome, Meaning.UNREACHABLE, None)
    assert f"https://{cloud.requests[0].url.host}" in caught.value.message, "it names what was to be reached"
    assert len(cloud.requests) == 1, "a write is never repeated"


UNREADABLE = [
    ("not JSON", b"\x00\xff garbage"),
    ("truncated", b'{"job_id": "ff80'),
    ("no job", b"{}"),
    ("an empty job", b'{"job_id": ""}'),
    ("nothing", b""),
    ("a list", b"[]"),
]


@pytest.mark.parametrize("content", [case[1] for case in UNREADABLE], ids=[case[0] for case in UNREADABLE])
async def test_an_unreadable_success_of_a_write_is_unknown(content: bytes) -> None:
    async with client_of(FakeCloud(lambda _: answer(200, content))) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(CREATE, client_token=None)
    assert caught.value.outcome is UNKNOWN


async def test_an_answer_that_is_too_long() -> None:
    cloud = FakeCloud(lambda _: answer(200, b'"' + b"x" * (1024 * 1024) + b'"'))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError, match="longer than 1024 KiB") as caught:
            await client.servers.create(CREATE, client_token=None)
    assert caught.value.outcome is UNKNOWN


async def test_the_ids_of_both_sides_come_back() -> None:
    cloud = FakeCloud(lambda _: answer(400, ecs("Ecs.0319"), {"X-Request-Id": "cloud-7"}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(CREATE, client_token=None)
    ours = cloud.requests[0].headers["x-request-id"]
    assert (caught.value.request_id, caught.value.cloud_request_id) == (ours, "cloud-7")
    assert str(caught.value) == f"createServers was refused (HTTP 400 Ecs.0319): text [request {ours}, cloud request cloud-7]"


RETRY_AFTER = [("7", 7.0), ("0", 0.0), ("99999", 300.0), ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0), ("soon", None), ("-5", None), ("", None)]


@pytest.mark.parametrize(("value", "seconds"), RETRY_AFTER)
def test_retry_after(value: str, seconds: float | None) -> None:
    error = refusal(Call(operation=servers.CREATE, request_id="r"), RawAnswer(429, {"retry-after": value}, b""), now=START)
    assert error is not None
    assert error.retry_after == seconds


ECHOES = [
    ("plain", "password Canary-Passw0rd is too weak"),
    ("in JSON", 'got {"adminPass": "Canary-Passw0rd"}'),
    ("over lines", "line one\nCanary-Passw0rd\tend"),
]


@pytest.mark.parametrize("text", [case[1] for case in ECHOES], ids=[case[0] for case in ECHOES])
async def test_the_clouds_text_is_one_line_without_our_secrets(text: str) -> None:
    async with client_of(FakeCloud(lambda _: answer(400, {"error": {"code": "Ecs.0011", "message": text}}))) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(CREATE, client_token=None)
    assert "Canary" not in str(caught.value)
    assert "***" in caught.value.message
    assert "\n" not in str(caught.value)


async def test_a_long_text_is_cut() -> None:
    async with client_of(FakeCloud(lambda _: answer(400, {"error": {"code": "Ecs.0011", "message": "x" * 5000}}))) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.create(CREATE, client_token=None)
    assert len(caught.value.message) == 400


@pytest.mark.parametrize("server_id", ["", ".", "..", "a/b", "x" * 256, "a\nb"])
async def test_ids_that_would_change_the_path_are_not_sent(server_id: str) -> None:
    cloud = FakeCloud(lambda _: answer(200, {}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError, match="server_id") as caught:
            await client.servers.get(server_id)
    assert (caught.value.outcome, caught.value.meaning) == (NOT_SENT, Meaning.INVALID)
    assert not cloud.requests


async def test_ids_are_encoded() -> None:
    cloud = FakeCloud(lambda _: answer(204))
    async with client_of(cloud) as client:
        await client.metadata.remove(SERVER, "a key?x=1#y")
    assert cloud.requests[0].url.raw_path.decode() == f"/v2.1/{PROJECT}/servers/{SERVER}/metadata/a%20key%3Fx%3D1%23y"
