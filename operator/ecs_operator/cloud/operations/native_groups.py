"""Server groups by the native API (ECS API reference 6.12)."""

from __future__ import annotations

from ecs_operator.cloud.models.groups import ServerGroup, ServerGroupAnswer, ServerGroupPage
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

_GROUPS = "/v2.1/{project_id}/os-server-groups"
_GROUP = f"{_GROUPS}/{{server_group_id}}"
_POLICY = "anti-affinity"

CREATE = Operation(
    section="6.12.1",
    name="createServerGroupNative",
    method="POST",
    path=_GROUPS,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.CREATE,
    microversion=MICROVERSION_HIGHEST,
)
LIST = Operation(
    section="6.12.2",
    name="listServerGroupsNative",
    method="GET",
    path=_GROUPS,
    family=Family.NOVA,
    lane=Lane.RESYNC,
    lists=True,
    microversion=MICROVERSION_HIGHEST,
)
SHOW = Operation(
    section="6.12.3", name="showServerGroupNative", method="GET", path=_GROUP, family=Family.NOVA, microversion=MICROVERSION_HIGHEST
)
DELETE = Operation(
    section="6.12.4",
    name="deleteServerGroupNative",
    method="DELETE",
    path=_GROUP,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)


class NativeServerGroups:
    """The same groups as those of ``groups``. All raise CloudError.

    Only here they tell their project and user (from microversion 2.13); members join and leave by ``groups`` alone.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(self, name: str) -> ServerGroup:
        """6.12.1: make a group whose members run on different hosts, the only policy there is. Names need not be unique."""
        check(CREATE, "server_group.name", "1 to 255 bytes", holds=1 <= len(name.encode()) <= 255)
        answer = await self._session.call(CREATE, body={"server_group": {"name": name, "policies": [_POLICY]}})
        return answer.read(ServerGroupAnswer).server_group

    async def list(self) -> tuple[ServerGroup, ...]:
        """6.12.2: the groups. The reference has no pages here; ``groups.list`` has, and is complete however many there are."""
        return (await self._session.call(LIST)).read(ServerGroupPage).server_groups

    async def get(self, group_id: str) -> ServerGroup:
        """6.12.3: one group with its members."""
        return (await self._session.call(SHOW, path={"server_group_id": group_id})).read(ServerGroupAnswer).server_group

    async def delete(self, group_id: str) -> None:
        """6.12.4: delete a group. Its members stay."""
        await self._session.call(DELETE, path={"server_group_id": group_id})
