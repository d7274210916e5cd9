"""Server groups (ECS API reference 5.10)."""

from __future__ import annotations

from collections.abc import Iterable

from ecs_operator.cloud.errors import Meaning, Outcome
from ecs_operator.cloud.failures import failed
from ecs_operator.cloud.models.groups import ServerGroup, ServerGroupAnswer, ServerGroupPage
from ecs_operator.cloud.operation import Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

_GROUPS = "/v1/{project_id}/cloudservers/os-server-groups"
_GROUP = f"{_GROUPS}/{{server_group_id}}"
_PAGE = 100

CREATE = Operation(section="5.10.1", name="createServerGroup", method="POST", path=_GROUPS, kind=Kind.WRITE, lane=Lane.CREATE)
DELETE = Operation(section="5.10.2", name="deleteServerGroup", method="DELETE", path=_GROUP, kind=Kind.WRITE, lane=Lane.URGENT)
ADD = Operation(section="5.10.3", name="addServerGroupMember", method="POST", path=f"{_GROUP}/action", kind=Kind.WRITE, lane=Lane.URGENT)
REMOVE = Operation(
    section="5.10.4", name="removeServerGroupMember", method="POST", path=f"{_GROUP}/action", kind=Kind.WRITE, lane=Lane.URGENT
)
LIST = Operation(section="5.10.5", name="listServerGroups", method="GET", path=_GROUPS, lane=Lane.RESYNC, lists=True)
SHOW = Operation(section="5.10.6", name="showServerGroup", method="GET", path=_GROUP)


class ServerGroups:
    """Operations on server groups. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, name: str, policies: Iterable[str]) -> ServerGroup:
        """5.10.1: make a group. The cloud supports ``anti-affinity`` only; names need not be unique."""
        check(CREATE, "server_group.name", "1 to 255 bytes", holds=1 <= len(name.encode()) <= 255)
        chosen = list(policies)
        check(CREATE, "server_group.policies", "only anti-affinity is supported", holds=chosen == ["anti-affinity"])
        answer = await self._session.call(CREATE, body={"server_group": {"name": name, "policies": chosen}})
        return answer.read(ServerGroupAnswer).server_group

    async def delete(self, group_id: str) -> None:
        """5.10.2: delete a group. Its members stay."""
        await self._session.call(DELETE, path={"server_group_id": group_id})

    async def add(self, group_id: str, server_id: str) -> None:
        """5.10.3: let a stopped server join, at once."""
        await self._session.call(ADD, path={"server_group_id": group_id}, body={"add_member": {"instance_uuid": server_id}})

    async def remove(self, group_id: str, server_id: str) -> None:
        """5.10.4: let a server leave, at once."""
        await self._session.call(REMOVE, path={"server_group_id": group_id}, body={"remove_member": {"instance_uuid": server_id}})

    async def list(self) -> tuple[ServerGroup, ...]:
        """5.10.5: all groups. Either complete, or an error."""
        found: dict[str, ServerGroup] = {}
        query = {"limit": str(_PAGE)}
        while True:
            answer = await self._session.call(LIST, query=query)
            groups = answer.read(ServerGroupPage).server_groups
            if not groups:
                return tuple(found.values())
            if groups[-1].id in found:
                problem = "the list of server groups has no end: the same page again"
                raise failed(answer.call, outcome=Outcome.UNKNOWN, meaning=Meaning.INTERNAL, message=problem, answer=answer.raw)
            found.update((group.id, group) for group in groups)
            query = {**query, "marker": groups[-1].id}

    async def get(self, group_id: str) -> ServerGroup:
        """5.10.6: one group with its members."""
        answer = await self._session.call(SHOW, path={"server_group_id": group_id})
        return answer.read(ServerGroupAnswer).server_group
