"""A cloud in memory: answers prepared by the test, requests kept for it; time is the event loop's."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx

from ecs_operator.cloud import (
    AccessKey,
    BudgetLimits,
    CallRecord,
    CreateServers,
    CredentialsProvider,
    EcsClient,
    Nic,
    PasswordCredentials,
    RootVolume,
    StaticCredentials,
)

ENDPOINT = "https://ecs.example.test"
IAM = "https://iam.example.test"
PROJECT = "9a56640e5503b8dc39231cdb52a0f3e2"
SERVER = "616fb98f-46ca-475e-917e-2563e5a8cd19"
PASSWORD = "S3cret-Passw0rd!"
SECRET_KEY = "secret-key-0000000000000000000000000001"
TOKEN = "token-of-the-test-0001"
START = datetime(2026, 1, 1, tzinfo=UTC)
USER = PasswordCredentials(username="user", password=PASSWORD, domain_name="lab")
KEY = AccessKey(access_key="ACCESSKEY", secret_key=SECRET_KEY)
VERSIONS = {"versions": [{"id": "v2.1", "min_version": "2.1", "version": "2.60", "status": "CURRENT"}]}
PLENTY = BudgetLimits(reads_per_second=1000, writes_per_second=1000)
UUID = "157ee789-03ea-45b1-a698-76c92660dd83"
CREATE = CreateServers(
    name="web-0",
    image_ref=UUID,
    flavor_ref="s3.large.2",
    vpc_id=UUID,
    nics=(Nic(subnet_id=UUID),),
    root_volume=RootVolume(volumetype="SSD"),
    admin_pass="Canary-Passw0rd",
)

Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


class LoopClock:
    """Time by the event loop, so that looptime moves it."""

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def answer(status: int, body: object = None, headers: dict[str, str] | None = None) -> httpx.Response:
    """A response; a body that is not bytes becomes JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=headers)


def token_answer(value: str = TOKEN, *, seconds: float = 86400.0) -> httpx.Response:
    """What IAM says to a good password."""
    issued = START
    body = {
        "token": {
            "issued_at": issued.isoformat(),
            "expires_at": (issued + timedelta(seconds=seconds)).isoformat(),
            "project": {"id": PROJECT, "name": "eu-west-0"},
            "user": {"id": "u1"},
        }
    }
    return answer(201, body, {"X-Subject-Token": value})


@dataclass
class FakeCloud:
    """Tokens and versions are answered by themselves; the rest by ``handler``."""

    handler: Handler
    token_handler: Handler = field(default=lambda _: token_answer())
    requests: list[httpx.Request] = field(default_factory=list)
    token_requests: list[httpx.Request] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)
    versions: object = field(default_factory=lambda: VERSIONS)
    versions_status: int = 200

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v3/auth/tokens":
            self.token_requests.append(request)
            return await _awaited(self.token_handler(request))
        if request.url.path == "/":
            return answer(self.versions_status, self.versions)
        self.requests.append(request)
        return await _awaited(self.handler(request))


async def _awaited(response: httpx.Response | Awaitable[httpx.Response]) -> httpx.Response:
    return response if isinstance(response, httpx.Response) else await response


def in_turn(responses: Iterable[httpx.Response | Exception]) -> Handler:
    """Each request gets the next of these; an exception is raised."""
    rest = iter(responses)

    def handle(_: httpx.Request) -> httpx.Response:
        response = next(rest)
        if isinstance(response, Exception):
            raise response
        return response

    return handle


@asynccontextmanager
async def client_of(
    cloud: FakeCloud,
    *,
    credentials: CredentialsProvider | None = None,
    budget: BudgetLimits = PLENTY,
    project_id: str | None = PROJECT,
    project_name: str | None = None,
    user_id: str | None = None,
) -> AsyncIterator[EcsClient]:
    """A client whose network is the fake cloud."""
    async with await EcsClient.open(
        endpoint=ENDPOINT,
        iam_endpoint=IAM,
        project_id=project_id,
        project_name=project_name,
        user_id=user_id,
        credentials=credentials or StaticCredentials(KEY),
        budget=budget,
        clock=LoopClock(),
        rng=random.Random(1),  # noqa: S311
        transport=httpx.MockTransport(cloud),
        observer=cloud.records.append,
    ) as client:
        yield client
