"""A simulated cloud at a standstill and clients of it, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from ecs_operator.cloud import (
    AccessKey,
    BudgetLimits,
    CallRecord,
    CreateServers,
    Credentials,
    EcsClient,
    Job,
    JobAccepted,
    JobStatus,
    Nic,
    PasswordCredentials,
    RootVolume,
    SecurityGroup,
    StaticCredentials,
)
from ecs_simulator.testing import SimulatedCloud, simulated_cloud

PROJECT = "9a56640e5503b8dc39231cdb52a0f3e2"
IMAGE = "67f433d8-ed0e-4321-a8a2-a71838539e09"
VPC = "0dae26c9-9a70-4392-93f3-87d53115d171"
SUBNET = "157ee789-03ea-45b1-a698-76c92660dd83"
SECURITY_GROUP = "507ca48f-814c-4293-8706-300564d54620"
VOLUME = "b104b8db-170d-441b-897a-3c8ba9c5a214"
USER = PasswordCredentials(username="lab-user", password="Lab-Passw0rd!", domain_name="lab")
KEY = AccessKey(access_key="LABACCESSKEY00000001", secret_key="lab-secret-key-0000000000000000000000001")
PLENTY = BudgetLimits(reads_per_second=1000, writes_per_second=1000)
MARKER = {"ecs-operator.owner": "cluster/uid/1/mac"}
CREDENTIALS: dict[str, Credentials] = {"token": USER, "signature": KEY}


class Lab:
    """A simulated cloud with time at a standstill, and clients of it."""

    def __init__(self, cloud: SimulatedCloud, admin: httpx.AsyncClient) -> None:
        self.cloud = cloud
        self._admin = admin
        self.records: list[CallRecord] = []

    async def ask(self, path: str, **params: str) -> Any:
        answer = await self._admin.get(f"/_sim/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tell(self, path: str, body: Mapping[str, object]) -> Any:
        answer = await self._admin.post(f"/_sim/{path}", json=dict(body))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def advance(self, seconds: float) -> None:
        await self.tell("clock", {"advance": seconds})

    async def created(self) -> int:
        entries = (await self.ask("ledger", project=PROJECT))["entries"]
        return sum(entry["action"] == "create" and entry["resource"] == "server" for entry in entries)

    @asynccontextmanager
    async def client(
        self, credentials: Credentials = USER, *, project_id: str | None = PROJECT, project_name: str | None = None
    ) -> AsyncIterator[EcsClient]:
        async with await EcsClient.open(
            endpoint=self.cloud.url,
            iam_endpoint=self.cloud.url,
            project_id=project_id,
            project_name=project_name,
            credentials=StaticCredentials(credentials),
            budget=PLENTY,
            observer=self.records.append,
        ) as client:
            yield client

    async def ended(self, client: EcsClient, accepted: JobAccepted) -> Job:
        """Let the time pass that the job needs."""
        for _ in range(200):
            job = await client.jobs.get(accepted.job_id)
            if job.is_over:
                return job
            await self.advance(5)
        pytest.fail("the job never ended")

    async def server(self, client: EcsClient, **changes: Any) -> str:
        """A new server, running."""
        job = await self.ended(client, await client.servers.create(request(**changes), client_token=None))
        assert job.status is JobStatus.SUCCESS, job
        (server_id,) = job.server_ids()
        return server_id


def request(**changes: Any) -> CreateServers:
    fields = {
        "name": "web-0",
        "image_ref": IMAGE,
        "flavor_ref": "s3.large.2",
        "vpc_id": VPC,
        "availability_zone": "eu-west-0a",
        "nics": (Nic(subnet_id=SUBNET),),
        "security_groups": (SecurityGroup(id=SECURITY_GROUP),),
        "root_volume": RootVolume(volumetype="SSD", size=40),
        "key_name": "ops",
        "metadata": MARKER,
    }
    return CreateServers(**(fields | changes))


@asynccontextmanager
async def frozen_lab() -> AsyncIterator[Lab]:
    """A laboratory whose time stands still until it is told to pass."""
    async with simulated_cloud() as cloud, httpx.AsyncClient(base_url=cloud.admin_url, trust_env=False) as admin:
        lab = Lab(cloud, admin)
        await lab.tell("clock", {"mode": "frozen"})
        yield lab
