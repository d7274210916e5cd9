"""A world whose time stands still, and its operations called as the shell calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from ecs_simulator.call import ApiError, Call
from ecs_simulator.routes import OPERATIONS
from ecs_simulator.world import Project, World

PROJECT = "9a56640e5503b8dc39231cdb52a0f3e2"
IMAGE = "67f433d8-ed0e-4321-a8a2-a71838539e09"
WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"
VPC = "0dae26c9-9a70-4392-93f3-87d53115d171"
SUBNET = "157ee789-03ea-45b1-a698-76c92660dd83"
SMALL_SUBNET = "3a8f2c11-5f0e-4c59-9a53-3f1d9b0c8e22"
GROUP = "507ca48f-814c-4293-8706-300564d54620"
VOLUME = "b104b8db-170d-441b-897a-3c8ba9c5a214"
PORT = "d5a3f1c7-2b64-4e0e-8f31-7c9a5e8b1d20"
EIP = "a2b4c6d8-1111-4222-8333-944455566677"
TOKEN = "7b0e6c1e-3c86-5c0e-9d5e-5c1d3d0a7a11"
MARKER = {"ecs-operator.owner": "cluster/uid/1/mac"}
NOWHERE = "00000000-0000-4000-8000-000000000000"

BY_NAME = {operation.name: operation for operation in OPERATIONS}


def request(**changes: Any) -> dict[str, Any]:
    """A body of 5.1.1; a field set to None is left out."""
    server = {
        "name": "web",
        "flavorRef": "s3.large.2",
        "imageRef": IMAGE,
        "vpcid": VPC,
        "availability_zone": "eu-west-0a",
        "nics": [{"subnet_id": SUBNET}],
        "root_volume": {"volumetype": "SSD", "size": 40},
        "key_name": "ops",
        "metadata": MARKER,
    }
    return {"server": {key: value for key, value in {**server, **changes}.items() if value is not None}}


class Answer(NamedTuple):
    """A reply whose body can be looked into without further ado."""

    status: int
    body: Any


class Stage:
    """The world, its first project, and what tests do with them."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World.from_seed()
        self.world.clock.set_mode("frozen")
        self.project: Project = self.world.projects[PROJECT]
        self.requests = 0

    def call(
        self,
        name: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        version: tuple[int, int] | None = (2, 26),
        token: str | None = None,
        project: Project | None = None,
        **path: str,
    ) -> Answer:
        """Carry an operation out, after the world was settled."""
        self.requests += 1
        self.world.settle()
        owner = project or self.project
        reply = BY_NAME[name].handler(
            Call(
                world=self.world,
                project=owner,
                user_id=next(iter(owner.users)),
                path={"project_id": owner.id, **path},
                query={key: [value] for key, value in (query or {}).items()},
                headers={"host": "cloud.test"} | ({"x-client-token": token} if token is not None else {}),
                body=body,
                microversion=version,
                request_id=f"req-{self.requests}",
            )
        )
        return Answer(reply.status, reply.body)

    def refused(self, name: str, body: Any = None, **more: Any) -> ApiError:
        """Carry an operation out that must be refused."""
        with pytest.raises(ApiError) as caught:
            self.call(name, body, **more)
        return caught.value

    def code(self, name: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """Status and most specific code of a refusal."""
        error = self.refused(name, body, **more)
        return error.status, error.details[0] if error.details else error.code

    def pass_time(self, seconds: float) -> None:
        """Let time pass and everything happen that is due by then."""
        self.world.clock.advance(seconds)
        self.world.settle()

    def job(self, job_id: str) -> Any:
        return self.call("showJob", job_id=job_id).body

    def ended(self, reply: Answer) -> Any:
        """The job of an accepted request, once it is over."""
        self.pass_time(600)
        job = self.job(reply.body["job_id"])
        assert job["status"] in {"SUCCESS", "FAIL"}
        return job

    def create(self, **changes: Any) -> list[str]:
        """Servers that run."""
        job = self.ended(self.call("createServers", request(**changes)))
        assert job["status"] == "SUCCESS", job
        return [part["entities"]["server_id"] for part in job["entities"]["sub_jobs"]]

    def server(self, **changes: Any) -> str:
        """A server that runs."""
        return self.create(**changes)[0]

    def stopped(self, **changes: Any) -> str:
        """A server that is stopped."""
        server_id = self.server(**changes)
        self.ended(self.call("stopServers", {"os-stop": {"servers": [{"id": server_id}]}}))
        return server_id

    def show(self, server_id: str, **more: Any) -> Any:
        return self.call("showServer", server_id=server_id, **more).body["server"]

    def names(self, **query: str) -> list[str]:
        """Names of the servers in a list with all details."""
        body = self.call("listServersDetails", query=query).body
        return [row["name"] for row in body["servers"]]

    def entries(self, action: str | None = None, resource: str | None = None) -> list[dict[str, Any]]:
        """Ledger entries of an action on a kind of resource."""
        return [
            entry
            for entry in self.world.ledger.to_json()
            if (action is None or entry["action"] == action) and (resource is None or entry["resource"] == resource)
        ]

    def alive(self) -> set[str]:
        """What was created and not deleted since, by the ledger."""
        found: set[str] = set()
        for entry in self.entries():
            name = f"{entry['resource']} {entry['id']}"
            if entry["action"] == "create":
                found.add(name)
            if entry["action"] == "delete":
                found.discard(name)
        return found


def ids(*server_ids: str) -> list[dict[str, str]]:
    """The form in which batches name servers."""
    return [{"id": server_id} for server_id in server_ids]
