"""The parts of the fake cloud that need a server stopped, and the groups: each call is an effect."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any

from ecs_operator.cloud import ChangeSystem, JobAccepted, KeyPair, Meaning, ReinstallSystem, ServerGroup
from ecs_operator.cloud import Fault as CloudFault
from tests.unit.resources.server.fake_cloud import FakeCloud, refusal

USER = "7e25b1da389f4697a79df3a0e5bd494e"


@dataclass(frozen=True)
class Installed:
    """One call that made a system disk anew. ``how``: which section."""

    how: str
    image: str
    key: str | None
    password: str | None
    user_data: bytes | None


class FakeSystems:
    """Installations, hosts, server groups and key pairs of the servers of a fake cloud."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self.installed: list[Installed] = []
        self.moves: list[str | None] = []
        self.groups: dict[str, list[str]] = {}
        self.key_pairs = {"ops", "new"}
        self.user: str | None = USER
        self.next_failure: tuple[str, str] | None = None
        """The next job fails with code and text; an installation leaves the server in ERROR."""
        self.joins: list[tuple[str, str]] = []

    # 5.2

    async def reinstall(self, server_id: str, request: ReinstallSystem) -> JobAccepted:
        return self._install(server_id, request, "5.2.1", self._server(server_id).image_id)

    async def change(self, server_id: str, request: ChangeSystem) -> JobAccepted:
        return self._install(server_id, request, "5.2.2", request.image_id)

    async def migrate(self, server_id: str, dedicated_host_id: str | None) -> JobAccepted:
        def do() -> JobAccepted:
            self._require(server_id, "migrateServer", ("SHUTOFF",))
            self.moves.append(dedicated_host_id)
            return self._job(server_id, "resize_prep", {"host_id": f"host of {dedicated_host_id}"}, {})

        accepted: JobAccepted = self._cloud.effects.perform("cloud.migrate", do)
        return accepted

    def _install(self, server_id: str, request: ReinstallSystem | ChangeSystem, how: str, image: str) -> JobAccepted:
        def do() -> JobAccepted:
            self._require(server_id, "installServer", ("SHUTOFF", "ERROR") if how == "5.2.2" else ("SHUTOFF",))
            password = request.admin_pass.get_secret_value() if request.admin_pass else None
            data = base64.b64decode(request.user_data.get_secret_value()) if request.user_data else None
            self.installed.append(Installed(how, image, request.key_name, password, data))
            root, *others = self._server(server_id).volumes
            new = replace(root, id=f"{server_id}-root{len(self.installed)}")
            self._cloud.volumes_by_id[new.id] = self._cloud.volumes_by_id[root.id]
            came = {"status": "SHUTOFF", "vm_state": "stopped", "image_id": image, "volumes": (new, *others), "fault": None}
            broken = {"status": "ERROR", "vm_state": "error", "fault": CloudFault(code=500, message="the installation broke")}
            return self._job(server_id, "rebuilding", {**came, "key_name": request.key_name or ""}, broken)

        accepted: JobAccepted = self._cloud.effects.perform("cloud.install", do)
        return accepted

    def _job(self, server_id: str, task: str, came: dict[str, Any], broken: dict[str, Any]) -> JobAccepted:
        self._cloud.set(server_id, task_state=task)
        fails, self.next_failure = self.next_failure, None
        job_id = self._cloud._job(task, (server_id,), 6.0, lambda: self._cloud.set(server_id, task_state="", **(broken if fails else came)))
        self._cloud.jobs[job_id].fails = fails
        return JobAccepted(job_id=job_id)

    # 5.10

    async def get_group(self, group_id: str) -> ServerGroup:
        if group_id not in self.groups:
            raise refusal("showServerGroup")
        return ServerGroup(id=group_id, name=group_id, members=tuple(self._members(group_id)))

    async def list_groups(self) -> tuple[ServerGroup, ...]:
        return tuple([await self.get_group(each) for each in self.groups])

    async def join(self, group_id: str, server_id: str) -> None:
        def do() -> None:
            self._require(server_id, "addServerGroupMember", ("SHUTOFF",))
            if self.group_of(server_id) is not None:
                raise refusal("addServerGroupMember", meaning=Meaning.INVALID, status=400, message="it is a member already")
            self.joins.append((group_id, server_id))
            self.groups[group_id].append(server_id)

        self._cloud.effects.perform("cloud.join_group", do)

    async def leave(self, group_id: str, server_id: str) -> None:
        def do() -> None:
            if server_id not in self._members(group_id):
                raise refusal("removeServerGroupMember", meaning=Meaning.INVALID, status=400, message="it is no member")
            if server_id in self.groups[group_id]:
                self.groups[group_id].remove(server_id)
            self._cloud.set_hint(server_id, None)

        self._cloud.effects.perform("cloud.leave_group", do)

    def group_of(self, server_id: str) -> str | None:
        return next((each for each in self.groups if server_id in self._members(each)), None)

    def _members(self, group_id: str) -> list[str]:
        """Those that joined later, and those that were created with the group."""
        return [*self.groups[group_id], *(each for each, hint in self._cloud.hints.items() if hint == group_id)]

    # The rest

    async def key_pair(self, name: str) -> KeyPair:
        if name not in self.key_pairs:
            raise refusal("showKeyPair")
        return KeyPair(name=name)

    async def user_id(self) -> str | None:
        return self.user

    def _require(self, server_id: str, operation: str, statuses: tuple[str, ...]) -> None:
        server = self._server(server_id)
        if server.locked or server.task_state or server.status not in statuses:
            raise refusal(operation, meaning=Meaning.CONFLICT, status=400, code="Ecs.0100", message="the state does not allow it")

    def _server(self, server_id: str) -> Any:
        return self._cloud.servers_by_id[server_id].server
