"""The world of the examples, and the ways to bring a server into the state an example supposes: nearly all of them calls of the API."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ecs_simulator.call import Operation
from ecs_simulator.routes import OPERATIONS
from ecs_simulator.simulator import Simulator
from ecs_simulator.world import Project, World
from tests.contract.in_process import Answer, Api

WORLD = yaml.safe_load((Path(__file__).parent / "world.yaml").read_text(encoding="utf-8"))
_OWN = WORLD["projects"][0]
PROJECT, USER = str(_OWN["id"]), str(_OWN["users"][0]["id"])
VPC, NETWORK = str(_OWN["networks"][0]["vpcId"]), str(_OWN["networks"][0]["id"])
# Longer than any job takes.
LONG = 60.0

# What the examples themselves put in the place of something else. Ids of what has to be made first are added as it is made.
PLACEHOLDERS: Mapping[str, str] = {
    # A project and a user, in the examples of OpenStack's own documentation.
    "openstack": PROJECT,
    "fake": USER,
    # A zone, likewise.
    "nova": "az1-dc1",
    # Names of networks, which are here those of their VPC.
    "03be5c1e-e05d-4905-a105-c3bd9b730bdc": VPC,
    "68269e6e-4a27-441b-8029-35373ad50bd9": VPC,
    "443dd9e3-c165-4764-ad92-b17fcf12a3eb": VPC,
    # "The name of the network the server is on" stands where that name should be.
    "云服务器所在网络名称": VPC,
}


class Scene:
    """The world of one example. ``stands_for`` maps what the example names to what is here instead of it."""

    def __init__(self) -> None:
        self.api = Api(Simulator(seed=WORLD))
        self.token = self.api.token()
        self.stands_for: dict[str, str] = dict(PLACEHOLDERS)

    @property
    def world(self) -> World:
        """The world itself."""
        return self.api.simulator.world

    @property
    def project(self) -> Project:
        """Its one project."""
        return self.world.projects[PROJECT]

    def send(self, operation: Operation, body: Any, path: Mapping[str, str], *, query: str = "", version: str | None = None) -> Answer:
        """Call an operation as it is printed, after what stands for something else was put in its place."""
        target = operation.path
        for name, value in {"project_id": PROJECT, **path}.items():
            target = target.replace(f"{{{name}}}", self.stands_for.get(value, value))
        headers = {"x-auth-token": self.token, **({"x-openstack-nova-api-version": version} if version is not None else {})}
        return self.api.ask(operation.method, f"{target}?{query}" if query else target, self.here(body), **headers)

    def here(self, value: Any) -> Any:
        """Return a body of an example with what stands for something else put in its place."""
        if isinstance(value, dict):
            return {self.stands_for.get(key, key): self.here(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.here(item) for item in value]
        return self.stands_for.get(value, value) if isinstance(value, str) else value

    # What examples suppose

    def do(self, name: str, body: Any = None, *, version: str | None = None, **path: str) -> Any:
        """Call an operation by its name, let its job end, and return the answer's body."""
        operation = next(each for each in OPERATIONS if each.name == name)
        answer = self.send(operation, body, path, version=version)
        assert answer.status < 300, f"{name}: {answer.status} {answer.content!r}"
        self.api.pass_time(LONG)
        return answer.body

    def running(self, stands_for: str = "", **changes: Any) -> str:
        """Make a server that runs, and let it stand for one of the example's; return its id."""
        body = {
            "name": "new-server-test",
            "flavorRef": "s3.xlarge.2",
            "imageRef": "imageid_123",
            "vpcid": VPC,
            "availability_zone": "az1-dc1",
            "nics": [{"subnet_id": NETWORK}],
            "root_volume": {"volumetype": "SSD", "size": 40},
            "key_name": "sshkey-123",
        }
        answer = self.do("createServers", {"server": body | changes})
        assert self.do("showJob", job_id=answer["job_id"])["status"] == "SUCCESS"
        server_id = str(answer["serverIds"][0])
        if stands_for:
            self.stands_for[stands_for] = server_id
        return server_id

    def stopped(self, stands_for: str = "", **changes: Any) -> str:
        """Make a server that is stopped."""
        server_id = self.running(stands_for, **changes)
        self.do("stopServers", {"os-stop": {"servers": [{"id": server_id}]}})
        return server_id

    def resized(self, stands_for: str = "") -> str:
        """Make a server that waits for the confirmation of its new flavor."""
        server_id = self.running(stands_for)
        self.do("resizeServerNative", {"resize": {"flavorRef": "s3.medium.2"}}, server_id=server_id)
        return server_id

    def member(self, stands_for: str, group: str) -> str:
        """Make a server that is in a group."""
        server_id = self.stopped(stands_for)
        self.do("addServerGroupMember", {"add_member": {"instance_uuid": server_id}}, server_group_id=group)
        return server_id

    def group(self, stands_for: str, name: str = "test") -> str:
        """Make a server group."""
        made = self.do("createServerGroup", {"server_group": {"name": name, "policies": ["anti-affinity"]}})
        self.stands_for[stands_for] = str(made["server_group"]["id"])
        return self.stands_for[stands_for]

    def attached(self, server: str, volume: str, device: str | None = None) -> None:
        """Attach a volume."""
        self.do("attachVolume", {"volumeAttachment": {"volumeId": volume, "device": device}}, server_id=server)

    def tagged(self, server: str, **pairs: str) -> None:
        """Give a server tags of the kind with key and value."""
        tags = [{"key": key, "value": value} for key, value in pairs.items()]
        self.do("createServerTags", {"action": "create", "tags": tags}, server_id=server)
